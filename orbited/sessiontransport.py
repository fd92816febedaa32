"""A session as a transport: what the protocol above it calls, as it would call TCP's.

What is written within one turn of the reactor is gathered, and leaves in one burst at the end of
it, or of the request that has caused it; so a back end that writes from within a loop, or is called
by us, never meets a session in the middle of something.
"""

import logging
from collections.abc import Iterable

from twisted.internet.address import IPv4Address
from twisted.internet.interfaces import IProtocol, IPushProducer, IReactorTime, ITransport
from zope.interface import implementer

from orbited.broadcast import Broadcaster
from orbited.protocol.access import Source
from orbited.protocol.session import CometSession, State
from orbited.sessionserver import SessionServer
from orbited.transports.base import Transport

__all__ = ["SessionTransport"]

log = logging.getLogger(__name__)

_OPEN = State.OPEN


@implementer(ITransport)
class SessionTransport:
    """The upper side of one browser's socket.

    Args:
        source: who created the session; what it may reach is decided by that.

    Attributes:
        receiver: to whom bytes go past the protocol above, which would only hand them on.
    """

    __slots__ = (
        "_is_dirty",
        "_is_producer_paused",
        "_producer",
        "_server",
        "_transport",
        "core",
        "disconnecting",
        "receiver",
        "source",
    )

    def __init__(self, server: SessionServer, core: CometSession, source: Source) -> None:
        self.core = core
        self.source = source
        self.disconnecting = False
        self.receiver: IProtocol | None = None
        self._server = server
        self._transport: Transport | None = None
        self._is_dirty = False
        self._producer: IPushProducer | None = None
        self._is_producer_paused = False

    @property
    def clock(self) -> IReactorTime:
        """The reactor's time."""
        return self._server.clock

    def write(self, data: bytes) -> None:
        """Send application bytes."""
        if self._server.broadcaster.frames:
            self.settle()
        core = self.core
        if core.state is not _OPEN:
            return
        outbox = core.outbox
        if not outbox.send(data):
            self._overflow()
        elif not self._is_dirty and self._transport is not None:
            self._is_dirty = True
            server = self._server
            if server.dirty or server.is_in_request:
                server.dirty.append(self)
            else:
                server.mark_dirty(self)
        if outbox.queued_bytes >= outbox.pause_bytes:
            self._balance()

    @property
    def broadcaster(self) -> Broadcaster:
        """What a service in this process writes to many sessions with."""
        return self._server.broadcaster

    def settle(self) -> None:
        """Have everything written that was broadcast until now."""
        broadcaster = self._server.broadcaster
        if broadcaster.frames:
            broadcaster.settle()

    def writeSequence(self, data: Iterable[bytes]) -> None:
        """Send application bytes."""
        for chunk in data:
            self.write(chunk)

    def write_alone(self, data: bytes) -> None:
        """Send application bytes that must be a packet of their own."""
        self.settle()
        self.core.send_alone(data)
        self._soon()

    def loseConnection(self) -> None:
        """Send what is queued, then close in order."""
        self.close("loseConnection")

    def close(self, reason: str) -> None:
        """Send what is queued, then close, giving a reason of ``orbited.errors``."""
        self.settle()
        self.disconnecting = True
        self.core.close(reason, self.clock.seconds())
        self._soon()

    def abortConnection(self) -> None:
        """End at once."""
        self.settle()
        self.disconnecting = True
        self.core.abort()
        self._soon()

    def getPeer(self) -> IPv4Address:
        """The browser, as far as it is known."""
        return IPv4Address("TCP", self.source.address, 0)

    def getHost(self) -> IPv4Address:
        """This end, under the name that the browser used."""
        return IPv4Address("TCP", self.source.host.partition(":")[0], 0)

    def registerProducer(self, producer: IPushProducer, streaming: bool) -> None:
        """Pause ``producer`` while too much waits for the browser."""
        if not streaming:
            raise ValueError("only push producers can be paused and resumed here")
        self._producer = producer
        self._is_producer_paused = False
        self._balance()

    def unregisterProducer(self) -> None:
        """Forget the producer."""
        self._producer = None

    def _overflow(self) -> None:
        """The back end went on although the browser does not keep up: let the browser go."""
        log.warning("%r is too slow and is closed", self)
        self._server.counters.slow_sessions_closed += 1
        self.core.close("slowConsumer", self.clock.seconds(), discard=True)
        self._soon()

    def _soon(self) -> None:
        if not self._is_dirty:
            self._is_dirty = True
            self._server.mark_dirty(self)

    def _balance(self) -> None:
        """Pause or resume the back end, by how much waits for the browser."""
        producer, core = self._producer, self.core
        if producer is None:
            return
        if not self._is_producer_paused and core.is_paused:
            self._is_producer_paused = True
            self._server.counters.back_end_pauses += 1
            producer.pauseProducing()
        elif self._is_producer_paused and core.is_relaxed:
            self._is_producer_paused = False
            producer.resumeProducing()

    def flush(self, now: float) -> None:
        """Hand to the transport below what it may carry; at the end of the reactor's turn."""
        raise NotImplementedError

    def _detach(self, now: float | None = None) -> Transport:
        """Part with the transport below, which has ended."""
        raise NotImplementedError
