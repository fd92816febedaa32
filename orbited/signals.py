"""What signals do to a running server.

===============  ===============================================================
SIGTERM, SIGINT  drains and ends; the same one a second time ends it at once
SIGHUP           opens the log files again, and reads key and certificate anew
===============  ===============================================================
"""

import logging
import os
import signal
from collections.abc import Callable
from types import FrameType
from typing import Any

__all__ = ["Signals"]

log = logging.getLogger(__name__)


class Signals:
    """Follows the signals of one process, in place of Twisted's own handlers.

    Args:
        renewals: what is called at SIGHUP, in the reactor's thread and in this order.
    """

    def __init__(self, reactor: Any, *renewals: Callable[[], None]) -> None:
        self._reactor = reactor
        self._renewals = renewals
        self._heard: set[int] = set()

    def follow(self) -> None:
        """Begin; called before anything listens, and again once the reactor runs.

        A reactor that begins sets handlers of its own. What is heard before waits until it runs.
        """
        signal.signal(signal.SIGTERM, self._end)
        signal.signal(signal.SIGINT, self._end)
        if hasattr(signal, "SIGHUP"):
            signal.signal(signal.SIGHUP, self._renew)

    def _end(self, number: int, frame: FrameType | None) -> None:
        if number in self._heard:
            logging.shutdown()
            os._exit(128 + number)
        if not self._heard:
            self._reactor.callFromThread(self._stop, number)
        self._heard.add(number)

    def _stop(self, number: int) -> None:
        log.info("%s: stopping; once more to end at once", signal.Signals(number).name)
        self._reactor.stop()

    def _renew(self, number: int, frame: FrameType | None) -> None:
        for renew in self._renewals:
            self._reactor.callFromThread(renew)
