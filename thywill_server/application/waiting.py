"""What a handler returns, waited for: a value, a coroutine, or a Deferred.

The web thread that called the handler waits. A coroutine runs in an event loop of its own, and what
it calls with ``sync_to_async`` runs in the waiting thread, on the same database connection. A
Deferred is known by its ``addCallbacks``; Twisted is not imported for those who do not use it.
"""

from __future__ import annotations

import asyncio
import inspect
import sys
import threading
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from asgiref.sync import async_to_sync


def result_of(
    function: Callable[..., Any],
    arguments: tuple[Any, ...],
    seconds: float,
    keywords: Mapping[str, Any] | None = None,
) -> Any:
    """Call a function and wait for its result.

    Args:
        function: plain, ``async``, or returning a Deferred.
        arguments: what it is called with.
        seconds: how long a coroutine or a Deferred is waited for; it is then cancelled. Plain
            Python cannot be interrupted, so a plain function takes the time it takes.
        keywords: what it is called with by name.

    Raises:
        TimeoutError: the time is over; the text has the function's name.
        Exception: what the function raised, its coroutine too, or what the Deferred failed with.
    """
    result = function(*arguments, **(keywords or {}))
    try:
        if hasattr(result, "addCallbacks"):
            return _deferred_result(result, seconds)
        if inspect.iscoroutine(result):
            return async_to_sync(_bounded)(result, seconds)
    except _TimeIsOver:
        name = getattr(function, "__qualname__", repr(function))
        raise TimeoutError(f"{name}: no result after {seconds:g} s") from None
    return result


class _TimeIsOver(Exception):  # noqa: N818 - never leaves this module
    """Ours, apart from a TimeoutError of the function itself."""


async def _bounded(coroutine: Coroutine[Any, Any, Any], seconds: float) -> Any:
    timeout = asyncio.timeout(seconds)
    try:
        async with timeout:
            return await coroutine
    except TimeoutError:
        if timeout.expired():
            raise _TimeIsOver from None
        raise


def _deferred_result(deferred: Any, seconds: float) -> Any:
    has_fired = threading.Event()
    outcome: dict[str, Any] = {}

    def succeed(value: Any) -> None:
        outcome["value"] = value
        has_fired.set()

    def fail(failure: Any) -> None:
        outcome["error"] = failure.value
        has_fired.set()

    _in_reactor_thread(deferred.addCallbacks, succeed, fail)
    if not has_fired.wait(seconds):
        _in_reactor_thread(deferred.cancel)
        raise _TimeIsOver
    if "error" in outcome:
        raise outcome["error"]
    return outcome["value"]


def _in_reactor_thread(function: Callable[..., Any], *arguments: Any) -> None:
    """Deferreds are not thread-safe: touch one where it fires, or here when nothing can fire it."""
    reactor: Any = sys.modules.get("twisted.internet.reactor")
    if reactor is not None and getattr(reactor, "running", False):
        reactor.callFromThread(function, *arguments)
    else:
        function(*arguments)
