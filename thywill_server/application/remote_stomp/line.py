"""What the component needs of a broker, and how it has it: over the site's STOMP connection."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from thywill_server import reactor_bridge

if TYPE_CHECKING:
    from stompservice.protocol.frame import Frame
    from stompservice.service import StompClientService
    from stompservice.subscription import Subscription
    from thywill_server.component import Component
    from thywill_server.push.orbited_stomp.publisher import Publisher


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message from the broker.

    Attributes:
        body: its bytes.
        headers: its headers.
        done: acknowledges it; in any thread.
    """

    body: bytes
    headers: Mapping[str, str]
    done: Callable[[], None]


Receiver = Callable[[Delivery], None]


class Line(Protocol):
    """A connection to the broker; every method may be called in any thread."""

    @property
    def is_connected(self) -> bool:
        """Whether what is sent now goes out now."""

    def start(self) -> None:
        """Begin to connect."""

    def send(self, destination: str, body: bytes, headers: Mapping[str, str]) -> None:
        """Send a message soon; raises PushUnavailable when too much waits."""

    def listen(self, destination: str, receive: Receiver, *, window: int = 0) -> None:
        """Have messages handed over, before anything that is sent later can be answered.

        Args:
            destination: where from.
            receive: called in a thread that must not wait.
            window: how many may be out for acknowledgement; 0: none are acknowledged.
        """

    def stop(self) -> Any:
        """Listen no more, and end what belongs to it; may return a Deferred."""


class SiteLine:
    """The site's connection, by its `Publisher`.

    Args:
        publisher: connects, queues and reconnects.
        is_own: whether it is nobody else's, and so is started and stopped here.
    """

    def __init__(self, publisher: Publisher, *, is_own: bool) -> None:
        self._publisher, self._is_own = publisher, is_own
        self._subscriptions: list[Subscription] = []

    @property
    def is_connected(self) -> bool:
        """Whether what is sent now goes out now."""
        return self._publisher.is_connected

    def start(self) -> None:
        """Begin to connect; the push component's is begun by itself."""
        if self._is_own:
            self._publisher.start()

    def send(self, destination: str, body: bytes, headers: Mapping[str, str]) -> None:
        """Send a message, or queue it."""
        self._publisher.publish(destination, body, headers)

    def listen(self, destination: str, receive: Receiver, *, window: int = 0) -> None:
        """Subscribe, over all connections to come."""

        def subscribe(service: StompClientService) -> None:
            def hand_over(frame: Frame) -> None:
                def acknowledge() -> None:
                    subscription.ack(frame)

                def done() -> None:
                    if window:
                        reactor_bridge.call(acknowledge)

                receive(Delivery(frame.body, frame.headers, done))

            subscription = service.subscribe(
                destination,
                hand_over,
                ack="client-individual" if window else "auto",
                headers={"prefetch-count": str(window)} if window else {},
            )
            self._subscriptions.append(subscription)

        self._publisher.use_service(subscribe)

    def stop(self) -> Any:
        """Unsubscribe; what was not acknowledged is told to others."""

        def unsubscribe(_: StompClientService) -> None:
            subscriptions, self._subscriptions = self._subscriptions, []
            for subscription in subscriptions:
                subscription.unsubscribe()

        if self._subscriptions:
            self._publisher.use_service(unsubscribe)
        return self._publisher.stop() if self._is_own else None


def has_publisher(push: Component) -> bool:
    """Whether a push component has a connection to a broker that others can use."""
    return hasattr(type(push), "publisher")


def line_of(push: Any) -> SiteLine:
    """Give the connection of a push component that has one."""
    return SiteLine(push.publisher, is_own=False)
