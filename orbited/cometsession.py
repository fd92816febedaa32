# mypy: allow-untyped-calls
"""The resource under ``/tcp``: creates sessions, and finds the session of each request.

======================  =====================================================
``GET  /tcp``           creates a session; the body is its key, nothing else
``POST /tcp/KEY``       packets up; ``OK``
``GET  /tcp/KEY/NAME``  opens a transport
======================  =====================================================

The key is the session's only secret, so it stands in no log and no page of ours.
"""

import functools
import logging
import uuid
from collections import Counter
from collections.abc import Callable
from typing import Any, Protocol

from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IListeningPort, IProtocolFactory, IReactorTime
from zope.interface import implementer

from orbited.broadcast import Broadcaster
from orbited.connection import TCPConnectionResource
from orbited.drain import Drain
from orbited.edge.connection import EdgeConnection
from orbited.edge.exchange import EdgeExchange
from orbited.edge.factory import EdgeFactory
from orbited.edge.head import Head
from orbited.holding import holding
from orbited.http import Exchange
from orbited.protocol.access import AccessList, Source
from orbited.protocol.addresses import household
from orbited.protocol.session import State
from orbited.sessiontransport import SessionTransport
from orbited.settings import Config
from orbited.system.counters import Counters
from orbited.transports import TRANSPORTS
from orbited.transports.htmlfile import CLOSED_PAGE
from orbited.turns import after_reads
from orbited.wheel import TimerWheel

__all__ = ["Port", "TCPConnectionResource", "TCPResource", "cors_headers", "source_of"]

log = logging.getLogger(__name__)

NOT_FOUND = "There is nothing here.\n"
UNKNOWN_SESSION = "There is no such session; it may have timed out.\n"


def source_of(exchange: Exchange) -> Source:
    """Who made a request, for the access list; the same object for the same browser, mostly."""
    host, origin = exchange.header("host") or "", exchange.header("origin")
    return _source(host, origin, exchange.scheme, exchange.address)


#: A browser makes many requests, and each session keeps who created it.
_source = functools.lru_cache(256)(Source)


Cors = tuple[tuple[str, str], ...]


def cors_headers(access: AccessList, origin: str | None) -> Cors:
    """What lets the pages of a listed origin read an answer; nothing for anybody else."""
    if origin is None or not access.lists_origin(origin):
        return (("Vary", "Origin"),)
    return (
        ("Access-Control-Allow-Origin", origin),
        ("Access-Control-Allow-Credentials", "true"),
        ("Vary", "Origin"),
    )


class _Caller:
    """Who makes a request, and what that means; noted for the next one with the same headers."""

    __slots__ = ("cors", "is_admitted", "source")

    def __init__(self, exchange: Exchange, access: AccessList) -> None:
        self.source = source = source_of(exchange)
        self.cors = cors_headers(access, source.origin)
        self.is_admitted = not source.is_foreign or access.admits(source)


class Bridge(Protocol):
    """What counts as a session without being one: a WebSocket with nothing but bytes in it."""

    @property
    def name(self) -> str:
        """Of the end point."""

    @property
    def address(self) -> str:
        """Of the client."""

    def going_away(self) -> None:
        """The server is stopping."""

    def abort(self) -> None:
        """End at once."""


