"""What an application in another process has the site send."""

from typing import Any

import pytest

from tests.support.recording import RecordingPush
from thywill_server.application.base import ApplicationComponent
from thywill_server.application.outbox import handling
from thywill_server.application.remote_stomp import RemoteStomp
from thywill_server.application.remote_stomp.sending import read_sendings, send_all
from thywill_server.database.history import latest
from thywill_server.push import destinations

SETTINGS = {
    "applications": {
        "hall": {"channels": {"room:{room}": {"history": 10}, "news": {}}},
        "cellar": {"channels": {"news": {}}},
    },
    "stomp_host": "127.0.0.1",
}


@pytest.fixture
def push() -> RecordingPush:
    """Remembers what is sent."""
    return RecordingPush({})


@pytest.fixture
def component(push: RecordingPush) -> ApplicationComponent:
    """Two applications, not started."""
    return RemoteStomp(SETTINGS, push=push)


def send(component: Any, told: Any, application: str | None = "hall") -> None:
    """Read and send, as for a reply of an application."""
    with handling(component.push, component, application or ""):
        send_all(read_sendings(told), application)


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        ("x", "expected an object, got str"),
        ([1], "expected an object, got int"),
        ({}, "expected one of channel, client, user, everybody, got none"),
        ({"chanel": "x"}, "unknown field 'chanel'"),
        ({"channel": "news"}, "expected an event or a message"),
        ({"channel": "news", "message": "x"}, "a channel takes events"),
        ({"channel": 1, "event": "x"}, "channel: expected text"),
        ({"client": "u", "event": "x", "message": "y"}, "one of them"),
        ({"client": "", "event": "x"}, "client: expected text"),
        ({"channel": "news", "disconnect": True}, "expected a client or a user"),
    ],
)
def test_what_is_none_is_refused(told: Any, sentence: str) -> None:
    """Before anything is sent."""
    with pytest.raises(ValueError, match=sentence):
        read_sendings(told)


def test_each_target(component: Any, push: RecordingPush) -> None:
    """A page, a user, a channel, everybody; messages and events."""
    send(component, {"client": "u-1", "message": {"a": 1}})
    send(component, {"user": "7", "event": "mail", "data": 3})
    send(component, {"everybody": True, "event": "back"})
    send(component, {"channel": "news", "event": "told", "data": None})
    send(component, {"channel": "news", "event": "told", "application": "cellar"}, None)
    assert [destination for destination, _ in push.published] == [
        "to u-1",
        destinations.user_destination("7"),
        destinations.application_destination("hall"),
        destinations.channel_destination("hall", "news"),
        destinations.channel_destination("cellar", "news"),
    ]
    assert [m.event for _, m in push.published] == [None, "mail", "back", "told", "told"]
    assert push.bodies == [b'{"a":1}', b"3", b"null", b"null", b"null"]


def test_whose_channel_has_to_be_clear(component: Any, push: RecordingPush) -> None:
    """Two applications have it, or none."""
    with pytest.raises(ValueError, match="may be a channel of cellar, hall"):
        send(component, {"channel": "news", "event": "told"}, None)
    with pytest.raises(ValueError, match='no channel "attic"'):
        send(component, {"channel": "attic", "event": "told"})
    assert push.published == []


@pytest.mark.django_db(transaction=True)
def test_a_list_is_sent_whole_or_not(component: Any, push: RecordingPush) -> None:
    """In its order; where one cannot be sent, no history has the others."""
    said = [{"channel": "room:a", "event": "said", "data": number} for number in range(3)]
    send(component, said)
    with pytest.raises(ValueError, match="attic"):
        send(component, [said[0], {"channel": "attic", "event": "said"}])
    assert [m.headers["offset"] for _, m in push.published] == ["1", "2", "3"]
    assert [kept.data for kept in latest("hall", "room:a", 10)] == ["0", "1", "2"]
