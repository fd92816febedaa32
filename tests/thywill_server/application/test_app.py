"""What authors import."""

import copy
import importlib
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from django.test import override_settings

import thywill_server.application
from tests.support.recording import RECORDING
from thywill_server.application import App, send_message_to_client, to_client
from thywill_server.apps import components


def test_the_public_names_are_these() -> None:
    """What an application may import, and nothing else by accident."""
    module = importlib.import_module("thywill_server.application")
    assert sorted(module.__all__) == [
        "App",
        "ApplicationError",
        "Broker",
        "ChannelEvent",
        "Client",
        "ClientConfiguration",
        "Connection",
        "PushUnavailable",
        "RemoteApplication",
        "ahistory",
        "apublish",
        "broadcast",
        "broker",
        "command",
        "connected",
        "disconnect",
        "flush",
        "history",
        "own_settings",
        "presence",
        "publish",
        "send_message_to_client",
        "teardown",
        "to_client",
        "to_subset",
        "to_user",
    ]
    assert all(hasattr(thywill_server.application, name) for name in module.__all__)


def test_importing_needs_no_settings() -> None:
    """An application's modules can be imported before Django is set up."""
    program = "import sys; sys.modules['django'] = None; import thywill_server.application"
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_registering_leaves_functions_as_they_are() -> None:
    """A decorated function can still be called, by a test for example."""
    app = App()

    @app.on("add")
    def add(client: Any, message: list[int]) -> int:
        return sum(message)

    @app.on_message
    def hear(client: Any, message: Any) -> Any:
        return message

    @app.bootstrap
    def prepare(client: Any, configuration: Any) -> str:
        return "prepared"

    assert (add(None, [1, 2]), hear(None, "x"), prepare(None, None)) == (3, "x", "prepared")
    assert app.commands["add"].function is add
    assert app.message_command is not None
    assert app.bootstrap_functions == [prepare]


def test_a_command_has_one_function() -> None:
    """A second function for the same message would never be called: it is refused."""
    app = App()
    app.on("say")(lambda client: None)
    with pytest.raises(ValueError, match=r'@app.on\("say"\): this command has a function already'):
        app.on("say")(lambda client: None)
    app.on_message(lambda client, message: None)
    with pytest.raises(ValueError, match="has such a function already"):
        app.on_message(lambda client, message: None)


def test_common_slips_are_explained() -> None:
    """A decorator without parentheses and a lone script as text are told at once."""
    app = App()
    with pytest.raises(TypeError, match="expected a command's name"):
        app.on(lambda client: None)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="are lists"):
        App(scripts="chat/chat.js")


def test_sending_from_anywhere_uses_the_site(write_application: Callable[..., str]) -> None:
    """Outside a handler, as in a view or a shell, messages go through the site's push component."""
    thywill = copy.deepcopy(RECORDING)
    source = "def message_from_client(uuid, raw_message): pass"
    thywill["application"]["packages"] = [write_application("echo", source)]
    with override_settings(THYWILL=thywill):
        send_message_to_client("u-1", "hello")
        to_client("u-2", {"a": 1})
        to_client("u-2", "said", "x")
        push: Any = components().push
        assert [(to, m.body, m.event) for to, m in push.published] == [
            ("to u-1", b"hello", None),
            ("to u-2", b'{"a":1}', None),
            ("to u-2", b'"x"', "said"),
        ]


@pytest.mark.parametrize("value", [object(), float("nan")])
def test_what_cannot_be_sent_fails_where_it_is_sent(
    write_application: Callable[..., str], value: Any
) -> None:
    """The mistake is raised in the call, not after the commit."""
    thywill = copy.deepcopy(RECORDING)
    source = "def message_from_client(uuid, raw_message): pass"
    thywill["application"]["packages"] = [write_application("echo", source)]
    with override_settings(THYWILL=thywill), pytest.raises((TypeError, ValueError)):
        to_client("u-1", value)
