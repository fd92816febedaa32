"""What is where: sessions, files, system pages; alone or under a prefix of another site."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from twisted.internet.interfaces import IReactorTime

from orbited.bridges import Bridges
from orbited.cometsession import TCPResource, cors_headers
from orbited.edge.connection import EdgeConnection
from orbited.edge.exchange import EdgeExchange
from orbited.edge.factory import EdgeFactory, Refusal, plain_refusal
from orbited.edge.head import Head
from orbited.edge.incoming import Incoming
from orbited.errors import ConfigurationError, RequestError
from orbited.files import Files
from orbited.http import Exchange, Headers, Responder
from orbited.protocol.access import AccessList
from orbited.system.front import FrontPage
from orbited.system.resource import SystemResponder

if TYPE_CHECKING:
    from twisted.web.resource import IResource

    from orbited.edge.resource import ResourceSite

__all__ = ["CometPages", "Router", "make_site"]

STATIC_FOLDER = Path(__file__).parent / "static"

#: The largest body of a request that is not comet's, when nobody says otherwise.
OTHER_BODY_BYTES = 10 << 20

#: The folder of the static tree's copy for a page that has to load its modules anew.
AGAIN = re.compile(r"again-[0-9]{1,9}")

#: Hidden frames of pages of 2010 on another port or subdomain; see ``static/xsdrBridge.js``.
BRIDGES = {("xsdrBridge.html",), ("xsdClose.html",)}


def bridge_headers(access: AccessList) -> list[tuple[str, str]]:
    """What a bridge needs, and what keeps it from everybody who is not in the access list.

    A page that embeds it is of our origin from then on. Without the first header a browser of
    today ignores ``document.domain``, which the bridge lives on.
    """
    embedders = " ".join(["'self'", *access.origins])
    policy = (
        f"default-src 'none'; script-src 'self'; connect-src 'self'; frame-ancestors {embedders}"
    )
    return [("Origin-Agent-Cluster", "?0"), ("Content-Security-Policy", policy)]


class CometPages:
    """Sends each request to who answers it.

    Raises:
        ConfigurationError: ``[static]`` names what is not there, or takes a name of ours.
    """

    def __init__(self, tcp: TCPResource, system: SystemResponder, bridges: Bridges) -> None:
        self.tcp = tcp
        self._admission = system.admission
        self._static = Files(STATIC_FOLDER, self._static_headers)
        self._responders: dict[str, Responder] = {
            "static": self._respond_static,
            "system": system.respond,
        }
        if tcp.config.global_.proxy_enabled:
            self._responders["tcp"] = self._respond_tcp
            if tcp.config.websocket.enabled:
                self._responders |= {"ws": bridges.respond, "stomp": bridges.respond_stomp}
        for name, folder in tcp.config.static.items():
            self._mount(name, Path(folder))

    def show_front(self) -> None:
        """Have a page at ``/``, unless ``[static] INDEX`` names one; for a server alone."""
        front = FrontPage(self.tcp.config, self._admission)
        self._responders.setdefault("", front.respond)

    @property
    def names(self) -> frozenset[str]:
        """The first segments that are ours."""
        return frozenset(self._responders)

    def respond(self, exchange: Exchange) -> None:
        """Answer a request; ``exchange.path`` is what follows the mount."""
        name, *rest = exchange.path or ("",)
        responder = self._responders.get(name)
        if responder is None:
            exchange.reply(404, "There is nothing here.\n")
        else:
            exchange.path = tuple(rest)
            responder(exchange)

    def _respond_static(self, exchange: Exchange) -> None:
        """The static tree, at ``static/again-2/`` and the like once more.

        A browser may remember for a page's life that a module could not be loaded. A page that
        tries again does it there, where also what the modules import has addresses not asked yet.
        """
        if exchange.path and AGAIN.fullmatch(exchange.path[0]):
            exchange.path = exchange.path[1:]
        self._static.respond(exchange)

    def _respond_tcp(self, exchange: Exchange) -> None:
        """Sessions, and the static tree once more for the page of htmlfile."""
        if exchange.path[:1] == ("static",):
            exchange.path = exchange.path[1:]
            self._respond_static(exchange)
        else:
            self.tcp.respond(exchange)

    def _static_headers(self, exchange: Exchange) -> Headers:
        headers = cors_headers(self.tcp.access, exchange.header("origin"))
        if exchange.path in BRIDGES:
            return [*headers, *bridge_headers(self.tcp.access)]
        return headers

    def _mount(self, name: str, path: Path) -> None:
        if name in ("tcp", "static", "system", "ws", "stomp"):
            raise ConfigurationError(f"[static] {name}: this name is taken by Orbited itself")
        if not path.exists():
            raise ConfigurationError(f"[static] {name}: there is no file or folder {str(path)!r}")
        self._responders["" if name == "INDEX" else name] = Files(path).respond


class Router:
    """Comet under a prefix; everything else is ``root``'s, as if there were no prefix.

    Args:
        root: answers what is not comet's; without one that is not found.
    """

    def __init__(self, prefix: str, pages: CometPages, root: "ResourceSite | None" = None) -> None:
        self._prefix = _with_slashes(prefix)
        self._first = self._prefix.count(b"/") - 1
        self._pages = pages
        self._names = pages.names
        self._has_sessions = "tcp" in pages.names
        self._respond_tcp = pages.tcp.respond  # one object, and not one for each request
        self._root = root

    def begin(self, connection: EdgeConnection, head: Head) -> Incoming:
        """Find who answers a request."""
        root = self._root
        if self._first and root is not None and not self._is_below(head.path):
            return root.begin(connection, head)
        path = head.segments()
        if self._first:
            path = path[self._first :]
        elif root is not None and path[0] not in self._names:
            return root.begin(connection, head)
        if len(path) > 1 and path[0] == "tcp" and path[1] != "static" and self._has_sessions:
            return EdgeExchange(connection, head, tuple(path[1:]), self._respond_tcp)
        return EdgeExchange(connection, head, tuple(path), self._pages.respond)

    def _is_below(self, path: bytes) -> bool:
        return path.startswith(self._prefix) or path == self._prefix[:-1]


def _with_slashes(prefix: str) -> bytes:
    """A prefix as paths have it, however it was written: ``/``, ``/orbited/``."""
    inner = prefix.strip("/")
    return f"/{inner}/".encode() if inner else b"/"


def make_site(
    pages: CometPages,
    root: "IResource | None" = None,
    prefix: str = "/",
    *,
    max_body_bytes: int = OTHER_BODY_BYTES,
    refusal: Callable[[int, str], Refusal] | None = None,
    reactor: IReactorTime,
) -> EdgeFactory:
    """Make the factory to listen on.

    Args:
        pages: stand under ``prefix``.
        root: has everything else.
        max_body_bytes: for requests that are not comet's; those have their own limit.
        refusal: status and sentence to content type and body, for what is refused of ``root``'s.
    """
    config = pages.tcp.config
    comet = _with_slashes(prefix)
    sessions = comet + b"tcp/"
    site = None
    if root is not None:
        from orbited.edge import resource  # which needs twisted.web

        site = resource.ResourceSite(root)

    def bound(path: bytes) -> int:
        return config.limits.post_bytes if path.startswith(sessions) else max_body_bytes

    def refuse(error: RequestError, path: bytes | None) -> Refusal:
        if refusal is None or path is None or path.startswith(comet if comet != b"/" else sessions):
            return plain_refusal(error, path)
        return refusal(error.status, error.sentence)

    return EdgeFactory(
        Router(prefix, pages, site).begin,
        config.limits,
        reactor,
        max_body_bytes=bound,
        refusal=refuse,
        trusted_proxies=config.http.trusted_proxies,
        has_access_log=config.http.access_log,
        redact=_redactor(sessions),
    )


def _redactor(comet: bytes) -> Callable[[bytes], bytes]:
    """Take the key out of a path."""

    def redact(path: bytes) -> bytes:
        if not path.startswith(comet):
            return path
        key, slash, rest = path[len(comet) :].partition(b"/")
        return comet + (key if key == b"static" else b"...") + slash + rest

    return redact
