"""The broker: all destinations, and the way of a message through them. No I/O, no clock.

::

    SEND --> Broker.publish --> Broker.deliver --> Topic --> every subscription
                            |       ^         |--> Queue --> one subscription each, in turn
                            v       |         '--> Pubsub -> Broker.deliver, for each child
                        (upstream relay)

A destination comes into being with its first subscription (a queue also with its
first message) and is gone as soon as nothing is in it: no subscription, no message,
no child.

Where a relay to another broker goes: ``publish`` is where a message of one of our
clients comes in, ``deliver`` is where a message reaches the subscribers of this
process. Here the one calls the other. A subclass that overrides ``publish`` to send the
message upstream, calls ``deliver`` with what comes down, and subscribes upstream in
``destination_appeared`` and ``destination_vanished``, is a relay.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Protocol

from morbid.errors import DISCONNECTED, NOT_SUBSCRIBABLE, TOO_MANY_DESTINATIONS, Refused
from morbid.limits import Limits
from morbid.message import Message
from morbid.messagequeue import Destination, Pubsub, Queue, Topic, kind_of
from morbid.subscriptions import Consumer, Subscription
from stompservice.protocol.plain import SharedHeaders


@dataclass(slots=True)
class Counters:
    """What has happened since the start; see ``Broker.counted`` for what there is now."""

    connections_total: int = 0
    logins_refused: int = 0
    messages_in: int = 0
    messages_out: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    errors_sent: int = 0
    slow_consumers: int = 0
    dropped_unrouted: int = 0
    dropped_refused: int = 0
    dropped_full: int = 0


class Login(Protocol):
    """A connection that is logged in."""

    def account(self) -> dict[str, object]:
        """Tell the site who it is: the part that all its advisories have."""

    def subscribed_destinations(self) -> list[str]:
        """List what it is subscribed to."""

    def belongs_to(self, login: str | None, session: str | None) -> bool:
        """Whether it has this login name, or carries this session claim."""

    def refuse(self, refused: Refused) -> None:
        """Send it an ERROR, and close it."""


class Broker:
    """All destinations of one broker.

    Attributes:
        destinations: by name.
        counters: see ``Counters``.
        queue_bytes: what all queues hold together.
        subscription_count: how many subscriptions there are.
        logins: connections that are logged in.
        advisory_count: how many advisories were made.
    """

    def __init__(self, limits: Limits | None = None, boot_id: str = "0") -> None:
        """``boot_id`` differs each time the program starts; message ids begin with it."""
        self.limits = limits or Limits()
        self.frame_limits = self.limits.frame_limits()
        self.login_limits = self.limits.login_limits()
        self.boot_id = boot_id
        self._id_start = boot_id.encode("ascii") + b"-"
        self.destinations: dict[str, Destination] = {}
        self.counters = Counters()
        self.queue_bytes = 0
        self.subscription_count = 0
        self.logins: dict[Login, None] = {}
        self.advisory_count = 0
        self._unwanted: OrderedDict[tuple[str, str], float] = OrderedDict()
        self._message_count = 0

    # Messages.

    def publish(self, destination: str, headers: Mapping[str, str], body: bytes) -> None:
        """Take a message from a client of this process.

        Raises:
            Refused: a queue is full, or a new one is one too many.
        """
        self.counters.messages_in += 1
        self.deliver(destination, headers, body)

    def deliver(self, destination: str, headers: Mapping[str, str], body: bytes) -> None:
        """Bring a message to the subscribers that this process has. Raises as ``publish``."""
        target = self.destinations.get(destination)
        if target is None and kind_of(destination) is not Queue:
            self.counters.dropped_unrouted += 1
            return
        self._message_count = number = self._message_count + 1
        if (
            type(target) is Topic
            and type(headers) is SharedHeaders
            and target.publish_alone(headers, self._id_start + b"%d" % number, body)
        ):
            return
        message = Message(destination, f"{self.boot_id}-{number}", headers, body)
        if target is not None:
            target.publish(message)
            return
        target = self._create(destination)
        try:
            target.publish(message)
        finally:
            self._forget_if_empty(target)

    def publish_run(self, destination: str, headers: SharedHeaders, bodies: list[bytes]) -> int:
        """Take messages from a client as ``publish`` would, as far as they can be sent together.

        Args:
            bodies: of equal length.

        Returns:
            how many were taken; the others are to be published.
        """
        target = self.destinations.get(destination)
        kind = type(self)
        if (
            type(target) is not Topic
            or kind.publish is not Broker.publish
            or kind.deliver is not Broker.deliver
        ):
            return 0
        number = target.publish_run(headers, self._id_start, self._message_count + 1, bodies)
        self._message_count += number
        self.counters.messages_in += number
        return number

    def check_room(self, messages: Iterable[tuple[str, int]]) -> None:
        """See whether queues have room for all of these (destination, size in bytes).

        Raises:
            Refused: one of them has not.
        """
        wanted: dict[str, tuple[int, int]] = {}
        for destination, size_bytes in messages:
            if kind_of(destination) is Queue:
                count, total = wanted.get(destination, (0, 0))
                wanted[destination] = (count + 1, total + size_bytes)
        new = sum(destination not in self.destinations for destination in wanted)
        if len(self.destinations) + new > self.limits.max_destinations:
            raise Refused(TOO_MANY_DESTINATIONS)
        for destination, (count, total) in wanted.items():
            queue = self.destinations.get(destination) or Queue(self, destination)
            assert isinstance(queue, Queue)
            queue.check_room(count, total)

    def has_issued(self, key: str) -> bool:
        """Whether a client can have been told to acknowledge by this."""
        boot_id, _, number = key.partition("~")[0].rpartition("-")
        return (
            boot_id == self.boot_id
            and number.isdecimal()
            and len(number) < 20
            and 0 < int(number) <= self._message_count
        )

    # Subscriptions.

    def subscribe(self, subscription: Subscription) -> None:
        """Begin to send messages to a subscription.

        Raises:
            Refused: nobody can subscribe to this, or it is one destination too many.
        """
        name = subscription.destination
        if not kind_of(name).can_be_subscribed:
            raise Refused(NOT_SUBSCRIBABLE, name)
        source = self.destinations.get(name) or self._create(name)
        subscription.source = source
        subscription.consumer.subscriptions.add(subscription)
        self.subscription_count += 1
        source.subscribe(subscription)

    def unsubscribe(self, *subscriptions: Subscription) -> None:
        """End subscriptions of one connection; what they have not acknowledged goes back."""
        sources: dict[Destination, None] = {}
        for subscription in subscriptions:
            source = subscription.source
            if source is None:  # it has lapsed; see morbid.lapsing
                subscription.consumer.subscriptions.remove(subscription)
                continue
            subscription.source = None
            self.subscription_count -= 1
            source.unsubscribe(subscription)
            returned = subscription.consumer.subscriptions.remove(subscription)
            if isinstance(source, Queue):
                source.take_back(returned)
            sources[source] = None
        for source in sources:
            source.resume()
            self._forget_if_empty(source)

    def acknowledge(self, consumer: Consumer, key: str, *, accepted: bool = True) -> None:
        """Apply an ACK, or a NACK (not ``accepted``), of one connection.

        Whatever is settled already, or came from a topic, is passed over.
        """
        table = consumer.subscriptions
        was_saturated = table.is_saturated
        settled = table.settle(key)
        if not settled:
            return
        queue = settled[0][0].source
        assert isinstance(queue, Queue)
        if accepted:
            for _, queued in settled:
                queue.acknowledge(queued)
        else:
            queue.take_back([queued for _, queued in settled], nacked=True)
            queue.resume()
        if was_saturated:
            self.resume(consumer)
        self._forget_if_empty(queue)

    def resume(self, consumer: Consumer) -> None:
        """Go on sending to a consumer that was paused or had too much unacknowledged."""
        sources = {subscription.source for subscription in consumer.subscriptions.by_key.values()}
        for source in sources:
            if source is not None:
                source.resume()
                self._forget_if_empty(source)

    def disconnect(self, *, login: str | None = None, session: str | None = None) -> int:
        """End all connections of a login name, or with a session claim; say how many."""
        meant = [each for each in self.logins if each.belongs_to(login, session)]
        for each in meant:
            each.refuse(Refused(DISCONNECTED))
        return len(meant)

    def refuse_until(
        self, until: float, *, login: str | None = None, session: str | None = None
    ) -> None:
        """Let a login name or a session claim in no more, until a time on the sessions' clock.

        Beyond ``max_refused_logins`` the oldest entry is forgotten.
        """
        for kind, name in (("login", login), ("session", session)):
            if name:
                self._unwanted[kind, name] = until
                self._unwanted.move_to_end((kind, name))
        while len(self._unwanted) > self.limits.max_refused_logins:
            self._unwanted.popitem(last=False)

    def is_unwanted(self, login: str, session: str | None, now: float) -> bool:
        """Whether the site has ended the connections of this login, and wants none again."""
        for key in (("login", login), ("session", session or "")):
            until = self._unwanted.get(key)
            if until is not None and until > now:
                return True
            self._unwanted.pop(key, None)
        return False

    # Pubsub, and the life of destinations.

    def attach(self, pubsub: str, child: str) -> None:
        """Hand on what is sent to ``pubsub`` to the queue or topic ``child``."""
        if kind_of(pubsub) is not Pubsub or kind_of(child) is Pubsub:
            raise ValueError(
                f"expected /pubsub/NAME and a queue or topic, got {pubsub!r}, {child!r}"
            )
        distributor = self.destinations.get(pubsub) or self._create(pubsub)
        assert isinstance(distributor, Pubsub)
        distributor.children[child] = None

    def detach(self, pubsub: str, child: str) -> None:
        """Undo ``attach``."""
        distributor = self.destinations.get(pubsub)
        if isinstance(distributor, Pubsub):
            distributor.children.pop(child, None)
            self._forget_if_empty(distributor)

    def destination_appeared(self, destination: Destination) -> None:
        """Called when a destination has come into being. Here, nothing follows from it."""

    def destination_vanished(self, destination: Destination) -> None:
        """Called when a destination is gone. Here, nothing follows from it."""

    def _create(self, name: str) -> Destination:
        if len(self.destinations) >= self.limits.max_destinations:
            raise Refused(TOO_MANY_DESTINATIONS)
        destination = self.destinations[name] = kind_of(name)(self, name)
        self.destination_appeared(destination)
        return destination

    def _forget_if_empty(self, destination: Destination) -> None:
        if destination.is_empty and self.destinations.get(destination.name) is destination:
            del self.destinations[destination.name]
            self.destination_vanished(destination)

    def queue_depths(self) -> dict[str, int]:
        """How many messages each queue holds, waiting or out for acknowledgement."""
        return {
            name: queue.depth
            for name, queue in self.destinations.items()
            if isinstance(queue, Queue)
        }

    def counted(self) -> dict[str, object]:
        """Counters, and what there is now: destinations and the depth of each queue."""
        return {
            **asdict(self.counters),
            "logins": len(self.logins),
            "destinations": len(self.destinations),
            "subscriptions": self.subscription_count,
            "queue_bytes": self.queue_bytes,
            "queue_depths": self.queue_depths(),
        }
