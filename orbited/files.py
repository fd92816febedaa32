"""Files over HTTP: the browser half under ``/static``, and what ``[static]`` mounts.

Only files are served, never a list of them; nothing outside the folder is reached, whatever the
path says.
"""

import email.utils
import functools
import io
import mimetypes
import os
from collections.abc import Callable
from pathlib import Path

from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

from orbited.http import Exchange, Headers

__all__ = ["Files"]

CHUNK_BYTES = 65_536

#: Types that must not depend on what the machine has in its tables.
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".ts": "text/plain; charset=utf-8",  # else some tables have it for a kind of video
    ".txt": "text/plain; charset=utf-8",
}


class Files:
    """One folder, or one file.

    Args:
        headers: made for each request; CORS for the browser half.
    """

    def __init__(self, root: Path, headers: Callable[[Exchange], Headers] | None = None) -> None:
        self._root = os.path.realpath(root)
        self._headers = headers

    def respond(self, exchange: Exchange) -> None:
        """Answer a request; ``exchange.path`` is what follows the mount."""
        headers = list(self._headers(exchange)) if self._headers is not None else []
        if exchange.method not in ("GET", "HEAD"):
            exchange.reply(405, "Only GET here.\n", [*headers, ("Allow", "GET, HEAD")])
            return
        path = self._find(exchange.path)
        if path is None:
            exchange.reply(404, "There is no such file.\n", headers)
            return
        status = os.stat(path)
        tag = f'"{status.st_mtime_ns:x}-{status.st_size:x}"'
        headers += [
            ("Cache-Control", "no-cache"),
            ("ETag", tag),
            ("Last-Modified", _http_date(int(status.st_mtime))),
            ("X-Content-Type-Options", "nosniff"),
        ]
        if tag in (exchange.header("if-none-match") or ""):
            exchange.start(304, headers)
            exchange.finish()
            return
        exchange.start(200, [("Content-Type", _type_of(path)), *headers], status.st_size)
        if exchange.method == "HEAD":
            exchange.write(b"")
            exchange.finish()
        else:
            _Sender(exchange, io.FileIO(path), status.st_size).start()

    def _find(self, segments: tuple[str, ...]) -> str | None:
        for part in segments:
            if not part or part.startswith(".") or "/" in part or "\\" in part or "\0" in part:
                return None
        try:
            path = os.path.realpath(os.path.join(self._root, *segments), strict=True)
        except OSError:  # nothing there, a name that is too long, a folder that may not be read
            return None
        is_inside = path == self._root or path.startswith(self._root + os.sep)
        return path if is_inside and os.path.isfile(path) else None


@functools.lru_cache(256)
def _http_date(seconds: int) -> str:
    return email.utils.formatdate(seconds, usegmt=True)


def _type_of(path: str) -> str:
    known = _TYPES.get(os.path.splitext(path)[1].lower())
    return known or mimetypes.guess_type(path)[0] or "application/octet-stream"


@implementer(IPushProducer)
class _Sender:
    """Sends a file as fast as the browser takes it."""

    def __init__(self, exchange: Exchange, file: io.FileIO, size: int) -> None:
        self._exchange = exchange
        self._file = file
        self._left = size
        self._is_paused = False

    def start(self) -> None:
        if self._left > CHUNK_BYTES:
            self._exchange.on_lost(self.stopProducing)
            self._exchange.register_producer(self)
        self.resumeProducing()

    def resumeProducing(self) -> None:
        """Twisted: the socket takes bytes."""
        self._is_paused = False
        while not self._is_paused and not self._file.closed:
            # Of a file that has grown meanwhile no more is sent than was announced.
            data = self._file.read(min(CHUNK_BYTES, self._left))
            self._left -= len(data)
            self._exchange.write(data)
            if not self._left or not data:
                self._file.close()
                self._exchange.finish()

    def pauseProducing(self) -> None:
        """Twisted: the socket is full."""
        self._is_paused = True

    def stopProducing(self) -> None:
        """Twisted: the browser is gone."""
        self._file.close()
