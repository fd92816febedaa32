"""Waiting for what a handler returns."""

import asyncio
import subprocess
import sys
import threading
from queue import SimpleQueue
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from twisted.internet import defer

from thywill_server.application.waiting import result_of

SECONDS = 60.0


def test_a_value_is_the_result() -> None:
    """A plain function's value is passed on, and so is what it raises."""
    assert result_of(lambda a, b: a + b, (1, 2), SECONDS) == 3
    with pytest.raises(ZeroDivisionError):
        result_of(lambda: 1 / 0, (), SECONDS)


def test_a_coroutine_is_run() -> None:
    """An async function's value is the result; what it calls synchronously runs in this thread."""

    async def handler(number: int) -> tuple[int, int]:
        await asyncio.sleep(0)
        return number + 1, await sync_to_async(threading.get_ident)()

    assert result_of(handler, (1,), SECONDS) == (2, threading.get_ident())


def test_a_coroutine_may_raise() -> None:
    """Its exception is this call's exception, a TimeoutError of its own included."""

    async def handler(error: Exception) -> None:
        await asyncio.sleep(0)
        raise error

    with pytest.raises(KeyError):
        result_of(handler, (KeyError(),), SECONDS)
    with pytest.raises(TimeoutError, match="of its own"):
        result_of(handler, (TimeoutError("of its own"),), SECONDS)


def test_a_coroutine_is_not_waited_for_for_ever() -> None:
    """After its time it is cancelled, and the error has its name."""
    cancelled = threading.Event()

    async def slow() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    with pytest.raises(TimeoutError, match=r"slow: no result after 0.01 s"):
        result_of(slow, (), 0.01)
    assert cancelled.is_set()


def test_a_deferred_that_has_fired_is_the_result() -> None:
    """What it fired with is returned, or raised."""
    assert result_of(lambda: defer.succeed(5), (), SECONDS) == 5
    with pytest.raises(KeyError):
        result_of(lambda: defer.fail(KeyError()), (), SECONDS)


def test_a_deferred_is_waited_for() -> None:
    """It may fire later, in another thread."""
    deferred: defer.Deferred[str] = defer.Deferred()
    threading.Timer(0.01, deferred.callback, ["late"]).start()
    assert result_of(lambda: deferred, (), SECONDS) == "late"


def test_a_deferred_is_not_waited_for_for_ever() -> None:
    """After its time it is cancelled, and its own failure is no unhandled one."""
    cancelled: SimpleQueue[Any] = SimpleQueue()  # by the reactor's thread, where there is one
    deferred: defer.Deferred[str] = defer.Deferred(cancelled.put)

    def never() -> defer.Deferred[str]:
        return deferred

    with pytest.raises(TimeoutError, match=r"never: no result after 0.01 s"):
        result_of(never, (), 0.01)
    assert cancelled.get(timeout=SECONDS) is deferred
    assert cancelled.empty()


PROGRAM = """
import threading
from queue import SimpleQueue
from twisted.internet import defer
from thywill_server import reactor_bridge
from thywill_server.application.waiting import result_of

reactor = reactor_bridge.get_reactor()

def later(seconds):
    deferred = defer.Deferred()
    reactor.callFromThread(reactor.callLater, seconds, deferred.callback, "late")
    deferred.addCallback(lambda value: (value, threading.current_thread().name))
    return deferred

print(*result_of(later, (0.01,), 20))
try:
    result_of(later, (20,), 0.01)
except TimeoutError as error:
    print(error)
"""


def test_a_deferred_is_touched_in_the_reactor_thread() -> None:
    """Deferreds are not thread-safe: with a running reactor, waiting begins in its thread."""
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=60, check=True
    )
    assert run.stdout.splitlines() == ["late thywill-reactor", "later: no result after 0.01 s"]
    assert run.stderr == ""
