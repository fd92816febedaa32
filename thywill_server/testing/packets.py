"""The packets of a comet session, as a page writes and reads them.

A packet is a list of arguments, each with a flag, its length and a comma before it; the flag is 1
when more arguments follow::

    ["3", "data", "MQ=="]   is   11,314,data04,MQ==

In messages of a WebSocket ``data`` is what it is, elsewhere it is base64.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass

__all__ = ["EventReader", "Packet", "PacketReader", "write"]


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet, with its data as plain bytes."""

    id: int
    name: str
    data: bytes = b""


def write(packets: list[Packet], *, is_raw: bool) -> bytes:
    """Write packets for a WebSocket (``is_raw``) or the body of a POST."""
    return b"".join(_written(packet, is_raw) for packet in packets)


def _written(packet: Packet, is_raw: bool) -> bytes:
    arguments = [b"%d" % packet.id, packet.name.encode()]
    if packet.name == "data":
        arguments.append(packet.data if is_raw else base64.b64encode(packet.data))
    elif packet.data:
        arguments.append(packet.data)
    flags = [b"1"] * (len(arguments) - 1) + [b"0"]
    pairs = zip(flags, arguments, strict=True)
    return b"".join(b"%s%d,%s" % (flag, len(argument), argument) for flag, argument in pairs)


class PacketReader:
    """Bytes in, packets out.

    Args:
        is_raw: whether data comes as it is.
    """

    def __init__(self, *, is_raw: bool = False) -> None:
        self._is_raw = is_raw
        self._buffer = b""
        self._arguments: list[bytes] = []

    def feed(self, data: bytes) -> list[Packet]:
        """Read more bytes; gives the packets that are complete with them."""
        self._buffer += data
        found: list[Packet] = []
        if not self._arguments:
            self._buffer = self._buffer.lstrip(b" x")  # padding and heart-beats, between packets
        while True:
            head, comma, rest = self._buffer.partition(b",")
            if not comma or len(rest) < int(head[1:]):
                return found
            length = int(head[1:])
            self._arguments.append(rest[:length])
            self._buffer = rest[length:]
            if head[:1] == b"0":
                found.append(self._packet())
                self._arguments = []
                self._buffer = self._buffer.lstrip(b" x")

    def _packet(self) -> Packet:
        number, name, *data = self._arguments
        content = data[0] if data else b""
        if name == b"data" and not self._is_raw:
            content = base64.b64decode(content)
        return Packet(int(number), name.decode(), content)


class EventReader:
    """Server-sent events in, packets out."""

    def __init__(self) -> None:
        self._buffer = b""

    def feed(self, data: bytes) -> list[Packet]:
        """Read more bytes; gives the packets of the events that are complete with them."""
        self._buffer += data
        found: list[Packet] = []
        *events, self._buffer = self._buffer.split(b"\n\n")
        for event in events:
            lines = dict(line.split(b": ", 1) for line in event.split(b"\n") if b": " in line)
            if lines.get(b"event") == b"payload":
                found += [_from_texts(texts) for texts in json.loads(lines[b"data"])]
        return found


def _from_texts(texts: list[str]) -> Packet:
    number, name, *data = texts
    content = data[0].encode() if data else b""
    return Packet(int(number), name, base64.b64decode(content) if name == "data" else content)
