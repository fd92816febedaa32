"""What is where: sessions, files, system pages; alone or under a prefix of another site."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from twisted.internet.interfaces import IReactorTime
from twisted.web.resource import IResource, Resource, getChildForRequest
from twisted.web.server import Request

from orbited.bridges import Bridges
from orbited.cometsession import TCPResource, cors_headers
from orbited.errors import ConfigurationError
from orbited.files import Files
from orbited.http import Exchange, Headers, Responder
from orbited.protocol.access import AccessList
from orbited.settings import Config
from orbited.system.resource import SystemResponder
from orbited.web import BoundedSite, WebResource

__all__ = ["CometPages", "PrefixResource", "make_site"]

STATIC_FOLDER = Path(__file__).parent / "static"

#: The largest body of a request that is not comet's, when nobody says otherwise.
OTHER_BODY_BYTES = 10 << 20

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
        self._static = Files(STATIC_FOLDER, self._static_headers)
        self._responders: dict[str, Responder] = {
            "static": self._static.respond,
            "system": system.respond,
        }
        if tcp.config.global_.proxy_enabled:
            self._responders["tcp"] = self._respond_tcp
            if tcp.config.websocket.enabled:
                self._responders |= {"ws": bridges.respond, "stomp": bridges.respond_stomp}
        for name, folder in tcp.config.static.items():
            self._mount(name, Path(folder))

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

    def _respond_tcp(self, exchange: Exchange) -> None:
        """Sessions, and the static tree once more for the page of htmlfile."""
        if exchange.path[:1] == ("static",):
            exchange.path = exchange.path[1:]
            self._static.respond(exchange)
        else:
            self.tcp.respond(exchange)

    def _static_headers(self, exchange: Exchange) -> Headers:
        headers = cors_headers(self.tcp.access, exchange.header("origin"))
        if exchange.path in BRIDGES:
            headers += bridge_headers(self.tcp.access)
        return headers

    def _mount(self, name: str, path: Path) -> None:
        if name in ("tcp", "static", "system", "ws", "stomp"):
            raise ConfigurationError(f"[static] {name}: this name is taken by Orbited itself")
        if not path.exists():
            raise ConfigurationError(f"[static] {name}: there is no file or folder {str(path)!r}")
        self._responders["" if name == "INDEX" else name] = Files(path).respond


class PrefixResource(Resource):
    """Comet under a prefix; everything else is ``root``'s, as if there were no prefix."""

    def __init__(self, prefix: str, pages: CometPages, root: IResource) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._segments = [part.encode() for part in prefix.split("/") if part]
        self._names = {name.encode() for name in pages.names}
        self._comet = web_resource(pages)
        self._root = root

    def getChildWithDefault(self, path: bytes, request: Request) -> IResource:
        """Twisted: find the resource."""
        prepath, postpath = cast(list[bytes], request.prepath), cast(list[bytes], request.postpath)
        segments = self._segments
        if segments and [path, *postpath[: len(segments) - 1]] == segments:
            prepath += postpath[: len(segments) - 1]
            del postpath[: len(segments) - 1]
            return self._comet
        postpath.insert(0, prepath.pop())
        if not segments and path in self._names:
            return self._comet
        return getChildForRequest(self._root, request)  # type: ignore[no-any-return,no-untyped-call]


def web_resource(pages: CometPages) -> WebResource:
    """The pages as a resource of twisted.web."""
    return WebResource(pages.respond, pages.tcp.config.http.trusted_proxies)


def make_site(
    resource: Any,
    config: Config,
    prefix: str = "/",
    *,
    max_body_bytes: int = OTHER_BODY_BYTES,
    reactor: IReactorTime | None = None,
) -> BoundedSite:
    """Make the factory to listen on.

    Args:
        resource: has the pages of comet under ``prefix``.
        max_body_bytes: for requests that are not comet's; those have their own limit.
    """
    comet = prefix.rstrip("/").encode() + b"/tcp/"

    def bound(path: bytes) -> int:
        return config.limits.post_bytes if path.startswith(comet) else max_body_bytes

    return BoundedSite(
        resource,
        max_body_bytes=bound,
        header_seconds=config.limits.header_seconds,
        keep_alive_seconds=config.limits.keep_alive_seconds,
        header_bytes=config.limits.header_bytes,
        has_access_log=config.http.access_log,
        redact=_redactor(comet),
        reactor=reactor,
    )


def _redactor(comet: bytes) -> Callable[[bytes], bytes]:
    """Take the key out of a path."""

    def redact(path: bytes) -> bytes:
        if not path.startswith(comet):
            return path
        key, slash, rest = path[len(comet) :].partition(b"/")
        return comet + (key if key == b"static" else b"...") + slash + rest

    return redact
