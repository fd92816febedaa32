"""A WebSocket on a connection that an edge hands over.

The reading of frames and the closing are those of
``websockets.protocol.Protocol``, which does no I/O. What is sent often, a message without
compression, is framed here, so that it costs one concatenation::

    first byte                       second byte, and the size
    0x81 the whole of a text         size          up to 125
    0x82 the whole of a binary       126, 2 bytes  up to 65,535
                                     127, 8 bytes  beyond

What comes in often, a short message in one frame, is read here as well (``dataReceived``); all
else is the library's, and every fault is found there. Its object is made when it is wanted,
and kept only while it has something to remember: it is larger than all the rest of an idle
connection.

How a request becomes one of these is told in ``orbited.upgrade``.
"""

import codecs
import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol, cast

from twisted.internet.interfaces import IPushProducer, IReactorTime
from twisted.internet.protocol import Protocol as TwistedProtocol
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from websockets.extensions import Extension
from websockets.frames import Frame, Opcode
from websockets.protocol import OPEN, SERVER
from websockets.protocol import Protocol as LibraryProtocol
from websockets.streams import StreamReader

try:
    from websockets.speedups import apply_mask
except ImportError:
    from websockets.utils import apply_mask
from zope.interface import implementer

from orbited.direct import direct_writer

__all__ = ["Listener", "WebSocketConnection", "binary_frame", "is_utf8", "text_frame"]

#: The library's own, by the name that it would take itself.
_library_log = logging.getLogger("websockets.server")

#: How long the other side may take to answer our close frame.
CLOSE_SECONDS = 5.0

#: How long it may take, before that, to read what was sent earlier.
FLUSH_SECONDS = 30.0

#: Shorter messages are sent as they are, on a compressed connection too: they hardly shrink.
COMPRESSED_FROM_BYTES = 256

#: RFC 6455, 7.4.1: text that is not UTF-8.
INVALID_TEXT = 1007

#: RFC 6455, 5.2: FIN and opcode, a masked payload of less than 126 bytes, one of up to 65,535.
_WHOLE_TEXT, _WHOLE_BINARY, _MASKED, _MASKED_16 = 0x81, 0x82, 0x80, 0xFE


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


def binary_frame(payload: bytes) -> bytes:
    """One whole binary message, ready for the wire.

    RFC 6455, 5.2: FIN and opcode 2; a server does not mask.
    """
    size = len(payload)
    if size < 126:
        return b"\x82%c%b" % (size, payload)
    if size < 65536:
        return b"\x82\x7e%b%b" % (size.to_bytes(2, "big"), payload)
    return b"\x82\x7f%b%b" % (size.to_bytes(8, "big"), payload)


def text_frame(payload: bytes) -> bytes:
    """One whole text message, ready for the wire; the caller knows that it is UTF-8."""
    size = len(payload)
    if size < 126:
        return b"\x81%c%b" % (size, payload)
    if size < 65536:
        return b"\x81\x7e%b%b" % (size.to_bytes(2, "big"), payload)
    return b"\x81\x7f%b%b" % (size.to_bytes(8, "big"), payload)


class _Library(LibraryProtocol):
    """The protocol of the library behind the handshake, but for one rule of its own."""

    def recv_frame(self, frame: Frame) -> None:
        """Take a close frame between the fragments of a message for what it is.

        RFC 6455, 5.4 lets control frames stand there, and 5.5.1 has this one answered with its
        own code. The library would answer 1002.
        """
        if frame.opcode is Opcode.CLOSE:
            self.current_size = None
        super().recv_frame(frame)


