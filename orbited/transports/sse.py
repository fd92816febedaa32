"""Server-sent events, as browsers know them and as Opera knew them first.

A browser of today says ``Accept: text/event-stream`` and gets that, with the id of the last
packet as the event's id: when it reconnects by itself, ``Last-Event-ID`` is the acknowledgement.

Opera's form has no such thing, and the page of 2010 neither acknowledges when it comes back nor
drops what it has read before. So that stream is not ended for its size.
"""

import sys
from collections.abc import Sequence

from orbited.http import chunk
from orbited.protocol.packets import DATA, JSON, Packet
from orbited.protocol.shared import SharedFrame
from orbited.transports.base import MAX_RESPONSE_PACKETS, Session, StreamingTransport

__all__ = ["ServerSentEvents"]


def _event(number: int, packets: bytes) -> bytes:
    """An event of today, whose id is that of its last packet."""
    return b"id: %d\nevent: payload\ndata: %b\n\n" % (number, packets)


class SharedEvent(SharedFrame):
    """Chunks of one event with one data packet, whose number stands in it twice."""

    __slots__ = ("_between",)

    def __init__(self) -> None:
        super().__init__(JSON, chunk)
        self._between = b""

    def build(self, number: int, payload: bytes) -> bytes:
        """Build the chunk, ready for the wire."""
        if payload is not self._payload:
            return super().build(number, payload)
        if not self._first <= number <= self._last:
            self._cut(number, payload)
        return b"%b%d%b%d%b" % (self._before, number, self._between, number, self._behind)

    def whole(self, number: int, payload: bytes) -> bytes:
        """Build it as if it were the only one."""
        packet = self.encoder.encode((Packet(number, DATA, payload),))
        return chunk(_event(number, packet))

    def _cut(self, number: int, payload: bytes) -> None:
        frame, digits = self.whole(number, payload), b"%d" % number
        # The first two: before them is only the size of the chunk, which ends with its line.
        head, line_end, event = frame.partition(b"\r\n")
        before, self._between, behind = event.split(digits, 2)
        self._before, self._behind = head + line_end + before, behind
        self._first, self._last = 10 ** (len(digits) - 1), 10 ** len(digits) - 1


class ServerSentEvents(StreamingTransport):
    """Each burst is one ``payload`` event that holds a JSON array of packets."""

    __slots__ = ("_is_standard",)

    name = "sse"
    encoder = JSON
    shared = SharedEvent()
    content_type = "application/x-dom-event-stream"
    prelude = b""
    heartbeat = b"Event: heartbeat\n\n"

    def open(self, session: Session, now: float) -> bool:
        """Start the stream in the dialect that was asked for."""
        self._is_standard = "text/event-stream" in (self.exchange.header("accept") or "")
        is_open = super().open(session, now)
        if self._is_standard:
            self.write_frame = self.exchange.chunk_writer()
        else:
            self._bytes_left = self._packets_left = sys.maxsize
        return is_open

    def response_type(self) -> str:
        """The MIME type; a standard EventSource accepts no other."""
        return "text/event-stream" if self._is_standard else self.content_type

    def frame(self, packets: Sequence[Packet]) -> bytes:
        """One burst as an event."""
        payload = self.encoder.encode(packets)
        if self._is_standard:
            return _event(packets[-1].id, payload)
        return b"Event: payload\ndata: %b\n\n" % payload

    def packet_room(self) -> int:
        """What is left of this response's packets, in Opera's form always enough for an event."""
        return min(super().packet_room(), MAX_RESPONSE_PACKETS)

    def heartbeat_seconds(self) -> float:
        """The longest silence."""
        return self.settings.sse_heartbeat_seconds

    def heartbeat_bytes(self) -> bytes:
        """An event without packets; the standard dispatches none that has no data line."""
        return b"event: heartbeat\ndata:\n\n" if self._is_standard else self.heartbeat
