# mypy: allow-untyped-calls
"""The application that Orbited is made for: a TCP connection for each session.

The browser's first bytes name host and port; the access list decides; then bytes flow both ways.
Whoever is faster than the other side can take is paused: the back end when too much waits for
the browser, the browser when the back end's socket is full.
"""

import functools
import logging
from collections.abc import Mapping
from typing import Any, cast

from twisted.internet.abstract import isIPAddress, isIPv6Address
from twisted.internet.address import HostnameAddress
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import HostnameEndpoint, TCP4ClientEndpoint, TCP6ClientEndpoint
from twisted.internet.error import TimeoutError
from twisted.internet.interfaces import (
    IAddress,
    IProtocol,
    IProtocolFactory,
    IPushProducer,
    IStreamClientEndpoint,
)
from twisted.internet.protocol import ClientFactory, Protocol, ServerFactory, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from orbited.connection import TCPConnectionResource
from orbited.errors import CONNECT_FAILED, CONNECT_TIMEOUT, INVALID_HANDSHAKE, UNAUTHORIZED
from orbited.link import LocalTransport
from orbited.protocol.access import AccessList
from orbited.protocol.handshake import (
    CONNECTED,
    HandshakeError,
    Target,
    parse_handshake,
    refusal,
)
from orbited.settings import Config
from orbited.system.counters import Counters

__all__ = ["LocalServices", "ProxyFactory", "ProxyIncomingProtocol", "ProxyOutgoingProtocol"]

log = logging.getLogger(__name__)

LocalServices = Mapping[tuple[str, int], IProtocolFactory]


