"""A WebSocket on a connection that an edge hands over.

The framing, the handshake and the closing are those of ``websockets.server.ServerProtocol``,
which does no I/O. What is sent often, a binary message without compression, is framed here, so
that it costs one concatenation.
"""

import contextlib
from collections.abc import Callable, Sequence
from typing import Any, Protocol, cast

from twisted.internet.interfaces import IPushProducer, IReactorTime
from twisted.internet.protocol import Protocol as TwistedProtocol
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from websockets.datastructures import Headers
from websockets.exceptions import InvalidHandshake
from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import OPEN
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol
from zope.interface import implementer

from orbited.direct import direct_writer
from orbited.http import Exchange

__all__ = ["Listener", "WebSocketConnection", "upgrade"]

#: How long the other side may take to answer our close frame.
CLOSE_SECONDS = 5.0

#: The headers that the handshake is about; the rest is nothing to its parser.
_HANDSHAKE_HEADERS = ("connection", "upgrade", "host", "origin")


class Listener(Protocol):
    """Who is told what comes in."""

    def message_received(self, data: bytes, is_text: bool) -> None:
        """One whole message."""

    def connection_lost(self) -> None:
        """No message comes and none goes any more; called once."""

    def pauseProducing(self) -> None:
        """The socket is full."""

    def resumeProducing(self) -> None:
        """The socket takes bytes again."""


