"""WebSocket: packets in both directions, in binary messages, data without base64.

Upstream packets are acknowledged here with the unnumbered packet ``["0", "ack", "N"]``, so that
a page that falls back to another transport repeats just what was not accepted.
"""

from collections.abc import Sequence

from orbited.protocol.packets import DATA, RAW, Packet
from orbited.protocol.session import Carrier
from orbited.protocol.shared import SharedFrame
from orbited.transports.base import MAX_RESPONSE_PACKETS, Session, Transport
from orbited.upgrade import upgrade
from orbited.websocket import COMPRESSED_FROM_BYTES, WebSocketConnection, binary_frame

__all__ = ["WebSocket"]

NORMAL, UNSUPPORTED, INVALID = 1000, 1003, 1007

#: For so many lengths the beginnings of frames are kept, see ``SharedMessage``.
REMEMBERED_LENGTHS = 256


class SharedMessage(SharedFrame):
    """Frames of binary messages; what is around the number is kept for others of that length.

    ::

        82 7e 00 f4  13,  155  14,data0226,  MESSAGE...
        \\- before --/        \\- between /
    """

    __slots__ = ("_beginnings",)

    def __init__(self) -> None:
        super().__init__(RAW, binary_frame)
        self._beginnings: dict[tuple[int, int], tuple[bytes, bytes]] = {}

    def build(self, number: int, payload: bytes) -> bytes:
        """Build the frame of a packet. The hot path: most answers are for one browser."""
        if payload is self._payload:  # somebody else has got it
            return super().build(number, payload)
        self._payload = payload
        self._last = 0
        digits = b"%d" % number
        kind = len(digits), len(payload)
        beginning = self._beginnings.get(kind)
        if beginning is None:
            self._cut(number, payload)
            if len(self._beginnings) >= REMEMBERED_LENGTHS:
                self._beginnings.clear()
            between = self._behind[: len(self._behind) - len(payload)]
            beginning = self._beginnings[kind] = self._before, between
        return b"".join((beginning[0], digits, beginning[1], payload))


class WebSocket(Transport):
    """A transport that lasts as long as the session, and carries what comes up as well."""

    __slots__ = ("_connection",)

    name = "websocket"
    carrier = Carrier(is_atomic=True, acknowledges=True)
    encoder = RAW
    shared = SharedMessage()

    def open(self, session: Session, now: float) -> bool:
        """Shake hands."""
        self._session = session
        connection = upgrade(
            self.exchange,
            self,
            session.clock,
            max_message_bytes=session.limits.post_bytes,
            compression=self.settings.websocket_compression,
            headers=self._headers,
        )
        if connection is None:
            self.is_finished = True
            return False
        self._connection: WebSocketConnection = connection
        del self.exchange  # the request, with all of its headers, is of no use any more
        return True

    def send(self, packets: Sequence[Packet], now: float) -> None:
        """Send one burst as one message."""
        self._connection.send_binary(RAW.encode(packets))

    def send_payload(self, number: int, payload: bytes, now: float) -> None:
        """Send one data packet as one message."""
        connection = self._connection
        if connection.is_compressed and len(payload) >= COMPRESSED_FROM_BYTES:
            self.send((Packet(number, DATA, payload),), now)
        else:
            connection.send_frames(self.shared.build(number, payload))
            if not connection.is_compressed and not self.is_finished:
                self.write_frame = connection.send_frames  # for the next one

    def packet_room(self) -> int:
        """No limit of the browser's; a burst of this size is large enough."""
        return MAX_RESPONSE_PACKETS

    def finish(self) -> None:
        """Close in order."""
        self.close(NORMAL)

    def close(self, code: int, reason: str = "") -> None:
        """Close, saying why."""
        if not self.is_finished:
            self.is_finished = True
            self.write_frame = None
            self._connection.close(code, reason)

    def pause_reading(self) -> None:
        """The back end cannot keep up: let the browser wait."""
        self._connection.pause_reading()

    def resume_reading(self) -> None:
        """The back end can go on."""
        self._connection.resume_reading()

    # -- the connection calls these -----------------------------------------------------------

    def message_received(self, data: bytes, is_text: bool) -> None:
        """One message came up."""
        if self.is_finished:
            return
        if is_text:
            self.close(UNSUPPORTED, "packets travel in binary messages")
            self._session.transport_lost(self)
        else:
            self._session.receive_message(data, self._connection.has_more)

    def connection_lost(self) -> None:
        """The browser is gone."""
        self._lost()
