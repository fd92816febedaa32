"""Applications in other processes: settings, and what is asked; the broker is a list."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tests.support.recording import RecordingPush
from thywill_server.application.base import ClientMessage, Join
from thywill_server.application.remote_stomp import RemoteStomp
from thywill_server.application.remote_stomp.asking import RemoteApplicationError
from thywill_server.application.remote_stomp.line import Delivery
from thywill_server.client import Client
from thywill_server.client_configuration import ClientConfiguration
from thywill_server.errors import ApplicationError, PushUnavailable, Refusal

Answer = Callable[[Any], Any]


class Line:
    """An application at the other end that answers at once."""

    is_connected = True

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self.sent: list[tuple[str, Any, Mapping[str, str]]] = []
        self.receivers: dict[str, Callable[[Delivery], None]] = {}
        self.is_full = False

    def start(self) -> None:
        """Nothing to start."""

    def stop(self) -> None:
        """Nothing to stop."""

    def listen(self, destination: str, receive: Any, *, window: int = 0) -> None:
        """Remember who listens."""
        self.receivers[destination] = receive

    def send(self, destination: str, body: bytes, headers: Mapping[str, str]) -> None:
        """Have it answered."""
        if self.is_full:
            raise PushUnavailable
        self.sent.append((destination, json.loads(body), headers))
        reply = self._answer(json.loads(body))
        if "reply-to" in headers and reply is not None:
            text = reply if isinstance(reply, bytes) else json.dumps(reply).encode()
            back = {"correlation-id": headers["correlation-id"]}
            for _ in range(2):  # the second one is nobody's
                self.receivers[headers["reply-to"]](Delivery(text, back, lambda: None))


def built(answer: Answer, told: dict[str, Any], **settings: Any) -> tuple[RemoteStomp, Line]:
    """A component with the application "hall", started, and its line."""
    line = Line(answer)

    class OnLine(RemoteStomp):
        def make_line(self) -> Any:
            return line

    given = {"applications": {"hall": told}, "stomp_host": "127.0.0.1", **settings}
    component = OnLine(given, push=RecordingPush({}))
    assert component.check() == []
    component.start()
    return component, line


def client() -> Client:
    """A visitor's page."""
    return Client("u-1", "secret session key", None, "hall")


def ask(component: RemoteStomp) -> Any:
    """Hand one message over."""
    return component.receive(client(), ClientMessage("m-1", "say", {"text": "hi"}))


def test_what_an_application_reads() -> None:
    """Everything that it may know, in one object; the session's key is not for it."""
    component, line = built(lambda request: {"status": "ok", "reply": request["id"]}, {})
    assert ask(component) == "m-1"
    ((destination, request, headers),) = line.sent
    assert destination == "/queue/thywill.application.hall"
    session = request["client"].pop("session")
    assert request == {
        "kind": "message",
        "application": "hall",
        "client": {"uuid": "u-1", "user": None, "username": None},
        "id": "m-1",
        "command": "say",
        "message": {"text": "hi"},
    }
    assert session
    assert session != "secret session key"
    assert headers["expiration"] == "10000"
    assert int(headers["expires"]) > 1_700_000_000_000


@pytest.mark.parametrize(
    ("reply", "error", "sentence"),
    [
        (b"\xff", RemoteApplicationError, "expected JSON, got 1 bytes"),
        ([], RemoteApplicationError, "expected an object"),
        ({"status": "fine"}, RemoteApplicationError, "expected the status"),
        ({"status": "failed", "message": "KeyError"}, RemoteApplicationError, "it says: KeyError"),
        ({"status": "error"}, RemoteApplicationError, 'needs a "code"'),
        (
            {"status": "error", "code": "x", "http_status": 200},
            RemoteApplicationError,
            "a status of 400-599",
        ),
        ({"status": "ok", "send": [{}]}, RemoteApplicationError, "has us send: expected one of"),
        ({"status": "error", "code": "not-allowed"}, ApplicationError, "This is not allowed."),
        (
            {"status": "error", "code": "late", "message": "It is over."},
            ApplicationError,
            "It is over.",
        ),
    ],
)
def test_replies_that_are_no_success(reply: Any, error: type[Exception], sentence: str) -> None:
    """What is no reply is the application's failure; what it refuses is a refusal."""
    component, _ = built(lambda request: reply, {})
    with pytest.raises(error, match=sentence):
        ask(component)


def test_without_an_answer() -> None:
    """It runs out of time."""
    component, _ = built(lambda request: None, {}, reply_timeout_seconds=0.05)
    with pytest.raises(Refusal) as raised:
        ask(component)
    assert (raised.value.code, raised.value.status) == ("application-timeout", 504)


