# mypy: allow-untyped-calls
"""The end points ``/ws`` and ``/stomp``: WebSockets for those who need no session.

=====================  ====================================================================
``GET /ws/HOST:PORT``  bytes, to and from an address of the access list
``GET /stomp``         STOMP, to and from the broker in this process, or the configured one
``GET /ws/echo``       every message back, if ``[websocket] echo_enabled`` says so
=====================  ====================================================================

The back end is connected first and the WebSocket accepted afterwards, so what goes wrong is told
by a status and a sentence, as for any other request.
"""

import logging
from typing import Any

from twisted.internet.address import HostnameAddress, IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.error import TimeoutError
from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import Factory, Protocol
from twisted.python.failure import Failure

from orbited.bridge import BackEnd, Bridge
from orbited.bridge_messages import LastFrame, Messages, RawMessages, StompMessages
from orbited.cometsession import TCPResource, source_of
from orbited.http import Exchange
from orbited.protocol.handshake import HandshakeError, parse_handshake
from orbited.proxy import ProxyFactory
from orbited.servers.websocket_echo import WebSocketEcho
from orbited.turns import after_reads
from orbited.upgrade import Handshake, begin

__all__ = ["STOMP_SUBPROTOCOLS", "Bridges"]

log = logging.getLogger(__name__)

#: Versions of STOMP, in our order of preference. What they mean is the broker's business.
STOMP_SUBPROTOCOLS = ("v12.stomp", "v11.stomp", "v10.stomp")

#: ``/ws`` knows one more, which clients of plain bytes are used to ask for.
SUBPROTOCOLS = (*STOMP_SUBPROTOCOLS, "binary")

NOT_FOUND = "There is nothing here: expected /ws/HOST:PORT.\n"
NO_BROKER = "There is no broker behind this: name one in [websocket] stomp_broker.\n"

Address = tuple[str, int]


class Bridges:
    """All bridges of one server.

    Args:
        proxy: knows who may reach what, and how.
        tcp: counts bridges with its sessions, and ends them when the server stops.
    """

    def __init__(self, proxy: ProxyFactory, tcp: TCPResource) -> None:
        self.config = proxy.config
        self.clock = proxy.clock
        self.counters = proxy.counters
        self.open_back_ends = proxy.open_back_ends
        self._proxy = proxy
        self._tcp = tcp
        self._last = LastFrame()
        self._dirty: list[Bridge] = []
        self._call_after_reads = after_reads(self.clock)

    # -- requests -------------------------------------------------------------------------------

    def respond(self, exchange: Exchange) -> None:
        """Answer a request; ``exchange.path`` is what follows ``/ws``."""
        if exchange.path == ("echo",) and self.config.websocket.echo_enabled:
            self._echo(exchange)
            return
        try:
            (name,) = exchange.path
            host, port, rest = parse_handshake(name.encode("latin-1"))
        except (ValueError, HandshakeError):
            exchange.reply(404, NOT_FOUND)
            return
        if rest:
            exchange.reply(404, NOT_FOUND)
            return
        handshake = self._begin(exchange, SUBPROTOCOLS)
        if handshake is not None:
            is_stomp = handshake.subprotocol in STOMP_SUBPROTOCOLS
            self._connect(exchange, handshake, [(host, port)], "ws", is_stomp)

    def respond_stomp(self, exchange: Exchange) -> None:
        """Answer a request for ``/stomp``."""
        if exchange.path not in ((), ("",), ("websocket",)):
            exchange.reply(404, "There is nothing here: expected /stomp.\n")
            return
        brokers = self._brokers()
        if not brokers:
            exchange.reply(404, NO_BROKER)
            return
        handshake = self._begin(exchange, STOMP_SUBPROTOCOLS)
        if handshake is not None:
            self._connect(exchange, handshake, brokers, "stomp", True)

    def _begin(self, exchange: Exchange, subprotocols: tuple[str, ...]) -> Handshake | None:
        return begin(
            exchange,
            max_message_bytes=self.config.limits.post_bytes,
            subprotocols=subprotocols,
            compression=self.config.transports.websocket_compression,
        )

    def _brokers(self) -> list[Address]:
        """The names under which the broker behind ``/stomp`` may stand in the access list."""
        configured = self.config.websocket.stomp_broker
        if configured:
            host, port, _ = parse_handshake(configured.encode())
            return [(host, port)]
        services = self._proxy.local_services
        first = next(iter(services.values()), None)
        return [address for address, service in services.items() if service is first]

    def _echo(self, exchange: Exchange) -> None:
        if not self._tcp.access.admits(source_of(exchange)):
            self._refuse(exchange, 403, "Pages of this origin are not admitted here.\n")
            return
        handshake = self._begin(exchange, ())
        if handshake is not None:
            WebSocketEcho(handshake, self.clock)

    def _connect(
        self,
        exchange: Exchange,
        handshake: Handshake,
        addresses: list[Address],
        name: str,
        is_stomp: bool,
    ) -> None:
        """Connect to the first of these addresses that the source of the request may reach."""
        source, proxy = source_of(exchange), self._proxy
        allowed = [one for one in addresses if proxy.access.allows(source, *one)]
        if not allowed:
            self.counters.back_end_refusals += 1
            log.warning("%s may not connect to %r port %d", source.address, *addresses[0])
            self._refuse(exchange, 403, "This page may not connect to that address.\n")
            return
        refusal = self._tcp.refusal(source.address)
        if refusal is not None:
            self.counters.sessions_refused += 1
            self._refuse(exchange, *refusal)
            return
        limit = self.config.websocket.stomp_frame_bytes
        messages: Messages = StompMessages(limit, self._last) if is_stomp else RawMessages()
        attempt = _Attempt(self, exchange, handshake, name, messages)
        host, port = allowed[0]
        service = proxy.local_services.get((host, port))
        if service is None:
            self._tcp.enter(attempt)
            attempt.connect(proxy.endpoint(host, port))
            return
        protocol = service.buildProtocol(IPv4Address("TCP", source.address, 0))
        if protocol is None:
            self._refuse(exchange, 503, "The service takes no new connections for now.\n")
            return
        bridge = self.open(attempt)
        bridge.join_service(protocol, HostnameAddress(host.encode("idna"), port))

    # -- attempts and bridges call these --------------------------------------------------------

    def open(self, attempt: "_Attempt") -> Bridge:
        """Accept the WebSocket of an attempt."""
        self._tcp.leave(attempt)
        self.counters.back_end_connections += 1
        self.counters.websockets_opened += 1
        bridge = Bridge(self, attempt.handshake, attempt.address, attempt.name, attempt.messages)
        self._tcp.enter(bridge)
        return bridge

    def forget(self, bridge: Bridge) -> None:
        """The bridge is gone."""
        self.counters.websockets_ended += 1
        self._tcp.leave(bridge)

    def give_up(self, attempt: "_Attempt", status: int = 0, sentence: str = "") -> None:
        """There is no connection; without a status there is nobody to be told either."""
        self._tcp.leave(attempt)
        if status:
            self._refuse(attempt.exchange, status, sentence)

    def mark_dirty(self, bridge: Bridge) -> None:
        """Flush the bridge at the end of this turn of the reactor."""
        if not self._dirty:
            self._call_after_reads(self._flush_dirty)
        self._dirty.append(bridge)

    def _flush_dirty(self) -> None:
        dirty, self._dirty = self._dirty, []
        for bridge in dirty:
            try:
                bridge.flush()
            except Exception:
                log.exception("%r failed and is dropped", bridge)
                bridge.abort()

    def _refuse(self, exchange: Exchange, status: int, sentence: str) -> None:
        headers = [("Vary", "Origin")]
        if status in (429, 503):
            headers.append(("Retry-After", str(self.config.limits.retry_after)))
        exchange.reply(status, sentence, headers)


