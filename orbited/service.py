# mypy: allow-untyped-calls
"""Orbited as a part of another process, and as a service.

``embedded`` is what a site asks for that brings its own reactor and its own pages::

    comet = embedded({"access": ["* -> 127.0.0.1:61613"]}, {("127.0.0.1", 61613): broker})
    reactor.listenTCP(8000, comet.site(django, "/orbited/"))
    comet.service.setServiceParent(application)
"""

from collections.abc import Callable, Mapping
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IProtocolFactory
from twisted.web.resource import IResource

from orbited.bridges import Bridges
from orbited.cometsession import TCPResource
from orbited.config import from_mapping
from orbited.proxy import LocalServices, ProxyFactory
from orbited.settings import Config
from orbited.site import OTHER_BODY_BYTES, CometPages, make_site
from orbited.system.counters import Counters
from orbited.system.resource import SystemResponder

__all__ = ["Comet", "CometService", "EmbeddedComet", "embedded"]


class Comet:
    """Sessions, proxy and pages of one server, wired together."""

    def __init__(
        self, config: Config, local_services: LocalServices | None = None, reactor: Any = None
    ) -> None:
        if reactor is None:
            from twisted.internet import reactor
        self.config = config
        counters = Counters()
        factory = ProxyFactory(config, local_services, reactor, counters)
        self.tcp = TCPResource(factory, config, reactor, counters)
        self.system = SystemResponder(self.tcp, local_services)
        self.pages = CometPages(self.tcp, self.system, Bridges(factory, self.tcp))


class CometService(Service):
    """Runs with the process; stopping it drains the sessions."""

    name = "orbited"

    def __init__(self, tcp: TCPResource) -> None:
        self._tcp = tcp

    def stopService(self) -> Deferred[None]:
        """Twisted: the process is about to stop; keep listening until this has fired."""
        super().stopService()
        return self._tcp.drain()


class EmbeddedComet:
    """Comet inside somebody else's process."""

    def __init__(self, comet: Comet) -> None:
        self._comet = comet
        self.service = CometService(comet.tcp)

    def site(
        self,
        root: IResource,
        prefix: str = "/orbited/",
        *,
        max_body_bytes: int = OTHER_BODY_BYTES,
        refusal: Callable[[int, str], tuple[str, bytes]] | None = None,
    ) -> IProtocolFactory:
        """One factory to listen on: comet under ``prefix``, everything else goes to ``root``.

        Args:
            max_body_bytes: largest body of a request for ``root``; 413 beyond.
            refusal: status and sentence to content type and body, for a request of ``root``'s
                that is refused before ``root`` is asked; a line of text otherwise.
        """
        comet = self._comet
        factory: Any = make_site(
            comet.pages,
            root,
            prefix,
            max_body_bytes=max_body_bytes,
            refusal=refusal,
            reactor=comet.tcp.clock,
        )
        return factory  # type: ignore[no-any-return]

    def health(self) -> dict[str, Any]:
        """How the sessions fare."""
        return {**self._comet.system.health(), **self._comet.system.counters()}


def embedded(
    options: Mapping[str, Any] | None = None,
    local_services: LocalServices | None = None,
    reactor: Any = None,
) -> EmbeddedComet:
    """Make a comet server for a process that has its own reactor and its own site.

    Args:
        options: the words of ``orbited.cfg``, section to keys:
            ``{"access": ["* -> 127.0.0.1:61613"], "session": {"ping_interval": 30}}``.
        local_services: ``(host, port)`` to a factory that is reached without a socket.

    Raises:
        ConfigurationError: an option is not known, or has a value that makes no sense.
    """
    return EmbeddedComet(Comet(from_mapping(options or {}), local_services, reactor))