def test_an_application_that_is_away() -> None:
    """After so many messages without an answer pages are refused at once."""
    component, line = built(lambda request: None, {"events": True}, max_unanswered=2)
    for _ in range(2):
        component.client_connected(client())
    with pytest.raises(Refusal) as raised:
        ask(component)
    assert raised.value.code == "application-unavailable"
    assert len(line.sent) == 2
    assert component.health()["silent"] == ["hall"]
    assert component.health()["status"] == "failed"


def test_a_queue_that_is_full() -> None:
    """The page hears it, and nobody waits."""
    component, line = built(lambda request: {"status": "ok"}, {})
    line.is_full = True
    with pytest.raises(PushUnavailable):
        ask(component)


def test_channels_are_asked_about() -> None:
    """``may_join`` is the application's, or the settings'; only true is yes."""
    replies = {"a": True, "b": "yes", "c": False}

    def answer(request: Any) -> Any:
        assert (request["kind"], request["channel"]) == (
            "may_join",
            f"room:{request['fields']['room']}",
        )
        return {"status": "ok", "reply": replies[request["fields"]["room"]]}

    channels = {"room:{room}": {}, "news": {"may_join": "everybody"}, "desk": {"may_join": "users"}}
    component, line = built(answer, {"channels": channels})
    destination = component.push.channel_destination("hall", "room:a")
    assert component.join(client(), Join("room:a"))["destination"] == destination
    assert component.join(client(), Join("news"))["channel"] == "news"
    for name in ("room:b", "room:c", "desk"):
        with pytest.raises(ApplicationError, match="You may not join"):
            component.join(client(), Join(name))
    assert [request["channel"] for _, request, _ in line.sent] == ["room:a", "room:b", "room:c"]


def test_a_page_is_prepared() -> None:
    """By the settings, and then by the application, if it is asked."""

    def answer(request: Any) -> Any:
        assert request["kind"] == "bootstrap"
        reply = {"parameters": {"b": 2}, "scripts": ["/y.js"], "channels": ["news"]}
        return {"status": "ok", "reply": reply}

    told = {
        "title": "Hall",
        "scripts": ["/x.js"],
        "parameters": {"a": 1, "b": 1},
        "bootstrap": True,
        "channels": {"news": {"may_join": "everybody"}},
    }
    component, _ = built(answer, told)
    configuration = ClientConfiguration("u-1")
    component.bootstrap_client(client(), configuration)
    assert configuration.application_parameters == {"title": "Hall", "a": 1, "b": 2}
    scripts = [each["resource"] for each in configuration.application_resources]
    assert scripts == ["/x.js", "/y.js"]
    assert list(configuration.bootstrap_parameters["channels"]) == ["news"]


def test_comings_and_goings_are_told() -> None:
    """Without waiting for an answer; only to applications that want it."""
    component, line = built(lambda request: None, {"events": True})
    component.client_connected(client())
    component.client_disconnected(client())
    assert [request["kind"] for _, request, _ in line.sent] == ["connected", "disconnected"]
    assert not any("reply-to" in headers for *_, headers in line.sent)
    quiet, silent_line = built(lambda request: None, {})
    quiet.client_connected(client())
    assert silent_line.sent == []


@pytest.mark.parametrize(
    ("applications", "sentence"),
    [
        ({}, ": expected at least one application"),
        ({"a b": {}}, '["a b"]: expected a name of letters, digits, _ and -'),
        ({"hall": 1}, '["hall"]: expected a mapping, got int'),
        ({"hall": {"titel": "x"}}, '["hall"]: unknown \'titel\'; did you mean "title"?'),
        ({"hall": {"scripts": "x"}}, '["hall"]["scripts"]: expected a list of texts, got \'x\''),
        (
            {"hall": {"channels": {"a": {"may_join": "x"}}}},
            '["hall"]["channels"]["a"]["may_join"]: expected one of "ask", "users", "everybody", '
            "got 'x'",
        ),
        (
            {"hall": {"channels": {"{a": {}}}},
            '["hall"]["channels"]["{a"]: channel: expected a name such as room:{room}, got \'{a\'',
        ),
        (
            {"hall": {"channels": {"a": {"snapshot": True}}}},
            '["hall"]["channels"]["a"]: a snapshot needs history, for the messages between',
        ),
    ],
)
def test_wrong_applications_are_one_sentence(applications: Any, sentence: str) -> None:
    """Each with where it is."""
    component = RemoteStomp({"applications": applications, "stomp_host": "x"})
    assert component.check() == [f'THYWILL["application"]["applications"]{sentence}']


def test_a_broker_has_to_be_known() -> None:
    """Where the push component has none, it has to be named."""
    component = RemoteStomp({"applications": {"hall": {}}}, push=RecordingPush({}))
    (sentence,) = component.check()
    assert sentence.startswith('THYWILL["application"]["stomp_host"]: missing; the push component')
