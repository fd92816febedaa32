"""Subscriptions: who wants what, and what was delivered but not acknowledged.

A destination knows its subscriptions, a connection knows its own in a
``SubscriptionTable``. Messages from queues that a subscription in one of the client
modes has received stand in the table, in order of delivery, until they are settled:

    ========================  =====================================================
    mode                      what ACK settles
    ========================  =====================================================
    ``auto``                  nothing; a message is settled when it is sent
    ``client``                the message and all earlier ones of the subscription
    ``client-individual``     the message
    ========================  =====================================================

Messages from topics are never kept: there is nobody to give them back to.
STOMP 1.2, "SUBSCRIBE ack Header", "ACK", "NACK".
"""

from __future__ import annotations

import functools
import sys
from typing import TYPE_CHECKING, Final, Protocol

from morbid.errors import SUBSCRIPTION_EXISTS, TOO_MANY_SUBSCRIPTIONS, Refused
from stompservice.protocol import V10, V12, encode_headers

if TYPE_CHECKING:
    from morbid.audience import Member
    from morbid.messagequeue import Destination, QueuedMessage

AUTO: Final = "auto"
CLIENT: Final = "client"


class Consumer(Protocol):
    """Whoever receives messages: a connection, or a Python object in this process.

    Attributes:
        version: of STOMP, for the frames it is sent.
        is_paused: queues pass it over; topics do not.
        subscriptions: the table of its subscriptions.
        member: its transport, when that can be broadcast to; see ``morbid.audience``.
        takes_runs: whether ``send`` takes several frames in one piece, unless it is paused.
    """

    version: str
    member: Member | None
    is_paused: bool
    subscriptions: SubscriptionTable

    @property
    def send(self) -> Send:
        """Take one complete frame. Asked for anew for each frame."""

    @property
    def takes_runs(self) -> bool:
        """See the class."""


class Send(Protocol):
    """A callable that takes the bytes of one frame."""

    def __call__(self, frame: bytes, /) -> object:
        """Take the frame."""


class Subscription:
    """One SUBSCRIBE that is in force.

    Attributes:
        key: what its connection knows it by (see ``subscription_key``).
        id: its ``id`` header, None for a 1.0 client that gave none.
        destination: the destination's name.
        source: the destination itself, once subscribed.
        mode: of acknowledgement.
        lines: header lines that say which subscription a MESSAGE is for.
        form: equal for subscriptions whose topic messages are equal bytes.
    """

    __slots__ = ("consumer", "destination", "form", "id", "key", "lines", "mode", "source")

    def __init__(
        self, consumer: Consumer, destination: str, id: str | None = None, mode: str = AUTO
    ) -> None:
        version = consumer.version
        self.consumer = consumer
        # Interned, since what a crowd has subscribed to is the same for all.
        self.destination = sys.intern(destination)
        self.source: Destination | None = None
        self.id = id
        self.key = sys.intern(subscription_key(id, destination))
        self.mode = sys.intern(mode)
        self.lines = b"" if id is None else _subscription_line(id, version)
        acks = "ack" if self.wants_ack_header else ""
        self.form = sys.intern(f"{version} {acks} {id!r}")

    @property
    def wants_ack_header(self) -> bool:
        """Whether its MESSAGE frames say what to acknowledge them by."""
        return self.mode != AUTO and self.consumer.version == V12

    @property
    def is_ready(self) -> bool:
        """Whether a queue may send it a message now."""
        consumer = self.consumer
        return not consumer.is_paused and (
            self.mode == AUTO or not consumer.subscriptions.is_saturated
        )

    def deliver(self, queued: QueuedMessage) -> int:
        """Send a message from a queue, and remember it until it is acknowledged.

        Returns:
            how many bytes that took.
        """
        lines, consumer = self.lines, self.consumer
        if queued.is_redelivered:
            lines += b"redelivered:true\n"
        if self.mode != AUTO:
            key = queued.ack_key(consumer.version)
            consumer.subscriptions.keep(key, self, queued)
            if self.wants_ack_header:
                lines += encode_headers({"ack": key}, V12)
        frame = queued.message.frame(consumer.version, lines)
        consumer.send(frame)
        return len(frame)


