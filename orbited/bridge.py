# mypy: allow-untyped-calls
"""One WebSocket with nothing but bytes in it, joined to a back end.

::

    browser                       Bridge                          back end
    a message      -->  message_received --> link.receive    -->  a service in this process
                                             transport.write -->  or a TCP connection
    messages       <--  flush  <--  write  <---------------- <--
    reads slowly   -->  pauseProducing --> its producer pauses
    has to wait    <--  Browser.pauseProducing  <----------- <--  reads slowly

What a service writes within one turn of the reactor leaves in one piece at its end.
"""

import logging
from collections.abc import Callable, Iterable
from typing import Any, Protocol

from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import (
    IAddress,
    IDelayedCall,
    IProtocol,
    IPushProducer,
    IReactorTime,
)
from twisted.internet.protocol import Protocol as TwistedProtocol
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from orbited.bridge_messages import Messages
from orbited.link import LocalTransport
from orbited.settings import Config
from orbited.system.counters import Counters
from orbited.upgrade import Handshake

__all__ = ["BackEnd", "Bridge"]

log = logging.getLogger(__name__)

#: What is gathered before a turn of the reactor ends; as much as a transport of Twisted buffers.
GATHERED_BYTES = 65_536

#: RFC 6455, 7.4.1, and the registry that it founded.
NORMAL, GOING_AWAY, FAILED, TRY_AGAIN_LATER = 1000, 1001, 1011, 1013


class _Server(Protocol):
    """What a bridge needs of the end points that it belongs to."""

    clock: IReactorTime
    config: Config
    counters: Counters

    def mark_dirty(self, bridge: "Bridge") -> None:
        """Call ``flush`` at the end of this turn of the reactor."""

    def forget(self, bridge: "Bridge") -> None:
        """There is nothing left of the bridge."""


