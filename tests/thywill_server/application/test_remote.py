"""Packages that are the site's half of an application in another process, beside others."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from tests.support.page import thywill
from tests.support.recording import RecordingPush
from thywill_server.application import broker
from thywill_server.application.base import ClientMessage, Join
from thywill_server.application.local_python import LocalPython
from thywill_server.application.remote_stomp.line import Delivery
from thywill_server.client import Client
from thywill_server.client_configuration import ClientConfiguration
from thywill_server.errors import Refusal

ECHO = "def message_from_client(uuid, raw_message):\n    return raw_message\n"
ECHO_ONLY = {"packages": ["thywill_apps.proof_of_concept"], "default": "proof_of_concept"}
HALL = """
from thywill_server.application import RemoteApplication

app = RemoteApplication(
    title="Hall",
    scripts=["hall/hall.js"],
    parameters={"seats": 3},
    events=True,
    events_destination="/queue/hall.control",
    channels={"room:{room}": {"may_join": "everybody"}},
)
"""


class Line:
    """An application at the other end that answers with what it was asked."""

    def __init__(self) -> None:
        self.is_connected = False
        self.sent: list[tuple[str, Any]] = []
        self.receive: Callable[[Delivery], None]

    def start(self) -> None:
        """It is in use."""
        assert not self.is_connected
        self.is_connected = True

    def stop(self) -> None:
        """It is not."""
        self.is_connected = False

    def listen(self, destination: str, receive: Any, *, window: int = 0) -> None:
        """Remember who listens."""
        self.receive = receive

    def send(self, destination: str, body: bytes, headers: Mapping[str, str]) -> None:
        """Answer at once."""
        request = json.loads(body)
        self.sent.append((destination, request["kind"]))
        if "reply-to" in headers:
            reply = json.dumps({"status": "ok", "reply": request["message"]}).encode()
            back = {"correlation-id": headers["correlation-id"]}
            self.receive(Delivery(reply, back, lambda: None))


@pytest.fixture
def built(write_application: Callable[..., str]) -> tuple[LocalPython, Line]:
    """A site with an application of its own and one in another process."""
    write_application("echo", ECHO)
    write_application("hall", HALL)
    line = Line()

    class OnLine(LocalPython):
        def make_line(self) -> Any:
            return line

    component = OnLine({"packages": "site_apps"}, push=RecordingPush({}))
    assert component.check() == []
    return component, line


def client(application: str = "hall") -> Client:
    """A visitor's page."""
    return Client("u-1", None, None, application)


def test_both_kinds_are_served_beside_each_other(built: tuple[LocalPython, Line]) -> None:
    """Each gets its messages: one is called, the other is asked; the line begins when needed."""
    component, line = built
    component.start()
    assert component.application_names() == ["echo", "hall"]
    assert component.receive(client("echo"), ClientMessage("1", None, "hi")) == "hi"
    assert not line.is_connected
    assert component.health() == {"status": "ok", "applications": 2, "silent": []}
    for number in range(2):
        assert component.receive(client(), ClientMessage("1", "say", number)) == number
    assert line.is_connected
    component.stop()
    assert not line.is_connected
    with pytest.raises(Refusal, match="stopping"):
        component.receive(client(), ClientMessage("2", "say", 1))


def test_a_page_has_what_the_package_declares(built: tuple[LocalPython, Line]) -> None:
    """Title, scripts and parameters; channels are joined without asking where all may."""
    component, line = built
    configuration = ClientConfiguration("u-1")
    component.bootstrap_client(client(), configuration)
    assert configuration.application_parameters == {"title": "Hall", "seats": 3}
    assert [each["resource"] for each in configuration.application_resources] == ["hall/hall.js"]
    answer = component.join(client(), Join("room:main"))
    assert answer["channel"] == "room:main"
    assert line.sent == []


def test_coming_and_going_has_a_destination_of_its_own(built: tuple[LocalPython, Line]) -> None:
    """The application is told there, and need not answer."""
    component, line = built
    component.client_connected(client())
    component.client_disconnected(client())
    assert line.sent == [
        ("/queue/hall.control", "connected"),
        ("/queue/hall.control", "disconnected"),
    ]


def test_a_site_without_a_broker_says_so(
    write_application: Callable[..., str], caplog: pytest.LogCaptureFixture, settings: Any
) -> None:
    """The page reads a sentence; who comes and goes is told to nobody, without a traceback."""
    write_application("hall", HALL)
    component = LocalPython({"packages": "site_apps"}, push=RecordingPush({}))
    with pytest.raises(Refusal, match="no broker") as raised:
        component.receive(client(), ClientMessage("1", "say", None))
    assert raised.value.code == "application-unavailable"
    with caplog.at_level("WARNING"):
        component.client_connected(client())
    assert not caplog.records
    settings.THYWILL = thywill(application=ECHO_ONLY)
    with pytest.raises(ImproperlyConfigured, match="no broker"):
        broker()


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ('channels={"a": {"histry": 3}}', "unknown 'histry'; did you mean \"history\"?"),
        ('channels={"a{": {}}', "expected a name such as room:{room}"),
        ("events=1", '["events"]: expected'),
    ],
)
def test_a_wrong_declaration_is_one_sentence(
    write_application: Callable[..., str], fields: str, sentence: str
) -> None:
    """It names the package and what is wrong with it."""
    write_application(
        "hall",
        "from thywill_server.application import RemoteApplication\n"
        f"app = RemoteApplication({fields})\n",
    )
    (problem,) = LocalPython({"packages": "site_apps"}).check()
    assert '"site_apps.hall": RemoteApplication: ' in problem
    assert sentence in problem


def test_programs_of_the_site_reach_its_broker(settings: Any, tmp_path: Any) -> None:
    """A program has the address of the settings, and a fresh ticket for each connection."""
    push = {
        "component": "thywill_server.push.orbited_stomp.OrbitedStomp",
        "stomp_port": 4711,
        "ticket_key_file": tmp_path / "ticket.key",
    }
    settings.THYWILL = thywill(push=push, application=ECHO_ONLY)
    found = broker()
    assert (found.host, found.port, found.login) == ("127.0.0.1", 4711, "site")
    assert found.passcode().count(".") == 2
