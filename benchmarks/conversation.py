"""What the generator says to a system: byte templates, and the file that loadgen.c reads.

Templates are bytes with tokens in them, which loadgen.c explains at its top. The most important
are ``<<IDX>>``, the number of the client, and ``<<SEQ>>``, the number of the message, both always
7 digits, so that lengths are known here:

    Conversation().role("sub").address(port).step(b"hello", until=b"welcome").publish(MESSAGE)
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from typing import Final, Self

from benchmarks.workloads import MESSAGE_BYTES

_MARKER: Final = b"@M<<SEQ>>"


def message_of(size_bytes: int) -> bytes:
    """A message of that length once expanded, with its number at the beginning."""
    return _MARKER + b"x" * (size_bytes - size(_MARKER))


def size(template: bytes) -> int:
    """Length of a template once expanded.

    Raises:
        ValueError: it holds a token whose length is only known later.
    """
    template = re.sub(
        rb"<<B64:(.*?):B64>>",
        lambda match: base64.b64encode(match[1]),
        template,
        flags=re.DOTALL,
    )
    rest = re.sub(rb"<<(IDX|SEQ)>>", b"7 bytes", template)
    if b"<<" in rest:
        raise ValueError(f"the length is not known: {template[:60]!r}")
    return len(rest)


MESSAGE: Final = message_of(MESSAGE_BYTES)


# Frames of the protocols that are spoken.


def stomp(command: bytes, headers: Iterable[tuple[bytes, bytes]], body: bytes = b"") -> bytes:
    """One STOMP frame; headers are taken as they are."""
    lines = b"".join(name + b":" + value + b"\n" for name, value in headers)
    return command + b"\n" + lines + b"\n" + body + b"\0"


def get(path: bytes, headers: bytes = b"") -> bytes:
    """An HTTP request that keeps the connection; headers are whole lines."""
    return b"GET " + path + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n" + headers + b"\r\n"


def post(
    path: bytes, body: bytes, content_type: bytes = b"text/plain", headers: bytes = b""
) -> bytes:
    """The same with a body, whose length the generator puts in."""
    head = b"POST " + path + b" HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: " + content_type
    return head + b"\r\n" + headers + b"<<LEN:" + body + b":LEN>>"


def upgrade(path: bytes, protocol: bytes = b"", headers: bytes = b"") -> bytes:
    """The request that begins a WebSocket."""
    offered = b"Sec-WebSocket-Protocol: " + protocol + b"\r\n" if protocol else b""
    return (
        b"GET " + path + b" HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
        b"Connection: Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
        b"Sec-WebSocket-Version: 13\r\n" + offered + headers + b"\r\n"
    )


def text_frame(payload: bytes) -> bytes:
    """A WebSocket text message of a client, masked with 0 so that it can be read."""
    length = size(payload)
    head = bytes([0x80 | length]) if length < 126 else bytes([0xFE, length >> 8, length & 255])
    return b"\x81" + head + b"\0\0\0\0" + payload


class Conversation:
    """Builds the file for the generator; each method adds a line to the role begun last."""

    def __init__(self) -> None:
        self._lines: list[str] = []

    @property
    def text(self) -> str:
        """The file."""
        return "\n".join(self._lines) + "\n"

    def _add(self, *words: object) -> Self:
        written = [word.hex() or "-" if isinstance(word, bytes) else str(word) for word in words]
        self._lines.append(" ".join(written).rstrip())
        return self

    def role(self, name: str) -> Self:
        """Begin what is said about ``sub``, those who receive, or ``pub``, who only sends."""
        return self._add("role", name)

    def address(self, port: int, framing: str = "raw", socket: str = "down") -> Self:
        """Where to connect: ``framing`` is raw, http or ws."""
        return self._add("addr", socket, "127.0.0.1", port, framing)

    def late_address(self, port: int) -> Self:
        """Where "up" goes once all steps are done."""
        return self._add("late", "127.0.0.1", port)

    def step(
        self,
        send: bytes = b"",
        *,
        until: bytes = b"",
        response: bool = False,
        capture: bool = False,
        socket: str = "down",
    ) -> Self:
        """Send, then wait until these bytes come, or for a response (captured as ``<<KEY>>``)."""
        if until:
            return self._add("step", socket, send, "pat", until)
        wait = "capture" if capture else "resp" if response else "none"
        return self._add("step", socket, send, wait)

    def publish(self, send: bytes, *, response: bool = False, socket: str = "down") -> Self:
        """How one message goes out."""
        return self._add("publish", socket, send, "resp" if response else "")

    def poll_again(self, send: bytes) -> Self:
        """What is sent after each complete response."""
        return self._add("repoll", send)

    def packets(self, framing: str) -> Self:
        """What comes down are packets of Orbited: ``text``, ``raw`` or ``sse``."""
        return self._add("packets", framing)

    def acknowledge(self, send: bytes, *, packets: int) -> Self:
        """What is sent after so many packets, on the connection that they come on."""
        return self._add("ack", "down", send, "packets", packets)

    def acknowledge_bytes(self, send: bytes, size_bytes: int) -> Self:
        """What is sent beside a stream when its packets have brought more data than that."""
        return self._add("ack", "up", send, "bytes", size_bytes)

    def pong(self, send: bytes, socket: str) -> Self:
        """What answers a ping packet."""
        return self._add("pong", socket, send)

    def given(self, clients: Iterable[Iterable[bytes]]) -> Self:
        """What each client knows before it begins: its ``<<GV0>>``, ``<<GV1>>``, and so on."""
        for values in clients:
            self._add("given", *values)
        return self

    def flag(self, word: str) -> Self:
        """``upclose`` or ``eio``."""
        return self._add(word)