@implementer(IPushProducer)
class WebSocketConnection(TwistedProtocol):
    """One open WebSocket.

    Args:
        max_message_bytes: larger messages end the connection with 1009.
        extensions: what the handshake has agreed upon.

    Attributes:
        is_compressed: permessage-deflate was negotiated; ready frames cost what they would save.
        was_heard: set when bytes come in, or when the socket has made progress; for whoever
            watches for dead peers, and clears it.
        has_more: while a message is handed on: more bytes came with it.
        send_frames: sends what ``binary_frame`` and ``text_frame`` have made; harmless when the
            connection is closing.
        on_gone: called once when there is no connection any more, after all closing.
    """

    __slots__ = ("_clock", "_closing", "_held_pong", "_is_between_frames", "_is_full", "_is_open",
                 "_is_text", "_library", "_listener", "_max_message_bytes", "_message",
                 "_text_check", "_write", "connected", "has_more", "is_compressed", "on_gone",
                 "send_frames", "transport", "was_heard")  # fmt: skip

    def __init__(
        self,
        listener: Listener,
        clock: IReactorTime,
        max_message_bytes: int,
        extensions: Sequence[Extension] = (),
    ) -> None:
        self.transport = None
        self.connected = 0
        self._library: _Library | None = None  # while it has something to remember
        self._max_message_bytes = max_message_bytes
        self._listener: Listener | None = listener
        self._clock = clock
        self._is_open = True
        self.is_compressed = bool(extensions)
        if extensions:
            self._wake_library().extensions = list(extensions)
        self.was_heard = False
        self.has_more = False
        self._is_between_frames = True  # and nothing of a message is kept
        self.on_gone: Callable[[], None] | None = None
        self._message: bytearray | None = None
        self._is_text = False
        self._text_check: codecs.IncrementalDecoder | None = None
        self._is_full = False
        self._held_pong = b""
        self._closing: Any = None
        self._write: Callable[[bytes], None] = self._ignore
        self.send_frames: Callable[[bytes], None] = self._ignore

    # -- sending ------------------------------------------------------------------------------

    def send_binary(self, payload: bytes) -> None:
        """Send one message; harmless when the connection is closing."""
        if self.is_compressed and len(payload) >= COMPRESSED_FROM_BYTES:
            self._send_compressed(payload, is_text=False)
        elif self._is_open:
            self._write(binary_frame(payload))

    def send_text(self, payload: bytes) -> None:
        """Send one message of UTF-8 text; harmless when the connection is closing."""
        if self.is_compressed and len(payload) >= COMPRESSED_FROM_BYTES:
            self._send_compressed(payload, is_text=True)
        elif self._is_open:
            self._write(text_frame(payload))

    def ping(self) -> None:
        """Ask for a sign of life: a pong, which counts as bytes that came in."""
        if self._is_open:
            self._write(b"\x89\x00")

    def abort(self) -> None:
        """End the connection at once, without a closing handshake."""
        self._abort()

    def close(self, code: int, reason: str = "") -> None:
        """Begin the closing handshake; the listener hears nothing more."""
        self._listener = None
        library = self._wake_library()
        if library.state is OPEN:
            library.send_close(code, reason)
            self._flush(library)

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
        self._write = self.send_frames = direct_writer(transport)

    def dataReceived(self, data: bytes) -> None:
        """Bytes came in."""
        self.was_heard = True
        position, size = 0, len(data)
        # The hottest path does what the next one does, for one binary message of that form.
        if (
            size >= 134  # with at least 126 bytes of payload, else it is not the shortest form
            and data[:2] == b"\x82\xfe"
            and data[2] << 8 | data[3] == size - 8 <= self._max_message_bytes
            and self._is_between_frames
            and self._is_open
            and (listener := self._listener) is not None
        ):
            self.has_more = False
            listener.message_received(apply_mask(data[8:], data[4:8]), False)
            return
        # The hot path: messages that are here as a whole, in one frame each.
        while position + 6 <= size and self._is_between_frames and self._is_open:
            first, second = data[position], data[position + 1]
            if second == _MASKED_16:
                start = position + 8
                end = start + (data[position + 2] << 8 | data[position + 3])
                if end - start < 126:
                    break  # not the shortest form
            elif _MASKED <= second < _MASKED_16:
                start = position + 6
                end = start + second - _MASKED
            else:
                break
            is_text = first == _WHOLE_TEXT
            if (
                size < end
                or not (is_text or first == _WHOLE_BINARY)
                or end - start > self._max_message_bytes
            ):
                break
            message = apply_mask(data[start:end], data[start - 4 : start])
            if is_text and not is_utf8(message):
                break
            self.has_more = size > end
            position = end
            if self._listener is not None:
                self._listener.message_received(message, is_text)
        if position < size:
            self._receive_slowly(data[position:])

    def _receive_slowly(self, data: bytes) -> None:
        """Have bytes read by the library."""
        self.has_more = True
        library = self._wake_library()
        library.receive_data(data)
        frames = library.events_received()
        writes = library.data_to_send()  # a pong for each ping, then perhaps what closes
        for frame in frames:
            if not isinstance(frame, Frame):
                continue
            if frame.opcode is Opcode.PING:
                self._send_pong(writes.pop(0))
            elif not self._receive_frame(frame):
                break
        self._is_between_frames = self._message is None and _is_between_frames(library)
        self._flush(library, writes)
        if self._is_between_frames and self._is_open and not self.is_compressed:
            self._library = None

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The connection is gone."""
        self._write = self.send_frames = self._ignore
        self.transport = None
        if self._closing is not None and self._closing.active():
            self._closing.cancel()
        self._tell_lost()
        on_gone, self.on_gone = self.on_gone, None
        if on_gone is not None:
            on_gone()

    def pauseProducing(self) -> None:
        """The socket is full."""
        self._is_full = True
        if self._listener is not None:
            self._listener.pauseProducing()

    def resumeProducing(self) -> None:
        """The socket takes bytes again."""
        self._is_full = False
        self.was_heard = True
        if self._closing is not None and self._closing.active():
            self._closing.reset(CLOSE_SECONDS)
        pong, self._held_pong = self._held_pong, b""
        if pong:
            self._write(pong)
        if self._listener is not None:
            self._listener.resumeProducing()

    def stopProducing(self) -> None:
        """The connection is gone; ``connectionLost`` says so too."""

    # -- helpers ------------------------------------------------------------------------------

    def _wake_library(self) -> _Library:
        """The library's object; a new one stands between two frames of an open connection."""
        if self._library is None:
            self._library = _Library(SERVER, max_size=self._max_message_bytes, logger=_library_log)
        return self._library

    def _send_compressed(self, payload: bytes, *, is_text: bool) -> None:
        if not self._is_open:
            return
        library = self._wake_library()
        if library.state is OPEN:
            (library.send_text if is_text else library.send_binary)(payload)
            self._write(b"".join(library.data_to_send()))
        else:
            # A close frame came right behind the message that is being answered. What is said to
            # that may still be said, and RFC 7692, 6 lets any message go uncompressed.
            self._write(text_frame(payload) if is_text else binary_frame(payload))

    def _receive_frame(self, frame: Frame) -> bool:
        """Take a frame; False if it is not text although it says so."""
        opcode = frame.opcode
        if opcode is Opcode.TEXT or opcode is Opcode.BINARY:
            self._is_text = opcode is Opcode.TEXT
            if frame.fin:
                message = bytes(frame.data)
                if self._is_text and not is_utf8(message):
                    return self._refuse_text()
                self._deliver(message)
                return True
            # Fragments are joined as they come: a list of them, were they small, or empty,
            # would be many times larger than the message.
            self._message = bytearray()
            self._text_check = _Utf8Decoder() if self._is_text else None
        elif opcode is not Opcode.CONT or self._message is None:
            return True  # a pong, or closing, which is seen in _flush
        if self._text_check is not None:
            try:
                self._text_check.decode(frame.data, frame.fin)
            except UnicodeDecodeError:
                return self._refuse_text()
        self._message += frame.data
        if frame.fin:
            message, self._message, self._text_check = bytes(self._message), None, None
            self._deliver(message)
        return True

    def _deliver(self, message: bytes) -> None:
        if self._listener is not None:
            self._listener.message_received(message, self._is_text)

    def _refuse_text(self) -> bool:
        """RFC 6455, 8.1: text that is not UTF-8 ends the connection."""
        self._message = self._text_check = None
        self._wake_library().fail(INVALID_TEXT, "this text is not UTF-8")
        return False

    def _send_pong(self, pong: bytes) -> None:
        """Answer a ping, in its place among the messages.

        A browser that does not read gets one pong later, for its last ping, which is what
        RFC 6455, 5.5.3 asks for; so no number of pings fills the memory.
        """
        if self._is_full:
            self._held_pong = pong
        else:
            self._write(pong)

    def _flush(self, library: _Library, writes: Iterable[bytes] = ()) -> None:
        """Write what the library wants written, and notice that it has begun to close."""
        writes = [*writes, *library.data_to_send()]
        for data in writes:
            if data:
                self._write(data)
            else:
                self._lose_connection()
        if library.state is not OPEN:
            self._is_open = False
            self.send_frames = self._ignore
            # After a refusal we go on reading for a while: closing now would reset the
            # connection, and the browser would report 1006 in place of our code.
            self._tell_lost()
            transport = cast(Any, self.transport)
            if self._closing is None and transport is not None:
                seconds = FLUSH_SECONDS if self._is_full else CLOSE_SECONDS
                self._closing = self._clock.callLater(seconds, self._abort)
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


def _is_between_frames(library: _Library) -> bool:
    """Whether the library waits for the first byte of a frame.

    Its parser is a generator, which then waits in ``at_eof``; a release where that is not so any
    more would only be slower.
    """
    waiting = getattr(library.parser, "gi_yieldfrom", None)
    return getattr(waiting, "gi_code", None) is StreamReader.at_eof.__code__


_Utf8Decoder = codecs.getincrementaldecoder("utf-8")


def is_utf8(data: bytes) -> bool:
    """Whether these bytes may travel as text."""
    if data.isascii():
        return True
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
