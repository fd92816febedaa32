"""Destinations: queues, topics and distributors. No I/O, no clock.

What a name begins with says what it is: ``/queue/`` a queue, ``/pubsub/`` a
distributor, anything else a topic (``/topic/news``, but a bare ``news`` as well).
``morbid.broker`` makes them when they are wanted and drops them when they are empty.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar, Final

from morbid.audience import Audience, audiences_of
from morbid.errors import NOT_SUBSCRIBABLE, QUEUE_FULL, Refused
from morbid.message import Message
from morbid.subscriptions import AUTO, Subscription
from stompservice.protocol import V12
from stompservice.protocol.plain import SharedHeaders

if TYPE_CHECKING:
    from morbid.broker import Broker


MIN_AUDIENCE: Final = 4
"""Fewer subscriptions are not worth being sorted, and remembered, by what they get."""


PIECE_BYTES: Final = 32_768
"""How much of a run of messages is given to a connection at once, at least one message."""


class QueuedMessage:
    """A message and its place in a queue.

    Attributes:
        sequence: place in the queue; a message that comes back takes it again.
        returns: how often it was sent and came back.
        nacks: how often by NACK.
    """

    __slots__ = ("message", "nacks", "returns", "sequence", "size_bytes")

    def __init__(self, message: Message, sequence: int) -> None:
        self.message = message
        self.sequence = sequence
        self.size_bytes = message.size_bytes
        self.returns = 0
        self.nacks = 0

    @property
    def is_redelivered(self) -> bool:
        """Whether somebody may have seen it before."""
        return self.returns > 0

    def ack_key(self, version: str) -> str:
        """What a client acknowledges this delivery by: the ``ack`` header, or the message-id."""
        if version == V12 and self.returns:
            return f"{self.message.id}~{self.returns}"
        return self.message.id


class Destination:
    """What every kind has in common."""

    __slots__ = ("_broker", "name")

    can_be_subscribed: ClassVar[bool] = True

    def __init__(self, broker: Broker, name: str) -> None:
        self._broker = broker
        self.name = name

    @property
    def is_empty(self) -> bool:
        """Whether nobody would miss it."""
        raise NotImplementedError

    def publish(self, message: Message) -> None:
        """Send to subscribers, or keep."""
        raise NotImplementedError

    def subscribe(self, subscription: Subscription) -> None:
        """Begin to send messages to this subscription."""
        raise NotImplementedError

    def unsubscribe(self, subscription: Subscription) -> None:
        """Send it nothing any more."""
        raise NotImplementedError

    def resume(self) -> None:
        """A consumer that was passed over takes messages again."""


class Topic(Destination):
    """Every subscription gets every message that comes while it is there."""

    __slots__ = ("_audiences", "_subscriptions")

    def __init__(self, broker: Broker, name: str) -> None:
        super().__init__(broker, name)
        self._subscriptions: dict[Subscription, None] = {}
        self._audiences: list[Audience] | None = None  # until somebody comes or goes

    @property
    def is_empty(self) -> bool:
        """Whether nobody is subscribed."""
        return not self._subscriptions

    def publish(self, message: Message) -> None:
        """Send to every subscription. The hot path: builds a frame for each form only."""
        if len(self._subscriptions) == 1:
            (lone,) = self._subscriptions
            frame = self._build(message, lone)
            lone.consumer.send(frame)
            counters = self._broker.counters
            counters.messages_out += 1
            counters.bytes_out += len(frame)
            return
        if len(self._subscriptions) >= MIN_AUDIENCE:
            self._publish_to_many(message)
            return
        frames: dict[str, bytes] = {}
        form, frame = "", b""
        size = 0
        # A copy, because a consumer that is too slow is removed while we send to it.
        subscriptions = list(self._subscriptions)
        for subscription in subscriptions:
            if subscription.form is not form:  # interned
                form = subscription.form
                if form not in frames:
                    frames[form] = self._build(message, subscription)
                frame = frames[form]
            subscription.consumer.send(frame)
            size += len(frame)
        counters = self._broker.counters
        counters.messages_out += len(subscriptions)
        counters.bytes_out += size

    def publish_alone(self, headers: SharedHeaders, id: bytes, body: bytes) -> bool:
        """Send to the only subscription what begins as a message to it did before.

        The hot path. It does what ``publish`` would do with a message of these headers and that
        id, or nothing.

        Returns:
            False when nothing was done, because there is more to think of.
        """
        sent = headers.memo
        if sent is None or len(self._subscriptions) != 1:
            return False
        (lone,) = self._subscriptions
        cut = sent.cuts.get(lone.form)  # of no form that says what to acknowledge by
        if cut is None or cut[1] != len(body) or cut[0] != self.name:
            return False
        frame = b"".join((cut[2], id, cut[3], body, b"\0\n"))
        lone.consumer.send(frame)
        counters = self._broker.counters
        counters.messages_out += 1
        counters.bytes_out += len(frame)
        return True

    def publish_run(
        self, headers: SharedHeaders, id_start: bytes, first: int, bodies: list[bytes]
    ) -> int:
        """Send messages with these headers, in one piece for all subscriptions.

        The hot path. It does what ``publish`` would do with one after the other, as far as that
        is plain: all subscriptions get equal bytes, take them, and have had such a message.

        Args:
            id_start: what all message ids begin with.
            first: what the first one ends with; the others count on from there.
            bodies: of equal length.

        Returns:
            how many messages were sent, from the first one on.
        """
        audiences = self._audiences
        if audiences is None:
            audiences = self._audiences = audiences_of(self._subscriptions)
        sent = headers.memo
        if len(audiences) != 1 or sent is None:
            return 0
        (audience,) = audiences
        if not audience.takes_runs:
            return 0
        cut = sent.cuts.get(audience.example.form)
        if cut is None or cut[1] != len(bodies[0]) or cut[0] != self.name:
            return 0
        frame = b"%b%b%%d%b%%b\0\n" % tuple(
            part.replace(b"%", b"%%") for part in (cut[2], id_start, cut[3])
        )
        # How many are sent in one piece, which is more than the transport may want to keep.
        at_once = max(1, PIECE_BYTES // (len(frame) + len(bodies[0])))
        consumers = audience.consumers
        done = 0
        while done < len(bodies) and not any(consumer.is_paused for consumer in consumers):
            run = bodies[done : done + at_once]
            numbers = range(first + done, first + done + len(run))
            piece = b"".join(map(frame.__mod__, zip(numbers, run, strict=True)))
            for consumer in consumers:
                consumer.send(piece)
            done += len(run)
            counters = self._broker.counters
            counters.messages_out += len(run) * len(consumers)
            counters.bytes_out += len(piece) * len(consumers)
        return done

    def _publish_to_many(self, message: Message) -> None:
        """Send to every subscription, by audiences."""
        audiences = self._audiences
        if audiences is None:
            audiences = self._audiences = audiences_of(self._subscriptions)
        counters = self._broker.counters
        for audience in audiences:
            frame = self._build(message, audience.example)
            audience.send(frame)
            counters.messages_out += len(audience.consumers)
            counters.bytes_out += len(frame) * len(audience.consumers)

    def _build(self, message: Message, subscription: Subscription) -> bytes:
        version, lines = subscription.consumer.version, subscription.lines
        if subscription.wants_ack_header:
            return message.frame(version, lines + b"ack:%b\n" % message.id.encode("ascii"))
        return message.topic_frame(subscription.form, version, lines)

    def subscribe(self, subscription: Subscription) -> None:
        """Send it what comes from now on."""
        self._subscriptions[subscription] = None
        self._audiences = None

    def unsubscribe(self, subscription: Subscription) -> None:
        """Forget it."""
        self._subscriptions.pop(subscription, None)
        self._audiences = None


class Queue(Destination):
    """Every message goes to one subscription, in turn; it waits while there is none.

    Attributes:
        backlog: messages that wait, in order.
        outstanding: number of messages sent and not acknowledged. They count for the
            bounds of the queue, because they may come back.
    """

    __slots__ = ("_sequence", "_size_bytes", "_subscriptions", "backlog", "outstanding")

    def __init__(self, broker: Broker, name: str) -> None:
        super().__init__(broker, name)
        self._subscriptions: deque[Subscription] = deque()
        self._sequence = 0
        self._size_bytes = 0
        self.backlog: deque[QueuedMessage] = deque()
        self.outstanding = 0

    @property
    def is_empty(self) -> bool:
        """Whether nobody is subscribed and nothing can still be delivered."""
        return not (self.backlog or self.outstanding or self._subscriptions)

    @property
    def depth(self) -> int:
        """Messages that are here, waiting or out for acknowledgement."""
        return len(self.backlog) + self.outstanding

    def publish(self, message: Message) -> None:
        """Send or keep a message.

        Raises:
            Refused: the queue, or all of them together, hold as much as they may.
        """
        queued = QueuedMessage(message, self._sequence)
        self.check_room(1, queued.size_bytes)
        self._sequence += 1
        self._account(queued.size_bytes)
        self.backlog.append(queued)
        self.resume()

    def check_room(self, messages: int, size_bytes: int) -> None:
        """Raise ``Refused`` when so much more is too much."""
        limits, broker = self._broker.limits, self._broker
        if (
            self.depth + messages > limits.max_queue_messages
            or self._size_bytes + size_bytes > limits.max_queue_bytes
            or broker.queue_bytes + size_bytes > limits.max_total_queue_bytes
        ):
            broker.counters.dropped_full += messages
            raise Refused(QUEUE_FULL, self.name)

    def subscribe(self, subscription: Subscription) -> None:
        """Give it its turn, and the backlog."""
        self._subscriptions.append(subscription)
        self.resume()

    def unsubscribe(self, subscription: Subscription) -> None:
        """Take it out of the turn; its messages come by ``take_back``."""
        self._subscriptions.remove(subscription)

    def resume(self) -> None:
        """Send what waits to whoever can take it, strictly in turn."""
        while self.backlog:
            subscription = self._next_ready()
            if subscription is None:
                return
            queued = self.backlog.popleft()
            if subscription.mode == AUTO:
                self._account(-queued.size_bytes)
            else:
                self.outstanding += 1
            counters = self._broker.counters
            counters.messages_out += 1
            counters.bytes_out += subscription.deliver(queued)

    def _next_ready(self) -> Subscription | None:
        subscriptions = self._subscriptions
        for _ in range(len(subscriptions)):
            subscription = subscriptions[0]
            subscriptions.rotate(-1)
            if subscription.is_ready:
                return subscription
        return None

    def acknowledge(self, queued: QueuedMessage) -> None:
        """Forget a message that was outstanding."""
        self.outstanding -= 1
        self._account(-queued.size_bytes)

    def take_back(self, returned: Iterable[QueuedMessage], *, nacked: bool = False) -> None:
        """Put outstanding messages where they were; ``resume`` sends them again.

        One that was refused with NACK too often is dropped instead.
        """
        kept = []
        for queued in returned:
            queued.returns += 1
            queued.nacks += nacked
            if queued.nacks > self._broker.limits.max_nacks:
                self._broker.counters.dropped_refused += 1
                self.acknowledge(queued)
            else:
                self.outstanding -= 1
                kept.append(queued)
        if not kept:
            return
        last = max(queued.sequence for queued in kept)
        while self.backlog and self.backlog[0].sequence < last:
            kept.append(self.backlog.popleft())
        kept.sort(key=lambda queued: queued.sequence)
        self.backlog.extendleft(reversed(kept))

    def _account(self, size_bytes: int) -> None:
        self._size_bytes += size_bytes
        self._broker.queue_bytes += size_bytes


class Pubsub(Destination):
    """Hands each message on to its children, which only Python code can attach."""

    __slots__ = ("children",)

    can_be_subscribed = False

    def __init__(self, broker: Broker, name: str) -> None:
        super().__init__(broker, name)
        self.children: dict[str, None] = {}

    @property
    def is_empty(self) -> bool:
        """Whether no child is attached."""
        return not self.children

    def publish(self, message: Message) -> None:
        """Deliver to each child; one that is full does not keep it from the others."""
        for child in list(self.children):
            try:
                self._broker.deliver(child, message.headers_as_sent(), message.body)
            except Refused:
                continue

    def subscribe(self, subscription: Subscription) -> None:
        """Refuse."""
        raise Refused(NOT_SUBSCRIBABLE, self.name)

    def unsubscribe(self, subscription: Subscription) -> None:
        """Nothing to do: there are no subscriptions."""


KINDS: Final[dict[str, type[Destination]]] = {"/queue/": Queue, "/pubsub/": Pubsub}


def kind_of(name: str) -> type[Destination]:
    """Tell by its name what a destination is."""
    for prefix, kind in KINDS.items():
        if name.startswith(prefix):
            return kind
    return Topic
