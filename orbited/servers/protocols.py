"""What the test servers speak."""

from typing import Any, cast

from twisted.internet.interfaces import IConsumer, IPushProducer, IReactorTime, ITransport
from twisted.internet.protocol import Protocol, connectionDone
from twisted.internet.task import LoopingCall
from twisted.python.failure import Failure

from orbited.servers.pacing import Pace

__all__ = ["Announce", "Echo", "LineEcho", "Rude"]

#: A line longer than this ends the connection.
MAX_LINE_BYTES = 65_536


class _Mirror(Protocol):
    """Returns something of what it reads; a peer that does not read is not read from either."""

    def connectionMade(self) -> None:
        """Somebody connected."""
        transport = cast(Any, self.transport)
        if IConsumer.providedBy(transport) and IPushProducer.providedBy(transport):
            transport.registerProducer(transport, True)


class Echo(_Mirror):
    """Returns every byte at once."""

    def dataReceived(self, data: bytes) -> None:
        """Bytes came."""
        cast(ITransport, self.transport).write(data)


class LineEcho(_Mirror):
    """Returns complete lines, with their LF."""

    def __init__(self) -> None:
        self._rest = b""

    def dataReceived(self, data: bytes) -> None:
        """Bytes came."""
        transport = cast(ITransport, self.transport)
        lines, newline, rest = (self._rest + data).rpartition(b"\n")
        self._rest = rest
        if newline:
            transport.write(lines + newline)
        if len(rest) > MAX_LINE_BYTES:
            transport.loseConnection()


class Rude(Protocol):
    """Closes as soon as somebody has connected."""

    def connectionMade(self) -> None:
        """Somebody connected."""
        cast(ITransport, self.transport).loseConnection()


class Announce(Protocol):
    """Sends ``message N`` once a second, N from 1, without a line end.

    A peer that does not read misses the numbers of that time, and nothing piles up.
    """

    seconds = 1.0
    clock: IReactorTime | None = None  # the reactor, unless a test says otherwise

    def connectionMade(self) -> None:
        """Somebody connected."""
        self._number = 0
        self._pace = Pace(self.transport)
        self._loop = LoopingCall(self._announce)
        if self.clock is not None:
            self._loop.clock = self.clock
        self._loop.start(self.seconds, now=False)

    def _announce(self) -> None:
        self._number += 1
        if not self._pace.is_paused:
            cast(ITransport, self.transport).write(b"message %d" % self._number)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The peer is gone."""
        if self._loop.running:
            self._loop.stop()
