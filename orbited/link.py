"""The way to a service in this process, without a socket.

A broker that Orbited itself has started is reached by calling it. The protocol it builds gets a
``LocalTransport``; what it writes is handed to the session as the very bytes objects it wrote, so
that one frame for a thousand subscribers is one object all the way to the encoder.
"""

from collections.abc import Callable, Iterable
from typing import Any, Protocol

from twisted.internet.error import ConnectionAborted, ConnectionDone
from twisted.internet.interfaces import (
    IAddress,
    IConsumer,
    IProducer,
    IProtocol,
    IPushProducer,
    IReactorTime,
    ITransport,
)
from twisted.python.failure import Failure
from zope.interface import implementer

from orbited.sessiontransport import SessionTransport

__all__ = ["LocalTransport"]


class Owner(Protocol):
    """Who has made a link."""

    def service_closed(self) -> None:
        """There is none any more."""


@implementer(ITransport, IPushProducer, IConsumer)
class LocalTransport:
    """One connection between a session and a protocol in this process.

    Args:
        browser: the session's side: a transport that also paces producers, and is one.
        protocol: the service's side.
        owner: told once the service has closed, or has been told that the browser is gone.
    """

    __slots__ = (
        "_browser",
        "_clock",
        "_host",
        "_is_connected",
        "_is_paused",
        "_owner",
        "_protocol",
        "_waiting",
        "disconnecting",
        "write",
    )

    def __init__(
        self,
        browser: Any,
        protocol: IProtocol,
        host: IAddress,
        clock: IReactorTime,
        owner: Owner,
    ) -> None:
        self._browser = browser
        self._protocol = protocol
        self._host = host
        self._clock = clock
        self._owner = owner
        self._is_connected = True
        self._is_paused = False
        self._waiting: list[bytes] | None = None  # while there is something
        self.disconnecting = False
        self.write: Callable[[bytes], None] = browser.write

    def connect(self) -> None:
        """Let the service begin."""
        self._protocol.makeConnection(self)

    @property
    def member(self) -> SessionTransport | None:
        """The browser's side, when a service may broadcast to it."""
        return self._browser if isinstance(self._browser, SessionTransport) else None

    # -- from the browser -----------------------------------------------------------------------

    def shorten(self) -> None:
        """Let a session hand its bytes to the service itself, as long as they need not wait here.

        The hot path: it does what ``receive`` does.
        """
        if isinstance(self._browser, SessionTransport) and not (
            self._is_paused or self._waiting or self.disconnecting
        ):
            self._browser.receiver = self._protocol

    def _lengthen(self) -> None:
        """Have all bytes come by ``receive`` again."""
        if isinstance(self._browser, SessionTransport):
            self._browser.receiver = None

    def receive(self, data: bytes) -> None:
        """Hand bytes to the service, now or when it wants to read again."""
        if self._is_connected and not self.disconnecting:
            if self._is_paused:
                if self._waiting is None:
                    self._waiting = []
                self._waiting.append(data)
            else:
                self._protocol.dataReceived(data)

    def browser_lost(self) -> None:
        """The browser is gone."""
        self._close(ConnectionDone())

    # -- from the service -----------------------------------------------------------------------

    def writeSequence(self, data: Iterable[bytes]) -> None:
        """Send bytes to the browser."""
        for piece in data:
            self.write(piece)

    def loseConnection(self) -> None:
        """Close behind what was written."""
        self._close_soon(ConnectionDone())

    def abortConnection(self) -> None:
        """Close at once."""
        self._close_soon(ConnectionAborted())

    def getPeer(self) -> IAddress:
        """The browser."""
        return self._browser.getPeer()  # type: ignore[no-any-return]

    def getHost(self) -> IAddress:
        """The service, under the address that the page asked for."""
        return self._host

    def registerProducer(self, producer: IProducer, streaming: bool) -> None:
        """Tell the service's producer when the browser is slow."""
        self._browser.registerProducer(producer, streaming)

    def unregisterProducer(self) -> None:
        """Forget the service's producer."""
        self._browser.unregisterProducer()

    def pauseProducing(self) -> None:
        """The service does not want to read for now: the browser waits."""
        if not self._is_paused:
            self._is_paused = True
            self._lengthen()
            self._browser.pauseProducing()

    def resumeProducing(self) -> None:
        """The service reads again."""
        if self._is_paused:
            self._is_paused = False
            while self._waiting and not self._is_paused:
                self.receive(self._waiting.pop(0))
            self._waiting = self._waiting or None
            if not self._is_paused:
                self.shorten()
                self._browser.resumeProducing()

    def stopProducing(self) -> None:
        """The service wants to read no more."""
        self.loseConnection()

    def _close_soon(self, error: Exception) -> None:
        """Close at the next turn: the service may be in the middle of something."""
        if not self.disconnecting:
            self.disconnecting = True
            self._lengthen()
            self.write = _ignore
            self._clock.callLater(0, self._close, error)

    def _close(self, error: Exception) -> None:
        if self._is_connected:
            self._is_connected = False
            self.disconnecting = True
            self._lengthen()
            self.write = _ignore
            self._waiting = None
            self._protocol.connectionLost(Failure(error))  # type: ignore[no-untyped-call]
            self._owner.service_closed()


def _ignore(_: object) -> None:
    """Write nowhere: the connection is over."""
