# mypy: allow-untyped-calls
"""Twisted's epoll reactor, with a shorter way from an event to the connection that it is for.

Twisted puts a context around each event, so that a line in its log says whose event it was. Nothing
here logs that way, and setting it up costs as much as reading the bytes. So where the kernel says
of a TCP connection that it can be read, and nothing more, it is read without one, and one of
``orbited.direct`` right here. All other events go Twisted's way, and so does whatever follows from
an error.
"""

import errno
import sys
from typing import Any

from twisted.internet.epollreactor import EPOLLIN, EPollReactor
from twisted.internet.main import CONNECTION_DONE, CONNECTION_LOST
from twisted.internet.tcp import Connection
from twisted.python import log

from orbited.direct import LightServer
from orbited.holding import holding

__all__ = ["MAX_EVENTS", "OrbitedReactor", "install"]

#: Events that are taken at once; the rest come at once with the next call.
MAX_EVENTS = 1024

_READ_BYTES = LightServer.bufferSize


class OrbitedReactor(EPollReactor):
    """Watches sockets as ``EPollReactor`` does."""

    _selectables: dict[int, Any]
    _poller: Any

    def doPoll(self, timeout: float | None) -> None:
        """Wait for events, and tell whom they are for."""
        selectables = self._selectables
        most = min(len(selectables), MAX_EVENTS)
        try:
            events = self._poller.poll(-1 if timeout is None else timeout, most)
        except OSError as error:
            if error.errno == errno.EINTR:
                return
            raise
        if len(events) == 1:
            self._tell(events)
        else:
            with holding:
                self._tell(events)

    def _tell(self, events: list[tuple[int, int]]) -> None:
        """Tell whom they are for, in this order."""
        selectables = self._selectables
        for descriptor, event in events:
            selectable = selectables.get(descriptor)
            if selectable is None:
                continue  # it has gone, by what an event before this one has caused
            if event != EPOLLIN or not isinstance(selectable, Connection):
                holding.release()
                log.callWithLogger(selectable, self._doReadOrWrite, selectable, descriptor, event)
                continue
            why: Any
            try:
                if type(selectable) is LightServer:  # as its doRead
                    try:
                        data = selectable.socket.recv(_READ_BYTES)
                    except OSError as error:
                        why = None if error.errno == errno.EWOULDBLOCK else CONNECTION_LOST
                    else:
                        if data:
                            selectable.protocol.dataReceived(data)
                            continue
                        why = CONNECTION_DONE
                else:
                    why = selectable.doRead()
            except BaseException:
                why = sys.exc_info()[1]
                log.err()
            if why:
                self._disconnectSelectable(selectable, why, True)

    doIteration = doPoll


def install() -> None:
    """Have this reactor as ``twisted.internet.reactor``.

    Raises:
        ReactorAlreadyInstalledError: there is one.
    """
    from twisted.internet.main import installReactor

    installReactor(OrbitedReactor())
