"""Whose channel is meant, and what an event loop may do."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import async_to_sync

from tests.support.recording import RecordingPush
from thywill_server.application import publish
from thywill_server.application.local_python import LocalPython
from thywill_server.application.outbox import handling, in_transaction, when_committed
from thywill_server.application.publishing import found_channel

ROOMS = """
from thywill_server.application import App

app = App()

@app.channel("room:{room}", history=5)
def may_join(client, room):
    return True
"""
GAMES = (
    ROOMS
    + """
@app.channel("game:{game}")
def may_play(client, game):
    return True
"""
)


@pytest.fixture
def component(write_application: Callable[..., str]) -> LocalPython:
    """Two applications that both have rooms."""
    packages = [write_application("chat", ROOMS), write_application("games", GAMES)]
    return LocalPython({"packages": packages}, push=RecordingPush({}))


def test_found_by_its_name(component: LocalPython) -> None:
    """A name that fits one application's channels only is enough."""
    found = component.find_channel("game:chess")
    assert (found.application, found.name, found.history) == ("games", "game:chess", 0)


def test_two_applications_have_it(component: LocalPython) -> None:
    """A name that fits several is refused, unless the application is named."""
    with pytest.raises(ValueError, match=r"may be a channel of chat, games: say application="):
        component.find_channel("room:a")
    assert component.find_channel("room:a", "games").application == "games"


def test_a_handler_means_its_own(component: LocalPython) -> None:
    """In a handler its own application comes first, and then whoever has such a channel."""
    with handling(component.push, component, "chat"):
        assert found_channel("room:a", None).application == "chat"
        assert found_channel("game:chess", None).application == "games"
        with pytest.raises(ValueError, match="no application has a channel"):
            found_channel("hall:a", None)


def test_store_waits_for_the_web_thread_and_keeps_the_order(transactional_db: None) -> None:
    """What an async handler stores, and what it sends after that, is done by the web thread."""
    done: list[str] = []

    async def handler() -> None:
        in_transaction(lambda: done.append("stored"))
        when_committed(lambda: done.append("sent"))
        assert done == []

    with handling(RecordingPush({})):
        async_to_sync(handler)()
    assert done == ["stored", "sent"]


def test_failed_handler_has_stored(transactional_db: None) -> None:
    """What was stored before a failure is stored; the failure goes through."""
    done: list[str] = []

    async def handler() -> None:
        in_transaction(lambda: done.append("stored"))
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), handling(RecordingPush({})):
        async_to_sync(handler)()
    assert done == ["stored"]


def test_a_failure_to_store_is_the_handlers(transactional_db: None) -> None:
    """Nobody is told that it went well."""

    def fail() -> Any:
        raise ZeroDivisionError

    async def handler() -> None:
        in_transaction(fail)

    with pytest.raises(ZeroDivisionError), handling(RecordingPush({})):
        async_to_sync(handler)()


def test_event_loop_of_somebody_else(component: LocalPython) -> None:
    """Where there is no handler's web thread to wait for, the words say what to do."""

    async def outside() -> None:
        in_transaction(lambda: None)

    with pytest.raises(RuntimeError, match=r"await apublish\("):
        asyncio.run(outside())


def test_names_are_checked_first() -> None:
    """Before the site is asked anything."""
    with pytest.raises(ValueError, match="event: "):
        publish("room:a", "joined", 1)
