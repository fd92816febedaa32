"""Server-sent events, as browsers know them and as Opera knew them first.

A browser of today says ``Accept: text/event-stream`` and gets that, with the id of the last
packet as the event's id: when it reconnects by itself, ``Last-Event-ID`` is the acknowledgement.
"""

from collections.abc import Sequence

from orbited.protocol.packets import JSON, Packet
from orbited.transports.base import Session, StreamingTransport

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
        return super().open(session, now)

    def response_type(self) -> str:
        """The MIME type; a standard EventSource accepts no other."""
        return "text/event-stream" if self._is_standard else self.content_type

    def frame(self, packets: Sequence[Packet]) -> bytes:
        """One burst as an event."""
        payload = self.encoder.encode(packets)
        if self._is_standard:
            return b"id: %d\nevent: payload\ndata: %b\n\n" % (packets[-1].id, payload)
        return b"Event: payload\ndata: %b\n\n" % payload

    def heartbeat_seconds(self) -> float:
        """The longest silence."""
        return self.settings.sse_heartbeat_seconds

    def heartbeat_bytes(self) -> bytes:
        """An event without packets; the standard dispatches none that has no data line."""
        return b"event: heartbeat\ndata:\n\n" if self._is_standard else self.heartbeat
