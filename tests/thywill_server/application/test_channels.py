"""Patterns of channels' names, and how an application declares them."""

from dataclasses import dataclass
from typing import Any

import pytest

from thywill_server.application import App
from thywill_server.application.channels import ChannelPattern, check_event, check_name
from thywill_server.errors import ApplicationError


@pytest.mark.parametrize(
    ("pattern", "name", "fields"),
    [
        ("lobby", "lobby", {}),
        ("room:{room}", "room:a b", {"room": "a b"}),
        ("{a}:{b}", "x:y", {"a": "x", "b": "y"}),
        ("game.{n}/end", "game.7/end", {"n": "7"}),
        ("lobby", "lobbyx", None),
        ("room:{room}", "room:", None),
        ("room:{room}", "room:a:b", None),
        ("game.{n}", "gamex7", None),
    ],
)
def test_match(pattern: str, name: str, fields: dict[str, str] | None) -> None:
    """A field is any text without a colon; all else is taken letter by letter."""
    assert ChannelPattern(pattern).match(name) == fields


@pytest.mark.parametrize("pattern", ["", "room:{", "room:}", "{a}{b}", "{a}:{a}", "{}", "{1}"])
def test_no_pattern(pattern: str) -> None:
    """A pattern that could mean two things, or none, is refused when it is declared."""
    with pytest.raises(ValueError, match=r"^channel"):
        ChannelPattern(pattern)


@dataclass
class Message:
    """A message with a field of any kind."""

    room: Any


def test_name_of() -> None:
    """The fields come from an object of JSON or from a dataclass."""
    pattern = ChannelPattern("room:{room}")
    assert pattern.name_of({"room": "a"}) == "room:a"
    assert pattern.name_of(Message("a")) == "room:a"
    assert pattern.name_of(Message(7)) == "room:7"


@pytest.mark.parametrize("value", ["", "a:b", "a\n", True, None, 1.5, ["a"]])
def test_no_name(value: Any) -> None:
    """What no channel's name can hold is refused, with the field's name."""
    for message in (Message(value), {"room": value}):
        with pytest.raises(ApplicationError, match=r"^message\.room: "):
            ChannelPattern("room:{room}").name_of(message)
    with pytest.raises(ApplicationError):
        ChannelPattern("room:{room}").name_of("no object")


@pytest.mark.parametrize("name", ["", " a", "a ", "a\x00", "x" * 201, None, 7, "\ud800"])
def test_names_are_checked(name: Any) -> None:
    """Names are printable and bounded."""
    with pytest.raises(ValueError, match=r"^channel: expected 1 to 200"):
        check_name(name)


@pytest.mark.parametrize("event", ["", "a\n", "x" * 101, None])
def test_events_are_checked(event: Any) -> None:
    """So are events."""
    with pytest.raises(ValueError, match=r"^event: expected 1 to 100"):
        check_event(event)


def test_declared() -> None:
    """Channels are kept in the order they were declared, each pattern once."""
    app = App()

    @app.channel("room:{room}", history=5)
    def may_join(client: Any, room: str) -> bool:
        return True

    (declared,) = app.channels
    assert (declared.pattern.text, declared.history) == ("room:{room}", 5)
    assert declared.may_join is may_join
    with pytest.raises(ValueError, match="declared already"):
        app.channel("room:{room}")(may_join)


def test_mistakes_show_when_declared() -> None:
    """Wrong arguments, histories and snapshots are said at the import of the application."""
    app = App()
    with pytest.raises(TypeError, match=r"is called with \(client, room\)"):
        app.channel("room:{room}")(lambda client: True)
    with pytest.raises(TypeError, match=r"the snapshot of \"room:\{room\}\""):
        app.channel("room:{room}", history=5, snapshot=lambda client, name: None)
    with pytest.raises(ValueError, match="a snapshot needs history"):
        app.channel("room:{room}", snapshot=lambda client, room: None)
    for history in (-1, 1.5, True):
        with pytest.raises(ValueError, match="history: expected"):
            app.channel("room:{room}", history=history)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="rate: expected"):
        app.on("say", rate="often")
    with pytest.raises(ValueError, match="timeout: expected"):
        app.on("say", timeout=0)
    with pytest.raises(TypeError, match="the fields of its channel need a message"):
        app.on("say", channel="room:{room}")(lambda client: None)


def test_an_app_that_is_not_served_has_no_name() -> None:
    """What needs the application's name says so."""
    app = App()
    with pytest.raises(RuntimeError, match="the interface of no application package"):
        app.publish("room:a", "said", 1)
    with pytest.raises(RuntimeError, match="the interface of no application package"):
        app.state.get("x")
