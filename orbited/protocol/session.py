"""One browser's session, without I/O: its life, acknowledgements, pings, closing.

A session outlives the transports that carry it. Opening a transport sends everything again that
was not acknowledged (``orbited.protocol.outbox`` keeps it); losing one keeps the session.
Up, a packet whose id is not greater than the last one accepted has been seen before, because a
POST whose answer was lost is repeated, and is dropped.

::

              close()               close packet acknowledged, or nobody came for it
    OPEN ----------------> CLOSING --------------------------------------------------> ENDED
      |  time-out             |                                                          ^
      |                       +---- the browser's close packet --------------------------+
      +---- the browser's close packet; never used --------------------------------------+

Output is packets, not bytes: transports frame them differently. The caller gives the time.

What happens all the time, one packet up or one packet down in an open session, has short ways
(``orbited.protocol.shortways``). They do what the verbs would do, or nothing.
"""

import enum
import functools

from orbited.errors import PacketError
from orbited.protocol.events import (
    Carrier,
    Closed,
    DataReceived,
    Ended,
    Event,
    Malformed,
    Refused,
    State,
)
from orbited.protocol.outbox import MAX_BURST_PACKETS, Outbox
from orbited.protocol.packets import (
    ACK,
    CLOSE,
    DATA,
    OPEN,
    OPT,
    PING,
    UNNUMBERED,
    Packet,
    decode_body,
    read_upstream,
)
from orbited.protocol.settings import PacketLimits, SessionSettings
from orbited.protocol.shortways import ShortWays

__all__ = [
    "Carrier",
    "Closed",
    "CometSession",
    "DataReceived",
    "Ended",
    "Event",
    "Malformed",
    "Refused",
    "State",
]


class _Cause(enum.Enum):
    CLOSE = "close"
    PEER_CLOSE = "the browser closed"
    ACKNOWLEDGED = "close acked"
    EXPIRED = "nobody came for the close packet"
    UNUSED = "never used"


_TRANSITIONS = {
    (State.OPEN, _Cause.CLOSE): State.CLOSING,
    (State.OPEN, _Cause.PEER_CLOSE): State.ENDED,
    (State.OPEN, _Cause.UNUSED): State.ENDED,
    (State.CLOSING, _Cause.PEER_CLOSE): State.ENDED,
    (State.CLOSING, _Cause.ACKNOWLEDGED): State.ENDED,
    (State.CLOSING, _Cause.EXPIRED): State.ENDED,
}


@functools.lru_cache(16)
def _options(ping_timeout: int, ping_interval: int) -> tuple[bytes, ...]:
    """What every session begins with, as the same objects for all."""
    return b"pingTimeout,%d" % ping_timeout, b"pingInterval,%d" % ping_interval


