"""Static files of a one-process site, served by the reactor without a thread.

Under DEBUG a file is wherever Django's finders find it; otherwise it is in ``STATIC_ROOT``, where
``manage.py collectstatic`` has put it. The name of a file that ``ManifestStaticFilesStorage`` has
hashed changes with its content, so browsers may keep it for ever; any other is asked for again
each time, and answered by 304 while it is the same.

`negotiate` is the part of RFC 9110 that a file needs, without any I/O: what was asked and what the
file is like go in, status, headers and the part to send come out.
"""

from __future__ import annotations

import mimetypes
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any, BinaryIO
from urllib.parse import unquote_to_bytes

from twisted.internet.interfaces import IPullProducer
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request
from zope.interface import implementer

__all__ = ["Answer", "StaticFiles", "content_type_of", "negotiate"]

CACHE_ASK_AGAIN = "no-cache"
CACHE_FOR_EVER = "public, max-age=31536000, immutable"

# What a browser needs to be told exactly; the system's own table differs from machine to machine.
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
}
_OTHER_TYPES = mimetypes.MimeTypes()

_ENTITY_TAG = re.compile(r'(?:W/)?("[^"]*")')
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Answer:
    """What to answer: the status, and ``length`` bytes of the file from ``start``."""

    status: int
    headers: Mapping[str, str]
    start: int = 0
    length: int = 0


def content_type_of(name: str) -> str:
    """Give the Content-Type of a file by its name."""
    extension = os.path.splitext(name)[1].lower()
    if extension in TYPES:
        return TYPES[extension]
    guessed, encoding = _OTHER_TYPES.guess_type(name, strict=False)
    # A packed file is itself: with Content-Encoding a browser would unpack what it downloads.
    return "application/octet-stream" if guessed is None or encoding else guessed


def negotiate(method: str, asked: Mapping[str, str], size: int, modified_ns: int) -> Answer:
    """Decide what a GET or HEAD for a file gets.

    Args:
        method: ``GET`` or ``HEAD``.
        asked: the request's conditions and range; names in lower case.
        size: of the file, in bytes.
        modified_ns: when it was modified, nanoseconds since the epoch.
    """
    tag = f'"{modified_ns:x}-{size:x}"'
    modified = datetime.fromtimestamp(modified_ns // 1_000_000_000, UTC)
    headers = {
        "etag": tag,
        "last-modified": format_datetime(modified, usegmt=True),
        "accept-ranges": "bytes",
    }
    if _has_it_already(asked, tag, modified):
        return Answer(304, headers)
    start, length, is_part = 0, size, False
    if method == "GET" and _wants_a_part_of_this(asked, tag, modified):
        part = _part(asked["range"], size)
        if part == (0, 0):
            return Answer(416, {**headers, "content-range": f"bytes */{size}"})
        if part is not None:
            (start, length), is_part = part, True
            headers["content-range"] = f"bytes {start}-{start + length - 1}/{size}"
    headers["content-length"] = str(length)
    return Answer(206 if is_part else 200, headers, start, length if method == "GET" else 0)


def _has_it_already(asked: Mapping[str, str], tag: str, modified: datetime) -> bool:
    # RFC 9110, 13.1.3: If-Modified-Since is ignored where If-None-Match is given.
    if "if-none-match" in asked:
        known = asked["if-none-match"]
        return known.strip() == "*" or tag in _ENTITY_TAG.findall(known)
    since = _date(asked.get("if-modified-since", ""))
    return since is not None and modified <= since


def _wants_a_part_of_this(asked: Mapping[str, str], tag: str, modified: datetime) -> bool:
    condition = asked.get("if-range", "").strip()
    return "range" in asked and (not condition or condition == tag or _date(condition) == modified)


def _part(asked: str, size: int) -> tuple[int, int] | None:
    """Give (start, length) of one range; (0, 0) when nothing is there, None to send all."""
    match = _RANGE.fullmatch(asked.strip())
    if match is None or match.groups() == ("", ""):
        return None  # several ranges, or another unit, or nonsense: RFC 9110, 14.2
    first, last = match.groups()
    if not first:
        length = min(int(last), size)
        return (size - length, length) if length else (0, 0)
    start, end = int(first), min(int(last or size), size - 1)
    if last and int(last) < start:
        return None
    return (start, end - start + 1) if start < size else (0, 0)


def _date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, OverflowError):  # 31 February, or a year beyond all measure
        return None
    return date if date.tzinfo is not None else date.replace(tzinfo=UTC)