class TCPResource:
    """All sessions of one server.

    Args:
        factory: builds the protocol above each session, as for a listening port; it may have
            ``is_flushed``.

    Attributes:
        connections: key to session.
        bridges: what counts like one.
        broadcaster: what a broker has published to many sessions, and is not written yet.
        dirty: sessions to flush; in a request, or once there is one, more can just be added.
        is_in_request: what a browser has sent is being applied, until ``end_request``; that may
            let another one begin before, when a browser goes on that waited.
        is_flushed: whether the back ends have all that was accepted for them.
    """

    def __init__(
        self,
        factory: IProtocolFactory,
        config: Config,
        clock: IReactorTime,
        counters: Counters | None = None,
    ) -> None:
        self.factory = factory
        self.config = config
        self.clock = clock
        self.counters = counters or Counters()
        self.access = AccessList(config.access, config.http.hosts)
        self.connections: dict[str, TCPConnectionResource] = {}
        self.bridges: set[Bridge] = set()
        self.is_flushed: Callable[[], bool] = getattr(factory, "is_flushed", lambda: True)
        self.wheel = TimerWheel(clock)
        self._unused: set[str] = set()
        self._per_household: Counter[str] = Counter()
        self.dirty: list[SessionTransport] = []
        self.broadcaster = Broadcaster(self)
        self.is_in_request = False
        self._is_flush_due = False
        self._call_after_reads = after_reads(clock)
        self._drain: Drain | None = None

    # -- requests -------------------------------------------------------------------------------

    def respond(self, exchange: Exchange) -> None:
        """Answer a request; ``exchange.path`` is what follows ``/tcp``."""
        caller = exchange.note
        if caller is None:
            caller = exchange.note = _Caller(exchange, self.access)
        path, cors = exchange.path, caller.cors
        if len(path) > 2 or path == ("",):
            exchange.reply(404, NOT_FOUND, cors)
        elif exchange.method == "OPTIONS":
            self._answer_preflight(exchange, caller.source, cors)
        elif not path:
            self._create(exchange, caller.source, cors)
        elif not caller.is_admitted:
            exchange.reply(403, "Pages of this origin are not admitted here.\n", cors)
        else:
            session = self.connections.get(path[0])
            if session is None:
                self._answer_unknown(exchange, cors)
                return
            ack = _ack(exchange)
            if ack is not None:
                session.acknowledge(ack)
            if len(path) == 1:
                self._post(exchange, session, cors)
            elif session.core.state is State.ENDED:  # by this very acknowledgement
                self._answer_unknown(exchange, cors)
            else:
                self._open_transport(exchange, session, path[1], cors)

    def _answer_preflight(self, exchange: Exchange, source: Source, cors: Cors) -> None:
        if self.access.lists_origin(source.origin):
            cors = (
                *cors,
                ("Access-Control-Allow-Methods", "GET, POST"),
                ("Access-Control-Allow-Headers", "Content-Type"),
                ("Access-Control-Max-Age", "600"),
            )
        exchange.reply(200, b"", cors)

    def _create(self, exchange: Exchange, source: Source, cors: Cors) -> None:
        if exchange.method not in ("GET", "POST"):
            exchange.reply(405, "Sessions are created with GET.\n", [*cors, ("Allow", "GET, POST")])
            return
        refusal = self.refusal(source.address)
        if refusal is not None:
            self.counters.sessions_refused += 1
            exchange.reply(*refusal, [*cors, ("Retry-After", str(self.config.limits.retry_after))])
            return
        protocol = self.factory.buildProtocol(IPv4Address("TCP", source.address, 0))
        if protocol is None:
            exchange.reply(503, "No new sessions for now.\n", cors)
            return
        key = uuid.uuid4().hex
        session = TCPConnectionResource(self, key, source)
        self.connections[key] = session
        self._unused.add(key)
        self._per_household[household(source.address)] += 1
        self.counters.sessions_opened += 1
        session.start(protocol)
        exchange.reply(200, key, cors)

    # -- room for sessions, and for what counts like them ---------------------------------------

    def refusal(self, address: str) -> tuple[int, str] | None:
        """Status and sentence when there is no room for one more of that address."""
        limits = self.config.limits
        if self._drain is not None:
            return 503, "This server is stopping.\n"
        if len(self.connections) + len(self.bridges) >= limits.sessions:
            return 503, "This server has as many sessions as it can hold.\n"
        if len(self._unused) >= limits.unused_sessions:
            return 503, "This server has as many unused sessions as it can hold.\n"
        if self._per_household[household(address)] < limits.sessions_per_address:
            return None
        log.warning(
            "%s has %d sessions and gets no more ([limits] sessions_per_address); if that is "
            "a proxy of yours, name it in [http] trusted_proxies",
            address,
            limits.sessions_per_address,
        )
        return 429, "There are too many sessions of this address.\n"

    def enter(self, bridge: Bridge) -> None:
        """Count a bridge, once ``refusal`` has found none; stopping closes it."""
        self.bridges.add(bridge)
        self._per_household[household(bridge.address)] += 1

    def leave(self, bridge: Bridge) -> None:
        """The bridge is gone."""
        if bridge in self.bridges:
            self.bridges.discard(bridge)
            self._left(bridge.address)

    def _answer_unknown(self, exchange: Exchange, cors: Cors) -> None:
        if exchange.path[1:] == ("htmlfile",):
            page = [*cors, ("Content-Type", "text/html; charset=utf-8")]
            exchange.start(200, page, len(CLOSED_PAGE))
            exchange.write(CLOSED_PAGE)
            exchange.finish()
        else:
            exchange.reply(404, UNKNOWN_SESSION, cors)

    def _post(self, exchange: Exchange, session: TCPConnectionResource, cors: Cors) -> None:
        if exchange.method != "POST":
            exchange.reply(405, "Packets come up with POST.\n", [*cors, ("Allow", "POST")])
        else:
            session.post(exchange, cors)

    def _open_transport(
        self, exchange: Exchange, session: TCPConnectionResource, name: str, cors: Cors
    ) -> None:
        transport = TRANSPORTS.get(name)
        if transport is None:
            exchange.reply(404, "There is no transport of that name.\n", cors)
        elif exchange.method != "GET":
            exchange.reply(405, "Transports are opened with GET.\n", [*cors, ("Allow", "GET")])
        else:
            self.counters.transports_opened += 1
            self._unused.discard(session.key)
            exchange.path = ()  # it has done its part, and may be kept for long
            session.attach(transport(exchange, self.config.transports, cors))

    # -- sessions call these --------------------------------------------------------------------

    def mark_dirty(self, session: SessionTransport) -> None:
        """Flush the session at the end of this turn of the reactor, or of the request.

        What one request causes for one session, an answer mostly, is written when the request has
        been applied. What goes to several waits for the end of the turn: the next request of the
        same turn may have more for them.
        """
        self.dirty.append(session)
        if not self.is_in_request:
            self.flush_soon()

    def end_request(self, now: float) -> None:
        """What a browser has sent is applied; flush the session if there is only one to flush."""
        self.is_in_request = False
        if len(self.dirty) == 1 and not self._is_flush_due:
            session = self.dirty.pop()
            try:
                session.flush(now)
            except Exception:
                self._drop(session)
        elif self.dirty:
            self.flush_soon()

    def flush_soon(self) -> None:
        """Flush what is dirty, and what was broadcast, at the end of this turn."""
        if not self._is_flush_due:
            self._is_flush_due = True
            self._call_after_reads(self._flush_at_end_of_turn)

    def _flush_at_end_of_turn(self) -> None:
        try:
            self.broadcaster.send(self.clock.seconds())
        finally:  # whatever happens, the next turn is flushed as well
            self._is_flush_due = False
            self._flush_dirty()

    def _flush_dirty(self) -> None:
        dirty, self.dirty = self.dirty, []
        now = self.clock.seconds()
        with holding:
            for session in dirty:
                try:
                    session.flush(now)
                except Exception:
                    self._drop(session)

    @staticmethod
    def _drop(session: SessionTransport) -> None:
        log.exception("%r failed and is dropped", session)
        session.abortConnection()

    def forget(self, session: TCPConnectionResource) -> None:
        """The session has ended; its key is free."""
        if self.connections.pop(session.key, None) is None:
            return
        self._unused.discard(session.key)
        self.counters.sessions_ended += 1
        self._left(session.source.address)

    def _left(self, address: str) -> None:
        counted_as = household(address)
        self._per_household[counted_as] -= 1
        if not self._per_household[counted_as]:
            del self._per_household[counted_as]
        if self._drain is not None:
            self._drain.left()

    # -- stopping -------------------------------------------------------------------------------

    @property
    def is_draining(self) -> bool:
        """No new session is created any more."""
        return self._drain is not None

    def drain(self) -> Deferred[None]:
        """Close all sessions in order, with a reason that says to come back.

        Returns:
            Fires when all browsers know, or when ``drain_seconds`` have passed.
        """
        if self._drain is None:
            self._drain = Drain(self)
            self._drain.start()
        return self._drain.finished


