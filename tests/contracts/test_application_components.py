"""What holds for every application component, with one application that each of them runs.

For a component that finds its applications elsewhere, add a way to give it `SOURCE` to `run`.
"""

import importlib
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.contracts.implementations import implementations
from tests.support.recording import RecordingPush
from tests.support.stomp_line import SocketLine, morbid_process
from thywill_server.application.base import (
    ApplicationComponent,
    ApplicationError,
    ClientMessage,
)
from thywill_server.application.local_python import LocalPython
from thywill_server.application.remote_stomp import RemoteStomp
from thywill_server.client import Client
from thywill_server.client_configuration import ClientConfiguration
from thywill_server.errors import PushUnavailable

ROOT = Path(__file__).parents[2]

SOURCE = """
from thywill_server.application import App, ApplicationError

app = App(title="Contract", scripts=["/contract.js"])

@app.on_message
def hear(client, message):
    client.send(message)

@app.on("add")
def add(client, message: list[int]):
    total = sum(message)
    client.send("added", {"total": total})
    return {"total": total}

@app.on("refuse")
def refuse(client, message: str):
    raise ApplicationError("too-late", message, 409)

@app.on("fail")
def fail(client):
    raise KeyError("private")

@app.bootstrap
def bootstrap(client, configuration):
    configuration.set_application_parameter("uuid", client.uuid)
"""

REMOTE_SOURCE = """
from thywill_server.application import RemoteApplication

app = RemoteApplication(bootstrap=True)
"""

Run = Callable[[pytest.FixtureRequest, Path, RecordingPush], ApplicationComponent]


def run_local_python(
    request: pytest.FixtureRequest, folder: Path, push: RecordingPush
) -> ApplicationComponent:
    """The application as a package of this process."""
    write_package(folder)
    return LocalPython({"packages": "contract_apps"}, push=push)


def run_remote_stomp(
    request: pytest.FixtureRequest, folder: Path, push: RecordingPush
) -> ApplicationComponent:
    """The application in a process of its own, behind a broker in another."""
    port: int = request.getfixturevalue("remote_application")

    class OverSocket(RemoteStomp):
        def make_line(self) -> SocketLine:
            return SocketLine(port)

    settings = {"applications": {"contract": {"bootstrap": True}}, "stomp_host": "127.0.0.1"}
    return OverSocket(settings, push=push)


def run_remote_package(
    request: pytest.FixtureRequest, folder: Path, push: RecordingPush
) -> ApplicationComponent:
    """The same process, and a package of this one that is the site's half of it."""
    port: int = request.getfixturevalue("remote_application")

    class OverSocket(LocalPython):
        def make_line(self) -> SocketLine:
            return SocketLine(port)

    write_package(folder, REMOTE_SOURCE)
    return OverSocket({"packages": "contract_apps"}, push=push)


def write_package(folder: Path, source: str = SOURCE) -> None:
    """Write the application as a package."""
    package = folder / "contract_apps" / "contract"
    package.mkdir(parents=True)
    (package / "thywill_interface.py").write_text(source)


@pytest.fixture(scope="module")
def remote_application(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The broker's port; both processes serve all tests of this file."""
    folder = tmp_path_factory.mktemp("remote")
    write_package(folder)
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "settings",
        "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)]),
        "THYWILL_HOME": str(folder),
    }
    module = "tests.support.remote_application"
    with morbid_process() as port:
        command = [sys.executable, "-m", module, str(port), "contract_apps.contract"]
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
        )
        with process:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            yield port
            process.kill()


@pytest.fixture
def push() -> RecordingPush:
    """Remembers what the application sends."""
    return RecordingPush({})