class BackEnd(TwistedProtocol):
    """A back end over TCP; it is not read before it has been joined to a bridge.

    Args:
        open_back_ends: holds it while there is a connection, also one that only sends its last
            bytes; a server that stops waits for those.
    """

    transport: Any
    bridge: "Bridge | None" = None

    def __init__(self, open_back_ends: set[TwistedProtocol]) -> None:
        self._open_back_ends = open_back_ends

    def connectionMade(self) -> None:
        """The connection is up."""
        self._open_back_ends.add(self)
        self.transport.pauseProducing()

    def dataReceived(self, data: bytes) -> None:
        """The back end sent something."""
        if self.bridge is not None:
            self.bridge.write_now(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The back end closed, or broke, or has all that was meant for it."""
        self._open_back_ends.discard(self)
        if self.bridge is not None:
            self.bridge.back_end_lost(reason)


@implementer(IPushProducer)
class Browser:
    """The browser, as a back end sees it: a transport, and a producer that can be paused."""

    __slots__ = ("_bridge", "write")

    def __init__(self, bridge: "Bridge") -> None:
        self._bridge = bridge
        self.write: Callable[[bytes], None] = bridge.write

    def writeSequence(self, data: Iterable[bytes]) -> None:
        """Send bytes."""
        for chunk in data:
            self.write(chunk)

    def getPeer(self) -> IAddress:
        """The browser, as far as it is known."""
        return IPv4Address("TCP", self._bridge.address, 0)

    def registerProducer(self, producer: IPushProducer, streaming: bool) -> None:
        """Pause ``producer`` while the browser does not read."""
        if not streaming:
            raise ValueError("only push producers can be paused and resumed here")
        self._bridge.register_producer(producer)

    def unregisterProducer(self) -> None:
        """Forget the producer."""
        self._bridge.register_producer(None)

    def pauseProducing(self) -> None:
        """Let the browser wait."""
        self._bridge.pause_reading()

    def resumeProducing(self) -> None:
        """Take messages again."""
        self._bridge.resume_reading()

    def stopProducing(self) -> None:
        """The back end is gone; ``connectionLost`` says so too."""


class Bridge:
    """A WebSocket and its back end.

    Args:
        handshake: is finished here; the bridge lives from then on.
        address: of the browser.
        name: of the end point, for the counters.
        messages: how bytes of the back end become messages.
    """

    def __init__(
        self, server: _Server, handshake: Handshake, address: str, name: str, messages: Messages
    ) -> None:
        self.address = address
        self.name = name
        self._server = server
        self._messages = messages
        self._is_open = True
        self._is_full = False
        self._is_reading = True
        self._is_pinged = False
        self._pending: list[bytes] = []
        self._pending_bytes = 0
        self._waiting_bytes = 0
        self._producer: IPushProducer | None = None
        self._receive: Callable[[bytes], None] = _ignore
        self._leave_back_end: Callable[[], None] | None = None
        self._connection = handshake.finish(self, server.clock)
        self._connection.on_gone = self._gone
        self._timer: IDelayedCall | None = None
        self._wait(server.config.session.ping_interval)

    def __repr__(self) -> str:
        return f"<{self.name} of {self.address}>"

    # -- the back end ---------------------------------------------------------------------------

    def join_service(self, protocol: IProtocol, host: IAddress) -> None:
        """Connect to a service in this process."""
        browser, clock = Browser(self), self._server.clock
        link = LocalTransport(browser, protocol, host, clock, self)
        self._leave_back_end = link.browser_lost
        self._receive = link.receive
        link.connect()

    def join_tcp(self, back_end: BackEnd) -> None:
        """Connect to a TCP connection that is up."""
        transport = back_end.transport
        back_end.bridge = self
        self._leave_back_end = lambda: self._close_tcp(back_end)
        self._receive = transport.write
        transport.setTcpNoDelay(True)
        transport.registerProducer(Browser(self), True)
        self.register_producer(transport)
        if not self._is_full:
            transport.resumeProducing()

    def back_end_lost(self, reason: Failure) -> None:
        """The TCP connection is gone: the browser is told, behind what is on its way."""
        self._leave_back_end = None
        if reason.check(ConnectionDone):
            self.close(NORMAL)
        else:
            self.close(FAILED, "the back end's connection broke")

    def service_closed(self) -> None:
        """The back end in this process is gone."""
        self._leave_back_end = None
        self.close(NORMAL)

    def _close_tcp(self, back_end: BackEnd) -> None:
        """Close behind what is on its way to the back end, but do not wait for ever."""
        back_end.bridge, transport = None, back_end.transport
        transport.unregisterProducer()
        transport.resumeProducing()
        transport.loseConnection()
        seconds = self._server.config.session.close_timeout
        self._server.clock.callLater(seconds, _abort_if_connected, transport)

    def register_producer(self, producer: IPushProducer | None) -> None:
        """Pause that one while the browser does not read."""
        self._producer = producer
        if producer is not None and self._is_full:
            producer.pauseProducing()

    def pause_reading(self) -> None:
        """The back end is slow; while the connection closes, that is no matter any more."""
        if self._is_open:
            self._is_reading = False
            self._connection.pause_reading()

    def resume_reading(self) -> None:
        """The back end takes bytes again."""
        if self._is_open:
            self._is_reading = True
            self._connection.resume_reading()

    # -- to the browser -------------------------------------------------------------------------

    def write(self, data: bytes) -> None:
        """Send bytes at the end of this turn of the reactor."""
        if not self._may_send(data):
            return
        if self._connection.is_compressed:
            self._send_messages(data)
            return
        frames = self._messages.frames(data)
        if frames:
            if not self._pending:
                self._server.mark_dirty(self)
            self._pending.append(frames)
            self._pending_bytes += len(frames)
            if self._pending_bytes > GATHERED_BYTES:
                self.flush()

    def write_now(self, data: bytes) -> None:
        """Send bytes of which there are no more for now."""
        if not self._may_send(data):
            return
        if self._connection.is_compressed:
            self._send_messages(data)
            return
        frames = self._messages.frames(data)
        if frames:
            self._connection.send_frames(frames)

    def flush(self) -> None:
        """Send what was gathered."""
        pending = self._pending
        if pending:
            self._pending, self._pending_bytes = [], 0
            self._connection.send_frames(pending[0] if len(pending) == 1 else b"".join(pending))

    def _may_send(self, data: bytes) -> bool:
        """Whether there is room for these bytes; if not, the browser is let go."""
        self._server.counters.bytes_sent += len(data)
        if self._is_full and self._is_open:
            self._waiting_bytes += len(data)
            if self._waiting_bytes > self._server.config.session.queued_bytes:
                log.warning("%r is too slow and is closed", self)
                self._server.counters.slow_sessions_closed += 1
                self.close(TRY_AGAIN_LATER, "the client reads too slowly")
        return self._is_open

    def _send_messages(self, data: bytes) -> None:
        connection = self._connection
        self._messages.send(data, connection.send_text, connection.send_binary)

    # -- the connection calls these -------------------------------------------------------------

    def message_received(self, data: bytes, is_text: bool) -> None:
        """The browser sent something; text or not makes no difference."""
        self._server.counters.bytes_received += len(data)
        try:
            self._receive(data)
        except Exception:
            log.exception("%r: the service failed; the connection is closed", self)
            self.close(FAILED, "internal error")

    def connection_lost(self) -> None:
        """The browser closes, or is gone."""
        self._end()

    def pauseProducing(self) -> None:
        """The browser does not read; Twisted says so once more with each write."""
        if self._is_full:
            return
        self._is_full = True
        self._waiting_bytes = 0
        if self._producer is not None:
            self._server.counters.back_end_pauses += 1
            self._producer.pauseProducing()

    def resumeProducing(self) -> None:
        """The browser reads again."""
        self._is_full = False
        if self._producer is not None:
            self._producer.resumeProducing()

    # -- the end --------------------------------------------------------------------------------

    def close(self, code: int, reason: str = "") -> None:
        """Close in order, behind what was sent."""
        if self._is_open:
            self.flush()
            self._connection.close(code, reason)
            self._end()

    def going_away(self) -> None:
        """The server is stopping."""
        self.close(GOING_AWAY, "the server is stopping")

    def abort(self) -> None:
        """End at once."""
        self._connection.abort()

    def _end(self) -> None:
        """No bytes pass any more."""
        if not self._is_open:
            return
        self._is_open = False
        self._pending.clear()
        self._producer = None
        self._receive = _ignore
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        leave, self._leave_back_end = self._leave_back_end, None
        if leave is not None:
            leave()

    def _gone(self) -> None:
        self._end()
        self._server.forget(self)

    # -- signs of life --------------------------------------------------------------------------

    def _wait(self, seconds: float) -> None:
        self._connection.was_heard = False
        self._timer = self._server.clock.callLater(seconds, self._tick)

    def _tick(self) -> None:
        """It was silent for a while, or else this is put off."""
        session = self._server.config.session
        # While the back end lets the browser wait, nobody reads its pongs.
        if self._connection.was_heard or not self._is_reading:
            self._is_pinged = False
            self._wait(session.ping_interval)
        elif self._is_pinged:
            log.info("%r is silent and is given up", self)
            self.abort()
        else:
            self._is_pinged = True
            self._connection.ping()
            self._wait(session.ping_timeout)


def _ignore(data: bytes) -> None:
    """Send nowhere: there is no back end."""


def _abort_if_connected(transport: Any) -> None:
    if transport.connected:
        transport.abortConnection()
