"""Which process of the site runs the game: one world needs one clock.

The process that lets the first player in takes a lease in ``app.state``, which all processes share,
and prolongs it while somebody plays. Any other process that is asked meanwhile refuses, in words.
So two worlds cannot run side by side, whatever the site is made of. Only web threads come here: the
thread that moves the world never waits for a database.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING
from uuid import uuid4

from thywill_server.application import ApplicationError

if TYPE_CHECKING:
    from thywill_server.application.state import SharedState

NAME = "process"


def played_elsewhere() -> ApplicationError:
    """Give the refusal of a process that does not run the game."""
    return ApplicationError(
        "played-elsewhere",
        "The game runs in another process of this site, and can run in one only.",
        status=409,
    )


class Lease:
    """The right to run the game, for some seconds at a time.

    Args:
        state: gives the shared values, ``app.state``.
        seconds: how long it is good for; it is prolonged after a third of that.
        clock: gives seconds that all processes agree on.
    """

    def __init__(
        self,
        state: Callable[[], SharedState],
        seconds: Callable[[], float],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._state = state
        self._seconds = seconds
        self._clock = clock
        self._prolonging = threading.Lock()
        self._owner = (0, "")
        self._prolong_at = 0.0

    def take(self) -> None:
        """Take it, or prolong it.

        Raises:
            ApplicationError: ``played-elsewhere``: another process has it.
        """
        now, owner, seconds = self._clock(), self._name(), self._seconds()
        with self._state().update() as values:
            held = values.get(NAME)
            if held and held["owner"] != owner and held["until"] > now:
                raise played_elsewhere()
            values[NAME] = {"owner": owner, "until": now + seconds}
        self._prolong_at = now + seconds / 3

    def prolong(self) -> None:
        """Prolong it when it is time to; one thread does, the others go on.

        Raises:
            ApplicationError: ``played-elsewhere``: it was too late for that.
        """
        if self._clock() >= self._prolong_at and self._prolonging.acquire(blocking=False):
            try:
                self.take()
            finally:
                self._prolonging.release()

    def is_elsewhere(self) -> bool:
        """Whether another process has it."""
        held = self._state().get(NAME)
        return bool(held and held["owner"] != self._name() and held["until"] > self._clock())

    def _name(self) -> str:
        """Name this process; a forked one is another."""
        if self._owner[0] != os.getpid():
            self._owner = (os.getpid(), str(uuid4()))
        return self._owner[1]
