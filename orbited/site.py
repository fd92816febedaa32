# mypy: allow-untyped-calls
"""The tree of resources: ``/tcp``, ``/static``, ``/system``, and what is mounted beside them."""

from pathlib import Path
from typing import Any, cast

from twisted.internet.interfaces import IReactorTime
from twisted.web.resource import IResource, Resource, getChildForRequest
from twisted.web.server import Request
from twisted.web.static import File

from orbited.cometsession import TCPResource, cors_headers
from orbited.errors import ConfigurationError
from orbited.protocol.access import AccessList
from orbited.system.resource import SystemResponder
from orbited.web import BoundedSite, WebResource

__all__ = ["PrefixResource", "StaticResource", "comet_root", "make_site"]

STATIC_FOLDER = Path(__file__).parent / "static"

#: The largest body of a request that is not comet's, when nobody says otherwise.
OTHER_BODY_BYTES = 10 << 20

#: Names that comet has in its tree; ``[static]`` may not take them.
RESERVED_NAMES = ("tcp", "static", "system")


class StaticResource(File):
    """Files without listings; for the browser half with CORS for the listed origins."""

    contentTypes = {**File.contentTypes, ".js": "text/javascript", ".mjs": "text/javascript"}
    access: AccessList | None = None

    def directoryListing(self) -> Any:
        """Twisted: what a folder shows."""
        return self.childNotFound

    def createSimilarFile(self, path: str) -> "StaticResource":
        """Twisted: a child."""
        similar: StaticResource = super().createSimilarFile(path)
        similar.access = self.access
        return similar

    def render_GET(self, request: Request) -> Any:
        """Twisted: send the file."""
        request.setHeader("X-Content-Type-Options", "nosniff")
        request.setHeader("Cache-Control", "no-cache")
        if self.access is not None:
            origin = request.getHeader("origin")
            for name, value in cors_headers(self.access, origin):
                request.setHeader(name, value)
        if self.basename() == "xsdrBridge.html":
            # Without it current browsers ignore document.domain, which this page lives on.
            request.setHeader("Origin-Agent-Cluster", "?0")
        return super().render_GET(request)

    def render_HEAD(self, request: Request) -> Any:
        """Twisted: as GET, without the body."""
        return self.render_GET(request)


class _TcpRoot(Resource):
    """``/tcp``: sessions, and the static tree again for the page of htmlfile."""

    def __init__(self, tcp: WebResource, static: Resource) -> None:
        super().__init__()
        self._tcp = tcp
        self.putChild(b"static", static)

    def getChild(self, path: bytes, request: Request) -> Resource:
        """Twisted: everything but ``static`` is the sessions' own."""
        return _put_back(path, request, self._tcp)

    def render(self, request: Request) -> int:
        """Twisted: ``/tcp`` itself."""
        return self._tcp.render(request)


class _CometRoot(Resource):
    """The top of comet's tree; what is not in it is not found, in plain text."""

    def getChild(self, path: bytes, request: Request) -> Resource:
        """Twisted: nothing of that name."""
        return WebResource(lambda exchange: exchange.reply(404, "There is nothing here.\n"))


class PrefixResource(Resource):
    """Comet under a prefix; everything else is ``root``'s, as if there were no prefix."""

    def __init__(self, prefix: str, comet: Resource, root: IResource) -> None:
        super().__init__()
        self._segments = [part.encode() for part in prefix.strip("/").split("/") if part]
        self._comet = comet
        self._root = root

    def getChildWithDefault(self, path: bytes, request: Request) -> IResource:
        """Twisted: find the resource."""
        if not self._segments and path in self._comet.children:
            return self._comet.children[path]  # type: ignore[no-any-return]
        prepath, postpath = cast(list[bytes], request.prepath), cast(list[bytes], request.postpath)
        more = len(self._segments) - 1
        if self._segments and [path, *postpath[:more]] == self._segments:
            prepath += postpath[:more]
            del postpath[:more]
            return self._comet
        postpath.insert(0, prepath.pop())
        return getChildForRequest(self._root, request)  # type: ignore[no-any-return]


def _put_back(path: bytes, request: Request, leaf: Resource) -> Resource:
    """Let a leaf see the segment that the traversal has just taken."""
    cast(list[bytes], request.prepath).pop()
    cast(list[bytes], request.postpath).insert(0, path)
    return leaf


def comet_root(tcp: TCPResource, system: SystemResponder) -> Resource:
    """Everything of comet: ``tcp``, ``static``, ``system``, and the configured folders."""
    config = tcp.config
    proxies = config.http.trusted_proxies
    root = _CometRoot()
    static = StaticResource(str(STATIC_FOLDER))
    static.access = tcp.access
    root.putChild(b"static", static)
    root.putChild(b"system", WebResource(system.respond, proxies))
    if config.global_.proxy_enabled:
        root.putChild(b"tcp", _TcpRoot(WebResource(tcp.respond, proxies), static))
    for name, path in config.static.items():
        if name in RESERVED_NAMES:
            raise ConfigurationError(f"[static] {name}: this name is taken by Orbited itself")
        if not Path(path).exists():
            raise ConfigurationError(f"[static] {name}: there is no file or folder {path!r}")
        root.putChild(b"" if name == "INDEX" else name.encode(), StaticResource(path))
    return root


def make_site(
    root: Resource,
    tcp: TCPResource,
    prefix: str = "/",
    *,
    max_body_bytes: int = OTHER_BODY_BYTES,
    reactor: IReactorTime | None = None,
) -> BoundedSite:
    """Make the factory to listen on.

    Args:
        root: with comet under ``prefix`` somewhere in it.
        max_body_bytes: for requests that are not comet's; those have their own limit.
    """
    limits, http = tcp.config.limits, tcp.config.http
    comet = prefix.rstrip("/").encode() + b"/tcp/"

    def bound(path: bytes) -> int:
        return limits.post_bytes if path.startswith(comet) else max_body_bytes

    def redact(path: bytes) -> bytes:
        if not path.startswith(comet):
            return path
        key, slash, rest = path[len(comet) :].partition(b"/")
        return comet + (b"static" if key == b"static" else b"...") + slash + rest

    return BoundedSite(
        root,
        max_body_bytes=bound,
        header_seconds=limits.header_seconds,
        keep_alive_seconds=limits.keep_alive_seconds,
        header_bytes=limits.header_bytes,
        has_access_log=http.access_log,
        redact=redact,
        reactor=reactor,
    )
