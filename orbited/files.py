"""Files over HTTP: the browser half under ``/static``, and what ``[static]`` mounts.

Only files are served, never a list of them; nothing outside the folder is reached, whatever the
path says.
"""

import email.utils
import mimetypes
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

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
    ".txt": "text/plain; charset=utf-8",
}


class Files:
    """One folder, or one file.

    Args:
        headers: made for each request; CORS for the browser half.
    """

    def __init__(self, root: Path, headers: Callable[[Exchange], Headers] | None = None) -> None:
        self._root = root.resolve()
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
        status = path.stat()
        tag = f'"{status.st_mtime_ns:x}-{status.st_size:x}"'
        headers += [
            ("Cache-Control", "no-cache"),
            ("ETag", tag),
            ("Last-Modified", email.utils.formatdate(status.st_mtime, usegmt=True)),
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
            _Sender(exchange, path.open("rb")).start()

    def _find(self, segments: tuple[str, ...]) -> Path | None:
        for part in segments:
            if not part or part.startswith(".") or any(c in part for c in "/\\\0"):
                return None
        try:
            path = self._root.joinpath(*segments).resolve()
            is_inside = path == self._root or self._root in path.parents
            return path if is_inside and path.is_file() else None
        except OSError:  # a name that is too long, a folder that may not be read
            return None


def _type_of(path: Path) -> str:
    guessed = mimetypes.guess_type(path.name)[0]
    return _TYPES.get(path.suffix.lower()) or guessed or "application/octet-stream"


@implementer(IPushProducer)
class _Sender:
    """Sends a file as fast as the browser takes it."""

    def __init__(self, exchange: Exchange, file: BinaryIO) -> None:
        self._exchange = exchange
        self._file = file
        self._is_paused = False

    def start(self) -> None:
        self._exchange.on_lost(self.stopProducing)
        self._exchange.register_producer(self)
        self.resumeProducing()

    def resumeProducing(self) -> None:
        """Twisted: the socket takes bytes."""
        self._is_paused = False
        while not self._is_paused and not self._file.closed:
            data = self._file.read(CHUNK_BYTES)
            self._exchange.write(data)
            if len(data) < CHUNK_BYTES:
                self._file.close()
                self._exchange.finish()

    def pauseProducing(self) -> None:
        """Twisted: the socket is full."""
        self._is_paused = True

    def stopProducing(self) -> None:
        """Twisted: the browser is gone."""
        self._file.close()
