"""What a one-process site answers by HTTP: static files in the reactor, Django in threads.

::

    browser --> Site --> SiteRoot --+-- /static/...    StaticFiles
                                    +-- anything else  DjangoResource --> a thread --> Django

A request's body is bounded before it is kept anywhere: by what ``Content-Length`` announces, and by
what arrives when nothing is announced. Beyond the bound the answer is 413, in thywill's JSON.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

from twisted.internet.interfaces import IDelayedCall
from twisted.python.failure import Failure
from twisted.python.threadpool import ThreadPool
from twisted.web.http import Request as HTTPRequest
from twisted.web.resource import Resource
from twisted.web.server import Request, Site

from thywill_server.django_resource import DjangoResource
from thywill_server.errors import CODES
from thywill_server.static_files import StaticFiles, django_static_files

__all__ = [
    "Body",
    "BoundedRequest",
    "SiteRoot",
    "bounded_requests",
    "django_root",
    "make_pool",
    "make_site",
    "refusal",
    "with_bodies",
]

log = logging.getLogger(__name__)
access_log = logging.getLogger("thywill_server.access")

MAX_BODY_BYTES = 16 * 1024 * 1024
"""The largest request body by default. Django's own limits are smaller and are applied after it."""

MAX_OPEN_REQUESTS = 1000
"""Requests that wait for one of Django's threads, or are in one; one more gets 503 at once."""

IDLE_SECONDS = 60.0
"""A connection that asks nothing for so long is closed."""

LINGER_SECONDS = 2.0
LINGER_BYTES = 4 * 1024 * 1024
"""How much of a refused body is still read, so that the browser gets to see the answer: closing
a connection with unread bytes makes the kernel reset it, answer and all."""


def refusal(status: int, sentence: str) -> tuple[str, bytes]:
    """Give content type and body for a request that is refused before Django sees it.

    Args:
        status: 413 has a code of thywill's, and is told in its JSON.
        sentence: tells the others, as text.
    """
    if status != CODES["message-too-large"].status:
        return "text/plain; charset=utf-8", f"{sentence}\n".encode()
    code = CODES["message-too-large"]
    fields = {"status": "error", "code": code.name, "message": code.sentence}
    return "application/json", json.dumps(fields).encode()


class BoundedRequest(Request):
    """A request that refuses a body beyond `max_body_bytes` instead of keeping it."""

    max_body_bytes = MAX_BODY_BYTES
    channel: Any
    content: Any
    _received_bytes = 0
    _is_refused = False
    _linger: IDelayedCall | None = None

    def gotLength(self, length: int | None) -> None:
        """Refuse what is announced to be too large; called when the headers have come."""
        is_too_large = length is not None and length > self.max_body_bytes
        super().gotLength(0 if is_too_large else length)  # type: ignore[no-untyped-call]
        if is_too_large:
            self._refuse()

    def handleContentChunk(self, data: bytes) -> None:
        """Keep a part of the body, or read over it."""
        self._received_bytes += len(data)
        if self._is_refused:
            if self._received_bytes > self.max_body_bytes + LINGER_BYTES:
                self._close()
        elif self._received_bytes > self.max_body_bytes:
            self._refuse()
        else:
            super().handleContentChunk(data)  # type: ignore[no-untyped-call]

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:
        """Go on to the resource, unless the answer was given already."""
        if self._is_refused:
            self._close()
        else:
            super().requestReceived(command, path, version)  # type: ignore[no-untyped-call]

    def connectionLost(self, reason: Failure) -> None:
        """Forget the time-out of a refusal."""
        if self._linger is not None and self._linger.active():
            self._linger.cancel()
        super().connectionLost(reason)  # type: ignore[no-untyped-call]

    def _refuse(self) -> None:
        self._is_refused = True
        log.warning("a body of more than %d bytes is refused", self.max_body_bytes)
        content_type, body = refusal(413, "")
        self.channel.transport.write(
            b"HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nCache-Control: no-store\r\n"
            b"Content-Type: %s\r\nContent-Length: %d\r\n\r\n%s"
            % (content_type.encode(), len(body), body)
        )
        self._linger = self.channel.callLater(LINGER_SECONDS, self._close)

    def _close(self) -> None:
        if self.channel is not None:
            self.channel.loseConnection()


