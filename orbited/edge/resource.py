# mypy: allow-untyped-calls
"""Requests for a site of twisted.web, as the root of a Django site is one.

twisted.web's ``Request`` is given what the edge has read, and answers through the channel that is
here: the same few methods that an HTTP/2 stream of Twisted has for it. So the site's own pages
have the edge's limits, and the request is not parsed twice.
"""

from collections.abc import Iterable
from typing import Any

from twisted.internet.interfaces import IPullProducer, IPushProducer
from twisted.python.failure import Failure
from twisted.web.http_headers import Headers
from twisted.web.resource import IResource
from twisted.web.server import Request, Site
from zope.interface import implementer

from orbited.edge.answer import STATUS_LINES
from orbited.edge.connection import EdgeConnection
from orbited.edge.head import Head

__all__ = ["ResourceSite"]

#: What twisted.web calls a status that it does not know, such as 429.
_UNKNOWN = b"Unknown Status"


class _Site(Site):
    """Knows the root; the edge has its own log, and the time-outs."""

    noisy = False

    def log(self, request: Any) -> None:
        """Twisted: a request is done."""


class ResourceSite:
    """Everything below one resource."""

    def __init__(self, root: IResource) -> None:
        self._site = _Site(root)
        self._site.displayTracebacks = False

    def begin(self, connection: EdgeConnection, head: Head) -> "_Channel":
        """Take a request."""
        return _Channel(self._site, connection, head)


@implementer(IPushProducer)
class _Puller:
    """Asks a producer that gives a piece each time it is asked, while pieces are wanted."""

    def __init__(self, producer: IPullProducer) -> None:
        self._producer = producer
        self._is_wanted = False

    def resumeProducing(self) -> None:
        """Twisted: the socket takes bytes."""
        self._is_wanted = True
        while self._is_wanted:
            self._producer.resumeProducing()

    def pauseProducing(self) -> None:
        """Twisted: the socket is full."""
        self._is_wanted = False

    def stopProducing(self) -> None:
        """Twisted: the browser is gone."""
        self._is_wanted = False
        self._producer.stopProducing()


class _Channel:
    """One request, and what it writes to."""

    def __init__(self, site: Site, connection: EdgeConnection, head: Head) -> None:
        self.site = self.factory = site
        self._connection: EdgeConnection | None = connection
        self._head = head
        transport: Any = connection.transport
        self.transport = transport
        self.status = 0
        self._puller: _Puller | None = None
        self._held_head = b""  # is written with the body, or with what of it there is first
        channel: Any = self
        request = Request(channel, parsePOSTFormSubmission=False)
        for name, value in head.items:
            request.requestHeaders.addRawHeader(name, value)
        request.gotLength(head.length)
        request.parseCookies()
        self._request: Any = request

    # -- the connection calls these -------------------------------------------------------------

    def receive_body(self, data: bytes) -> None:
        """A piece of the body came."""
        self._request.handleContentChunk(data)

    def complete(self) -> None:
        """The whole body is there."""
        version = b"HTTP/1.1" if self._head.is_http_1_1 else b"HTTP/1.0"
        self._request.requestReceived(self._head.method, self._head.target, version)

    def fail(self) -> None:
        """Something was raised that twisted.web did not catch."""
        self.loseConnection()

    def lose(self, reason: Failure) -> None:
        """The connection is gone."""
        self._connection = None
        self._held_head = b""
        self._request.connectionLost(reason)

    # -- the request calls these ----------------------------------------------------------------

    def getPeer(self) -> Any:
        """Address of the browser."""
        return self.transport.getPeer()

    def getHost(self) -> Any:
        """Address of this end."""
        connection = self._connection
        if connection is None:
            return self.transport.getHost()
        if connection.host is None:  # a system call
            connection.host = self.transport.getHost()
        return connection.host

    def isSecure(self) -> bool:
        """Whether this is TLS."""
        return self._connection is not None and self._connection.scheme == "https"

    def writeHeaders(
        self, version: bytes, code: bytes, reason: bytes, headers: Headers | Iterable[Any]
    ) -> None:
        """Send the head; together with the body, if that is all there, as its length says."""
        connection = self._connection
        if connection is None:
            return
        self.status = int(code)
        if reason == _UNKNOWN and self.status in STATUS_LINES:
            lines = [STATUS_LINES[self.status]]
        else:
            lines = [b"HTTP/1.1 %b %b\r\n" % (code, reason)]
        items = headers.getAllRawHeaders() if isinstance(headers, Headers) else headers
        is_whole = False
        for name, values in items:
            lowered = name.lower()
            is_whole |= lowered == b"content-length"
            if lowered == b"server":
                continue
            if lowered == b"connection":
                connection.keeps_alive &= all(b"close" not in value.lower() for value in values)
                continue
            lines += [b"%b: %b\r\n" % (name, value) for value in values]
        if not connection.keeps_alive:
            lines.append(b"Connection: close\r\n")
        lines.append(b"\r\n")
        head = b"".join(lines)
        if is_whole and self._puller is None:
            self._held_head = head
        else:
            self.transport.write(head)

    def write(self, data: bytes) -> None:
        """Send bytes of the body."""
        head = self._held_head
        if head and self._connection is not None:
            self._held_head = b""
            self._connection.write(head + data)
        else:
            self.transport.write(data)

    def writeSequence(self, data: Iterable[bytes]) -> None:
        """Send bytes of the body."""
        self._let_go()
        self.transport.writeSequence(data)

    def _let_go(self) -> None:
        """Send the head alone."""
        if self._held_head:
            self.write(b"")

    def requestDone(self, request: Any) -> None:
        """The answer is complete."""
        self._let_go()
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.answered(self)

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """Pace a producer by what the browser takes."""
        self._let_go()
        if self._connection is None:
            producer.stopProducing()
        elif streaming:
            self._connection.pace(producer)
        else:
            self._puller = _Puller(producer)
            self._connection.pace(self._puller)
            self._puller.resumeProducing()

    def unregisterProducer(self) -> None:
        """Forget the producer."""
        if self._puller is not None:
            self._puller.pauseProducing()
            self._puller = None
        if self._connection is not None:
            self._connection.pace(None)

    def loseConnection(self) -> None:
        """End the connection, whatever was sent."""
        self._let_go()
        if self._connection is not None:
            self._connection.close()

    def forceAbortClient(self) -> None:
        """Cut the connection."""
        if self._connection is not None:
            self._connection.abort()