def _ack(exchange: Exchange) -> int | None:
    """The acknowledgement of a request; what is not a number is ignored."""
    text = exchange.argument("ack") or exchange.header("last-event-id") or ""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 15 else None


def _not_found(exchange: Exchange) -> None:
    exchange.reply(404, NOT_FOUND)


@implementer(IListeningPort)
class Port:
    """Comet as a listening port: any Twisted factory, reached by browsers.

    With ``resource`` and ``childName`` the sessions are mounted into a twisted.web site that
    listens elsewhere; without them the port listens for itself::

        Port(factory=EchoFactory(), resource=root, childName="tcp").startListening()
        Port(9999, EchoFactory()).startListening()
    """

    def __init__(
        self,
        port: int | None = None,
        factory: IProtocolFactory | None = None,
        backlog: int = 50,
        interface: str = "",
        reactor: Any = None,
        resource: Any = None,
        childName: str | None = None,
        config: Config | None = None,
    ) -> None:
        if factory is None:
            raise TypeError("a Port needs a factory")
        if resource is None and port is None:
            raise TypeError("a Port needs a port to listen on, or a resource to be mounted in")
        if reactor is None:
            from twisted.internet import reactor
        self.factory = factory
        self._reactor = reactor
        self._address = port, backlog, interface
        self._resource, self._child_name = resource, childName or "tcp"
        self._listening: Any = None
        self.tcp = TCPResource(factory, config or Config(), reactor)

    def startListening(self) -> None:
        """Mount the sessions, and listen if the port is to."""
        self.factory.doStart()
        if self._resource is None:
            port, backlog, interface = self._address
            self._listening = self._reactor.listenTCP(port, self._edge(), backlog, interface)
        else:
            from orbited.web import WebResource

            self._resource.putChild(self._child_name.encode(), WebResource(self.tcp.respond))

    def _edge(self) -> EdgeFactory:
        """Nothing but the sessions."""
        config = self.tcp.config

        def begin(connection: EdgeConnection, head: Head) -> EdgeExchange:
            name, *path = head.segments()
            is_ours = name == self._child_name
            return EdgeExchange(
                connection, head, tuple(path), self.tcp.respond if is_ours else _not_found
            )

        return EdgeFactory(
            begin,
            config.limits,
            self._reactor,
            max_body_bytes=lambda path: config.limits.post_bytes,
            trusted_proxies=config.http.trusted_proxies,
        )

    def stopListening(self) -> Deferred[None]:
        """End all sessions; fires when the browsers know."""

        def stop(_: None) -> Any:
            self.factory.doStop()
            return None if self._listening is None else self._listening.stopListening()

        return self.tcp.drain().addCallback(stop)

    def getHost(self) -> Any:
        """The address, if this port listens for itself."""
        if self._listening is not None:
            return self._listening.getHost()
        return IPv4Address("TCP", "", 0)