class ProxyOutgoingProtocol(Protocol):
    """The back end's side of a session, over TCP."""

    def __init__(self, incoming: "ProxyIncomingProtocol") -> None:
        self._incoming = incoming

    def connectionMade(self) -> None:
        """The back end answered."""
        self._incoming.open_back_ends.add(self)
        self._incoming.back_end_connected(self)

    def dataReceived(self, data: bytes) -> None:
        """The back end sent something."""
        self._incoming.browser.write(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The back end closed, or has all that was meant for it."""
        self._incoming.open_back_ends.discard(self)
        self._incoming.back_end_lost()


@implementer(IProtocol)
class ProxyIncomingProtocol:
    """The browser's side of a session; there is one for each, so it is kept small."""

    __slots__ = (
        "_connecting",
        "_early",
        "_early_bytes",
        "_factory",
        "_is_shaking_hands",
        "_link",
        "_outgoing",
        "transport",
    )

    def __init__(self, factory: "ProxyFactory") -> None:
        self.transport: Any = None
        self._factory = factory
        self._is_shaking_hands = True
        self._early: list[bytes] | None = None  # what came before the back end was there
        self._early_bytes = 0
        self._connecting: Deferred[Any] | None = None
        self._outgoing: ProxyOutgoingProtocol | None = None
        self._link: LocalTransport | None = None

    @property
    def browser(self) -> TCPConnectionResource:
        """The session, as a transport."""
        return cast(TCPConnectionResource, self.transport)

    @property
    def open_back_ends(self) -> set[Protocol]:
        """All connections to back ends, those too that only send their last bytes."""
        return self._factory.open_back_ends

    def makeConnection(self, transport: Any) -> None:
        """The session begins."""
        self.transport = transport
        self.connectionMade()

    def connectionMade(self) -> None:
        """Nothing is known of a back end yet."""

    def dataReceived(self, data: bytes) -> None:
        """The browser sent something."""
        if self._link is not None:
            self._link.receive(data)
        elif self._outgoing is not None:
            cast(Any, self._outgoing.transport).write(data)
        elif self._is_shaking_hands:
            self._is_shaking_hands = False
            try:
                self._connect(parse_handshake(data))
            except HandshakeError as error:
                log.info("%r: handshake refused: %s", self.browser, error)
                self._refuse(INVALID_HANDSHAKE)
        else:
            self._keep(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The browser closed, or is given up."""
        self._early = None
        if self._connecting is not None:
            self._connecting.cancel()
        if self._link is not None:
            self._link.browser_lost()
        if self._outgoing is not None:
            transport = cast(Any, self._outgoing.transport)
            transport.unregisterProducer()
            transport.resumeProducing()
            transport.loseConnection()

    # -- connecting -----------------------------------------------------------------------------

    def _connect(self, target: Target) -> None:
        host, port, early = target
        factory, source = self._factory, self.browser.source
        if not factory.access.allows(source, host, port):
            factory.counters.back_end_refusals += 1
            name = source.host
            hint = "" if factory.access.knows(name) else f" ([http] hosts does not have {name!r})"
            log.warning("%r may not connect to %r port %d%s", self.browser, host, port, hint)
            self._refuse(UNAUTHORIZED)
            return
        if early:
            self._keep(early)
        service = factory.local_services.get((host, port))
        if service is not None:
            self._connect_locally(service, host, port)
            return
        endpoint = factory.endpoint(host, port)
        outgoing = _OutgoingFactory(self)
        self._connecting = endpoint.connect(outgoing)
        seconds = factory.config.proxy.connect_seconds
        self._connecting.addTimeout(seconds, factory.clock, self._timed_out)
        self._connecting.addErrback(self._connect_failed)

    def _connect_locally(self, service: IProtocolFactory, host: str, port: int) -> None:
        protocol = service.buildProtocol(self.browser.getPeer())
        if protocol is None:
            self._refuse(CONNECT_FAILED)
            return
        self._factory.counters.back_end_connections += 1
        self._link = link = LocalTransport(
            self.browser, protocol, _address(host, port), self._factory.clock, self
        )
        self.browser.write_alone(CONNECTED)
        link.connect()
        self._send_early(link.receive)
        link.shorten()

    def back_end_connected(self, outgoing: ProxyOutgoingProtocol) -> None:
        """The TCP connection is up."""
        self._connecting = None
        transport = cast(Any, outgoing.transport)
        if self.browser.disconnecting:
            transport.loseConnection()
            return
        self._factory.counters.back_end_connections += 1
        self._outgoing = outgoing
        self.browser.write_alone(CONNECTED)
        transport.setTcpNoDelay(True)
        transport.registerProducer(self.browser, True)
        self.browser.registerProducer(cast(IPushProducer, transport), True)
        self._send_early(transport.write)

    def service_closed(self) -> None:
        """The back end in this process is gone."""
        self.back_end_lost()

    def back_end_lost(self) -> None:
        """The back end is gone: the browser is told, behind what is still on its way."""
        self._outgoing = None
        self._link = None
        if self.transport is not None:
            self.browser.loseConnection()

    @staticmethod
    def _timed_out(result: Any, seconds: float) -> Any:
        if isinstance(result, Failure):
            raise TimeoutError  # told as 104
        return result

    def _connect_failed(self, failure: Failure) -> None:
        self._connecting = None
        if self.browser.disconnecting:
            return
        log.info("%r: connecting failed: %s", self.browser, failure.getErrorMessage())
        self._refuse(CONNECT_TIMEOUT if failure.check(TimeoutError) else CONNECT_FAILED)

    def _refuse(self, code: int) -> None:
        self._early = None
        self.browser.write_alone(refusal(code))
        self.browser.loseConnection()

    # -- bytes that came before the back end was there ------------------------------------------

    def _keep(self, data: bytes) -> None:
        self._early_bytes += len(data)
        if self._early_bytes > self._factory.config.limits.held_post_bytes:
            self._refuse(INVALID_HANDSHAKE)
        elif self._early is None:
            self._early = [data]
        else:
            self._early.append(data)

    def _send_early(self, receive: Any) -> None:
        early, self._early = self._early, None
        for data in early or ():
            receive(data)


@functools.lru_cache(64)
def _address(host: str, port: int) -> HostnameAddress:
    """What a page has asked for, as one object for all of its kind."""
    # The codec is not loaded where it would change nothing.
    name = host.encode("ascii") if host.isascii() else host.encode("idna")
    return HostnameAddress(name, port)


class _OutgoingFactory(ClientFactory):
    """Builds the one protocol of one attempt; an endpoint wants a factory."""

    noisy = False

    def __init__(self, incoming: ProxyIncomingProtocol) -> None:
        self._incoming = incoming

    def buildProtocol(self, addr: IAddress | None) -> ProxyOutgoingProtocol:
        """Twisted: a connection is up."""
        return ProxyOutgoingProtocol(self._incoming)


class ProxyFactory(ServerFactory):
    """Builds the proxy's side of each session.

    Args:
        config: the access list and the connect time-out are read from it.
        local_services: address to a factory in this process, reached without a socket.
    """

    noisy = False

    def __init__(
        self,
        config: Config | None = None,
        local_services: LocalServices | None = None,
        reactor: Any = None,
        counters: Counters | None = None,
    ) -> None:
        if reactor is None:
            from twisted.internet import reactor
        self.clock = reactor
        self.config = config or Config()
        self.access = AccessList(self.config.access, self.config.http.hosts)
        self.local_services = local_services if local_services is not None else {}
        self.counters = counters or Counters()
        self.open_back_ends: set[Protocol] = set()

    def buildProtocol(self, addr: IAddress | None) -> Any:
        """Twisted: a session begins."""
        return ProxyIncomingProtocol(self)

    def is_flushed(self) -> bool:
        """Whether the back ends have all that was accepted for them."""
        return not self.open_back_ends

    def endpoint(self, host: str, port: int) -> IStreamClientEndpoint:
        """How to reach an address; a seam for tests."""
        if isIPAddress(host):
            return TCP4ClientEndpoint(self.clock, host, port)
        if isIPv6Address(host):
            return TCP6ClientEndpoint(self.clock, host, port)
        return HostnameEndpoint(self.clock, host, port)
