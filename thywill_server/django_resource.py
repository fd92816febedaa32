"""Django as a resource of twisted.web: each request is answered in a thread of a pool.

::

    reactor thread             | web thread
    render(request) -----------+--> Django
    one call, not waited for <-+--- an answer that is all there
    a call for each piece <----+--- a stream, which waits until each is written

To go from one thread to the other costs more than to write an answer, and most answers are all
there when Django gives them: so they cross once, with their end. Everything else is as WSGI has it
(PEP 3333).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from twisted.internet.threads import blockingCallFromThread
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.python.threadpool import ThreadPool
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request

__all__ = ["DjangoResource"]

log = logging.getLogger(__name__)
twisted_log = Logger()

Environ = dict[str, Any]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]

OURS = ("server", "date")
"""Headers that an application has no say in."""


class DjangoResource(Resource):
    """Everything below it is Django's.

    Args:
        reactor: whose thread requests belong to.
        pool: of web threads.
        application: of WSGI; its answers say by ``streaming`` whether they are streams.
    """

    isLeaf = True

    def __init__(self, reactor: Any, pool: ThreadPool, application: Application) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._reactor, self._pool, self._application = reactor, pool, application

    def render(self, request: Request) -> int:
        """Have a request answered."""
        answer = _Answer(self._reactor, request)
        environ = environ_of(request)
        self._pool.callInThread(answer.run, self._application, environ)
        return NOT_DONE_YET


class _Answer:
    """The answer to one request.

    Args:
        reactor: whose thread the request belongs to.
        request: to be answered.
    """

    def __init__(self, reactor: Any, request: Request) -> None:
        self._reactor = reactor
        self._request: Any = request
        self._is_over = False
        self._is_begun = False
        self._status, self._reason = 500, b"Internal Server Error"
        self._headers: list[tuple[bytes, bytes]] = []
        self._request.defaultContentType = None  # the application says it
        self._request.notifyFinish().addBoth(self._note_end)

    # In a web thread.

    def run(self, application: Application, environ: Environ) -> None:
        """Ask the application, and send what it gives."""
        try:
            given = application(environ, self.start_response)
            try:
                if getattr(given, "streaming", True):
                    self._stream(given)
                else:
                    body = b"".join(given)
                    self._reactor.callFromThread(self._send_whole, body)
            finally:
                close = getattr(given, "close", None)
                if close is not None:
                    close()
        except BaseException:
            self._reactor.callFromThread(self._fail, Failure())  # type: ignore[no-untyped-call]

    def start_response(
        self, status: str, headers: Sequence[tuple[str, str]], exc_info: Any = None
    ) -> Callable[[bytes], None]:
        """Take status and headers; they are sent with what follows.

        Raises:
            UnicodeEncodeError: HTTP cannot carry a header.
        """
        if exc_info is not None and self._is_begun:
            raise exc_info[1].with_traceback(exc_info[2])
        code, _, reason = status.partition(" ")
        self._status, self._reason = int(code), reason.encode("latin-1")
        self._headers = [
            (name.encode("latin-1"), value.encode("latin-1"))
            for name, value in headers
            if name.lower() not in OURS
        ]
        return self._write

    def _stream(self, pieces: Iterable[bytes]) -> None:
        for piece in pieces:
            if piece:
                self._write(piece)
            if self._is_over:
                break
        self._reactor.callFromThread(self._send_whole, b"")

    def _write(self, piece: bytes) -> None:
        self._is_begun = True
        blockingCallFromThread(self._reactor, self._send, piece)

    # In the reactor thread.

    def _note_end(self, _: object) -> None:
        self._is_over = True

    def _send_whole(self, body: bytes) -> None:
        if not self._is_over:
            self._send(body)
            self._request.finish()

    def _send(self, body: bytes) -> None:
        request = self._request
        if not request.startedWriting:
            request.setResponseCode(self._status, self._reason)
            for name, value in self._headers:
                request.responseHeaders.addRawHeader(name, value)
        if body:
            request.write(body)

    def _fail(self, failure: Failure) -> None:
        twisted_log.failure("a request failed", failure)
        if self._is_over:
            return
        if self._request.startedWriting:
            self._request.loseConnection()
        else:
            self._request.setResponseCode(500)
            self._request.finish()


class _ErrorStream:
    """What an application writes for the server's log."""

    def write(self, text: str) -> None:
        """Log some text."""
        if text.strip():
            log.error("%s", text.rstrip())

    def writelines(self, lines: Iterable[str]) -> None:
        """Log several lines at once."""
        self.write("".join(lines))

    def flush(self) -> None:
        """Nothing is kept back."""


def environ_of(request: Request) -> Environ:
    """Give what WSGI tells an application of a request; called in the reactor thread."""
    _, _, query = request.uri.partition(b"?")
    headers = request.requestHeaders
    peer = request.getClientAddress()  # type: ignore[no-untyped-call]
    environ: Environ = {
        "REQUEST_METHOD": request.method.decode("latin-1"),
        "REMOTE_ADDR": peer.host,
        "REMOTE_PORT": str(peer.port),
        "SCRIPT_NAME": "",
        "PATH_INFO": "".join(f"/{part.decode('latin-1')}" for part in request.postpath or ()),
        "QUERY_STRING": query.decode("latin-1"),
        "CONTENT_TYPE": (request.getHeader(b"content-type") or b"").decode("latin-1"),
        "CONTENT_LENGTH": (request.getHeader(b"content-length") or b"").decode("latin-1"),
        "SERVER_NAME": request.getRequestHostname().decode("latin-1"),  # type: ignore[no-untyped-call]
        "SERVER_PORT": str(request.getHost().port),  # type: ignore[no-untyped-call]
        "SERVER_PROTOCOL": request.clientproto.decode("latin-1"),
    }
    for name, values in headers.getAllRawHeaders():
        key = "HTTP_" + name.decode("latin-1").upper().replace("-", "_")
        environ[key] = b",".join(values).decode("latin-1").replace("\n", " ")
    environ.update(
        {
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "https" if request.isSecure() else "http",  # type: ignore[no-untyped-call]
            "wsgi.run_once": False,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.errors": _ErrorStream(),
            "wsgi.input": request.content,
        }
    )
    return environ
