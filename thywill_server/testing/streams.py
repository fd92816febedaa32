r"""The sockets of a virtual browser: read in the test's thread, as fast as the browser is.

::

    Stream ---bytes---> Answer     the response to one GET, read as it comes
                   \--> Messages   a WebSocket
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Mapping
from typing import Protocol

import httptools
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.uri import parse_uri

from thywill_server.testing.loop import Loop

__all__ = ["Answer", "Messages", "Speed"]

CONNECT_SECONDS = 10.0
READ_BYTES = 65_536
SLOW_BUFFER_BYTES = 4096
"""What the kernel may keep for a slow browser, so that it is slow for the server as well."""

PAUSE_SECONDS = 0.02
"""How long a slow browser pauses between two reads."""

MAX_SAVED_SECONDS = 0.05
"""Time in which it did not read is not made up for, but for so much."""


class Speed:
    """How many bytes a second a browser reads: any number (None), so many, or none at all (0)."""

    def __init__(self) -> None:
        self.bytes_per_second: float | None = None


class Stream:
    """A socket in the loop.

    Args:
        loop: turns while the test waits.
        address: host and port.
        speed: how fast it is read.
        read: called with what came.
        ended: called once, when the other side is gone.
    """

    def __init__(
        self,
        loop: Loop,
        address: tuple[str, int],
        speed: Speed,
        read: Callable[[bytes], object],
        ended: Callable[[], object],
    ) -> None:
        self._loop, self._speed, self._read, self._ended = loop, speed, read, ended
        self._socket = socket.socket()
        if speed.bytes_per_second is not None:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SLOW_BUFFER_BYTES)
        self._socket.settimeout(CONNECT_SECONDS)
        try:
            self._socket.connect(address)
        except OSError:
            self._socket.close()
            raise
        self._is_open = True
        self._read_at = time.monotonic()
        loop.watch(self._socket, self._readable)

    def write(self, data: bytes) -> None:
        """Send bytes; they are few.

        If that fails, the end is told with the next turn of the loop: who writes may not be known
        yet to those who would be told.
        """
        if self._is_open:
            try:
                self._socket.sendall(data)
            except OSError:
                self._loop.call_later(0, self._end)

    def close(self) -> None:
        """Drop the connection, without a word."""
        if self._is_open:
            self._is_open = False
            self._loop.unwatch(self._socket)
            self._socket.close()

    def _readable(self) -> None:
        rate = self._speed.bytes_per_second
        most = READ_BYTES
        if rate is not None:
            now = time.monotonic()
            saved = max(MAX_SAVED_SECONDS, 2 / rate) if rate else 0.0
            seconds = min(now - self._read_at, saved)
            most = int(min(READ_BYTES, rate * seconds))
            if seconds < PAUSE_SECONDS / 2 or most < 1:
                self._pause()
                return
            self._read_at = now
        try:
            data = self._socket.recv(most)
        except OSError:
            data = b""
        if data:
            self._read(data)
        else:
            self._end()

    def _pause(self) -> None:
        self._loop.unwatch(self._socket)

        def go_on() -> None:
            if self._is_open:
                self._loop.watch(self._socket, self._readable)

        self._loop.call_later(PAUSE_SECONDS, go_on)

    def _end(self) -> None:
        if self._is_open:
            self.close()
            self._ended()


class Listener(Protocol):
    """Who is told."""

    def opened(self) -> None:
        """The server has agreed."""

    def received(self, data: bytes) -> None:
        """Some of the answer, or one whole message."""

    def ended(self, status: int) -> None:
        """It is over: with the HTTP status of a complete or refusing answer, or with 0."""


class Answer:
    """The answer to one GET; the connection is used for nothing else.

    Raises:
        OSError: nobody listens.
    """

    def __init__(
        self,
        loop: Loop,
        address: tuple[str, int],
        speed: Speed,
        path: str,
        headers: Mapping[str, str],
        listener: Listener,
    ) -> None:
        self._listener = listener
        self._parser = httptools.HttpResponseParser(self)
        self._status = 0
        self._is_over = False
        self._stream = Stream(loop, address, speed, self._feed, self._lost)
        lines = [f"GET {path} HTTP/1.1", *(f"{name}: {headers[name]}" for name in headers)]
        self._stream.write("\r\n".join([*lines, "Connection: close", "", ""]).encode())

    def close(self) -> None:
        """Want no more of it."""
        self._is_over = True
        self._stream.close()

    def _feed(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._finish(0)

    def _lost(self) -> None:
        self._finish(0)

    def _finish(self, status: int) -> None:
        if not self._is_over:
            self.close()
            self._listener.ended(status)

    # httptools calls these.

    def on_headers_complete(self) -> None:
        """Know the status."""
        self._status = self._parser.get_status_code()
        if self._status == 200:
            self._listener.opened()

    def on_body(self, data: bytes) -> None:
        """Hand some of the body on."""
        if self._status == 200 and not self._is_over:
            self._listener.received(data)

    def on_message_complete(self) -> None:
        """Be done."""
        self._finish(self._status)


class Messages:
    """A WebSocket.

    Raises:
        OSError: nobody listens.
    """

    def __init__(
        self,
        loop: Loop,
        address: tuple[str, int],
        speed: Speed,
        path: str,
        headers: Mapping[str, str],
        listener: Listener,
    ) -> None:
        self._listener = listener
        self._is_over = self._is_open = False
        host, port = address
        self._protocol = ClientProtocol(parse_uri(f"ws://{host}:{port}{path}"))
        request = self._protocol.connect()
        for name in headers:
            request.headers.pop(name, None)
            request.headers[name] = headers[name]
        self._protocol.send_request(request)
        self._stream = Stream(loop, address, speed, self._feed, self._lost)
        self._flush()

    def send(self, message: bytes) -> None:
        """Send one binary message."""
        if self._is_open and not self._is_over:
            self._protocol.send_binary(message)
            self._flush()

    def close(self) -> None:
        """Drop the connection."""
        self._is_over = True
        self._stream.close()

    def _flush(self) -> None:
        for data in self._protocol.data_to_send():
            if data:
                self._stream.write(data)

    def _feed(self, data: bytes) -> None:
        self._protocol.receive_data(data)
        events = self._protocol.events_received()
        self._flush()
        refusal = self._protocol.handshake_exc
        if refusal is not None:
            self._finish(getattr(getattr(refusal, "response", None), "status_code", 0))
            return
        if not self._is_open:
            self._is_open = True
            if self._protocol.state.name != "OPEN":
                self._is_open = False
                return
            self._listener.opened()
        for event in events:
            if isinstance(event, Frame) and not self._is_over:
                if event.opcode is Opcode.BINARY:
                    self._listener.received(bytes(event.data))
                elif event.opcode is Opcode.CLOSE:
                    self._finish()

    def _lost(self) -> None:
        self._finish()

    def _finish(self, status: int = 0) -> None:
        if not self._is_over:
            self.close()
            self._listener.ended(status)
