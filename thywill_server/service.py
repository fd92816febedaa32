"""A whole site in one process: Django in threads, comet and broker in the same reactor.

::

    listening port --> comet server --+-- /orbited/...  its own
                        (if any)      +-- the rest      SiteRoot --> static files, Django
    127.0.0.1:61613 --> broker  (if the push component brings one)

What starts, and in which order it stops again, is all that is decided here. Stopping takes its
time, within a bound: health says ``failed``, browsers are told to connect elsewhere, open requests
are answered, what is queued for the broker goes out, and then the process can end.
"""

from __future__ import annotations

import errno
import logging
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from twisted.application.service import Service
from twisted.internet.defer import Deferred, succeed
from twisted.internet.error import CannotListenError

from thywill_server import apps, reactor_bridge
from thywill_server.components import import_dotted
from thywill_server.errors import ConfigurationError, ThywillError
from thywill_server.site import (
    MAX_BODY_BYTES,
    MAX_OPEN_REQUESTS,
    DaemonThread,
    django_root,
    make_pool,
    make_site,
    refusal,
)

__all__ = ["ListenError", "SiteOptions", "SiteService", "install_reactor"]

log = logging.getLogger(__name__)

#: Telling the browsers comes first; what they still say, and what is queued, needs time after it.
COMET_SHARE_OF_DRAINING = 0.5


class ListenError(ThywillError):
    """A port cannot be listened on; the text says in one sentence why, and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteOptions:
    """How a site is served.

    Attributes:
        host: address to listen on.
        port: for HTTP; 0 for any free one.
        stomp_port: for the broker; None for the push component's own setting, 0 for a free one.
        threads: Django's.
        max_body_bytes: the largest body of a request.
        max_open_requests: how many may wait for Django; one more gets 503.
        drain_seconds: how long stopping may take.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    stomp_port: int | None = None
    threads: int = 10
    max_body_bytes: int = MAX_BODY_BYTES
    max_open_requests: int = MAX_OPEN_REQUESTS
    drain_seconds: float = 10.0


