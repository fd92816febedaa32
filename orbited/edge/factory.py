"""The factory to listen with: what its connections share."""

import logging
from collections.abc import Callable, Container
from typing import Any

from twisted.internet.interfaces import IReactorTime
from twisted.internet.protocol import Factory

from orbited.edge.answer import MAX_HEADS, Dates
from orbited.edge.connection import EdgeConnection
from orbited.edge.head import Head
from orbited.edge.incoming import Incoming
from orbited.edge.shared import SharedAnswer
from orbited.errors import RequestError
from orbited.protocol.packets import Encoder
from orbited.protocol.settings import RequestLimits
from orbited.wheel import TimerWheel

__all__ = ["EdgeFactory", "Refusal"]

log = logging.getLogger(__name__)
access_log = logging.getLogger("orbited.access")

#: Content type and body of the answer to what is refused.
Refusal = tuple[str, bytes]


class EdgeFactory(Factory):
    """Builds connections that give their requests to ``begin``.

    Args:
        begin: called with connection and head, gives what takes the body and answers.
        max_body_bytes: path of a request (as bytes) to the largest body it may have.
        refusal: content type and body for an error; the path is None while it is not known.
        redact: what the access log may show of a path.

    Attributes:
        connections: those that are open, but for the ones handed over.
        wheel: what their time-outs wait in.
        is_stopping: no connection is kept for another request.
    """

    noisy = False

    def __init__(
        self,
        begin: Callable[[EdgeConnection, Head], Incoming],
        limits: RequestLimits,
        clock: IReactorTime,
        *,
        max_body_bytes: Callable[[bytes], int],
        refusal: Callable[[RequestError, bytes | None], Refusal] | None = None,
        trusted_proxies: Container[str] = (),
        has_access_log: bool = False,
        redact: Callable[[bytes], bytes] = bytes,
    ) -> None:
        self.begin = begin
        self.limits = limits
        self.clock = clock
        self.wheel = TimerWheel(clock)
        self.max_body_bytes = max_body_bytes
        self.refusal = refusal or plain_refusal
        self.trusted_proxies = trusted_proxies
        self.has_access_log = has_access_log
        self._redact = redact
        self.dates = Dates()
        self._shared_answers: dict[tuple[Encoder, bytes], SharedAnswer] = {}
        self.connections: set[EdgeConnection] = set()
        self.is_stopping = False

    def buildProtocol(self, addr: Any) -> Any:
        """Twisted: somebody connects."""
        return EdgeConnection(self)

    def startFactory(self) -> None:
        """Twisted: a port listens."""
        self.is_stopping = False

    def stopFactory(self) -> None:
        """Twisted: no port listens any more; what is idle is closed, the rest when answered."""
        self.is_stopping = True
        for connection in list(self.connections):
            connection.close_when_idle()

    def shared_answer(self, encoder: Encoder, headers: bytes) -> SharedAnswer:
        """What builds the answers with these headers, for all connections."""
        shared = self._shared_answers.get((encoder, headers))
        if shared is None:
            if len(self._shared_answers) >= MAX_HEADS:
                self._shared_answers.clear()
            shared = SharedAnswer(encoder, self.dates, headers)
            self._shared_answers[encoder, headers] = shared
        return shared

    def log_request(self, address: str, head: Head, status: int) -> None:
        """Write a line for a request. Queries and keys are not written."""
        method, path = head.method.decode("latin-1"), self._redact(head.path).decode("latin-1")
        access_log.info("%s %s %s %d", address or "-", method, path, status)

    def log_refusal(self, address: str, error: RequestError) -> None:
        """Write a line for what is no request."""
        log.debug("%s is refused: %s", address or "-", error)
        if self.has_access_log:
            access_log.info("%s - - %d", address or "-", error.status)


def plain_refusal(error: RequestError, path: bytes | None) -> Refusal:
    """A sentence as text."""
    return "text/plain; charset=utf-8", f"{error.sentence}\n".encode()
