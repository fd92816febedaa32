"""A log file that is begun anew by its size or by the clock, by us or by somebody else.

Several processes may write to one file. Each record is appended whole. Before each record a process
looks whether the file at the path is still the one that it has open; if somebody has renamed it,
another process or logrotate, it opens the new one. A process that renames holds a lock meanwhile,
on a file beside it (``site.log.lock``), so that two never rename at once. Windows has no such lock
and does not rename open files: there each process needs a file of its own.
"""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from logging.handlers import RotatingFileHandler
from typing import Any, Final

if sys.platform != "win32":
    import fcntl

PERIODS: Final[dict[str, float]] = {"never": 0.0, "hour": 3600.0, "day": 86400.0, "week": 604800.0}
"""How long a file lasts, in seconds; hours, days and weeks (from Thursday on) of UTC."""


class LogFileHandler(RotatingFileHandler):
    """Writes to a file, and renames it to ``.1`` when its time or its size is over.

    Args:
        filename: absolute.
        max_bytes: 0: any size.
        backups: how many renamed files are kept.
        every: one of `PERIODS`.
        clock: gives seconds since the epoch.
    """

    def __init__(
        self,
        filename: str,
        max_bytes: int,
        backups: int,
        every: str,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(
            filename,
            maxBytes=max_bytes,
            backupCount=backups,
            encoding="utf-8",
            errors="backslashreplace",
            delay=True,
        )
        self._seconds = PERIODS[every]
        self._clock = clock
        self._period: float | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record, to the file that is at the path now."""
        try:
            if self.stream is not None and not self._is_in_place():
                self._close_stream()
        except Exception:
            self.handleError(record)
        super().emit(record)

    def shouldRollover(self, record: logging.LogRecord) -> bool:
        """Whether the file is to be renamed before this record is written."""
        if self.stream is None:
            self.stream = self._open()
        if self._seconds and self._period != self._period_of(self._clock()):
            return True
        if not self.maxBytes or not os.fstat(self.stream.fileno()).st_size:
            return False
        length = len(self.format(record).encode("utf-8", "backslashreplace")) + 1
        return os.fstat(self.stream.fileno()).st_size + length > self.maxBytes

    def doRollover(self) -> None:
        """Rename the file and those before it, unless another process has just done so."""
        with _locked(f"{self.baseFilename}.lock"):
            if self._is_in_place():
                super().doRollover()  # closes the file, and opens the next at the next record
            self._close_stream()

    def _open(self) -> Any:
        stream = super()._open()
        status = os.fstat(stream.fileno())
        # What an old file holds is as old as its last record; an empty one begins now.
        self._period = self._period_of(status.st_mtime if status.st_size else self._clock())
        return stream

    def _period_of(self, moment: float) -> float:
        return moment // self._seconds if self._seconds else 0.0

    def _is_in_place(self) -> bool:
        if self.stream is None:
            return False
        try:
            there = os.stat(self.baseFilename)
        except FileNotFoundError:
            return False
        return os.path.samestat(there, os.fstat(self.stream.fileno()))

    def _close_stream(self) -> None:
        if self.stream is not None:
            self.stream.close()
            self.stream = None


@contextmanager
def _locked(path: str) -> Iterator[None]:
    with open(path, "a") as file:
        if sys.platform != "win32":
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