class StaticFiles(Resource):
    """The files under one address, by GET and HEAD; no listing of folders.

    Args:
        find: gives the path of the file with a relative name such as ``thywill/thywill.js``, or
            None. It decides what may be reached at all.
        is_immutable: whether the content under this name can never change.
    """

    isLeaf = True

    def __init__(
        self, find: Callable[[str], str | None], is_immutable: Callable[[str], bool]
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._find = find
        self._is_immutable = is_immutable

    def serve(self, request: Request, quoted_name: bytes) -> Any:
        """Answer a request for one file.

        Args:
            request: the request.
            quoted_name: what follows the address of the static files, still with its percent signs.
        """
        _set(request, "x-content-type-options", "nosniff")
        method = request.method.decode("ascii", "replace")
        if method not in ("GET", "HEAD"):
            _set(request, "allow", "GET, HEAD")
            return _text(request, 405, b"Static files are read by GET and HEAD.\n")
        name = safe_name(quoted_name)
        file = self._open(name) if name is not None else None
        if name is None or file is None:
            return _text(request, 404, b"There is no such static file.\n")
        return self._send(request, method, name, file)

    def _open(self, name: str) -> BinaryIO | None:
        path = self._find(name)
        if path is None:
            return None
        try:
            return open(path, "rb")  # the producer closes it
        except OSError:
            return None

    def _send(self, request: Request, method: str, name: str, file: BinaryIO) -> Any:
        about = os.fstat(file.fileno())
        asked = {
            name.decode(): values[-1].decode("latin-1")
            for name in (b"if-none-match", b"if-modified-since", b"if-range", b"range")
            if (values := request.requestHeaders.getRawHeaders(name))
        }
        answer = negotiate(method, asked, about.st_size, about.st_mtime_ns)
        request.setResponseCode(answer.status)
        for key, value in answer.headers.items():
            _set(request, key, value)
        cache = CACHE_FOR_EVER if self._is_immutable(name) else CACHE_ASK_AGAIN
        _set(request, "cache-control", cache)
        if answer.status != 304:
            _set(request, "content-type", content_type_of(name))
        if not answer.length:
            file.close()
            return b""
        file.seek(answer.start)
        request.registerProducer(FilePart(request, file, answer.length), False)  # type: ignore[no-untyped-call]
        return NOT_DONE_YET


@implementer(IPullProducer)
class FilePart:
    """Writes so many bytes of a file to a request, as fast as the browser takes them."""

    CHUNK_BYTES = 65536

    def __init__(self, request: Request, file: BinaryIO, length: int) -> None:
        self._request: Any = request
        self._file = file
        self._left = length

    def resumeProducing(self) -> None:
        """Write the next chunk, and end with the last."""
        data = self._file.read(min(self.CHUNK_BYTES, self._left))
        self._left -= len(data)
        self._request.write(data)
        if data and self._left:
            return
        self._file.close()
        self._request.unregisterProducer()
        if self._left:
            self._request.loseConnection()  # the file became shorter than what was promised
        else:
            self._request.finish()

    def stopProducing(self) -> None:
        """Let go of the file: the browser is gone."""
        self._file.close()


def safe_name(quoted: bytes) -> str | None:
    """Give the relative name that an address asks for, or None when it is not one."""
    try:
        name = unquote_to_bytes(quoted).decode()
    except UnicodeDecodeError:
        return None
    parts = name.split("/")
    if "\0" in name or "\\" in name or any(part in ("", ".", "..") for part in parts):
        return None
    return name


def _set(request: Request, name: str, value: str) -> None:
    request.responseHeaders.setRawHeaders(name, [value])


def _text(request: Request, status: int, body: bytes) -> bytes:
    request.setResponseCode(status)
    _set(request, "content-type", "text/plain; charset=utf-8")
    _set(request, "content-length", str(len(body)))
    return b"" if request.method == b"HEAD" else body


def django_static_files() -> StaticFiles:
    """Serve the static files of this Django site, the way ``DEBUG`` says."""
    from django.conf import settings

    if settings.DEBUG:
        return StaticFiles(_find_with_finders, lambda name: False)
    return StaticFiles(_find_collected, _hashed_names().__contains__)


def _find_with_finders(name: str) -> str | None:
    from django.contrib.staticfiles import finders
    from django.core.exceptions import SuspiciousFileOperation

    try:
        path = finders.find(name)
    except SuspiciousFileOperation:
        return None
    return path if isinstance(path, str) and os.path.isfile(path) else None


def _find_collected(name: str) -> str | None:
    from django.conf import settings
    from django.core.exceptions import SuspiciousFileOperation
    from django.utils._os import safe_join

    if not settings.STATIC_ROOT:
        return None
    try:
        path = safe_join(settings.STATIC_ROOT, name)
    except SuspiciousFileOperation:
        return None
    return path if os.path.isfile(path) else None


def _hashed_names() -> frozenset[str]:
    from django.contrib.staticfiles.storage import staticfiles_storage

    return frozenset(getattr(staticfiles_storage, "hashed_files", {}).values())
