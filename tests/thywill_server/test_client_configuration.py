"""What one page is told."""

import json
from dataclasses import dataclass
from typing import Any

import pytest

from thywill_server.client_configuration import ClientConfiguration


@dataclass
class Room:
    name: str


def test_the_page_reads_the_five_keys_of_2011() -> None:
    """The dictionary has exactly the keys that old pages know, in the order of old."""
    configuration = ClientConfiguration("u-1")
    configuration.set_bootstrap_parameter("send_path", "/thywill/send/")
    configuration.set_application_parameter("title", "Echo")
    configuration.add_bootstrap_script("/static/thywill/thywill.js")
    configuration.add_bootstrap_stylesheet("/static/thywill/thywill.css")
    configuration.add_application_script("/static/echo/echo.js")
    configuration.add_application_stylesheet("/static/echo/echo.css")
    configuration.set_application_template("echo/page.html")
    configuration.add_content_source("connect-src", "wss://push.example.org")
    assert configuration.to_dict() == {
        "uuid": "u-1",
        "bootstrap_resources": [
            {"type": "javascript", "resource": "/static/thywill/thywill.js"},
            {"type": "css", "resource": "/static/thywill/thywill.css"},
        ],
        "bootstrap_parameters": {"send_path": "/thywill/send/"},
        "application_resources": [
            {"type": "javascript", "resource": "/static/echo/echo.js"},
            {"type": "css", "resource": "/static/echo/echo.css"},
        ],
        "application_parameters": {"title": "Echo"},
    }
    assert configuration.application_template == "echo/page.html"
    assert configuration.content_sources == {"connect-src": ["wss://push.example.org"]}


def test_the_spelling_of_2011_works() -> None:
    """Resources may be given as the dictionaries that the page reads."""
    configuration = ClientConfiguration("u")
    configuration.add_application_resource({"type": "javascript", "resource": "/a.js"})
    configuration.add_bootstrap_resource({"type": "css", "resource": "/b.css"})
    assert configuration.application_resources == [{"type": "javascript", "resource": "/a.js"}]
    assert configuration.bootstrap_resources == [{"type": "css", "resource": "/b.css"}]


@pytest.mark.parametrize(
    ("path", "url"),
    [
        ("chat/chat.js", "/static/chat/chat.js"),
        ("/other/chat.js", "/other/chat.js"),
        ("https://cdn.example.org/x.js", "https://cdn.example.org/x.js"),
        ("//cdn.example.org/x.js", "//cdn.example.org/x.js"),
    ],
)
def test_relative_paths_are_static_files(path: str, url: str) -> None:
    """Only a relative path is resolved; addresses stay as they are."""
    configuration = ClientConfiguration("u", resolve_path=lambda path: f"/static/{path}")
    configuration.add_application_script(path)
    configuration.add_bootstrap_stylesheet(path)
    assert configuration.application_resources[0]["resource"] == url
    assert configuration.bootstrap_resources[0]["resource"] == url


def test_a_resource_is_loaded_once() -> None:
    """Two components may ask for the same script."""
    configuration = ClientConfiguration("u")
    configuration.add_bootstrap_script("/a.js")
    configuration.add_bootstrap_script("/b.js")
    configuration.add_bootstrap_script("/a.js")
    assert [item["resource"] for item in configuration.bootstrap_resources] == ["/a.js", "/b.js"]


def test_parameters_become_plain_values() -> None:
    """Dataclasses in parameters are objects in the page, and the last value counts."""
    configuration = ClientConfiguration("u")
    configuration.set_application_parameter("room", None)
    configuration.set_application_parameter("room", Room("lobby"))
    assert configuration.to_dict()["application_parameters"] == {"room": {"name": "lobby"}}


def test_json_is_the_dictionary() -> None:
    """Both forms of JSON hold the same; one is for people."""
    configuration = ClientConfiguration("ü")
    assert json.loads(configuration.to_json()) == configuration.to_dict()
    assert "\n" not in configuration.to_json()
    assert json.loads(configuration.to_json(formatted=True)) == configuration.to_dict()
    assert '\n    "uuid": "ü"' in configuration.to_json(formatted=True)


@pytest.mark.parametrize(
    "resource",
    [{}, {"type": "flash", "resource": "/a"}, {"type": "css"}, {"type": "css", "resource": ""}],
)
def test_a_wrong_resource_is_refused(resource: dict[str, str]) -> None:
    """A resource without type or address is a mistake, told at once."""
    with pytest.raises(ValueError, match="resource"):
        ClientConfiguration("u").add_application_resource(resource)


@pytest.mark.parametrize("name", ["", None, 5])
def test_a_parameter_has_a_name(name: Any) -> None:
    """A name that is no text is a mistake, told at once."""
    with pytest.raises(ValueError, match="parameter name"):
        ClientConfiguration("u").set_application_parameter(name, 1)


@pytest.mark.parametrize(
    ("directive", "source"),
    [
        ("connect-src", "https://a; script-src *"),
        ("connect-src", ""),
        ("connect src", "https://a"),
        ("connect-src", "https://a\r\nX: y"),
    ],
)
def test_a_content_source_is_one_word(directive: str, source: str) -> None:
    """Nothing can slip a second directive, or a header, into the policy."""
    with pytest.raises(ValueError, match="expected one word"):
        ClientConfiguration("u").add_content_source(directive, source)
