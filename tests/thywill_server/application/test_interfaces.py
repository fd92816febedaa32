"""From a package to its application, in both forms."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from thywill_server.application import App, RemoteApplication
from thywill_server.application.interfaces import (
    HOW_TO,
    Application,
    InterfaceError,
    load_application,
)
from thywill_server.client import Client
from thywill_server.client_configuration import ClientConfiguration

CLIENT = Client("u-1", "s", None, "echo")

APP = """
from thywill_server.application import App
app = App(title="Chat")
"""

FUNCTIONS = """
received = []
def message_from_client(uuid, raw_message):
    received.append((uuid, raw_message))
    return len(raw_message)
"""


def no_remote(name: str, declared: RemoteApplication) -> App:
    """Make nothing: no package here is the site's half of another process."""
    raise AssertionError(name)


def load(package: str) -> Application:
    """Import a package of a site and give its application."""
    return load_application(package, no_remote)


def test_an_app_is_found(write_application: Callable[..., str]) -> None:
    """The variable app in thywill_interface.py is the application."""
    application = load(write_application("chat", APP))
    assert (application.name, application.package) == ("chat", "site_apps.chat")
    assert application.app.title == "Chat"


@pytest.mark.parametrize("file_name", ["app.py", "__init__.py"])
def test_an_app_may_be_elsewhere(write_application: Callable[..., str], file_name: str) -> None:
    """It may also be in app.py, or in the package itself."""
    application = load(write_application("chat", files={file_name: APP}))
    assert application.app.title == "Chat"


def test_the_interface_may_import_the_app(write_application: Callable[..., str]) -> None:
    """thywill_interface.py comes first; a module called app in it is looked into."""
    package = write_application("chat", "from site_apps.chat import app", {"app.py": APP})
    assert load(package).app.title == "Chat"


def test_the_functions_of_2011_are_an_application(write_application: Callable[..., str]) -> None:
    """message_from_client hears the uuid and the text; its result is the reply."""
    application = load(write_application("echo", FUNCTIONS))
    command = application.app.message_command
    assert command is not None
    assert command.function(*command.arguments(CLIENT, "héllo")) == 5
    assert application.app.commands == {}


def test_the_functions_of_2011_hear_text(write_application: Callable[..., str]) -> None:
    """A message that is no text reaches them as the JSON it came as."""
    application = load(write_application("echo", FUNCTIONS))
    command = application.app.message_command
    assert command is not None
    assert command.function(CLIENT, {"a": [1, 2]}) == len('{"a":[1,2]}')


@pytest.mark.parametrize("name", ["bootstrap_client", "_bootstrap_client"])
def test_both_spellings_of_bootstrap_work(write_application: Callable[..., str], name: str) -> None:
    """The function that prepares a page has a new and an old name."""
    source = (
        FUNCTIONS
        + f"""
def {name}(uuid, configuration):
    configuration.set_application_parameter("title", "Echo for " + uuid)
"""
    )
    application = load(write_application("echo", source))
    configuration = ClientConfiguration("u-1")
    (bootstrap,) = application.app.bootstrap_functions
    bootstrap(copy.copy(CLIENT), configuration)
    assert configuration.application_parameters == {"title": "Echo for u-1"}


@pytest.mark.parametrize(
    ("source", "files", "id_", "sentence"),
    [
        (
            "import nothing_here",
            {},
            "E007",
            "cannot import \"site_apps.own.thywill_interface\" (No module named 'nothing_here')",
        ),
        (
            None,
            {"__init__.py": "1 / 0"},
            "E007",
            'cannot import "site_apps.own" '
            "(ZeroDivisionError: division by zero, __init__.py line 1)",
        ),
        (
            "def x(:",
            {},
            "E007",
            'cannot import "site_apps.own.thywill_interface" '
            "(SyntaxError: invalid syntax (thywill_interface.py, line 1))",
        ),
        (None, {}, "E008", f'"site_apps.own" holds no application; {HOW_TO}'),
        ("app = 5", {}, "E008", f'"site_apps.own" holds no application; {HOW_TO}'),
        ("message_from_client = 5", {}, "E008", f'"site_apps.own" holds no application; {HOW_TO}'),
    ],
)
def test_a_package_that_is_none_says_why(
    write_application: Callable[..., str],
    source: str | None,
    files: dict[str, str],
    id_: str,
    sentence: str,
) -> None:
    """The sentence has the module and the reason, and tells what to write."""
    package = write_application("own", source, files)
    with pytest.raises(InterfaceError) as raised:
        load(package)
    assert str(raised.value) == sentence
    assert raised.value.check_id == f"thywill.{id_}"


def test_a_mistake_in_an_app_is_named(write_application: Callable[..., str]) -> None:
    """What App refuses while a module is imported is the reason in the sentence."""
    source: Any = APP + '\n@app.on("say")\ndef say(client, message, more): pass\n'
    with pytest.raises(InterfaceError, match=r"TypeError: say: expected the arguments"):
        load(write_application("own", source))
