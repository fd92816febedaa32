# mypy: allow-untyped-calls
"""Twisted's epoll reactor, with a shorter way from an event to the connection that it is for.

Twisted puts a context around each event, so that a line in its log says whose event it was. Nothing
here logs that way, and setting it up costs as much as reading the bytes. So where the kernel says
of a TCP connection that it can be read, and nothing more, it is read without one, and one of
``orbited.direct`` right here. All other events go Twisted's way, and so does whatever follows from
an error.

What is to follow the reads of a turn, as writing what they have caused, need not be a timer: see
``call_after_reads``. And a call from a thread wakes the reactor only if no other has done so.
"""

import errno
import sys
from collections.abc import Callable
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
    threadCallQueue: list[tuple[Callable[..., object], tuple[Any, ...], dict[str, Any]]]

    def __init__(self) -> None:
        self._is_reading = self._is_woken = False
        self._after_reads: list[Callable[[], object]] = []
        super().__init__()

    def call_after_reads(self, function: Callable[[], object]) -> None:
        """Call a function when all that can be read now has been read, and else soon.

        Quicker than ``callLater(0, function)``, which comes to the same.
        """
        if self._is_reading:
            self._after_reads.append(function)
        else:
            self.callLater(0, function)

    def callFromThread(self, f: Callable[..., Any], *args: object, **kwargs: object) -> None:
        """Twisted: call a function in this thread, soon."""
        self.threadCallQueue.append((f, args, kwargs))
        # In this order, as ``runUntilCurrent`` has the other: whoever finds it noted has added a
        # call that will be seen, and whoever has noted it wakes the reactor, if a moment later.
        if not self._is_woken:
            self._is_woken = True
            self.wakeUp()

    def runUntilCurrent(self) -> None:
        """Twisted: make the calls that are due."""
        self._is_woken = False
        super().runUntilCurrent()

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
            self._read(events)
        else:
            with holding:
                self._read(events)

    def _read(self, events: list[tuple[int, int]]) -> None:
        """Tell whom they are for, and then do what was put off until then."""
        self._is_reading = True
        try:
            self._tell(events)
        finally:
            self._is_reading = False
            if self._after_reads:
                functions, self._after_reads = self._after_reads, []
                for function in functions:
                    try:
                        function()
                    except Exception:
                        log.err()

    def _tell(self, events: list[tuple[int, int]]) -> None:
        """Tell whom they are for, in this order."""
        selectables = self._selectables
        for descriptor, event in events:
            selectable = selectables.get(descriptor)
            if selectable is None:
                continue  # it has gone, by what an event before this one has caused
            if event != EPOLLIN or not (
                isinstance(selectable, Connection) or selectable is self.waker
            ):
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
