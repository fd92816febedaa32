"""Packets and their framings, without I/O.

A packet is a list of arguments: an id, a name, and for most names one argument more. On the
text framing each argument is written as::

    FLAG LEN "," BYTES          FLAG is 1 when more arguments follow, 0 on the last one
                                LEN is the decimal length of BYTES

    ["3", "data", "MQ=="]   is   11,314,data04,MQ==
                                 ||||
                                 |||+- one byte: the id
                                 ||+-- comma
                                 |+--- its length
                                 +---- more arguments follow

There is nothing between two packets. Three encoders write what a session sends:

* ``TEXT``  as above, with ``data`` in base64 (XHR streaming, long polling, polling);
* ``RAW``   as above, with the bytes of ``data`` as they are (WebSocket, binary messages);
* ``JSON``  a JSON array of arrays of strings (server-sent events, htmlfile).

A message pushed to many browsers is one bytes object with a different packet id for each. So an
encoder remembers the end of the last ``data`` packet by the identity of its payload, and only
the few bytes of the id are made for each session.
"""

import re
from binascii import Error as Base64Error
from binascii import a2b_base64, b2a_base64
from collections.abc import Sequence
from typing import NamedTuple

from orbited.errors import PacketError
from orbited.protocol.settings import PacketLimits

__all__ = [
    "ACK",
    "CLOSE",
    "DATA",
    "JSON",
    "NO_HEAD",
    "OPEN",
    "OPT",
    "PING",
    "RAW",
    "TEXT",
    "Encoder",
    "JsonEncoder",
    "Packet",
    "PacketDecoder",
    "RawEncoder",
    "TextEncoder",
    "decode_body",
    "join_shared",
    "lone_heads",
    "read_base64",
    "read_lone_ack",
    "read_lone_data",
    "read_upstream",
]

DATA, PING, CLOSE, ACK, OPEN, OPT = b"data", b"ping", b"close", b"ack", b"open", b"opt"

#: So many payloads that are being sent to many are remembered, and what becomes of them.
REMEMBERED = 4

#: For so many lengths of a packet that came up its beginning is remembered.
REMEMBERED_LENGTHS = 256

#: From here on it pays to look whether a payload was encoded before.
LARGE_BYTES = 1024

#: The id of packets that are not numbered: acknowledgements on a WebSocket.
UNNUMBERED = 0


class Packet(NamedTuple):
    """One packet; ``data`` holds plain bytes, whatever the framing makes of them."""

    id: int
    name: bytes
    data: bytes | None = None


class PacketDecoder:
    """Bytes in, lists of arguments out; knows framing and limits, but no names.

    An error is the last thing it ever returns.
    """

    _HEAD = re.compile(rb"([01])(0|[1-9][0-9]{0,8}),")
    _PARTIAL_HEAD = re.compile(rb"[01]?(?:0|[1-9][0-9]{0,8})?")
    _MAX_ARGUMENTS = 8

    def __init__(self, limits: PacketLimits | None = None) -> None:
        self._limits = limits or PacketLimits()
        self._buffer = bytearray()
        self._arguments: list[bytes] = []
        self._packets = 0
        self._is_broken = False

    @property
    def is_between_packets(self) -> bool:
        """Nothing of an unfinished packet is held."""
        return not self._buffer and not self._arguments

    def receive_data(self, data: bytes) -> None:
        """Add bytes in any cut."""
        self._buffer += data

    def events_received(self) -> list[tuple[bytes, ...] | PacketError]:
        """Take the packets that are complete."""
        events: list[tuple[bytes, ...] | PacketError] = []
        if not self._is_broken:
            try:
                self._scan(events)
            except PacketError as error:
                self._is_broken = True
                self._buffer.clear()
                self._arguments.clear()
                events.append(error)
        return events

    def _scan(self, events: list[tuple[bytes, ...] | PacketError]) -> None:
        buffer, position = self._buffer, 0
        while position < len(buffer):
            head = self._HEAD.match(buffer, position)
            if head is None:
                rest = bytes(buffer[position : position + 12])
                if self._PARTIAL_HEAD.fullmatch(rest):
                    break
                raise PacketError(f"expected an argument's flag and length, got {rest!r}")
            length, start = int(head[2]), head.end()
            if length > self._limits.argument_bytes:
                raise PacketError(
                    f"an argument of {length} bytes passes the limit of "
                    f"{self._limits.argument_bytes}"
                )
            if start + length > len(buffer):
                break
            self._arguments.append(bytes(buffer[start : start + length]))
            position = start + length
            if head[1] == b"0":
                self._packets += 1
                if self._packets > self._limits.packets_per_post:
                    raise PacketError(f"more than {self._limits.packets_per_post} packets")
                events.append(tuple(self._arguments))
                self._arguments.clear()
            elif len(self._arguments) == self._MAX_ARGUMENTS:
                raise PacketError(f"a packet with more than {self._MAX_ARGUMENTS} arguments")
        del buffer[:position]


