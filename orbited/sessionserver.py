"""What a session needs of the resource that it belongs to."""

from typing import TYPE_CHECKING, Protocol

from twisted.internet.interfaces import IReactorTime

from orbited.broadcast import Broadcaster
from orbited.settings import Config
from orbited.system.counters import Counters
from orbited.wheel import TimerWheel

if TYPE_CHECKING:
    from orbited.connection import TCPConnectionResource
    from orbited.sessiontransport import SessionTransport

__all__ = ["SessionServer"]


class SessionServer(Protocol):
    """What a session needs of the resource that it belongs to."""

    clock: IReactorTime
    config: Config
    counters: Counters
    wheel: TimerWheel
    dirty: "list[SessionTransport]"
    is_in_request: bool
    broadcaster: Broadcaster

    @property
    def is_draining(self) -> bool:
        """The server is stopping."""

    def mark_dirty(self, session: "SessionTransport") -> None:
        """Call ``flush`` at the end of this turn of the reactor, or of the request."""

    def flush_soon(self) -> None:
        """Flush at the end of this turn of the reactor."""

    def end_request(self, now: float) -> None:
        """What a browser has sent is applied; flush the session if there is only one to flush."""

    def forget(self, session: "TCPConnectionResource") -> None:
        """The session has ended."""
