"""How a connection of the edge ends: in order, after a refusal, or cut.

``close`` sends what there is and closes. A browser that takes nothing of it keeps the connection
open, so it is looked after: one that has taken nothing for ``stalled_seconds`` is cut off.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from orbited.direct import is_plain, unsent_bytes

if TYPE_CHECKING:
    from orbited.edge.factory import EdgeFactory

__all__ = ["Ending"]


class Ending:
    """The end of a connection.

    Attributes:
        transport: None before there is one.
        slot: of the factory's timer wheel, to which it belongs.
    """

    __slots__ = (
        "__weakref__",
        "_clock",
        "_end",
        "_is_closing",
        "_unsent_before",
        "factory",
        "slot",
        "transport",
    )

    factory: "EdgeFactory"

    def __init__(self, factory: "EdgeFactory") -> None:
        self.factory = factory
        self._clock = factory.clock
        self.transport: Any = None
        self.slot = 0
        self._end: Callable[[], None] | None = None  # what falls due once the connection closes
        self._is_closing = False
        self._unsent_before = 0  # what waited when it was last looked whether anything was taken

    def close(self) -> None:
        """Close once everything is sent."""
        if self._is_closing:
            return
        self._is_closing = True
        transport = self.transport
        transport.unregisterProducer()
        transport.loseConnection()
        if transport.connected:
            self._watch_closing()

    def abort(self) -> None:
        """Cut the connection."""
        self.transport.abortConnection()

    def _linger(self) -> None:
        transport = self.transport
        self._is_closing = True
        transport.unregisterProducer()
        if is_plain(transport):
            transport.loseWriteConnection()
        else:
            transport.loseConnection()  # TLS says so to the browser, and waits for its word
        self._end_after(self.factory.limits.linger_seconds, self._end_lingering)

    def _end_lingering(self) -> None:
        transport = self.transport
        if is_plain(transport) and not unsent_bytes(transport):
            transport.loseConnection()
        else:
            transport.abortConnection()

    def _end_idle(self) -> None:
        if unsent_bytes(self.transport):
            self.abort()  # asked nothing, and took nothing: there is nobody
        else:
            self.close()

    def _end_after(self, seconds: float, end: Callable[[], None]) -> None:
        self._end = end
        self.factory.wheel.set(self, self._clock.seconds() + seconds)

    def _watch_closing(self) -> None:
        """Cut the connection when the browser keeps it open by taking nothing."""
        self._unsent_before = unsent_bytes(self.transport)
        self._end_after(self.factory.limits.stalled_seconds, self._tick_closing)

    def _tick_closing(self) -> None:
        if self._takes_something():
            self._watch_closing()
        else:
            self.abort()

    def _takes_something(self) -> bool:
        """Whether the browser has taken anything since this was asked for the last time."""
        before, self._unsent_before = self._unsent_before, unsent_bytes(self.transport)
        return self._unsent_before < before

    def tick(self) -> None:
        """Do what falls due once the connection closes."""
        if self._end is not None:
            self._end()
