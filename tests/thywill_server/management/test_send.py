"""``manage.py thywill send``: its targets, and the sentences when it cannot."""

from collections.abc import Callable, Iterator
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from tests.support.recording import RECORDING
from thywill_server import apps
from thywill_server.database.history import latest
from thywill_server.errors import PushUnavailable
from thywill_server.push import destinations

pytestmark = pytest.mark.django_db

ROOMS = "tests.support.applications.rooms"


@pytest.fixture(autouse=True)
def push(settings: Any) -> Iterator[Any]:
    """A site with the rooms, and a push component that remembers."""
    application = {**RECORDING["application"], "packages": [ROOMS]}
    settings.THYWILL = {**RECORDING, "application": application}
    yield apps.components().push
    apps.stop_components()


Send = Callable[..., str]


@pytest.fixture
def send(django_capture_on_commit_callbacks: Any) -> Send:
    """Runs the command; gives what it has said."""

    def send(*arguments: str) -> str:
        out = StringIO()
        # The test's own transaction hides that there is none.
        with django_capture_on_commit_callbacks(execute=True):
            call_command("thywill", "send", *arguments, stdout=out)
        return out.getvalue()

    return send


def test_to_a_client(push: Any, send: Send) -> None:
    """Text is text, whatever it looks like; it is said that nobody knows this client."""
    said = send("u-1", '{"a": 1}')
    assert said == "Sent to client u-1, which is not known to be connected.\n"
    ((destination, message),) = push.published
    assert (destination, message.body, message.event) == ("to u-1", b'{"a": 1}', None)


def test_an_event_in_json(push: Any, send: Send) -> None:
    """``--json`` reads the message, ``--event`` names it."""
    send("u-1", '{"a": [1]}', "--event", "mail", "--json")
    ((_, message),) = push.published
    assert (message.event, message.body) == ("mail", b'{"a":[1]}')


def test_to_a_channel(push: Any, send: Send) -> None:
    """It is published, with a history; the event has a name by itself."""
    assert send("--channel", "room:hall", "hi") == 'Sent to the channel "room:hall" of rooms.\n'
    ((destination, message),) = push.published
    assert destination == destinations.channel_destination("rooms", "room:hall")
    assert (message.event, message.headers["offset"]) == ("message", "1")
    assert [kept.data for kept in latest("rooms", "room:hall", 10)] == ['"hi"']


def test_to_a_user(push: Any, send: Send) -> None:
    """The user is found by name."""
    ada = User.objects.create(username="ada")
    assert send("--user", "ada", "hi") == "Sent to every page of ada.\n"
    ((destination, _),) = push.published
    assert destination == destinations.user_destination(str(ada.pk))


def test_to_everybody(push: Any, send: Send) -> None:
    """The only application needs no name."""
    send("--everybody", "hi")
    assert push.published[0][0] == destinations.application_destination("rooms")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["hi"], "expected one target: CLIENT, --channel, --user or --everybody"),
        (["u-1", "hi", "--everybody"], "expected one target: CLIENT"),
        (["--channel", "cellar", "hi"], 'no application has a channel "cellar"'),
        (["--channel", "room:x", "--event", "joined", "hi"], '"joined" is what a page hears'),
        (["--user", "bob", "hi"], 'there is no user "bob"'),
        (["--everybody", "--application", "x", "hi"], 'no application "x" application= is one of'),
        (["--json", "u-1", "{"], "MESSAGE is no JSON"),
    ],
)
def test_what_cannot_be_sent(push: Any, send: Send, arguments: list[str], sentence: str) -> None:
    """One sentence, and nothing is sent."""
    with pytest.raises(CommandError, match=sentence):
        send(*arguments)
    assert push.published == []


def test_a_broker_that_is_away(push: Any, send: Send, monkeypatch: pytest.MonkeyPatch) -> None:
    """It fails, and says what has become of the message."""

    def fail(timeout_seconds: float) -> None:
        raise PushUnavailable("There is no connection.")

    monkeypatch.setattr(push, "flush", fail)
    with pytest.raises(CommandError, match=r"not sent to client .*: There is no connection\.$"):
        send("u-1", "hi")
    with pytest.raises(CommandError, match="It is in the channel's history"):
        send("--channel", "room:hall", "hi")


def test_push_in_memory(settings: Any, send: Send) -> None:
    """What is published there would stay in this process."""
    in_memory = {"component": "thywill_server.push.in_memory.InMemory"}
    settings.THYWILL = {**settings.THYWILL, "push": in_memory}
    with pytest.raises(CommandError, match="keeps messages in its own process"):
        send("u-1", "hi")
