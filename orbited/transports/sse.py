"""Server-sent events, as browsers know them and as Opera knew them first.

A browser of today says ``Accept: text/event-stream`` and gets that, with the id of the last
packet as the event's id: when it reconnects by itself, ``Last-Event-ID`` is the acknowledgement.

Opera's form has no such thing, and the page of 2010 neither acknowledges when it comes back nor
drops what it has read before. So that stream is not ended for its size.
"""

import sys
from collections.abc import Sequence

from orbited.protocol.packets import JSON, Packet
from orbited.transports.base import MAX_RESPONSE_PACKETS, Session, StreamingTransport

__all__ = ["ServerSentEvents"]


class ServerSentEvents(StreamingTransport):
    """Each burst is one ``payload`` event that holds a JSON array of packets."""

    __slots__ = ("_is_standard",)

    name = "sse"
    encoder = JSON
    content_type = "application/x-dom-event-stream"
    prelude = b""
    heartbeat = b"Event: heartbeat\n\n"

    def open(self, session: Session, now: float) -> bool:
        """Start the stream in the dialect that was asked for."""
        self._is_standard = "text/event-stream" in (self.exchange.header("accept") or "")
        is_open = super().open(session, now)
        if not self._is_standard:
            self._bytes_left = self._packets_left = sys.maxsize
        return is_open

    def response_type(self) -> str:
        """The MIME type; a standard EventSource accepts no other."""
        return "text/event-stream" if self._is_standard else self.content_type

    def frame(self, packets: Sequence[Packet]) -> bytes:
        """One burst as an event."""
        payload = self.encoder.encode(packets)
        if self._is_standard:
            return b"id: %d\nevent: payload\ndata: %b\n\n" % (packets[-1].id, payload)
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
