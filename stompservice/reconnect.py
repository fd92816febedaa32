"""Connecting again and again: which broker next, and after what pause."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import HostnameEndpoint, TCP4ClientEndpoint, TCP6ClientEndpoint
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.protocol import Factory, Protocol
from twisted.python.failure import Failure

if TYPE_CHECKING:
    from twisted.internet.interfaces import IAddress, IDelayedCall

log = logging.getLogger(__name__)

Endpoint = tuple[str, int] | IStreamClientEndpoint


class Reconnector:
    """Tries brokers in turn, with a pause that doubles after each round.

    Args:
        endpoints: of the brokers; each attempt takes the next.
        build: makes the protocol of a connection that has come about.
        failed: called when an attempt came to nothing, after the next was planned.
        reactor: IReactorTime, for the pauses.
        random: gives a float from 0 to 1.
        min_delay_seconds: the pause after the first round; half of each pause is jitter.
        max_delay_seconds: the longest pause.

    Attributes:
        is_failing: whether the last attempt came to nothing.
    """

    def __init__(
        self,
        endpoints: Sequence[IStreamClientEndpoint],
        build: Callable[[], Protocol],
        failed: Callable[[], None],
        *,
        reactor: Any,
        random: Callable[[], float],
        min_delay_seconds: float,
        max_delay_seconds: float,
    ) -> None:
        self.is_failing = False
        self._endpoints = list(endpoints)
        self._factory = _Builder(build)
        self._on_failed = failed
        self._reactor = reactor
        self._random = random
        self._min_delay = min_delay_seconds
        self._max_delay = max_delay_seconds
        self._next_endpoint = 0
        self._failures = 0
        self._connecting: Deferred[Any] | None = None
        self._timer: IDelayedCall | None = None
        self._is_stopped = False

    def start(self) -> None:
        """Try the next broker now, and go on until ``stop``."""
        self._is_stopped = False
        self._connect()

    def connect_later(self) -> None:
        """A connection, or an attempt, came to an end: try the next broker after a pause."""
        self._failures += 1
        delay = self.delay_seconds(self._failures)
        self.is_failing = True
        self._timer = self._reactor.callLater(delay, self._connect)

    def succeeded(self) -> None:
        """The connection is in use: the next pause is a short one again."""
        self._failures = 0
        self.is_failing = False

    def stop(self) -> None:
        """Try no more. What is connected stays so."""
        self._is_stopped = True
        self._failures = 0
        self.is_failing = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._connecting is not None:
            self._connecting.cancel()

    def delay_seconds(self, failures: int) -> float:
        """How long to wait after so many failures in a row."""
        full_rounds, brokers_tried = divmod(failures, len(self._endpoints))
        if brokers_tried:  # another broker is left in this round: just avoid the stampede
            return self._min_delay * self._random() / 2
        longest = min(self._max_delay, self._min_delay * 2.0 ** min(full_rounds - 1, 60))
        return longest / 2 + longest / 2 * self._random()

    def _connect(self) -> None:
        self._timer = None
        endpoint = self._endpoints[self._next_endpoint]
        self._next_endpoint = (self._next_endpoint + 1) % len(self._endpoints)
        self._connecting = connecting = endpoint.connect(self._factory)
        connecting.addCallbacks(self._connected, self._failed)

    def _connected(self, protocol: Protocol) -> None:
        self._connecting = None

    def _failed(self, failure: Failure) -> None:
        self._connecting = None
        if self._is_stopped:
            return
        log.warning("no connection to the STOMP broker: %s", failure.getErrorMessage())
        self.connect_later()
        self._on_failed()


class _Builder(Factory):
    noisy = False

    def __init__(self, build: Callable[[], Protocol]) -> None:
        self._build = build

    def buildProtocol(self, addr: IAddress | None) -> Protocol:
        return self._build()


def as_endpoint(where: Endpoint, reactor: Any, connect_seconds: float) -> IStreamClientEndpoint:
    """Make an endpoint of (host, port), or pass one on."""
    if not isinstance(where, tuple):
        return where
    host, port = where
    try:
        version = ip_address(host).version
    except ValueError:
        return HostnameEndpoint(reactor, host, port, timeout=connect_seconds)
    kind = TCP4ClientEndpoint if version == 4 else TCP6ClientEndpoint
    return kind(reactor, host, port, timeout=connect_seconds)
