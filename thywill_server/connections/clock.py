"""A thread that looks after what is due: at intervals, and earlier when somebody says so."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from django.db import close_old_connections, connections

log = logging.getLogger(__name__)


class Clock:
    """Calls a function at intervals, and when it was told to.

    Args:
        function: gives the seconds until it wants to be called again, or None.
        interval_seconds: the longest time between two calls.
    """

    def __init__(self, function: Callable[[], float | None], interval_seconds: float) -> None:
        self._function, self._interval_seconds = function, interval_seconds
        self._changed = threading.Condition()
        self._due_at = 0.0
        self._thread: threading.Thread | None = None
        self._is_stopped = False

    def start(self) -> None:
        """Begin, unless it has begun."""
        with self._changed:
            if self._thread is None and not self._is_stopped:
                self._thread = threading.Thread(
                    target=self._run, name="thywill-connections-clock", daemon=True
                )
                self._thread.start()

    def call_within(self, seconds: float) -> None:
        """Have the function called in so many seconds at the latest."""
        due_at = time.monotonic() + seconds
        with self._changed:
            if due_at < self._due_at:
                self._due_at = due_at
                self._changed.notify()

    def stop(self) -> None:
        """End the thread; one that is busy ends when it is done. Returns at once."""
        with self._changed:
            self._is_stopped = True
            self._changed.notify()

    def join(self, seconds: float) -> None:
        """Wait for the end of the thread."""
        if self._thread is not None:
            self._thread.join(seconds)

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._is_stopped and (left := self._due_at - time.monotonic()) > 0:
                    self._changed.wait(left)
                if self._is_stopped:
                    break
                self._due_at = time.monotonic() + self._interval_seconds
            close_old_connections()
            try:
                seconds = self._function()
            except Exception:
                log.exception("connected clients could not be looked after")
                seconds = None
            close_old_connections()
            if seconds is not None:
                self.call_within(max(seconds, 0.0))
        connections.close_all()
