"""A thread that calls something at a steady pace, until it has nothing more to do."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

log = logging.getLogger(__name__)

MAX_LATE_SECONDS = 0.25
"""Ticks that are later than that are left out: a pause must not be followed by a rush."""


@dataclass(slots=True)
class Pace:
    """How punctual a ticker was, in seconds.

    Attributes:
        ticks: how many there were.
        left_out: how many were not, because everything was too late.
        busy: the time spent in them.
        late: of all of them together.
        latest: of the worst.
    """

    ticks: int = 0
    left_out: int = 0
    busy: float = 0.0
    late: float = 0.0
    latest: float = field(default=0.0)


class Ticker:
    """Calls a function again and again, in a thread of its own.

    Args:
        step: is called; false ends it, and so does an exception, which is logged.
        period_seconds: from one call to the next.
    """

    def __init__(self, step: Callable[[], bool], period_seconds: float) -> None:
        self.pace = Pace()
        self._step = step
        self._period = period_seconds
        self._is_stopped = threading.Event()
        # It is a daemon: a process that ends does not wait for a game.
        self._thread = threading.Thread(target=self._run, name="floe-ticker", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self, timeout_seconds: float = 5.0) -> None:
        """End, and wait for the call that may be running."""
        self._is_stopped.set()
        if self._thread is not threading.current_thread():
            self._thread.join(timeout_seconds)

    def _run(self) -> None:
        due = time.monotonic()
        while not self._is_stopped.wait(max(0.0, due - time.monotonic())):
            began = time.monotonic()
            self._note(began - due)
            try:
                if not self._step():
                    return
            except Exception:
                log.exception("the game has stopped")
                return
            self.pace.busy += time.monotonic() - began
            due += self._period
            behind = time.monotonic() - due
            if behind > MAX_LATE_SECONDS:
                self.pace.left_out += int(behind / self._period)
                due = time.monotonic()

    def _note(self, late: float) -> None:
        self.pace.ticks += 1
        self.pace.late += late
        self.pace.latest = max(self.pace.latest, late)