@pytest.fixture(
    params=[run_local_python, run_remote_stomp, run_remote_package],
    ids=["LocalPython", "RemoteStomp", "RemoteApplication"],
)
def component(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    push: RecordingPush,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[ApplicationComponent]:
    """The component, started, with the application."""
    monkeypatch.syspath_prepend(str(tmp_path))
    component = request.param(request, tmp_path, push)
    importlib.invalidate_caches()
    assert component.check() == []
    component.start()
    yield component
    component.stop()
    for name in [name for name in sys.modules if name.split(".")[0] == "contract_apps"]:
        del sys.modules[name]


def client(uuid: str = "u-1", application: str = "contract") -> Client:
    """A page of the application."""
    return Client(uuid, "session", None, application)


def receive(component: ApplicationComponent, command: str | None, content: Any = None) -> Any:
    """Give the application one message."""
    return component.receive(client(), ClientMessage("m-1", command, content))


def test_the_application_is_there(component: ApplicationComponent) -> None:
    """It is known by its name, and the only one is the default."""
    assert component.application_names() == ["contract"]
    assert component.default_application == "contract"


@pytest.mark.parametrize("content", ["héllo <b>&\"' 你好", {"a": [1, None]}, 5, None, ""])
def test_a_message_is_handled(
    component: ApplicationComponent, push: RecordingPush, content: Any
) -> None:
    """Any JSON value arrives, and what the application sends goes to its client."""
    assert receive(component, None, content) is None
    ((destination, message),) = push.published
    assert destination == push.destination_of("u-1")
    assert message == type(message).of(content)


def test_a_command_is_answered(component: ApplicationComponent, push: RecordingPush) -> None:
    """The function's result is the reply."""
    assert receive(component, "add", [1, 2, 3]) == {"total": 6}
    assert [message.event for _, message in push.published] == ["added"]


@pytest.mark.parametrize(
    ("application", "command", "content", "code", "status"),
    [
        ("nothing", None, "x", "unknown-application", 404),
        ("contract", "subtract", [1], "unknown-command", 400),
        ("contract", "add", ["1"], "invalid-message", 400),
        ("contract", "refuse", "It is over.", "too-late", 409),
    ],
)
def test_a_refusal_has_a_code(
    component: ApplicationComponent,
    application: str,
    command: str | None,
    content: Any,
    code: str,
    status: int,
) -> None:
    """What cannot be handled, and what the application refuses, is told in the same way."""
    with pytest.raises(ApplicationError) as raised:
        component.receive(client(application=application), ClientMessage("m", command, content))
    assert (raised.value.code, raised.value.status) == (code, status)


def test_a_failure_is_no_refusal(component: ApplicationComponent) -> None:
    """It comes out as another exception, which the caller logs and does not show."""
    with pytest.raises(Exception, match="private") as raised:
        receive(component, "fail")
    assert not isinstance(raised.value, ApplicationError)


def test_a_full_queue_is_told(component: ApplicationComponent, push: RecordingPush) -> None:
    """What cannot be pushed is no success."""
    push.is_full = True
    with pytest.raises(PushUnavailable):
        receive(component, None, "x")


def test_a_ping_comes_back(component: ApplicationComponent, push: RecordingPush) -> None:
    """What `thywill doctor` sends is pushed back to its client, and the moments are told."""
    moments = component.ping(client(), "text")
    ((destination, message),) = push.published
    assert destination == push.destination_of("u-1")
    assert (message.event, message.body) == ("thywill.ping", b'"text"')
    assert 0 <= moments["pushed_at"] - moments["called_at"] < 30


def test_the_order_is_kept(component: ApplicationComponent, push: RecordingPush) -> None:
    """One client's messages are handled, and answered, in the order in which they come."""
    for number in range(200):
        receive(component, None, str(number))
    assert push.bodies == [str(number).encode() for number in range(200)]


def test_clients_are_served_at_the_same_time(
    component: ApplicationComponent, push: RecordingPush
) -> None:
    """Threads do not mix up their clients."""
    replies: dict[int, Any] = {}

    def serve(index: int) -> None:
        page = client(uuid=f"u-{index}")
        for _ in range(20):
            message = ClientMessage("m", "add", [index])
            replies[index] = component.receive(page, message)

    threads = [threading.Thread(target=serve, args=(index,)) for index in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert replies == {index: {"total": index} for index in range(4)}
    for index in range(4):
        own = [m.body for to, m in push.published if to == push.destination_of(f"u-{index}")]
        assert own == [b'{"total":%d}' % index] * 20


def test_the_page_is_prepared(component: ApplicationComponent) -> None:
    """Title and scripts are told, and what the application adds for this client."""
    configuration = ClientConfiguration("u-1")
    component.bootstrap_client(client(), configuration)
    assert configuration.application_parameters == {"title": "Contract", "uuid": "u-1"}
    assert [r["resource"] for r in configuration.application_resources] == ["/contract.js"]


def test_every_application_component_is_tried() -> None:
    """An implementation that nobody added here would go untested."""
    names = [cls.__name__ for cls in implementations() if cls.SECTION == "application"]
    assert names == ["LocalPython", "RemoteStomp"]
