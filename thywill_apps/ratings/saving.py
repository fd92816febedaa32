"""The model on disk, so that a process that is killed comes back with all that pages have seen.

It is written before pages are told, in one step: a file is there whole, old or new. What only a
failing machine could lose, the last second or so, is not waited for.
"""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path
from typing import IO, Any

log = logging.getLogger(__name__)


class Busy(Exception):  # noqa: N818 - a state, not a fault
    """Another process has this file."""


class SavedState:
    """A file of JSON that belongs to one process at a time.

    Args:
        path: of the file; its folder is made.

    Raises:
        Busy: another process has it.
        OSError: it cannot be made.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = open(path.with_suffix(".lock"), "a")  # noqa: SIM115 - for as long as we live
        _lock(self._lock)

    def load(self) -> dict[str, Any]:
        """Give what was saved; nothing where there is nothing, or nothing that can be read."""
        try:
            saved = json.loads(self.path.read_bytes())
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            aside = self.path.with_suffix(".unreadable")
            log.error("%s cannot be read, and is kept as %s: %s", self.path, aside.name, error)
            self.path.replace(aside)
            return {}
        return saved if isinstance(saved, dict) else {}

    def save(self, state: dict[str, Any]) -> None:
        """Replace what was saved; where the disk is full it is logged, and the talk goes on."""
        written = self.path.with_suffix(".new")
        try:
            written.write_text(json.dumps(state, separators=(",", ":")), encoding="utf-8")
            written.replace(self.path)
        except OSError as error:
            log.error("the ratings are not saved: %s", error)

    def close(self) -> None:
        """Let others have the file."""
        self._lock.close()


def _lock(file: IO[str]) -> None:
    if os.name == "nt":
        import msvcrt

        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        except OSError:
            raise Busy from None
        return
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise Busy from None
