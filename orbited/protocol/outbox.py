"""What goes down to one browser: numbering, merging, the resend window. No I/O.

::

      send()         numbered here        acknowledged
        |                 |                    |
        v                 v                    v
    [ queue ]  ------> [ unacknowledged ] ---> gone
      bytes              packets 7 8 9 | 10 11
                                       ^
                                       how far the open transport has carried them

Bytes in the queue are merged into few packets, because the parser of 2010 fails on more than 666
in one piece. They leave in bursts of bounded size: a WebSocket message, or the answer to a poll,
arrives whole or not at all, and on a network that cuts often only small pieces get through. After
a transport that brought nothing bursts are half as large, and the next transport carries no more
than one before it is acknowledged; each acknowledgement doubles them again. What must be a packet
of its own (the answer to the handshake, ``opt``, ``ping``, ``close``) is *marked*.

Nearly always there is nothing special: what waits is one packet, and everything before it was
carried. ``take_payload`` is for that case, and has no opinion on any other.
"""

import functools
from collections.abc import Sequence
from typing import Any, cast

from orbited.protocol.packets import DATA, UNNUMBERED, Packet, join_shared
from orbited.protocol.settings import SessionSettings

__all__ = ["MAX_BURST_PACKETS", "Outbox"]

#: What a packet costs in memory beside its data; keeps many tiny ones from being free.
PACKET_OVERHEAD = 64

#: Bursts do not get smaller than this, however often a network cuts.
MIN_BURST_BYTES = 1024

#: More packets than the parser of 2010 takes in one piece do not leave in one.
MAX_BURST_PACKETS = 600


#: The packets that a session begins with are the same for all.
_packet = functools.lru_cache(64)(Packet)


@functools.lru_cache(16)
def _half(size_bytes: int) -> int:
    """One object for all sessions, which may be very many."""
    return size_bytes // 2


