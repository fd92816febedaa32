"""Who gets equal bytes: the subscriptions of a topic, sorted by what differs for them.

A message to a topic becomes one frame for each audience::

    subscriptions   0 0 1 0 (ack) ...          id "0" in STOMP 1.2, id "1", ...
    audiences       [0 0 0 ...]  [1]  [ack]    each with one example to build the frame for

Connections inside this process may have transports that are written to together; such a transport
names its *broadcaster*, and gets what is sent to a topic from it, for a call each is most of what
a delivery costs. All else goes to them by ``send``, and they keep it in order.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from morbid.subscriptions import Consumer, Subscription


class Broadcaster(Protocol):
    """Writes one frame to many transports."""

    def broadcast(self, audience: Audience, frame: bytes) -> None:
        """Do for each consumer what its ``send`` would do, at once or before anything else."""


class Member(Protocol):
    """A transport that a broadcaster writes to."""

    @property
    def broadcaster(self) -> Broadcaster:
        """Whose member it is."""

    def settle(self) -> None:
        """Have everything that was broadcast; its consumer is about to stop."""


class Audience:
    """Subscriptions of one topic that get equal bytes in the same way.

    Attributes:
        example: one of them, to build the frame for.
        broadcaster: of all their transports; None when each consumer is sent to by itself.
        consumers: theirs, each of them once.
        members: the transport of each consumer, when there is a broadcaster.
        takes_runs: whether each consumer may be given several frames in one piece.
    """

    __slots__ = ("broadcaster", "consumers", "example", "members", "takes_runs")

    def __init__(self, example: Subscription, broadcaster: Broadcaster | None) -> None:
        self.example = example
        self.broadcaster = broadcaster
        self.consumers: list[Consumer] = []
        self.members: list[Member] = []
        self.takes_runs = True

    def send(self, frame: bytes) -> None:
        """Send to all of them."""
        if self.broadcaster is not None:
            self.broadcaster.broadcast(self, frame)
            return
        for consumer in self.consumers:
            consumer.send(frame)


def audiences_of(subscriptions: Iterable[Subscription]) -> list[Audience]:
    """Sort subscriptions of one topic into audiences.

    One consumer is not twice in an audience: its subscriptions differ by their ids.
    """
    audiences: dict[tuple[str, Broadcaster | None], Audience] = {}
    for subscription in subscriptions:
        consumer = subscription.consumer
        member = consumer.member
        broadcaster = member.broadcaster if member is not None else None
        key = subscription.form, broadcaster
        audience = audiences.get(key)
        if audience is None:
            audience = audiences[key] = Audience(subscription, broadcaster)
        audience.consumers.append(consumer)
        if not consumer.takes_runs:
            audience.takes_runs = False
        if member is not None:
            audience.members.append(member)
    return list(audiences.values())
