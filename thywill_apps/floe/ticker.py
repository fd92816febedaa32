"""A thread that calls something at a steady pace, until it has nothing more to do."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

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
    latest: float = 0.0


class Ticker:
    """Calls a function again and again, in a thread of its own.

    Args:
        step: is called; false ends it, and so does an exception, which is logged.
        period_seconds: from one call to the next.
        clock: gives seconds that never go back.
        wait: waits for so many seconds; true ends it. Until `stop` is called, by default.
    """

    def __init__(
        self,
        step: Callable[[], bool],
        period_seconds: float,
        clock: Callable[[], float] = time.monotonic,
        wait: Callable[[float], bool] | None = None,
    ) -> None:
        self.pace = Pace()
        self._step = step
        self._period = period_seconds
        self._clock = clock
        self._is_stopped = threading.Event()
        self._wait = wait or self._is_stopped.wait
        # It is a daemon: a process that ends does not wait for a game.
        self._thread = threading.Thread(target=self.run, name="floe-ticker", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self, timeout_seconds: float = 5.0) -> None:
        """End, and wait for the call that may be running."""
        self._is_stopped.set()
        if self._thread is not threading.current_thread():
            self._thread.join(timeout_seconds)

    def run(self) -> None:
        """Do it in this thread, until it ends."""
        due = self._clock()
        while not self._wait(max(0.0, due - self._clock())):
            began = self._clock()
            self._note(began - due)
            try:
                if not self._step():
                    return
            except Exception:
                log.exception("the game has stopped")
                return
            now = self._clock()
            self.pace.busy += now - began
            due += self._period
            if now - due > MAX_LATE_SECONDS:
                self.pace.left_out += int((now - due) / self._period)
                due = now

    def _note(self, late: float) -> None:
        self.pace.ticks += 1
        self.pace.late += late
        self.pace.latest = max(self.pace.latest, late)