@implementer(IPushProducer)
class WebSocketConnection(TwistedProtocol):
    """One open WebSocket."""

    def __init__(self, protocol: ServerProtocol, listener: Listener, clock: IReactorTime) -> None:
        self._protocol = protocol
        self._listener: Listener | None = listener
        self._clock = clock
        self._is_open = True
        self._is_compressed = bool(protocol.extensions)
        self._fragments: list[bytes] = []
        self._is_text = False
        self._closing: Any = None
        self._write: Callable[[bytes], None] = self._ignore

    # -- sending ------------------------------------------------------------------------------

    def send_binary(self, payload: bytes) -> None:
        """Send one message; harmless when the connection is closing."""
        if not self._is_open:
            return
        if self._is_compressed:
            self._protocol.send_binary(payload)
            self._flush()
            return
        # RFC 6455, 5.2: FIN and opcode 2; a server does not mask.
        size = len(payload)
        if size < 126:
            self._write(b"\x82%c%b" % (size, payload))
        elif size < 65536:
            self._write(b"\x82\x7e%b%b" % (size.to_bytes(2, "big"), payload))
        else:
            self._write(b"\x82\x7f%b%b" % (size.to_bytes(8, "big"), payload))

    def send_text(self, payload: bytes) -> None:
        """Send one message of UTF-8 text."""
        if self._protocol.state is OPEN:
            self._protocol.send_text(payload)
            self._flush()

    def close(self, code: int, reason: str = "") -> None:
        """Begin the closing handshake; the listener hears nothing more."""
        self._listener = None
        if self._protocol.state is OPEN:
            self._protocol.send_close(code, reason)
            self._flush()

    def pause_reading(self) -> None:
        """Let the browser wait."""
        if self.transport is not None:
            cast(IPushProducer, self.transport).pauseProducing()

    def resume_reading(self) -> None:
        """Take messages again."""
        if self.transport is not None and self._closing is None:
            cast(IPushProducer, self.transport).resumeProducing()

    # -- Twisted calls these ------------------------------------------------------------------

    def connectionMade(self) -> None:
        """The connection is ours."""
        transport = cast(Any, self.transport)
        transport.registerProducer(self, True)
        self._write = direct_writer(transport)

    def dataReceived(self, data: bytes) -> None:
        """Bytes came in."""
        self._protocol.receive_data(data)
        for event in self._protocol.events_received():
            if isinstance(event, Frame):
                self._receive_frame(event)
        self._flush()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The connection is gone."""
        self._write = self._ignore
        self.transport = None
        if self._closing is not None and self._closing.active():
            self._closing.cancel()
        self._tell_lost()

    def pauseProducing(self) -> None:
        """The socket is full."""
        if self._listener is not None:
            self._listener.pauseProducing()

    def resumeProducing(self) -> None:
        """The socket takes bytes again."""
        if self._listener is not None:
            self._listener.resumeProducing()

    def stopProducing(self) -> None:
        """The connection is gone; ``connectionLost`` says so too."""

    # -- helpers ------------------------------------------------------------------------------

    def _receive_frame(self, frame: Frame) -> None:
        if frame.opcode in (Opcode.TEXT, Opcode.BINARY):
            self._is_text = frame.opcode is Opcode.TEXT
        elif frame.opcode is not Opcode.CONT:
            return  # pings are answered by the protocol, closing is seen in _flush
        self._fragments.append(bytes(frame.data))
        if frame.fin:
            message = self._fragments[0] if len(self._fragments) == 1 else b"".join(self._fragments)
            self._fragments = []
            if self._listener is not None:
                self._listener.message_received(message, self._is_text)

    def _flush(self) -> None:
        """Write what the protocol wants written, and notice that it has begun to close."""
        for data in self._protocol.data_to_send():
            if data:
                self._write(data)
            else:
                self._lose_connection()
        if self._protocol.state is not OPEN:
            self._is_open = False
            # After a refusal we go on reading for a while: closing now would reset the
            # connection, and the browser would report 1006 in place of our code.
            self._tell_lost()
            transport = cast(Any, self.transport)
            if self._closing is None and transport is not None:
                self._closing = self._clock.callLater(CLOSE_SECONDS, self._abort)
                if not transport.disconnecting:
                    transport.resumeProducing()

    def _lose_connection(self) -> None:
        if self.transport is not None:
            transport = cast(Any, self.transport)
            transport.unregisterProducer()
            transport.loseConnection()

    def _abort(self) -> None:
        if self.transport is not None:
            cast(Any, self.transport).abortConnection()

    def _tell_lost(self) -> None:
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.connection_lost()

    @staticmethod
    def _ignore(data: bytes) -> None:
        """Write nowhere: the connection is gone."""


def upgrade(
    exchange: Exchange,
    listener: Listener,
    clock: IReactorTime,
    *,
    max_message_bytes: int,
    subprotocols: Sequence[str] = (),
    compression: bool = False,
    headers: Sequence[tuple[str, str]] = (),
) -> WebSocketConnection | None:
    """Turn a request into a WebSocket, or answer it with what is wrong.

    Args:
        max_message_bytes: larger messages end the connection with 1009.
        subprotocols: in our order of preference; the first that the browser offers is chosen.

    Returns:
        None when the request was refused; it has been answered then.
    """
    protocol = ServerProtocol(
        max_size=max_message_bytes,
        subprotocols=[Subprotocol(name) for name in subprotocols],
        select_subprotocol=_select_subprotocol,
        extensions=[ServerPerMessageDeflateFactory()] if compression else None,
    )
    # The protocol has to parse the request itself: handed a ready one, its parser would go on
    # waiting for a request line and never read a frame.
    request = None
    with contextlib.suppress(InvalidHandshake):
        request_headers = Headers()
        for name, value in exchange.header_items():
            if name.lower() in _HANDSHAKE_HEADERS or name.lower().startswith("sec-websocket-"):
                request_headers[name] = value
        protocol.receive_data(Request("/", request_headers).serialize())
        request = next((e for e in protocol.events_received() if isinstance(e, Request)), None)
    if request is None or exchange.method != "GET":
        exchange.reply(400, "This is not the beginning of a WebSocket.\n", headers)
        return None
    response = protocol.accept(request)
    if response.status_code != 101:
        known = ("upgrade", "allow", "sec-websocket-version")
        extra = [(n, v) for n, v in response.headers.raw_items() if n.lower() in known]
        exchange.reply(response.status_code, bytes(response.body), [*headers, *extra])
        return None
    protocol.send_response(response)
    connection = WebSocketConnection(protocol, listener, clock)
    exchange.upgrade(b"".join(protocol.data_to_send()), connection)
    return connection


def _select_subprotocol(
    protocol: ServerProtocol, offered: Sequence[Subprotocol]
) -> Subprotocol | None:
    """Take the first of ours that is offered; a client that offers none is welcome too."""
    return next((name for name in protocol.available_subprotocols or () if name in offered), None)
