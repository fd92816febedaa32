"""The event loop of virtual browsers: it turns in the thread of the test, while the test waits.

So everything that a page does, and everything that the site does for it outside of a request
(``on_connect``, for one), happens in the test's thread, on the test's database connection, in the
test's transaction, and at moments that the test chooses. Sockets and other threads only wake it.
"""

from __future__ import annotations

import heapq
import queue
import selectors
import socket
import time
import weakref
from collections.abc import Callable
from itertools import count

from thywill_server.testing.commits import run_committed
from thywill_server.testing.errors import TestingError

__all__ = ["Loop", "Timer"]


class Timer:
    """A function that is called once, when its time has come."""

    __slots__ = ("due_at", "function")

    def __init__(self, due_at: float, function: Callable[[], object]) -> None:
        self.due_at = due_at
        self.function: Callable[[], object] | None = function

    def cancel(self) -> None:
        """Do not call it."""
        self.function = None


class Loop:
    """Sockets to read, timers, and jobs from other threads."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._timers: list[tuple[float, int, Timer]] = []
        self._numbers = count()
        self._jobs: queue.SimpleQueue[Callable[[], object]] = queue.SimpleQueue()
        self._woken, self._waking = socket.socketpair()
        self._woken.setblocking(False)
        self._waking.setblocking(False)
        self._selector.register(self._woken, selectors.EVENT_READ, self._drain)
        # At the end of the process, too.
        self._finalizer = weakref.finalize(self, _close, self._selector, self._woken, self._waking)

    @property
    def is_closed(self) -> bool:
        """Whether it turns no more."""
        return not self._finalizer.alive

    def close(self) -> None:
        """Let go of everything."""
        self._finalizer()

    def submit(self, job: Callable[[], object]) -> None:
        """Have a job done in the thread of the test; called in any thread."""
        self._jobs.put(job)
        try:
            self._waking.send(b"!")
        except OSError:
            pass  # it is awake already, or closed

    def call_later(self, seconds: float, function: Callable[[], object]) -> Timer:
        """Call a function after some time, if anybody still waits for something then."""
        timer = Timer(time.monotonic() + seconds, function)
        heapq.heappush(self._timers, (timer.due_at, next(self._numbers), timer))
        return timer

    def watch(self, connection: socket.socket, readable: Callable[[], object]) -> None:
        """Call a function whenever a socket has something to read."""
        self._selector.register(connection, selectors.EVENT_READ, readable)

    def unwatch(self, connection: socket.socket) -> None:
        """Do so no more."""
        try:
            self._selector.unregister(connection)
        except (KeyError, ValueError):
            pass

    def run(self, is_done: Callable[[], bool], seconds: float) -> bool:
        """Turn until something is the case; tells whether it is.

        Raises:
            TestingError: it is closed.
        """
        if self.is_closed:
            raise TestingError("THYWILL is another one now: pages of the site before are gone")
        deadline = time.monotonic() + seconds
        self._do_what_is_due()
        while not is_done():
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            if self._timers:
                left = max(0.0, min(left, self._timers[0][0] - time.monotonic()))
            for key, _ in self._selector.select(left):
                # One before it in this turn may have closed it.
                if self._selector.get_map().get(key.fd) == key:
                    key.data()
            self._do_what_is_due()
        return True

    def _do_what_is_due(self) -> None:
        run_committed()
        while True:
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                break
            job()
            run_committed()
        now = time.monotonic()
        while self._timers and self._timers[0][0] <= now:
            function = heapq.heappop(self._timers)[2].function
            if function is not None:
                function()
                run_committed()

    def _drain(self) -> None:
        try:
            while self._woken.recv(4096):
                pass
        except BlockingIOError:
            pass


def _close(selector: selectors.BaseSelector, *ends: socket.socket) -> None:
    """Close all that is watched, too: a page that nobody has closed."""
    for key in list(selector.get_map().values()):
        if isinstance(key.fileobj, socket.socket):
            key.fileobj.close()
    selector.close()
    for end in ends:
        end.close()
