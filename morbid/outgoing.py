"""The way out of a connection: straight through, or held while the transport is full.

``send`` is asked for anew for each frame, and is one of three: ``write`` itself (the hot
path: nothing stands between a destination and the transport), a method that holds the
frame, or nothing at all once the connection is closed.

Frames of a topic are held up to ``max_outgoing_bytes``, after which the consumer is too
slow. Queues pass a paused connection over. The frames held for many connections are one
object: ten thousand stalled readers of a topic cost its messages once.
"""

from __future__ import annotations

from collections.abc import Callable

from morbid.audience import Member
from morbid.broker import Broker
from morbid.subscriptions import SubscriptionTable


class Outgoing:
    """What a connection sends; ``BrokerSession`` is built on it.

    Attributes:
        write: where bytes go. It begins as a list that ``data_to_send`` drains.
        send: where frames go, see above.
        is_paused: the transport takes no more at present.
        member: the transport, when it is one that can be broadcast to.
    """

    __slots__ = ("_held", "_held_bytes", "_out", "broker", "is_paused", "member", "send",
                 "subscriptions", "write")  # fmt: skip

    def __init__(self, broker: Broker) -> None:
        limits = broker.limits
        self.broker = broker
        self.subscriptions = SubscriptionTable(limits.max_subscriptions, limits.max_unacknowledged)
        self.is_paused = False
        self._held: list[bytes] | None = None
        self._held_bytes = 0
        out: list[bytes] = []
        self.write_to(out.append)
        self._out: list[bytes] | None = out  # None once bytes go elsewhere

    def write_to(self, write: Callable[[bytes], object], member: Member | None = None) -> None:
        """Let bytes go here, for example to a transport's ``write``."""
        self.member = member
        self._out = None
        self.write = write
        self.send: Callable[[bytes], object] = write

    @property
    def takes_runs(self) -> bool:
        """Whether ``send`` takes several frames in one piece, unless the transport is full."""
        return self.member is None

    def data_to_send(self) -> list[bytes]:
        """Hand out what was written, as long as ``write`` is not somebody else's."""
        if not self._out:
            return []
        data = self._out[:]
        self._out.clear()
        return data

    def reply(self, frame: bytes) -> None:
        """Send a frame that is not from a destination, in its place among those that are."""
        self.broker.counters.bytes_out += len(frame)
        self.send(frame)

    def pause(self) -> None:
        """The transport is full: hold what comes."""
        if not self.is_closed:
            self.is_paused = True
            self.send = self._hold

    def resume(self) -> None:
        """The transport is empty again: write what was held, and let queues go on."""
        if self.is_closed:
            return
        self.is_paused = False
        held, self._held, self._held_bytes = self._held or [], None, 0
        for index, frame in enumerate(held):
            if self.is_paused:  # Again, by what we have just written.
                self._held = held[index:] + (self._held or [])
                self._held_bytes = sum(map(len, self._held))
                return
            self.write(frame)
        if not self.is_paused:
            self.send = self.write
            self.broker.resume(self)

    def flush_and_stop(self) -> None:
        """The connection closes: write what is held, and take nothing more."""
        if self.member is not None:
            self.member.settle()
        for frame in self._held or []:
            self.write(frame)
        self.stop()

    def stop(self) -> None:
        """Take nothing more."""
        self._held = None
        self.is_paused = True
        self.send = _discard

    def drop_held(self) -> None:
        """Forget what is held."""
        self._held, self._held_bytes = None, 0

    def _hold(self, frame: bytes) -> None:
        if self._held is None:
            self._held = []
        self._held.append(frame)
        self._held_bytes += len(frame)
        if self._held_bytes > self.broker.limits.max_outgoing_bytes and len(self._held) > 1:
            self.broker.counters.slow_consumers += 1
            self.too_slow()

    # What the connection adds.

    version: str

    @property
    def is_closed(self) -> bool:
        """Whether nothing can be sent any more."""
        raise NotImplementedError

    def too_slow(self) -> None:
        """More is held than may be: end the connection."""
        raise NotImplementedError


def _discard(frame: bytes) -> None:
    """Where frames for a connection that is gone go."""
