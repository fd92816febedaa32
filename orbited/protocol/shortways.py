"""What happens all the time in a session, with few steps: the hot path. No I/O.

Each of these methods does what the verbs of ``orbited.protocol.session`` would do, or nothing at
all; then the verbs look at the same thing::

    take_lone_packet    receive_data, events_received          one packet has come up
    payload_to_send     data_to_send                           one packet is all that waits
    carry               outbox.send, data_to_send              the same bytes go to many
    reopen              acknowledge, transport_opened          a poll comes again
"""

from orbited.protocol.events import Carrier, Event, State
from orbited.protocol.outbox import Outbox
from orbited.protocol.packets import (
    NO_HEAD,
    lone_heads,
    read_base64,
    read_lone_ack,
    read_lone_data,
)
from orbited.protocol.settings import PacketLimits, SessionSettings

__all__ = ["ShortWays"]

_OPEN = State.OPEN


class ShortWays:
    """A part of ``CometSession``, which gives the attributes their values and their meaning."""

    __slots__ = (
        "_acknowledge_at",
        "_acknowledge_now",
        "_carrier",
        "_events",
        "_has_pinged",
        "_is_open_confirmed",
        "_is_open_due",
        "_is_used",
        "_last_activity",
        "_last_upstream_id",
        "_limits",
        "_max_unreported",
        "_settings",
        "_unreported",
        "deadline_moved",
        "outbox",
        "state",
    )

    state: State
    outbox: Outbox
    deadline_moved: bool
    _settings: SessionSettings
    _limits: PacketLimits
    _events: list[Event] | None
    _carrier: Carrier | None
    _acknowledge_at: float | None
    _acknowledge_now: bool
    _has_pinged: bool
    _is_open_confirmed: bool
    _is_open_due: bool
    _is_used: bool
    _last_activity: float
    _last_upstream_id: int
    _max_unreported: int
    _unreported: int

    def acknowledge(self, packet_id: int) -> None:
        """The browser has read every packet up to that id."""
        raise NotImplementedError

    def take_lone_packet(self, body: bytes, now: float, raw: bool = False) -> bytes | None:
        """Apply a body that is one new data packet, or one acknowledgement. The hot path.

        Returns:
            The bytes for the application, none for an acknowledgement; None when nothing was
            applied, because the body is another or the session is not open.
        """
        if self.state is not _OPEN:
            return None
        number = self._last_upstream_id + 1
        data: bytes | None
        head, start = lone_heads.get(len(body), NO_HEAD)
        # It is longer if the number has more digits, and then not equal. A slice is compared in
        # two thirds of the time that startswith takes.
        if body[:start] == head % number and len(body) - start <= self._limits.argument_bytes:
            data = body[start:] if raw else read_base64(body[start:])
        elif (lone := read_lone_data(body, self._limits, raw)) is not None:
            number, data = lone
            if number <= self._last_upstream_id:
                return None
        else:
            data = None
        if data is None:
            acknowledged = read_lone_ack(body)
            if acknowledged is None:
                return None
            data = b""
            self.acknowledge(acknowledged)
        else:
            self._last_upstream_id = number
            self._is_open_confirmed = True  # only a page that has read ``open`` sends anything
            self._unreported += 1
            if self._acknowledge_at is None:
                self._acknowledge_at = now + self._settings.acknowledge_seconds
                self.deadline_moved = True
        self._is_used = True
        self._last_activity = now
        self._has_pinged = False
        return data

    def payload_to_send(self) -> bytes | None:
        """Number what is queued, if that is one data packet and all there is to say.

        The hot path. Acknowledgements of what came up ride along only when they are due.

        Returns:
            The data of the packet, whose id is ``outbox.last_id``; None when nothing was done.
        """
        if self._is_open_due or (
            self._max_unreported
            and (self._acknowledge_now or self._unreported >= self._max_unreported)
        ):
            return None
        return self.outbox.take_payload()

    def carry(self, payload: bytes) -> int:
        """Number a payload that is to go now, if that is all there is to say. The hot path.

        It does what ``outbox.send`` and then ``payload_to_send`` would do, in an open session that
        has a transport.

        Returns:
            The id of the packet; 0 when nothing was done.
        """
        if (
            self.state is not _OPEN
            or self._is_open_due
            or (
                self._max_unreported
                and (self._acknowledge_now or self._unreported >= self._max_unreported)
            )
        ):
            return 0
        return self.outbox.carry(payload)

    @property
    def has_backlog(self) -> bool:
        """Several chunks wait for the transport that was opened, and nothing else is to be said."""
        return (
            self.state is _OPEN
            and not self._is_open_due
            and not self._events
            and self.outbox.has_backlog
        )

    def reopen(self, carrier: Carrier, ack: int, now: float) -> bool:
        """Do what ``acknowledge`` and ``transport_opened`` do, for a poll that comes again.

        The hot path: the browser has read everything, and no transport is open.

        Args:
            carrier: does not acknowledge.

        Returns:
            False when nothing was done, because there is more to think of.
        """
        if (
            self.state is not _OPEN
            or not self._is_open_confirmed
            or self._carrier is not None
            or self._events
            or not self.outbox.begin_anew(ack)
        ):
            return False
        self._carrier = carrier
        self._max_unreported = 0
        self._is_open_due = False
        self._acknowledge_now = False
        self._is_used = True
        self._last_activity = now
        self._has_pinged = False
        return True