class _Attempt:
    """A request that waits for its back end; counts as what it is about to be."""

    def __init__(
        self,
        bridges: Bridges,
        exchange: Exchange,
        handshake: Handshake,
        name: str,
        messages: Messages,
    ) -> None:
        self.exchange = exchange
        self.handshake = handshake
        self.address = exchange.address
        self.name = name
        self.messages = messages
        self._bridges = bridges
        self._connecting: Deferred[Any] | None = None

    def connect(self, endpoint: Any) -> None:
        """Open the TCP connection, and the bridge when it is up."""
        bridges = self._bridges
        self.exchange.on_lost(self.abort)
        self._connecting = connecting = endpoint.connect(_BackEndFactory(bridges.open_back_ends))
        connecting.addTimeout(bridges.config.proxy.connect_seconds, bridges.clock, self._timed_out)
        connecting.addCallbacks(self._connected, self._failed)

    def going_away(self) -> None:
        """The server is stopping."""
        self._end(503, "This server is stopping.\n")

    def abort(self) -> None:
        """The browser is gone, or is to go."""
        self._end()

    def _end(self, status: int = 0, sentence: str = "") -> None:
        connecting, self._connecting = self._connecting, None
        if connecting is not None:
            self._bridges.give_up(self, status, sentence)
            connecting.cancel()

    def _connected(self, back_end: BackEnd) -> None:
        if self._connecting is None:
            back_end.transport.abortConnection()
            return
        self._connecting = None
        self._bridges.open(self).join_tcp(back_end)

    def _failed(self, failure: Failure) -> None:
        if self._connecting is None:
            return
        self._connecting = None
        log.info("connecting for %s failed: %s", self.address, failure.getErrorMessage())
        if failure.check(TimeoutError):
            self._bridges.give_up(self, 504, "The back end did not answer in time.\n")
        else:
            self._bridges.give_up(self, 502, "The back end cannot be reached.\n")

    @staticmethod
    def _timed_out(result: Any, seconds: float) -> Any:
        if isinstance(result, Failure):
            raise TimeoutError  # told as 504
        return result


class _BackEndFactory(Factory):
    """Builds the one protocol of one attempt; an endpoint wants a factory."""

    noisy = False

    def __init__(self, open_back_ends: set[Protocol]) -> None:
        self._open_back_ends = open_back_ends

    def buildProtocol(self, addr: IAddress | None) -> BackEnd:
        """Twisted: a connection is up."""
        return BackEnd(self._open_back_ends)
