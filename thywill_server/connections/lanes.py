"""Threads that work off what happens to clients: in order for each, side by side for all.

::

    submit("ada", ...) --> lane 1 |=|=| --> thread
    submit("bob", ...) --> lane 2 |=|   --> thread

A key always has the same lane. Threads start with the first job. When nothing waits, they close
their database connections as Django does at the end of a request.
"""

from __future__ import annotations

import logging
import queue
import threading
import zlib
from collections.abc import Callable

from django.db import close_old_connections, connections

log = logging.getLogger(__name__)

Job = Callable[[], object]


class Lanes:
    """Some threads.

    Args:
        threads: how many.
        max_waiting: how many jobs may wait in all lanes together.
    """

    def __init__(self, threads: int, max_waiting: int) -> None:
        self._queues: list[queue.SimpleQueue[Job | None]] = [
            queue.SimpleQueue() for _ in range(threads)
        ]
        self._max_waiting = max_waiting
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._is_stopped = False

    @property
    def waiting(self) -> int:
        """How many jobs wait."""
        return sum(each.qsize() for each in self._queues)

    def submit(self, key: str, job: Job) -> bool:
        """Have a job done after all with the same key; tells whether there is room for it."""
        with self._lock:
            if self._is_stopped or self.waiting >= self._max_waiting:
                return False
            if not self._threads:
                self._start()
            self._queues[zlib.crc32(key.encode()) % len(self._queues)].put(job)
        return True

    def stop(self) -> None:
        """Take no more jobs; the threads end when what waits is done. Returns at once."""
        with self._lock:
            self._is_stopped = True
            for each in self._queues:
                each.put(None)

    def join(self, seconds: float) -> None:
        """Wait for the end of the threads, each for so long at most."""
        for thread in self._threads:
            thread.join(seconds)

    def _start(self) -> None:
        for number, jobs in enumerate(self._queues, 1):
            thread = threading.Thread(
                target=_work, args=(jobs,), name=f"thywill-connections-{number}", daemon=True
            )
            self._threads.append(thread)
            thread.start()


def _work(jobs: queue.SimpleQueue[Job | None]) -> None:
    while (job := jobs.get()) is not None:
        try:
            job()
        except Exception:
            log.exception("a connection could not be followed")
            close_old_connections()
        if jobs.empty():
            close_old_connections()  # and not in the middle of a crowd
    connections.close_all()