_NOTHING: Final[dict[str, tuple[Subscription, QueuedMessage]]] = {}
"""Of all that have nothing to acknowledge; never written to."""


class SubscriptionTable:
    """The subscriptions of one connection, and what it has not acknowledged.

    Attributes:
        by_key: subscriptions.
        unacknowledged: by what the client acknowledges them by, in order of delivery.
    """

    __slots__ = ("_max_subscriptions", "_max_unacknowledged", "by_key", "unacknowledged")

    def __init__(self, max_subscriptions: int, max_unacknowledged: int) -> None:
        self._max_subscriptions = max_subscriptions
        self._max_unacknowledged = max_unacknowledged
        self.by_key: dict[str, Subscription] = {}
        self.unacknowledged = _NOTHING

    @property
    def is_saturated(self) -> bool:
        """Whether so much is unacknowledged that queues have to wait."""
        return len(self.unacknowledged) >= self._max_unacknowledged

    def keep(self, key: str, subscription: Subscription, queued: QueuedMessage) -> None:
        """Remember a message until it is acknowledged by that key."""
        if self.unacknowledged is _NOTHING:
            self.unacknowledged = {}
        self.unacknowledged[key] = (subscription, queued)

    def check_new(self, id: str | None, destination: str) -> None:
        """See whether one more subscription may be made.

        Raises:
            Refused: the id is in use, or there are as many as there may be.
        """
        if subscription_key(id, destination) in self.by_key:
            raise Refused(SUBSCRIPTION_EXISTS, id or destination)
        if len(self.by_key) >= self._max_subscriptions:
            raise Refused(TOO_MANY_SUBSCRIPTIONS)

    def add(self, subscription: Subscription) -> None:
        """Keep a subscription that ``check_new`` has let through."""
        self.by_key[subscription.key] = subscription

    def find(self, id: str | None, destination: str | None, version: str) -> list[Subscription]:
        """Look up what an UNSUBSCRIBE means; more than one only by destination, in 1.0."""
        if id is not None:
            found = self.by_key.get(subscription_key(id, ""))
            return [found] if found else []
        if version != V10:
            return []
        return [each for each in self.by_key.values() if each.destination == destination]

    def remove(self, subscription: Subscription) -> list[QueuedMessage]:
        """Forget a subscription; what it has not acknowledged is handed back, in order."""
        self.by_key.pop(subscription.key, None)
        keys = [key for key, (owner, _) in self.unacknowledged.items() if owner is subscription]
        return [self.unacknowledged.pop(key)[1] for key in keys]

    def settle(self, key: str) -> list[tuple[Subscription, QueuedMessage]]:
        """Take out what one ACK or NACK settles; nothing if it is settled already.

        Args:
            key: the ``ack`` header (1.2) or ``message-id`` of the message.
        """
        settled = self.unacknowledged.get(key)
        if settled is None:
            return []
        subscription = settled[0]
        keys = [key]
        if subscription.mode == CLIENT:
            keys = []
            for earlier, (owner, _) in self.unacknowledged.items():
                if owner is subscription:
                    keys.append(earlier)
                if earlier == key:
                    break
        return [self.unacknowledged.pop(each) for each in keys]


@functools.lru_cache(256)
def _subscription_line(id: str, version: str) -> bytes:
    """The header line that says which subscription a MESSAGE is for."""
    return encode_headers({"subscription": id}, version)


def subscription_key(id: str | None, destination: str) -> str:
    """What one connection knows a subscription by: its id, or (1.0) its destination."""
    return f"id {id}" if id is not None else f"to {destination}"