def decode_body(body: bytes, limits: PacketLimits) -> list[tuple[bytes, ...]]:
    """Decode a body that must hold complete packets and nothing else.

    Raises:
        PacketError: for the first thing that is wrong; nothing of the body counts then.
    """
    decoder = PacketDecoder(limits)
    decoder.receive_data(body)
    packets: list[tuple[bytes, ...]] = []
    for event in decoder.events_received():
        if isinstance(event, PacketError):
            raise event
        packets.append(event)
    if not decoder.is_between_packets:
        raise PacketError("the last packet is not complete")
    return packets


_NUMBER = re.compile(rb"0|[1-9][0-9]{0,14}")

_LONE_DATA = re.compile(rb"1([1-9][0-9]?),([1-9][0-9]{0,14})14,data0([1-9][0-9]{0,8}),")
_LONE_ACK = re.compile(rb"11,013,ack0([1-9][0-9]?),([1-9][0-9]{0,14})")


#: What stands before the data of a lone packet, but for its id, and how long that is: by the
#: length of the whole. Whoever sends again mostly sends as much.
lone_heads: dict[int, tuple[bytes, int]] = {}

#: What no body begins with.
NO_HEAD = b"%d", 0


def read_lone_data(body: bytes, limits: PacketLimits, raw: bool) -> tuple[int, bytes] | None:
    """Read a body that is one data packet, and nothing else: id and bytes.

    The hot path. None means nothing: the same body is then looked at with care.
    """
    match = _LONE_DATA.match(body)
    if match is None:
        return None
    digits, number, size_digits = match.groups()
    start, size = match.end(), int(size_digits)
    if len(number) != int(digits) or len(body) != start + size or size > limits.argument_bytes:
        return None
    data = body[start:] if raw else read_base64(body[start:])
    if data is None:
        return None
    if len(lone_heads) >= REMEMBERED_LENGTHS:
        lone_heads.clear()
    lone_heads[len(body)] = b"1%b,%%d14,data0%b," % (digits, size_digits), start
    return int(number), data


def read_base64(data: bytes) -> bytes | None:
    """Decode what must be base64 and nothing else; None if it is not."""
    try:
        return a2b_base64(data, strict_mode=True)
    except Base64Error:
        return None


def read_lone_ack(body: bytes) -> int | None:
    """Read a body that is one acknowledgement, and nothing else. The hot path, as above."""
    match = _LONE_ACK.fullmatch(body)
    if match is None:
        return None
    digits, number = match.groups()
    return int(number) if len(number) == int(digits) else None


def read_upstream(arguments: Sequence[bytes], *, raw: bool = False) -> Packet:
    """Check what a browser sent as one packet, and decode its data.

    Args:
        arguments: as the decoder returned them.
        raw: ``data`` holds plain bytes; otherwise base64.

    Raises:
        PacketError: a name, a number or the base64 is not what this protocol knows.
    """
    if not 2 <= len(arguments) <= 3:
        raise PacketError(f"a packet has 2 or 3 arguments, not {len(arguments)}")
    number, name = arguments[0], arguments[1]
    argument = arguments[2] if len(arguments) == 3 else None
    if not _NUMBER.fullmatch(number):
        raise PacketError(f"a packet id is a decimal number, not {number[:20]!r}")
    packet_id = int(number)
    if name == ACK:
        if packet_id != UNNUMBERED or argument is None or not _NUMBER.fullmatch(argument):
            raise PacketError("an ack has id 0 and the number of a packet")
        return Packet(UNNUMBERED, ACK, argument)
    if packet_id == UNNUMBERED:
        raise PacketError("packet ids begin at 1")
    if name == DATA:
        if argument is None:
            raise PacketError("a data packet without data")
        return Packet(packet_id, DATA, argument if raw else _from_base64(argument))
    if name in (PING, CLOSE):
        return Packet(packet_id, PING if name == PING else CLOSE)
    raise PacketError(f"no packet is called {name[:20]!r}")


