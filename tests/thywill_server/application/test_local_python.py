"""Applications in this process: packages in, replies out."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction

from tests.support.recording import RecordingPush
from thywill_server.application.base import ApplicationError, ClientMessage
from thywill_server.application.local_python import LocalPython
from thywill_server.client import Client
from thywill_server.client_configuration import ClientConfiguration
from thywill_server.errors import PushUnavailable

SHOP = """
import asyncio
from dataclasses import dataclass
from django.db import transaction
from twisted.internet import defer
from thywill_server.application import App, ApplicationError, send_message_to_client, to_client

app = App(
    title="Shop", scripts=["shop/a.js", "shop/b.js"], styles=["shop/a.css"],
    template="shop/page.html",
)

@dataclass
class Buy:
    what: str
    amount: int = 1

@app.on("buy")
def buy(client, message: Buy):
    client.send("bought", message)
    return message

@app.on("buy later")
async def buy_later(client, message: Buy):
    await asyncio.sleep(0)
    client.send(f"later: {message.what}")
    return {"later": True}

@app.on("deferred")
def deferred(client):
    return defer.succeed((1, 2))

@app.on("fail")
def fail(client):
    raise KeyError("the price list")

@app.on("refuse")
def refuse(client):
    raise ApplicationError("sold-out", "Come back tomorrow.", 409)

@app.on("strange")
def strange(client):
    return object()

@app.on("for ever")
async def for_ever(client):
    await asyncio.Event().wait()

@app.on("store")
def store(client, message: bool):
    with transaction.atomic():
        client.send("before")
        to_client(client.uuid, "event", 1)
        if message:
            raise KeyError
        return "stored"

@app.on_message
def hear(client, message):
    send_message_to_client(client.uuid, message)

@app.bootstrap
def prepare(client, configuration):
    configuration.set_application_parameter("user", str(client.user))

@app.bootstrap
async def prepare_more(client, configuration):
    configuration.set_application_parameter("scripts", len(configuration.application_resources))
"""

ECHO = """
from thywill_server.application import send_message_to_client

def message_from_client(uuid, raw_message):
    send_message_to_client(uuid, raw_message)

def _bootstrap_client(uuid, configuration):
    configuration.set_application_parameter("title", "Echo")
    configuration.add_application_resource({"type": "javascript", "resource": "/s/echo.js"})