class CometSession(ShortWays):
    """The protocol side of one session.

    Attributes:
        deadline_moved: a packet taken by ``take_lone_packet`` may have made ``next_deadline``
            sooner; for whoever has a timer, and clears it.
    """

    __slots__ = (
        "_open_id",
        "_was_open_whole",
        "duplicates",
    )

    def __init__(self, settings: SessionSettings, limits: PacketLimits, now: float) -> None:
        self._settings = settings
        self._limits = limits
        self.state = State.OPEN
        self._events: list[Event] | None = None  # while there are any
        self._carrier: Carrier | None = None

        self.outbox = Outbox(settings)
        for option in _options(settings.ping_timeout, settings.ping_interval):
            self.outbox.send_alone(OPT, option)
        self._open_id = 0
        self._is_open_due = False
        self._is_open_confirmed = False
        self._was_open_whole = False

        self._last_upstream_id = 0
        self.duplicates = 0
        self._unreported = 0
        self._max_unreported = 0  # until the transport acknowledges: 0 is never
        self.deadline_moved = False
        self._acknowledge_at: float | None = None
        self._acknowledge_now = False

        self._is_used = False
        self._last_activity = now
        self._has_pinged = False

    # -- what the application says ------------------------------------------------------------

    def send(self, data: bytes) -> bool:
        """Queue application bytes.

        Returns:
            False when too much waits; the caller then closes with ``slowConsumer``.
        """
        return self.state is not State.OPEN or self.outbox.send(data)

    def send_alone(self, data: bytes) -> None:
        """Queue application bytes that must be a packet of their own."""
        if self.state is State.OPEN:
            self.outbox.send_alone(DATA, data)

    def close(self, reason: str, now: float, *, discard: bool = False) -> None:
        """End the session in order: what is queued, then ``close`` with the reason.

        Args:
            reason: one of ``orbited.errors.CLOSE_REASONS``.
            discard: drop what has not been numbered yet.
        """
        if self.state is not State.OPEN:
            return
        if discard:
            self.outbox.discard_queued()
        self.outbox.send_alone(CLOSE, reason.encode("ascii"))
        self._last_activity = now
        self._enter(_Cause.CLOSE)
        self._tell(Closed(reason))

    def abort(self) -> None:
        """End at once, as if the browser had closed; nothing more is sent."""
        self._enter(_Cause.PEER_CLOSE)

    # -- what transports say ------------------------------------------------------------------

    def transport_opened(self, carrier: Carrier, now: float) -> None:
        """A transport carries the session from here on; what is not acknowledged goes again.

        An acknowledgement that came with the request is to be told before.
        """
        self._carrier = carrier
        self._max_unreported = self._settings.acknowledge_packets if carrier.acknowledges else 0
        self.outbox.rewind()
        self._is_used = True
        self._is_open_due = not self._is_open_confirmed and self.state is State.OPEN
        self._acknowledge_now = carrier.acknowledges and self._last_upstream_id > 0
        self._touch(now)

    def transport_lost(self) -> None:
        """No transport carries the session now."""
        self._carrier = None

    def acknowledge(self, packet_id: int) -> None:
        """The browser has read every packet up to that id."""
        last = min(packet_id, self.outbox.last_id)
        if 0 < self._open_id <= last:
            # On a stream the cut may lie between the packet of this id and ``open``, which has
            # the same id; there only a later id proves that ``open`` was read.
            self._is_open_confirmed |= self._was_open_whole or last > self._open_id
        packet = self.outbox.acknowledge(packet_id)
        if packet is not None and packet.name is CLOSE:
            self._enter(_Cause.ACKNOWLEDGED)

    def receive_data(self, data: bytes, now: float, *, raw: bool = False) -> None:
        """Take a POST body or a WebSocket message, all of it or nothing.

        Args:
            raw: the arguments of data packets are plain bytes.
        """
        self._is_used = True
        self._touch(now)
        try:
            packets = [
                read_upstream(arguments, raw=raw) for arguments in decode_body(data, self._limits)
            ]
        except PacketError as error:
            self._tell(Malformed(str(error)))
            return
        for packet in packets:
            self._receive_packet(packet, now)

    def _receive_packet(self, packet: Packet, now: float) -> None:
        if packet.name is ACK:
            assert packet.data is not None
            self.acknowledge(int(packet.data))
            return
        self._is_open_confirmed = True  # only a page that has read ``open`` sends anything
        self._unreported += 1
        if self._acknowledge_at is None:
            self._acknowledge_at = now + self._settings.acknowledge_seconds
        if packet.id <= self._last_upstream_id:
            self.duplicates += 1
            return
        if self.state is State.CLOSING and packet.name is not CLOSE:
            # Nothing from here on counts as accepted, or it would vouch for the data before it.
            if packet.data and Refused() not in (self._events or ()):
                self._tell(Refused())
            return
        self._last_upstream_id = packet.id
        if packet.name is CLOSE:
            self._acknowledge_now = True  # or the page would have to say it again, elsewhere
            self._enter(_Cause.PEER_CLOSE)
        elif packet.name is DATA and packet.data and self.state is State.OPEN:
            self._tell(DataReceived(packet.data))

    # -- what goes out ------------------------------------------------------------------------

    @property
    def has_events(self) -> bool:
        """Something has happened."""
        return bool(self._events)

    def events_received(self) -> list[Event]:
        """Take what has happened."""
        events, self._events = self._events, None
        return events or []

    @property
    def is_quiet(self) -> bool:
        """Nothing is to be sent, and nothing has happened: a transport can only be held."""
        outbox = self.outbox
        return (
            self.state is State.OPEN
            and not self._is_open_due
            and not self._events
            and not self._is_acknowledgement_due
            and outbox.is_sent
            and not outbox.is_window_half_full
        )

    @property
    def has_to_send(self) -> bool:
        """Whether ``data_to_send`` may have something although nothing was queued just now."""
        return self._is_acknowledgement_due or self.outbox.has_more

    @property
    def _is_acknowledgement_due(self) -> bool:
        """Whether the transport carries acknowledgements, and one has to go."""
        return self._max_unreported > 0 and (
            self._acknowledge_now or self._unreported >= self._max_unreported
        )

    def data_to_send(self, max_packets: int = MAX_BURST_PACKETS) -> list[Packet]:
        """Take the packets that the open transport should carry now, in one burst.

        While as much as allowed is unacknowledged nothing new is sent; at half of that a ping
        asks the browser for its acknowledgement.
        """
        carrier = self._carrier
        if carrier is None:
            return []
        outbox = self.outbox
        packets = outbox.take(max_packets)
        if not self._has_pinged and outbox.is_window_half_full and self.state is State.OPEN:
            self._has_pinged = True
            outbox.number_alone(PING)
            packets += outbox.take(1)
        if self._is_open_due:
            self._is_open_due = False
            # It has the id of the packet before it: pages acknowledge the last id they read.
            self._open_id = packets[-1].id if packets else outbox.last_id
            self._was_open_whole = carrier.is_atomic
            packets.append(Packet(self._open_id, OPEN))
        if carrier.acknowledges and (self._unreported or self._acknowledge_now):
            self._append_acknowledgement(packets)
        return packets

    def _append_acknowledgement(self, packets: list[Packet]) -> None:
        if (
            packets
            or self._acknowledge_now
            or self._unreported >= self._settings.acknowledge_packets
        ):
            packets.append(Packet(UNNUMBERED, ACK, b"%d" % self._last_upstream_id))
            self._unreported = 0
            self._acknowledge_at = None
            self._acknowledge_now = False

    @property
    def is_finished(self) -> bool:
        """The session is closing and the open transport has carried everything."""
        return self.state is not State.OPEN and self.outbox.is_sent

    @property
    def is_paused(self) -> bool:
        """So much waits to be sent that whoever produces it should stop for now."""
        return self.outbox.queued_bytes >= self.outbox.pause_bytes

    @property
    def is_relaxed(self) -> bool:
        """So little waits that it can go on."""
        return self.outbox.queued_bytes * 2 <= self._settings.pause_bytes

    # -- time ---------------------------------------------------------------------------------

    def next_deadline(self) -> float | None:
        """When ``tick`` has something to do; it may move further away without notice."""
        if self.state is State.ENDED:
            return None
        settings = self._settings
        if self.state is State.CLOSING:
            deadline = self._last_activity + settings.close_timeout
        elif not self._is_used:
            deadline = self._last_activity + settings.unused_timeout
        else:
            deadline = self._last_activity + settings.ping_interval
            if self._has_pinged or self._carrier is None:
                deadline += settings.ping_timeout
        if (
            self._acknowledge_at is not None
            and self._carrier is not None
            and self._carrier.acknowledges
        ):
            deadline = min(deadline, self._acknowledge_at)
        return deadline

    def tick(self, now: float) -> None:
        """Time has passed: pings, time-outs and delayed acknowledgements fall due."""
        settings = self._settings
        if self._acknowledge_at is not None and now >= self._acknowledge_at:
            self._acknowledge_now = True
        silence = now - self._last_activity
        if self.state is State.CLOSING:
            if silence >= settings.close_timeout:
                self._enter(_Cause.EXPIRED)
        elif not self._is_used:
            if silence >= settings.unused_timeout:
                self._enter(_Cause.UNUSED)
        elif silence >= settings.ping_interval + settings.ping_timeout:
            self.close("timeout", now)
        elif silence >= settings.ping_interval and self._carrier and not self._has_pinged:
            self._has_pinged = True
            self.outbox.send_alone(PING, None)

    # -- helpers ------------------------------------------------------------------------------

    def _touch(self, now: float) -> None:
        if self.state is State.OPEN:
            self._last_activity = now
            self._has_pinged = False

    def _tell(self, event: Event) -> None:
        if self._events is None:
            self._events = []
        self._events.append(event)

    def _enter(self, cause: _Cause) -> None:
        before, after = self.state, _TRANSITIONS.get((self.state, cause))
        if after is None:
            return
        self.state = after
        if after is State.ENDED:
            self.outbox.clear()
            if before is State.OPEN:
                self._tell(Closed(cause.value))
            self._tell(Ended(cause.value))
