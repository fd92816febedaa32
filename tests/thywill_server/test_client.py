"""One page in one browser, as an application sees it."""

from types import SimpleNamespace
from typing import Any

import pytest

from thywill_server.client import NO_DATA, Client


def test_nobody_is_not_authenticated() -> None:
    """Without a user, or with an anonymous one, nobody is logged in."""
    assert not Client("u", "s", None, "echo").is_authenticated
    assert not Client("u", "s", SimpleNamespace(is_authenticated=False), "echo").is_authenticated


def test_a_user_is_authenticated() -> None:
    """A user that Django knows is logged in."""
    assert Client("u", "s", SimpleNamespace(is_authenticated=True), "echo").is_authenticated


def test_send_tells_messages_from_events() -> None:
    """One argument is a message; two are an event and its data, even when that is None."""
    sent: list[Any] = []
    client = Client("u", "s", None, "echo", sender=lambda *arguments: sent.append(arguments))
    client.send("hello")
    client.send("joined", None)
    client.send("said", {"text": "x"})
    assert sent == [("u", "hello", NO_DATA), ("u", "joined", None), ("u", "said", {"text": "x"})]


def test_send_needs_an_application() -> None:
    """A client that no application has seen says so instead of losing the message."""
    with pytest.raises(RuntimeError, match="not given to an application"):
        Client("u", "s", None, "echo").send("hello")