class Outbox:
    """Two lists and a mark; see the picture above.

    Attributes:
        is_cautious: the last transport brought nothing, and this one is not acknowledged yet.
        is_held: for that reason the open transport carries nothing more now.
        pause_bytes: when so much is queued, whoever produces it should stop for now.
    """

    __slots__ = (
        "_acked_id",
        "_acked_id_before",
        "_burst_bytes",
        "_half_window_bytes",
        "_marked",
        "_max_queued_bytes",
        "_packet_bytes",
        "_queue",
        "_sent",
        "_settings",
        "_unacked",
        "_window_bytes",
        "is_cautious",
        "is_held",
        "last_id",
        "pause_bytes",
        "queued_bytes",
        "unacked_bytes",
    )

    def __init__(self, settings: SessionSettings) -> None:
        self._settings = settings
        self._packet_bytes = settings.packet_bytes
        self._window_bytes = settings.unacknowledged_bytes
        self._half_window_bytes = _half(settings.unacknowledged_bytes)
        self._max_queued_bytes = settings.queued_bytes
        self.pause_bytes = settings.pause_bytes
        self._queue: list[bytes | Packet] = []
        self._marked = 0
        self.queued_bytes = 0
        # Ids are consecutive, so plain bytes are enough for a data packet.
        self._unacked: list[bytes | Packet] = []
        self.unacked_bytes = 0
        self._sent = 0
        self.last_id = 0
        self._acked_id = 0
        self._acked_id_before = 0
        self._burst_bytes = settings.burst_bytes
        self.is_cautious = False
        self.is_held = False

    def send(self, data: bytes) -> bool:
        """Queue application bytes; neighbors are merged into one packet.

        Returns:
            False when more waits than ``queued_bytes`` of the settings allows.
        """
        size = len(data)
        self.queued_bytes = queued_bytes = self.queued_bytes + size
        step = self._packet_bytes
        if size > step:
            self._queue.extend(data[start : start + step] for start in range(0, size, step))
        elif size:
            self._queue.append(data)
        return queued_bytes <= self._max_queued_bytes

    def send_all(self, chunks: Sequence[bytes], size_bytes: int) -> bool:
        """Queue several chunks, none of which is empty or larger than a packet. The hot path.

        Returns:
            False when nothing was done, because whoever produces them may have to stop.
        """
        queued_bytes = self.queued_bytes + size_bytes
        if queued_bytes >= self.pause_bytes or queued_bytes > self._max_queued_bytes:
            return False
        self.queued_bytes = queued_bytes
        self._queue += chunks
        return True

    def send_alone(self, name: bytes, data: bytes | None) -> None:
        """Queue something that is a packet of its own."""
        self._queue.append(Packet(UNNUMBERED, name, data))
        self._marked += 1
        if name is DATA:
            self.queued_bytes += len(data or b"")

    def discard_queued(self) -> None:
        """Drop what has no number yet."""
        self._queue.clear()
        self.queued_bytes = self._marked = 0

    def clear(self) -> None:
        """Drop everything."""
        self.discard_queued()
        self._unacked.clear()
        self.unacked_bytes = self._sent = 0
        self._acked_id = self.last_id

    def rewind(self) -> None:
        """A new transport is open: everything that is not acknowledged goes again."""
        self.is_held = False
        if self._sent and 0 < self._acked_id == self._acked_id_before:
            self.is_cautious = True
            self._burst_bytes = max(MIN_BURST_BYTES, self._burst_bytes // 2)
        self._acked_id_before = self._acked_id
        self._sent = 0

    def acknowledge(self, packet_id: int) -> Packet | None:
        """Forget the packets up to that id; what makes no sense is ignored.

        Returns:
            The last of the packets that were forgotten, unless it held data.
        """
        last = packet_id if packet_id < self.last_id else self.last_id
        if last <= self._acked_id:
            return None
        self._acked_id = last
        self.is_cautious = self.is_held = False
        if self._burst_bytes < self._settings.burst_bytes:
            self._burst_bytes = min(self._settings.burst_bytes, self._burst_bytes * 2)
        unacked = self._unacked
        count = last - (self.last_id - len(unacked))
        item = unacked[count - 1]
        if count == len(unacked):
            self.unacked_bytes = 0
            unacked.clear()
        else:
            self.unacked_bytes -= sum([_cost(item) for item in unacked[:count]])
            del unacked[:count]
        self._sent = max(0, self._sent - count)
        return item if isinstance(item, Packet) else None

    def begin_anew(self, packet_id: int) -> bool:
        """Do what ``acknowledge`` and ``rewind`` do, when all that has a number was read.

        The hot path: a poll that comes again, from a browser that keeps up. What is queued then is
        ``queued_bytes``, and nothing else.

        Returns:
            False when nothing was done, because there is more to think of.
        """
        if (
            packet_id != self.last_id
            or self.is_cautious
            or self.is_held
            or self._marked
            or self._burst_bytes < self._settings.burst_bytes
        ):
            return False
        self._unacked.clear()
        self.unacked_bytes = self._sent = 0
        self._acked_id = self._acked_id_before = packet_id
        return True

    def take_payload(self) -> bytes | None:
        """Number what waits, if it is one data packet and there is nothing else to think of.

        The hot path: a frame or a few, to a browser that keeps up.

        Returns:
            The data of the packet, whose id is ``last_id``; None when ``take`` has to look.
        """
        size, unacked = self.queued_bytes, self._unacked
        unacked_bytes = self.unacked_bytes + size + PACKET_OVERHEAD
        if (
            self._sent != len(unacked)
            or self._marked
            or self.is_cautious
            or not 0 < size <= self._packet_bytes
            or unacked_bytes >= self._half_window_bytes
        ):
            return None
        queue: Any = self._queue  # of bytes, since nothing is marked; a cast would be a call
        if len(queue) == 1:
            payload: bytes = queue.pop()
        else:
            payload = join_shared(queue)
            self._queue = []
        unacked.append(payload)
        self.unacked_bytes = unacked_bytes
        self.queued_bytes = 0
        self.last_id += 1
        self._sent += 1
        return payload

    def carry(self, payload: bytes) -> int:
        """Number bytes as a packet that is taken at once. The hot path: one frame to many.

        Does what ``send`` and then ``take_payload`` would do, where nothing else waits.

        Returns:
            The id of the packet; 0 when nothing was done, because there is more to think of.
        """
        size, unacked = len(payload), self._unacked
        unacked_bytes = self.unacked_bytes + size + PACKET_OVERHEAD
        if (
            self.queued_bytes
            or self._marked
            or self._sent != len(unacked)
            or self.is_cautious
            or not 0 < size <= self._packet_bytes
            or unacked_bytes >= self._half_window_bytes
        ):
            return 0
        unacked.append(payload)
        self.unacked_bytes = unacked_bytes
        self._sent += 1
        self.last_id = number = self.last_id + 1
        return number

    def take(self, max_packets: int) -> list[Packet]:
        """Number what may be numbered, and hand over the next packets for the transport."""
        unacked, start = self._unacked, self._sent
        room = max_packets - (len(unacked) - start)
        if self._queue and room > 0:
            self._number_queued(room)
        end = min(len(unacked), start + max_packets)
        if self.is_cautious:
            end = max(start, self._end_of_burst(0, end))
            self.is_held = end < len(unacked)
        elif end - start > 1 and self.unacked_bytes > self._burst_bytes:
            end = self._end_of_burst(start, end)
        self._sent = end
        return [self._packet(position) for position in range(start, end)]

    def _packet(self, position: int) -> Packet:
        """One of those that are not acknowledged."""
        item = self._unacked[position]
        if isinstance(item, Packet):
            return item
        return Packet(self.last_id - len(self._unacked) + position + 1, DATA, item)

    def _end_of_burst(self, start: int, end: int) -> int:
        """Where the packets end that fit into one burst with the one at ``start``."""
        size = 0
        for position in range(start, end):
            size += _cost(self._unacked[position])
            if size > self._burst_bytes and position > start:
                return position
        return end

    def number_alone(self, name: bytes) -> None:
        """Give a packet its number at once, before anything that is queued."""
        self._append_numbered(name, None)

    def _number_queued(self, room: int) -> None:
        """Turn queued bytes into at most ``room`` numbered packets, as few as possible."""
        queue = self._queue
        position = 0
        while position < len(queue) and room > 0 and not self.is_window_full:
            item = queue[position]
            if isinstance(item, Packet):
                position += 1
                self._marked -= 1
                name, data = item.name, item.data
            else:
                end = self._end_of_run(position)
                name, data = DATA, join_shared(cast(list[bytes], queue[position:end]))
                position = end
            if name is DATA:
                self.queued_bytes -= len(data or b"")
            self._append_numbered(name, data)
            room -= 1
        del queue[:position]

    def _end_of_run(self, position: int) -> int:
        """Where the bytes end that fit into one packet with those at ``position``."""
        size, start = 0, position
        most = min(self._packet_bytes, self._burst_bytes)
        while position < len(self._queue):
            item = self._queue[position]
            if isinstance(item, Packet):
                break
            size += len(item)
            if size > most and position > start:
                break
            position += 1
        return position

    def _append_numbered(self, name: bytes, data: bytes | None) -> None:
        self.last_id = number = self.last_id + 1
        item = data if name is DATA and data is not None else _packet(number, name, data)
        self._unacked.append(item)
        self.unacked_bytes += _cost(item)

    @property
    def has_backlog(self) -> bool:
        """Several chunks wait, they and nothing else, and there is room for more in their packet.

        So they came while no transport was open, and what comes next may as well go with them.
        """
        return (
            len(self._queue) > 1
            and not (self._marked or self.is_cautious)
            and self.queued_bytes < self._packet_bytes
            and self._sent == len(self._unacked)
        )

    @property
    def is_window_full(self) -> bool:
        """As much as allowed is unacknowledged; nothing new gets a number."""
        return self.unacked_bytes >= self._window_bytes

    @property
    def is_window_half_full(self) -> bool:
        """Time to ask the browser for an acknowledgement."""
        return self.unacked_bytes * 2 >= self._window_bytes

    @property
    def is_sent(self) -> bool:
        """The open transport has carried everything."""
        return not self._queue and self._sent == len(self._unacked)

    @property
    def has_more(self) -> bool:
        """``take`` would return packets."""
        if self.is_held:
            return False
        return self._sent < len(self._unacked) or (bool(self._queue) and not self.is_window_full)


def _cost(item: bytes | Packet) -> int:
    """What a packet counts for."""
    return PACKET_OVERHEAD + len((item.data or b"") if isinstance(item, Packet) else item)
