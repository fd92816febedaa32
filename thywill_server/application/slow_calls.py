"""Functions of applications that take long are named in the log: while they run, and at their end.

A web thread cannot be interrupted, so a function that hangs keeps its thread. A thread of our own
looks from time to time at what is running; it ends when nothing has run for a while.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable
from typing import Any, Final

log = logging.getLogger(__name__)

IDLE_LOOKS: Final = 10
"""After so many looks at nothing the thread ends; the next function starts another."""


class SlowCalls:
    """Watches the functions that run in this process.

    Args:
        seconds: what takes longer is named.
        clock: gives seconds that never go back.
    """

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._running: dict[int, Running] = {}
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._is_over = threading.Event()

    def watching(self, function: Callable[..., Any]) -> Running:
        """Watch a function from here to the end of the block."""
        return Running(self, function)

    def begin(self, call: Running) -> float:
        """Note that a function runs; gives the time."""
        self._running[id(call)] = call
        if self._thread is None:
            self._start()
        return self._clock()

    def end(self, call: Running) -> None:
        """Note that it runs no more."""
        del self._running[id(call)]
        taken = self._clock() - call.begun
        if taken > self._seconds:
            log.warning("%s took %.1f s", name_of(call.function), taken)

    def look(self) -> bool:
        """Name what has been running for too long, once; gives whether anything runs."""
        running = list(self._running.values())
        now = self._clock()
        for call in running:
            if not call.was_named and now - call.begun > self._seconds:
                call.was_named = True
                taken = now - call.begun
                log.warning("%s is running for %.1f s already", name_of(call.function), taken)
        return bool(running)

    def stop(self) -> None:
        """End the thread."""
        self._is_over.set()

    def _start(self) -> None:
        with self._lock:
            if self._thread is None and not self._is_over.is_set():
                self._thread = threading.Thread(
                    target=self._look_on, name="thywill-slow-calls", daemon=True
                )
                self._thread.start()

    def _look_on(self) -> None:
        idle = 0
        while idle < IDLE_LOOKS and not self._is_over.wait(self._seconds):
            idle = 0 if self.look() else idle + 1
        self._thread = None


class Running:
    """One call of a function, watched for as long as the block lasts."""

    __slots__ = ("_calls", "begun", "function", "was_named")

    def __init__(self, calls: SlowCalls, function: Callable[..., Any]) -> None:
        self._calls = calls
        self.function = function
        self.begun = math.inf
        self.was_named = False

    def __enter__(self) -> None:
        self.begun = self._calls.begin(self)

    def __exit__(self, *_: object) -> None:
        self._calls.end(self)


def name_of(function: Callable[..., Any]) -> str:
    """Give a function's full name, for logs."""
    name = getattr(function, "__qualname__", repr(function))
    module = getattr(function, "__module__", None)
    return f"{module}.{name}" if module and not name.startswith(f"{module}.") else name