def _from_base64(text: bytes) -> bytes:
    try:
        return a2b_base64(text, strict_mode=True)
    except Base64Error as error:
        raise PacketError(f"not base64: {error}") from None


class Encoder:
    """Writes packets; remembers the ends of the last data packets by their payload's identity."""

    __slots__ = ("_large", "_payload", "_tail")

    def __init__(self) -> None:
        self._payload: bytes | None = None
        self._tail = b""
        self._large: tuple[tuple[bytes, bytes], ...] = ()  # payload and end, the last first

    def encode(self, packets: Sequence[Packet]) -> bytes:
        """All packets of one burst, as one piece of the transport's body."""
        if len(packets) == 1:
            return self._one(packets[0])
        return b"".join(map(self._one, packets))

    def encode_data(self, number: int, payload: bytes) -> bytes:
        """One data packet, as a burst of its own. The hot path."""
        if payload is not self._payload:
            self._tail = self._tail_of(payload)
            self._payload = payload
        digits = b"%d" % number
        return b"1%d,%b%b" % (len(digits), digits, self._tail)

    def _one(self, packet: Packet) -> bytes:
        number, name, data = packet
        if name is DATA:
            assert data is not None
            return self.encode_data(number, data)
        digits = b"%d" % number
        if not data:
            return b"1%d,%b0%d,%b" % (len(digits), digits, len(name), name)
        return b"1%d,%b1%d,%b0%d,%b" % (len(digits), digits, len(name), name, len(data), data)

    def _tail_of(self, payload: bytes) -> bytes:
        if len(payload) < LARGE_BYTES:
            return self._data_tail(payload)  # quicker than to remember it
        for known, tail in self._large:
            if known is payload:
                return tail
        tail = self._data_tail(payload)
        self._large = (payload, tail), *self._large[: REMEMBERED - 1]
        return tail

    def _data_tail(self, payload: bytes) -> bytes:
        raise NotImplementedError


class TextEncoder(Encoder):
    """The framing of 2010: text, with data in base64."""

    __slots__ = ()

    def _data_tail(self, payload: bytes) -> bytes:
        text = b2a_base64(payload, newline=False)
        return b"14,data0%d,%b" % (len(text), text)


class RawEncoder(Encoder):
    """The framing of WebSocket messages: data as it is."""

    __slots__ = ()

    def _data_tail(self, payload: bytes) -> bytes:
        return b"14,data0%d,%b" % (len(payload), payload)


class JsonEncoder(Encoder):
    """An array of arrays of strings.

    Nothing is escaped: names, reasons and base64 hold no character that JSON or HTML minds.
    """

    __slots__ = ()

    def encode(self, packets: Sequence[Packet]) -> bytes:
        """All packets of one burst, as one JSON array."""
        return b"[%b]" % b", ".join(map(self._one, packets))

    def encode_data(self, number: int, payload: bytes) -> bytes:
        """One data packet, as a burst of its own."""
        return b"[%b]" % self._one(Packet(number, DATA, payload))

    def _one(self, packet: Packet) -> bytes:
        number, name, data = packet
        if name is DATA:
            if data is not self._payload:
                assert data is not None
                self._tail = self._tail_of(data)
                self._payload = data
            return b'["%d", %b' % (number, self._tail)
        if not data:
            return b'["%d", "%b"]' % (number, name)
        return b'["%d", "%b", "%b"]' % (number, name, data)

    def _data_tail(self, payload: bytes) -> bytes:
        return b'"data", "%b"]' % b2a_base64(payload, newline=False)


TEXT, RAW, JSON = TextEncoder(), RawEncoder(), JsonEncoder()


class _Joiner:
    """Joins chunks; sessions that were given the same chunks share one result.

    It remembers more than one: what is too much for a packet is several, for each of the sessions.
    """

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: tuple[tuple[list[bytes], bytes], ...] = ()  # the last first

    def __call__(self, chunks: list[bytes]) -> bytes:
        """Join, or return the very object of a call before when the chunks are the same."""
        if len(chunks) == 1:
            return chunks[0]
        for known, joined in self._known:
            if known == chunks:
                return joined
        joined = b"".join(chunks)
        self._known = (chunks, joined), *self._known[: REMEMBERED - 1]
        return joined


join_shared = _Joiner()
