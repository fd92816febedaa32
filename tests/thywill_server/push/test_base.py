"""Messages on their way to the browsers."""

import json
from typing import Any

import pytest

from tests.support.recording import RecordingPush
from thywill_server.push.base import JSON_TYPE, TEXT_TYPE, PushMessage


def test_text_stays_text() -> None:
    """The raw message of 2011: the page gets the very text."""
    message = PushMessage.of("héllo <b>&\"' 你好")
    assert message == PushMessage("héllo <b>&\"' 你好".encode(), "text/plain; charset=utf-8")
    assert message.wire_headers() == {"content-type": TEXT_TYPE}


@pytest.mark.parametrize("value", [None, 5, True, [1, "a"], {"a": {"b": None}}])
def test_anything_else_becomes_json(value: Any) -> None:
    """The page gets it parsed."""
    message = PushMessage.of(value)
    assert message.content_type == JSON_TYPE
    assert json.loads(message.body) == value
    assert message.event is None


def test_an_event_is_always_json() -> None:
    """Text as an event's data is JSON as well, so that pages read events in one way."""
    message = PushMessage.of("x", event="said")
    assert (message.body, message.content_type, message.event) == (b'"x"', JSON_TYPE, "said")
    assert message.wire_headers() == {"content-type": JSON_TYPE, "event": "said"}


def test_a_ready_message_is_not_encoded_again() -> None:
    """What goes to many is encoded once; another event keeps the same bytes."""
    message = PushMessage.of({"a": 1}, event="said")
    assert PushMessage.of(message) is message
    assert PushMessage.of(message, event="said") is message
    other = PushMessage.of(message, event="heard")
    assert other.event == "heard"
    assert other.body is message.body


def test_lone_surrogates_do_no_harm() -> None:
    """Text from a browser may hold half a pair: as text it is replaced, in JSON it is kept."""
    assert PushMessage.of("a\ud800").body == "a\ufffd".encode()
    assert json.loads(PushMessage.of(["a\ud800"]).body) == ["a\ud800"]


@pytest.mark.parametrize("event", ["", "a\nb", "a\x00", "\u2028"])
def test_an_event_has_a_printable_name(event: str) -> None:
    """A name is a header on the wire: nothing that could end one is let through."""
    with pytest.raises(ValueError, match="event name"):
        PushMessage.of("x", event=event)


def test_further_headers_travel_too() -> None:
    """A message may carry headers of its own."""
    message = PushMessage(b"", "application/octet-stream", headers={"offset": "5"})
    assert message.wire_headers() == {"content-type": "application/octet-stream", "offset": "5"}


def test_push_goes_to_the_clients_destination() -> None:
    """Pushing to a client is publishing where only this client listens."""
    push = RecordingPush({})
    push.push("u-1", "hello")
    push.push("u-1", {"a": 1}, event="said")
    assert [(to, m.event) for to, m in push.published] == [("to u-1", None), ("to u-1", "said")]