def bounded_requests(max_body_bytes: int) -> type[BoundedRequest]:
    """Give a request class with this bound, for a ``requestFactory``."""
    return type("BoundedRequest", (BoundedRequest,), {"max_body_bytes": max_body_bytes})


class SiteRoot(Resource):
    """Static files under their address, Django everywhere else; counts and logs every request.

    Args:
        wsgi: Django, as a resource.
        static_files: answers below `static_prefix`.
        static_prefix: such as ``/static/``; None when another server has the static files.
        max_open_requests: beyond it Django is not asked, and the answer is 503.
        clock: seconds, for the time in the access log.
    """

    isLeaf = True

    def __init__(
        self,
        wsgi: Resource,
        static_files: StaticFiles | None = None,
        static_prefix: str | None = None,
        max_open_requests: int = MAX_OPEN_REQUESTS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._wsgi = wsgi
        self._static_files = static_files
        self._static_prefix = (static_prefix or "").encode()
        self._max_open_requests = max_open_requests
        self._clock = clock
        self._when_idle: list[Callable[[], None]] = []
        self.requests_open = 0
        """Requests that are not answered yet."""

    def render(self, request: Request) -> Any:
        """Answer one request."""
        self._follow(request)
        if not request.path.startswith(b"/"):
            return _text(request, 400, b"Only paths of this site are served here.\n")
        if self._static_prefix and request.path.startswith(self._static_prefix):
            assert self._static_files is not None
            return self._static_files.serve(request, request.path[len(self._static_prefix) :])
        if self.requests_open > self._max_open_requests:
            request.responseHeaders.setRawHeaders("retry-after", ["1"])
            return _text(request, 503, b"Too many requests are waiting; try again.\n")
        self._prepare_for_django(request)
        return self._wsgi.render(request)  # type: ignore[no-untyped-call]

    def call_when_idle(self, callback: Callable[[], None]) -> None:
        """Call back once no request is open any more; at once when none is."""
        if self.requests_open:
            self._when_idle.append(callback)
        else:
            callback()

    def _prepare_for_django(self, request: Request) -> None:
        headers = request.requestHeaders
        for name, _ in list(headers.getAllRawHeaders()):
            # WSGI would read X_Forwarded_For as X-Forwarded-For, behind the back of a proxy that
            # sets the one and lets the other through.
            if b"_" in name:
                headers.removeHeader(name)
        if not headers.hasHeader("content-length"):
            # The length of a chunked body is known by now, and without one WSGI reads nothing.
            content: Any = request.content
            length = content.seek(0, 2)
            content.seek(0)
            if length:
                headers.setRawHeaders("content-length", [str(length)])
        request.prepath = []
        request.postpath = [unquote_to_bytes(part) for part in request.path[1:].split(b"/")]

    def _follow(self, request: Request) -> None:
        started_at = self._clock()
        peer = request.getClientAddress().host  # type: ignore[no-untyped-call]
        self.requests_open += 1

        def over(reason: Failure | None) -> None:
            self.requests_open -= 1
            access_log.info(
                "%s %s %s %s %d bytes %.1f ms",
                peer,
                _printable(request.method),
                _printable(request.path),
                request.code if reason is None or _is_complete(request) else "lost",
                request.sentLength,
                (self._clock() - started_at) * 1000,
            )
            if not self.requests_open:
                waiting, self._when_idle = self._when_idle, []
                for callback in waiting:
                    callback()

        request.notifyFinish().addBoth(over)


def _text(request: Request, status: int, body: bytes) -> bytes:
    request.setResponseCode(status)
    headers = request.responseHeaders
    headers.setRawHeaders("cache-control", ["no-store"])
    headers.setRawHeaders("content-type", ["text/plain; charset=utf-8"])
    return body


def _is_complete(request: Request) -> bool:
    """Tell whether all was sent: a browser that has it may go before the thread is done."""
    announced = request.responseHeaders.getRawHeaders("content-length")
    return announced is not None and announced[0] == str(request.sentLength)


def _printable(text: bytes) -> str:
    """Give a part of the request line for a log: nothing in it can start a new line."""
    return ascii(text.decode("latin-1"))[1:-1]


class DaemonThread(threading.Thread):
    """A thread that the process does not wait for."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(daemon=True, **arguments)


def make_pool(threads: int) -> ThreadPool:
    """Give a pool for Django; its threads do not keep a process alive that wants to end."""
    pool = ThreadPool(minthreads=0, maxthreads=threads, name="django")
    pool.threadFactory = DaemonThread  # type: ignore[assignment]
    return pool


class Body:
    """What WSGI reads of a request, whose browser may be gone before a thread was free.

    Twisted closes the body then, and a closed file raises ValueError. An OSError is what Django
    takes for a connection that broke: a refusal in words, and no traceback in the log.
    """

    def __init__(self, file: Any) -> None:
        self._file = file

    def read(self, *size: int) -> bytes:
        """Read so many bytes, or all."""
        return self._do("read", *size)  # type: ignore[no-any-return]

    def readline(self, *size: int) -> bytes:
        """Read one line."""
        return self._do("readline", *size)  # type: ignore[no-any-return]

    def readlines(self, *hint: int) -> list[bytes]:
        """Read the lines."""
        return self._do("readlines", *hint)  # type: ignore[no-any-return]

    def __iter__(self) -> Iterator[bytes]:
        """Give the lines."""
        return iter(self.readlines())

    def _do(self, name: str, *arguments: int) -> Any:
        try:
            return getattr(self._file, name)(*(each for each in arguments if each is not None))
        except ValueError as error:
            raise OSError("the browser has gone, and its request with it") from error


def with_bodies(application: Callable[..., Any]) -> Callable[..., Any]:
    """Give a WSGI application that reads a `Body`."""

    def answer(environ: dict[str, Any], start_response: Any) -> Any:
        environ["wsgi.input"] = Body(environ["wsgi.input"])
        return application(environ, start_response)

    return answer


def django_root(
    reactor: Any, pool: ThreadPool, max_open_requests: int = MAX_OPEN_REQUESTS
) -> SiteRoot:
    """Give the root resource of this Django site; Django is set up already.

    Django's own signals around each request close the thread's database connections when their
    time is over, as under any WSGI server.
    """
    from django.conf import settings
    from django.core.handlers.wsgi import WSGIHandler

    application = with_bodies(WSGIHandler())
    wsgi = DjangoResource(reactor, pool, application)
    address = urlsplit(settings.STATIC_URL or "")
    if address.netloc or not address.path.startswith("/") or address.path == "/":
        return SiteRoot(wsgi, max_open_requests=max_open_requests)
    return SiteRoot(wsgi, django_static_files(), address.path, max_open_requests)


class QuietSite(Site):
    """A factory without an access log of its own, which would hold query strings."""

    noisy = False

    def log(self, request: HTTPRequest) -> None:
        """Leave the access log to `SiteRoot`."""


def make_site(reactor: Any, root: SiteRoot, max_body_bytes: int = MAX_BODY_BYTES) -> Site:
    """Give the factory of a site that has nothing but its root."""
    return QuietSite(  # type: ignore[no-untyped-call]
        root,
        requestFactory=bounded_requests(max_body_bytes),
        parsePOSTFormSubmission=False,  # Django does it, with bounds
        timeout=IDLE_SECONDS,
        reactor=reactor,
    )
