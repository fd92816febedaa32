# mypy: allow-untyped-calls
"""Twisted's epoll reactor, for a broker in a process of its own.

Twisted has a context for each event, which tells its log whose the event was. The broker logs
without it, and it costs as much as what the broker does with a message itself. So a TCP connection
that has something to read, and no more than that, is read without one. Every other event, and
whatever goes wrong, is Twisted's business. (Inside of Orbited, its own reactor does the same.)
"""

import errno
import sys
from typing import Any, Final

from twisted.internet.epollreactor import EPOLLIN, EPollReactor
from twisted.internet.tcp import Connection
from twisted.python import log

__all__ = ["MAX_EVENTS", "BrokerReactor", "install"]

MAX_EVENTS: Final = 1_024
"""How many events are taken from the kernel in one turn; others wait for the next."""


class BrokerReactor(EPollReactor):
    """Reads from connections by the shortest way."""

    _selectables: dict[int, Any]
    _poller: Any

    def doPoll(self, timeout: float | None) -> None:
        """Wait until something happens, and let whom it happened to know."""
        selectables = self._selectables
        most = min(len(selectables), MAX_EVENTS)
        try:
            happened = self._poller.poll(-1 if timeout is None else timeout, most)
        except OSError as error:
            if error.errno != errno.EINTR:
                raise
            return
        for descriptor, event in happened:
            selectable = selectables.get(descriptor)
            if event == EPOLLIN and isinstance(selectable, Connection):
                reason: Any
                try:
                    reason = selectable.doRead()
                except BaseException:
                    reason = sys.exc_info()[1]
                    log.err()
                if reason:
                    self._disconnectSelectable(selectable, reason, True)
            elif selectable is not None:  # else it has gone, by an event before this one
                log.callWithLogger(selectable, self._doReadOrWrite, selectable, descriptor, event)

    doIteration = doPoll


def install() -> None:
    """Make it ``twisted.internet.reactor``, where there is epoll and no reactor yet."""
    if sys.platform == "linux" and "twisted.internet.reactor" not in sys.modules:
        from twisted.internet.main import installReactor

        installReactor(BrokerReactor())
