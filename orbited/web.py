# mypy: allow-untyped-calls
"""The edge over twisted.web: requests in, exchanges for sessions and transports out.

A head that comes in drops, and a body larger than allowed, end here. Nothing above knows
twisted.web; another edge may take its place.
"""

import logging
from collections.abc import Callable, Collection
from typing import Any, cast

from twisted.internet.interfaces import IPushProducer
from twisted.internet.protocol import Protocol
from twisted.python.failure import Failure
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request

from orbited.direct import direct_writer
from orbited.http import Exchange, Headers, Responder
from orbited.protocol.addresses import browser_address

__all__ = ["WebExchange", "WebResource"]

log = logging.getLogger(__name__)


class WebExchange(Exchange):
    """One request of twisted.web."""

    __slots__ = ("_is_chunked", "_is_over", "_request", "_write")

    def __init__(self, request: Request, trusted_proxies: Collection[str] = ()) -> None:
        self._request = request
        self.method = request.method.decode("latin-1")
        self.path = tuple(part.decode("latin-1") for part in request.postpath or ())
        self.address = getattr(request.getClientAddress(), "host", "")
        self.scheme = "https" if request.isSecure() else "http"
        if self.address in trusted_proxies:
            forwarded = self.header("x-forwarded-for") or ""
            self.address = browser_address(self.address, forwarded, trusted_proxies)
            proto = self.header("x-forwarded-proto")
            self.scheme = proto if proto in ("http", "https") else self.scheme
        self._is_over = False
        self._is_chunked = False
        self._write: Callable[[bytes], None] | None = None

    @property
    def body(self) -> bytes:
        """The whole body."""
        return cast(bytes, cast(Any, self._request.content).read())

    @property
    def target(self) -> str:
        """Path and query of the request line."""
        return self._request.uri.decode("latin-1")

    def argument(self, name: str) -> str | None:
        """The last value of that name in the query."""
        values = self._request.args.get(name.encode("latin-1"))
        return values[-1].decode("latin-1") if values else None

    def header(self, name: str) -> str | None:
        """The last header of that name."""
        value = self._request.getHeader(name.encode("latin-1"))
        return value.decode("latin-1") if value is not None else None

    def header_items(self) -> list[tuple[str, str]]:
        """All headers."""
        return [
            (name.decode("latin-1"), value.decode("latin-1"))
            for name, values in self._request.requestHeaders.getAllRawHeaders()
            for value in values
        ]

    def on_lost(self, callback: Callable[[], None]) -> None:
        """Call back if the connection goes away first."""

        def lost(_: Failure) -> None:
            self._is_over = True
            callback()

        self._request.notifyFinish().addErrback(lost)

    def start(self, status: int, headers: Headers, length: int | None = None) -> None:
        """Begin the answer."""
        request = self._request
        request.setResponseCode(status)
        for name, value in headers:
            request.setHeader(name, value)
        if length is not None:
            request.setHeader("Content-Length", str(length))

    def write(self, data: bytes) -> None:
        """Send bytes of the body."""
        if self._is_over:
            return
        if self._write is not None:
            if data:  # an empty chunk would end the answer
                self._write(b"%x\r\n%b\r\n" % (len(data), data) if self._is_chunked else data)
            return
        self._request.write(data)
        if self._request.channel is not None:
            # The head is out; from here on the body goes past twisted.web.
            self._is_chunked = bool(self._request.chunked)
            self._write = direct_writer(self._request.channel.transport)

    def finish(self) -> None:
        """End the answer."""
        if not self._is_over:
            self._is_over = True
            if cast(Any, self._request).channel is None:
                return  # the browser has gone, and nobody asked to be told
            if self._request.producer is not None:
                self._request.unregisterProducer()
            self._request.finish()

    def register_producer(self, producer: IPushProducer) -> None:
        """Pause ``producer`` while too much is unsent."""
        if not self._is_over:
            self._request.registerProducer(producer, True)

    def upgrade(self, response: bytes, protocol: Any) -> None:
        """Hand the connection over."""
        self._is_over = True
        _take_over(self._request, response, protocol)


def _take_over(request: Request, response: bytes, protocol: Protocol) -> None:
    """Give the connection of a request to another protocol.

    This is the one place that reaches into twisted.web; the way is that of Twisted's own
    WebSocket resource, which is not a public one.
    """
    channel: Any = request.channel
    transport = channel.transport
    channel.setTimeout(None)
    channel.requests.remove(request)
    transport.unregisterProducer()
    transport.write(response)
    channel._protocolUpgradeForWebsockets(protocol)
    # Bytes that came in one piece with the request are still on their way to the channel.
    channel.rawDataReceived = protocol.dataReceived
    transport.resumeProducing()


class WebResource(Resource):
    """A responder, mounted in a tree of twisted.web resources."""

    isLeaf = True

    def __init__(self, respond: Responder, trusted_proxies: Collection[str] = ()) -> None:
        super().__init__()
        self._respond = respond
        self._trusted_proxies = trusted_proxies

    def render(self, request: Request) -> int:
        """Twisted: answer a request, now or later."""
        exchange = WebExchange(request, self._trusted_proxies)
        request.responseHeaders.removeHeader(b"Server")
        try:
            self._respond(exchange)
        except Exception:
            log.exception("a request failed")
            if request.startedWriting:
                request.loseConnection()
            else:
                exchange.reply(500, "Something is wrong on this server.\n")
        return NOT_DONE_YET
