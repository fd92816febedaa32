# mypy: allow-untyped-calls
"""A stand-alone server: everything that ``[listen]`` names, in one process."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, cast

from twisted.internet.defer import Deferred, DeferredList, maybeDeferred
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort, IProtocolFactory
from twisted.internet.task import Clock, LoopingCall
from twisted.python.reflect import namedAny

from orbited.errors import ConfigurationError
from orbited.privileges import find_account
from orbited.servers import TEST_SERVERS, make_factory
from orbited.servers.monitor import MonitorFactory
from orbited.service import Comet
from orbited.settings import Config, Listener
from orbited.site import make_site
from orbited.tls import Certificates, context_factory, validity_problem

__all__ = ["Server", "find_mistakes"]

log = logging.getLogger(__name__)

#: Where the STOMP broker of ``stomp://`` comes from.
STOMP_FACTORY = "morbid.get_stomp_factory"

#: Names under which a page may mean a service on this machine.
_LOOPBACK = ("localhost", "127.0.0.1", "::1")

#: How often somebody looks at the calendar for the certificate.
_DAY_SECONDS = 86400


class Server:
    """Listens, runs, drains."""

    def __init__(self, config: Config, reactor: Any) -> None:
        self._config = config
        self._reactor = reactor
        self._local_services: dict[tuple[str, int], IProtocolFactory] = {}
        self._comet = Comet(config, self._local_services, reactor)
        self._comet.pages.show_front()
        self._ports: list[tuple[Listener, IListeningPort]] = []
        self._factories: list[Any] = []
        self._certificates: Certificates | None = None
        self._calendar = LoopingCall(self._look_at_certificates)
        self._calendar.clock = reactor

    def listen(self) -> None:
        """Open every address of ``[listen]``.

        Raises:
            ConfigurationError: an address is taken, or something that it needs is missing.
        """
        _need_listeners(self._config)
        site = make_site(self._comet.pages, reactor=self._reactor)
        for listener in self._config.listen:
            factory = self._factory(listener, site)
            try:
                port = self._open(listener, factory)
            except CannotListenError as error:
                host = f"[{listener.host}]" if ":" in listener.host else listener.host
                where = f"{listener.scheme}://{host}:{listener.port}"
                reason = getattr(error.socketError, "strerror", None) or error.socketError
                raise ConfigurationError(
                    f"cannot listen on {where}: {reason}", None, listener.line or None
                ) from None
            self._ports.append((listener, port))
            actual: Any = port.getHost()
            host = f"[{actual.host}]" if ":" in actual.host else actual.host
            log.info("listening on %s://%s:%d", listener.scheme, host, actual.port)
        if self._certificates is not None:
            self._calendar.start(_DAY_SECONDS)

    @property
    def ports(self) -> list[tuple[Listener, IListeningPort]]:
        """What is listened on."""
        return list(self._ports)

    def _open(self, listener: Listener, factory: IProtocolFactory) -> IListeningPort:
        if listener.scheme == "https":
            if self._certificates is None:
                self._certificates = Certificates(self._config.ssl)
            return self._reactor.listenSSL(  # type: ignore[no-any-return]
                listener.port, factory, self._certificates, interface=listener.host
            )
        return self._reactor.listenTCP(  # type: ignore[no-any-return]
            listener.port, factory, backlog=1024, interface=listener.host
        )

    def _factory(self, listener: Listener, site: IProtocolFactory) -> IProtocolFactory:
        if listener.scheme in ("http", "https"):
            return site
        if listener.scheme in TEST_SERVERS:
            return make_factory(listener.scheme)
        if listener.scheme == "monitor":
            take = self._comet.system.counters
            return cast(IProtocolFactory, MonitorFactory(take, self._config.system.allow))
        factory = _broker(listener)
        # A page may mean this machine by any of its names; the access list still decides.
        names = _LOOPBACK if listener.host in ("", *_LOOPBACK) else ()
        for host in {listener.host, *names}:
            self._local_services[host, listener.port] = factory
        self._factories.append(factory)
        return cast(IProtocolFactory, factory)

    def reload_certificates(self) -> None:
        """Read the files of ``[ssl]`` anew, if there is an ``https://`` listener."""
        if self._certificates is not None:
            self._certificates.reload()

    def _look_at_certificates(self) -> None:
        assert self._certificates is not None
        self._certificates.look(datetime.now(UTC))

    def stop(self) -> Deferred[Any]:
        """Drain the sessions, then stop listening, then stop the brokers."""
        if self._calendar.running:
            self._calendar.stop()
        drained = self._comet.tcp.drain()
        drained.addBoth(self._stop_listening)
        drained.addBoth(self._stop_brokers)
        return drained

    def _stop_listening(self, _: Any) -> Deferred[Any]:
        return DeferredList([maybeDeferred(port.stopListening) for _, port in self._ports])

    def _stop_brokers(self, _: Any) -> Deferred[Any]:
        stops = [factory.shutdown for factory in self._factories if hasattr(factory, "shutdown")]
        return DeferredList([maybeDeferred(stop) for stop in stops], consumeErrors=True)


def _broker(listener: Listener) -> Any:
    """The broker of one ``stomp://`` line.

    Raises:
        ConfigurationError: it is not installed, or its own file is wrong.
    """
    try:
        make = namedAny(STOMP_FACTORY)
    except Exception as error:
        raise ConfigurationError(f"stomp:// needs {STOMP_FACTORY}: {error}") from None
    if listener.argument and not Path(listener.argument).is_file():
        raise ConfigurationError(
            f"[listen] stomp://: there is no file {listener.argument!r}", None, listener.line
        )
    try:
        return make(listener.argument or None)
    except Exception as error:  # the broker's own; this package knows nothing of it
        raise ConfigurationError(f"[listen] stomp://: {error}", None, listener.line) from None


def find_mistakes(config: Config) -> list[ConfigurationError]:
    """Look for what would keep a server from starting; nothing is opened."""
    attempts: list[Callable[[], object]] = [lambda: _need_listeners(config)]
    user, group = config.global_.user, config.global_.group
    if user or group:
        attempts.append(lambda: find_account(user or "root", group))
    if any(listener.scheme == "https" for listener in config.listen):
        attempts.append(lambda: _need_valid_certificate(config))
    for listener in config.listen:
        if listener.scheme == "stomp":
            attempts.append(partial(_broker, listener))
    attempts.append(lambda: Comet(config, {}, Clock()))
    mistakes = []
    for attempt in attempts:
        try:
            attempt()
        except ConfigurationError as error:
            mistakes.append(config.placed(error))
    return mistakes


def _need_valid_certificate(config: Config) -> None:
    """A server would start with one that has expired; no browser would come."""
    certificate = context_factory(config.ssl).certificate
    problem = validity_problem(certificate, datetime.now(UTC), timedelta())
    if problem is not None:
        raise ConfigurationError(f"[ssl] crt: {problem}")


def _need_listeners(config: Config) -> None:
    if not config.listen:
        raise ConfigurationError("[listen]: no address to listen on")