"""

COMMANDS_ONLY = """
from thywill_server.application import App
app = App()
"""


@pytest.fixture
def push() -> RecordingPush:
    """Remembers what applications send."""
    return RecordingPush({})


@pytest.fixture
def component(write_application: Callable[..., str], push: RecordingPush) -> LocalPython:
    """Three applications, in one folder."""
    write_application("shop", SHOP)
    write_application("echo", ECHO)
    write_application("commands_only", COMMANDS_ONLY)
    settings = {"packages": "site_apps", "default": "echo", "handler_timeout_seconds": 20}
    return LocalPython(settings, push=push)


def client(application: str = "shop") -> Client:
    """A page of one application."""
    return Client("u-1", "s", "ada", application)


def receive(component: LocalPython, command: str | None, content: Any = None) -> Any:
    """Give one message to the shop."""
    return component.receive(client(), ClientMessage("m-1", command, content))


def test_the_applications_are_those_of_the_folder(component: LocalPython) -> None:
    """All are known by name; the default is the one that is set."""
    assert component.check() == []
    assert component.application_names() == ["commands_only", "echo", "shop"]
    assert component.default_application == "echo"
    assert component.health() == {"status": "ok", "applications": 3}


def test_without_a_default_the_first_is_served(write_application: Callable[..., str]) -> None:
    """A folder with applications needs no further setting."""
    write_application("shop", SHOP)
    write_application("echo", ECHO)
    assert LocalPython({"packages": "site_apps"}).default_application == "echo"


def test_a_command_is_handled(component: LocalPython, push: RecordingPush) -> None:
    """The message becomes a dataclass, what is sent is pushed, and the result is the reply."""
    assert receive(component, "buy", {"what": "pen"}) == {"what": "pen", "amount": 1}
    ((destination, message),) = push.published
    assert destination == "to u-1"
    assert (message.event, message.body) == ("bought", b'{"what":"pen","amount":1}')


def test_a_message_without_command_is_handled(component: LocalPython, push: RecordingPush) -> None:
    """It goes to the function for anything untyped, whatever JSON it is."""
    assert receive(component, None, ["any", "thing"]) is None
    assert push.bodies == [b'["any","thing"]']


def test_async_functions_are_waited_for(component: LocalPython, push: RecordingPush) -> None:
    """Their result is the reply, and they may send."""
    assert receive(component, "buy later", {"what": "pen"}) == {"later": True}
    assert push.bodies == [b"later: pen"]


def test_deferreds_are_waited_for(component: LocalPython) -> None:
    """What a Deferred fires with is the reply, in plain JSON values."""
    assert receive(component, "deferred") == [1, 2]


def test_the_functions_of_2011_are_called(component: LocalPython, push: RecordingPush) -> None:
    """The smallest application echoes."""
    message = ClientMessage("m-1", None, "héllo")
    assert component.receive(client("echo"), message) is None
    assert push.bodies == ["héllo".encode()]


@pytest.mark.parametrize(
    ("application", "command", "content", "code", "sentence"),
    [
        ("shpo", None, "x", "unknown-application", "There is no such application."),
        ("shop", "sell", {}, "unknown-command", 'The application "shop" has no command "sell".'),
        (
            "echo",
            "x" * 99,
            1,
            "unknown-command",
            f'The application "echo" has no command "{"x" * 60}".',
        ),
        (
            "commands_only",
            None,
            1,
            "unknown-command",
            'The application "commands_only" takes commands only.',
        ),
        (
            "shop",
            "buy",
            {"wat": 1},
            "invalid-message",
            'message.wat: unknown field; did you mean "what"?',
        ),
        ("shop", "refuse", None, "sold-out", "Come back tomorrow."),
    ],
)
def test_a_refusal_has_a_code_and_a_sentence(
    component: LocalPython,
    application: str,
    command: str | None,
    content: Any,
    code: str,
    sentence: str,
) -> None:
    """What no function takes, and what a function refuses, is told in words for the browser."""
    with pytest.raises(ApplicationError) as raised:
        component.receive(client(application), ClientMessage("m", command, content))
    assert (raised.value.code, raised.value.sentence) == (code, sentence)


def test_a_failure_reaches_the_caller(component: LocalPython) -> None:
    """The exception comes out as it is, for the one place that logs it."""
    with pytest.raises(KeyError, match="the price list"):
        receive(component, "fail")


def test_a_reply_that_json_lacks_is_a_failure(component: LocalPython) -> None:
    """The error names the function whose reply it is."""
    with pytest.raises(TypeError, match="strange: its reply cannot be sent"):
        receive(component, "strange")


def test_a_function_that_waits_for_ever_is_ended(
    write_application: Callable[..., str], push: RecordingPush
) -> None:
    """The setting handler_timeout_seconds bounds it."""
    settings = {"packages": [write_application("shop", SHOP)], "handler_timeout_seconds": 0.01}
    with pytest.raises(TimeoutError, match=r"for_ever: no result after 0.01 s"):
        receive(LocalPython(settings, push=push), "for ever")


@pytest.mark.django_db(transaction=True)
def test_a_commit_sends_and_a_roll_back_does_not(
    component: LocalPython, push: RecordingPush
) -> None:
    """What a function sends inside its transaction waits for the end of it."""
    with pytest.raises(KeyError):
        receive(component, "store", True)
    assert push.published == []
    assert receive(component, "store", False) == "stored"
    assert push.bodies == [b"before", b"1"]


@pytest.mark.django_db(transaction=True)
def test_the_transaction_around_a_request_counts(
    component: LocalPython, push: RecordingPush
) -> None:
    """With ATOMIC_REQUESTS nothing is sent before the request's own commit, by async ones too."""
    with transaction.atomic():
        receive(component, "buy", {"what": "a"})
        receive(component, "buy later", {"what": "b"})
        receive(component, None, "c")
        assert push.published == []
    assert push.bodies == [b'{"what":"a","amount":1}', b"later: b", b"c"]


def test_a_full_queue_is_told_to_the_sender(component: LocalPython, push: RecordingPush) -> None:
    """PushUnavailable comes out of the function that sends."""
    push.is_full = True
    with pytest.raises(PushUnavailable):
        receive(component, None, "x")


@pytest.mark.django_db(transaction=True)
def test_a_full_queue_at_a_commit_is_told_as_well(
    component: LocalPython, push: RecordingPush
) -> None:
    """The function is done and its data stored, but the browser hears that nothing was pushed."""
    push.is_full = True
    with pytest.raises(PushUnavailable):
        receive(component, "store", False)


def test_bootstrap_adds_what_the_app_declares(component: LocalPython) -> None:
    """Title, scripts, stylesheets and template are in before the author's functions add more."""
    configuration = ClientConfiguration("u-1", resolve_path=lambda path: f"/static/{path}")
    component.bootstrap_client(client(), configuration)
    assert configuration.to_dict() == {
        "uuid": "u-1",
        "bootstrap_resources": [],
        "bootstrap_parameters": {"application_package": "site_apps.shop"},
        "application_resources": [
            {"type": "javascript", "resource": "/static/shop/a.js"},
            {"type": "javascript", "resource": "/static/shop/b.js"},
            {"type": "css", "resource": "/static/shop/a.css"},
        ],
        "application_parameters": {"title": "Shop", "user": "ada", "scripts": 3},
    }
    assert configuration.application_template == "shop/page.html"


def test_bootstrap_of_2011(component: LocalPython) -> None:
    """The old spellings reach the page."""
    configuration = ClientConfiguration("u-1")
    component.bootstrap_client(client("echo"), configuration)
    assert configuration.application_parameters == {"title": "Echo"}
    assert configuration.application_resources == [{"type": "javascript", "resource": "/s/echo.js"}]


def test_bootstrap_of_an_unknown_application_is_refused(component: LocalPython) -> None:
    """There is no page for what does not exist."""
    with pytest.raises(ApplicationError, match="no such application"):
        component.bootstrap_client(client("shpo"), ClientConfiguration("u"))