class SiteService(Service):
    """Everything of a one-process site.

    Args:
        options: how to serve.
        reactor: runs everything; the caller runs it, after `startService`.

    Attributes:
        port: for HTTP, once it listens.
        stomp_address: of the broker that was started here, or None.
    """

    name = "thywill"

    def __init__(self, options: SiteOptions, reactor: Any) -> None:
        self._options = options
        self._reactor = reactor
        self._listening: list[Any] = []
        self._comet: Any = None
        self._broker: Any = None
        self._pool = make_pool(options.threads)
        self._root = django_root(reactor, self._pool, options.max_open_requests)
        self._deadline = 0.0
        self._stopped: Deferred[None] | None = None
        self.port = 0
        self.stomp_address: tuple[str, int] | None = None

    @property
    def url(self) -> str:
        """The address of the site, for a person to click on."""
        host = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(  # noqa: S104 - read only
            self._options.host, self._options.host
        )
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    def startService(self) -> None:
        """Listen, and start the components; Django is set up already.

        Raises:
            ListenError: a port is in use, not allowed, or the address is not this machine's.
            ConfigurationError: what the settings name for this cannot be started.
        """
        reactor_bridge.adopt(self._reactor)
        push = apps.components().push
        embedding = push.embedding() if hasattr(push, "embedding") else None
        if embedding is None:
            factory: Any = make_site(self._reactor, self._root, self._options.max_body_bytes)
        else:
            factory = self._embed(push, embedding)
        self.port = self._listen(self._options.host, self._options.port, factory, "--port")
        if self._comet is not None:
            self._comet.service.startService()
        self._pool.start()
        apps.start_serving()
        super().startService()  # type: ignore[no-untyped-call]

    def stopService(self) -> Deferred[None]:
        """End everything in good order, within ``drain_seconds``."""
        if self._stopped is None:
            self._stopped = Deferred.fromCoroutine(self._stop())
        waiting: Deferred[None] = Deferred()
        self._stopped.chainDeferred(waiting)
        return waiting

    # Starting.

    def _embed(self, push: Any, embedding: Any) -> Any:
        """Start what the push component wants beside Django; gives the factory to listen with."""
        host, port = embedding.stomp_host, embedding.stomp_port
        local_services = {}
        if embedding.broker:
            if push.settings.get("stomp_login"):
                raise ConfigurationError(
                    f"{push.setting_name('stomp_login')}: the broker of a one-process site knows "
                    'tickets only; set "broker" to "" to use the one at stomp_host'
                )
            make_broker = _import(push, "broker", embedding.broker)
            self._broker = make_broker(embedding.broker_options)
            if self._options.stomp_port is not None:
                port = self._options.stomp_port
            port = self._listen(host, port, self._broker, "--stomp-port")
            local_services[host, port] = self._broker
            self.stomp_address = (host, port)
        options = self._comet_options(f"{host}:{port}", embedding.comet_options)
        self._comet = _import(push, "comet", embedding.comet)(options, local_services)
        push.use_embedded(port, self._comet.health)
        return self._comet.site(
            self._root,
            embedding.url,
            max_body_bytes=self._options.max_body_bytes,
            refusal=refusal,
        )

    def _comet_options(self, broker: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """What the site decides for the comet server, where its own settings say nothing."""
        drain_seconds = self._options.drain_seconds * COMET_SHARE_OF_DRAINING
        return {
            "access": [f"* -> {broker}"],
            **given,
            "http": {"hosts": settings.ALLOWED_HOSTS, **given.get("http", {})},
            "limits": {"drain_seconds": drain_seconds, **given.get("limits", {})},
        }

    def _listen(self, host: str, port: int, factory: Any, option: str) -> int:
        factory.noisy = False
        try:
            listening = self._reactor.listenTCP(port, factory, interface=host)
        except CannotListenError as error:
            raise ListenError(_why(host, port, option, error.socketError)) from error
        self._listening.append(listening)
        number: int = listening.getHost().port
        return number

    # Stopping.

    async def _stop(self) -> None:
        self._deadline = self._reactor.seconds() + self._options.drain_seconds
        log.info("stopping: %d requests are open", self._root.requests_open)
        push = apps.components().push
        # From now on it is not ready; a component that cannot say so ends here, and with it what
        # waits in Django's threads.
        getattr(push, "drain", push.stop)()
        if self._comet is not None:
            await self._within("telling the browsers", self._comet.service.stopService())
        for listening in self._listening:
            await self._within("closing the port", listening.stopListening())
        idle: Deferred[None] = Deferred()
        self._root.call_when_idle(lambda: idle.callback(None))
        await self._within("answering open requests", idle)
        for stopping in apps.stop_components():
            await self._within("sending what is queued", stopping)
        if self._broker is not None and hasattr(self._broker, "shutdown"):
            await self._within("stopping the broker", self._broker.shutdown())
        await self._within("ending Django's threads", self._end_threads())
        if self.running:
            super().stopService()  # type: ignore[no-untyped-call]

    def _within(self, what: str, step: Any) -> Deferred[None]:
        """Wait for a step until the time is over; whatever becomes of it, the next one follows."""
        done: Deferred[None] = Deferred()
        if not isinstance(step, Deferred):
            return succeed(None)

        def late() -> None:
            log.warning("%s takes too long; going on without", what)
            done.callback(None)

        timer = self._reactor.callLater(max(0.0, self._deadline - self._reactor.seconds()), late)

        def finished(outcome: object) -> None:
            if timer.active():
                timer.cancel()
                done.callback(None)

        def failed(failure: Any) -> None:
            log.error("%s failed: %s", what, failure.getErrorMessage())

        step.addErrback(failed).addBoth(finished)
        return done

    def _end_threads(self) -> Deferred[None]:
        """Stop the pool, waiting for its threads in another: they may still need the reactor."""
        ended: Deferred[None] = Deferred()

        def join() -> None:
            self._pool.stop()
            self._reactor.callFromThread(ended.callback, None)

        if self._pool.started:
            DaemonThread(target=join, name="django-end").start()
        else:
            ended.callback(None)
        return ended


def _why(host: str, port: int, option: str, error: Any) -> str:
    number = getattr(error, "errno", None)
    if number == errno.EADDRINUSE:
        return f"Port {port} on {host} is in use: stop what uses it, or choose another by {option}."
    if number == errno.EACCES:
        return f"Port {port} is not open to this account: choose one from 1024 on by {option}."
    if number == errno.EADDRNOTAVAIL or isinstance(error, socket.gaierror):
        return f'"{host}" is not an address of this machine: 127.0.0.1 is, or 0.0.0.0 for all.'
    return f"Port {port} on {host} cannot be listened on: {error}."


def install_reactor(push: Any) -> None:
    """Install the reactor that a push component wants for a one-process site, before it is used.

    Raises:
        ConfigurationError: what the settings name for this cannot be imported.
    """
    embedding = push.embedding() if hasattr(push, "embedding") else None
    if embedding is not None and embedding.reactor:
        _import(push, "reactor", embedding.reactor)()


def _import(push: Any, setting: str, path: str) -> Callable[..., Any]:
    try:
        found: Callable[..., Any] = import_dotted(path)
    except ConfigurationError as error:
        raise ConfigurationError(f"{push.setting_name(setting)}: {error}") from error
    return found
