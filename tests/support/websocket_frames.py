"""WebSocket frames by hand, and a server's connection in memory that echoes what it gets."""

from typing import Any, NamedTuple

from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport

from orbited.upgrade import upgrade
from orbited.websocket import WebSocketConnection
from tests.support.exchange import MemoryExchange

CONT, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10

HANDSHAKE = {
    "connection": "keep-alive, Upgrade",
    "upgrade": "websocket",
    "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==",
    "sec-websocket-version": "13",
}


class Received(NamedTuple):
    """One frame of the server's."""

    opcode: int
    payload: bytes
    fin: bool = True
    reserved: int = 0


def frame(
    opcode: int,
    payload: bytes = b"",
    *,
    fin: bool = True,
    reserved: int = 0,
    mask: bytes | None = b"\x17\x2a\x80\xff",
    length_bytes: int | None = None,
) -> bytes:
    """A frame of a client's, well formed or not.

    Args:
        reserved: the three bits behind FIN, RSV1 is 4.
        mask: None for a frame without one.
        length_bytes: 0, 2 or 8, when it is not to be the shortest form.
    """
    size = len(payload)
    if length_bytes is None:
        length_bytes = 0 if size < 126 else 2 if size < 65536 else 8
    marker = {0: size, 2: 126, 8: 127}[length_bytes]
    head = bytes([fin << 7 | reserved << 4 | opcode, (mask is not None) << 7 | marker])
    if length_bytes:
        head += size.to_bytes(length_bytes, "big")
    if mask is None:
        return head + payload
    key = int.from_bytes((mask * (size // 4 + 1))[:size], "big")
    masked = int.from_bytes(payload, "big") ^ key
    return head + mask + masked.to_bytes(size, "big")


def close(code: int | None = None, reason: bytes = b"") -> bytes:
    """A close frame of a client's."""
    return frame(CLOSE, b"" if code is None else code.to_bytes(2, "big") + reason)


def parse(data: bytes) -> list[Received]:
    """The frames of a server, which have to be whole, unmasked, and of the shortest form."""
    frames = []
    while data:
        assert not data[1] & 0x80, "a server does not mask"
        size, start = data[1], 2
        if size == 126:
            size, start = int.from_bytes(data[2:4], "big"), 4
            assert size > 125
        elif size == 127:
            size, start = int.from_bytes(data[2:10], "big"), 10
            assert size > 65535
        payload = data[start : start + size]
        assert len(payload) == size, "cut in a frame"
        first = data[0]
        frames.append(Received(first & 15, payload, bool(first & 0x80), first >> 4 & 7))
        data = data[start + size :]
    return frames


class EchoPeer:
    """A server's end that echoes messages, and what it sent."""

    def __init__(
        self, *, max_message_bytes: int = 100_000, extensions: str = "", compression: bool = False
    ) -> None:
        headers = dict(HANDSHAKE)
        if extensions:
            headers["sec-websocket-extensions"] = extensions
        exchange = MemoryExchange(headers=headers)
        self.clock = Clock()
        self.transport: Any = StringTransport()
        self.messages: list[tuple[bytes, bool]] = []
        connection = upgrade(
            exchange,
            self,
            self.clock,
            max_message_bytes=max_message_bytes,
            compression=compression,
        )
        assert connection is not None
        self.connection: WebSocketConnection = connection
        head = exchange.content.decode().split("\r\n")
        named = [line.partition(": ")[2] for line in head if line.startswith("Sec-WebSocket-Ext")]
        self.extensions = named[0] if named else ""
        self.connection.makeConnection(self.transport)

    def receive(self, data: bytes, cuts: int = 0) -> None:
        """Hand bytes to the server, ``cuts`` at a time; all at once for 0."""
        for start in range(0, len(data), cuts or len(data) or 1):
            self.connection.dataReceived(data[start : start + (cuts or len(data))])

    @property
    def sent(self) -> list[Received]:
        """What the server has sent so far."""
        return parse(self.transport.value())

    # -- the connection calls these -------------------------------------------------------------

    def message_received(self, data: bytes, is_text: bool) -> None:
        self.messages.append((data, is_text))
        (self.connection.send_text if is_text else self.connection.send_binary)(data)

    def connection_lost(self) -> None:
        pass

    def pauseProducing(self) -> None:
        pass

    def resumeProducing(self) -> None:
        pass
