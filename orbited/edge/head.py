"""The head of a request, read strictly.

::

    POST /tcp/KEY?ack=7 HTTP/1.1\\r\\n        a path of this server; 1.0 or 1.1
    Host: example.com\\r\\n                   exactly one
    Content-Length: 12\\r\\n                  or Transfer-Encoding: chunked, never both
    \\r\\n

``httptools`` (llhttp) does the reading, without any of its leniencies. What is checked here beside
it is what RFC 9112 leaves to the server, and what two servers in a row could read differently.
"""

import functools
import re
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import unquote_to_bytes

from httptools import HttpParserError, HttpParserUpgrade
from httptools import HttpRequestParser as Parser

from orbited.errors import RequestError

__all__ = ["Head", "HeadParser"]

#: RFC 9112, 3: one space each, and a target in origin-form without a fragment.
_REQUEST_LINE = re.compile(
    rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+) ((/[!\"$->@-~]*)(?:\?([!\"$-~]*))?) HTTP/1\.([01])\r\n"
)

#: RFC 9112, 6.1: the codings of a request, when there is no doubt about the header itself.
_CODINGS = re.compile(rb"\r\ntransfer-encoding:[ \t]*([a-z0-9 \t,-]+)\r\n", re.IGNORECASE)

#: Of these a second one is never harmless.
_SINGLE = (b"host", b"content-length", b"transfer-encoding")


class _Headers:
    """The lines behind the first: what they say, whatever was asked for.

    Attributes:
        block: the lines, empty line included.
        fields: lower-case name to value; the last one of a name that came twice.
        length: of the body; None when it is chunked.
        is_last: no other request is to follow.
        expects_continue: the body comes only after ``100 Continue``.
        memo: what whoever answers has found out from them, for the next request that has them.
    """

    __slots__ = ("block", "expects_continue", "fields", "is_last", "length", "memo")

    def __init__(self, block: bytes, items: Iterable[tuple[bytes, bytes]]) -> None:
        self.block = block
        # llhttp leaves blanks behind a value.
        self.fields = {_lower(name): value.strip(b" \t") for name, value in items}
        self.expects_continue = False
        self.memo: Any = None
        self.length: int | None = None
        self._set_framing()
        connection = self.fields.get(b"connection", b"").lower()
        self.is_last = b"close" in connection and b"close" in _words(connection)

    def items(self) -> list[tuple[bytes, bytes]]:
        """All in order, names as they were sent; few ask, so they are read anew."""
        return [(name, value.strip(b" \t")) for name, value in _read(self.block)]

    def _set_framing(self) -> None:
        """Find out how long the body is. RFC 9112, 6.3."""
        fields = self.fields
        coding = fields.get(b"transfer-encoding")
        if coding is None:
            self.length = int(fields.get(b"content-length", b"0"))
        elif coding.lower() != b"chunked":
            raise RequestError(501, "The only transfer coding known here is chunked.")
        expectation = fields.get(b"expect")
        if expectation is not None:
            if expectation.lower() != b"100-continue":
                raise RequestError(417, "The only expectation known here is 100-continue.")
            self.expects_continue = self.length != 0


class Head:
    """What a request says of itself.

    Attributes:
        method: as it was sent; methods are case-sensitive.
        path: the target without its query.
        query: what follows the question mark; None when there is none.
        fields: lower-case name to value; the last one of a name that came twice.
        length: bytes of the body; None when it is chunked.
        is_http_1_1: and so the answer may be chunked.
        keeps_alive: another request may follow.
        expects_continue: the body comes only after ``100 Continue``.
        headers: all about them; shared with other requests of the connection that have the same.
    """

    __slots__ = (
        "expects_continue",
        "fields",
        "headers",
        "is_http_1_1",
        "keeps_alive",
        "length",
        "method",
        "path",
        "query",
    )

    method: bytes
    path: bytes
    query: bytes | None

    def __init__(self, line: re.Match[bytes], headers: _Headers) -> None:
        self.method, _, self.path, self.query, minor = line.groups()
        self.headers = headers
        self.fields = headers.fields
        self.length = headers.length
        self.is_http_1_1 = minor == b"1"
        if self.is_http_1_1:
            if b"host" not in self.fields:
                raise RequestError(400, "The request has no Host header.")
            self.keeps_alive = not headers.is_last
            self.expects_continue = headers.expects_continue
        else:
            if self.length is None:
                raise RequestError(400, "HTTP/1.0 knows no Transfer-Encoding.")
            self.keeps_alive = self.expects_continue = False

    @property
    def target(self) -> bytes:
        """Path and query as they stand in the request line."""
        return self.path if self.query is None else b"%b?%b" % (self.path, self.query)

    @property
    def items(self) -> list[tuple[bytes, bytes]]:
        """The headers in order, names as they were sent."""
        return self.headers.items()

    def bare(self) -> "Head":
        """What the rest of an answer has to know: nothing of what was asked."""
        return _bare(self.method, self.is_http_1_1, self.keeps_alive)

    def forget_headers(self) -> None:
        """Let go of what is only needed until the answer begins."""
        self.headers = _NOTHING
        self.fields = _NOTHING.fields

    def segments(self) -> list[str]:
        """The parts of the path between slashes, percent-decoded, as Latin-1."""
        path = self.path.decode("latin-1")
        parts = path[1:].split("/")
        if "%" in path:
            parts = [unquote_to_bytes(part).decode("latin-1") for part in parts]
        return parts


class HeadParser:
    """Reads the heads of one connection.

    A browser repeats its headers, and often nothing but the request line is new: the bytes behind
    it are not read again when they are those of the last request, or of the one before, as where
    POST and GET take turns.
    """

    __slots__ = ("_before", "_last", "_max_headers")

    def __init__(self, max_headers: int) -> None:
        self._max_headers = max_headers
        self.forget()

    def forget(self) -> None:
        """Remember no headers."""
        self._last = self._before = _FORGOTTEN

    def forget_those_of(self, head: Head) -> None:
        """Remember the headers of that request no more."""
        if self._last[1] is head.headers:
            self._last, self._before = self._before, _FORGOTTEN
        elif self._before[1] is head.headers:
            self._before = _FORGOTTEN

    def parse(self, data: bytes) -> Head:
        """Read one head, empty line included.

        Raises:
            RequestError: with the status of the answer.
        """
        line = _REQUEST_LINE.match(data)
        if line is None:
            raise _problem_of_line(data[: data.index(b"\r\n")])
        if not _knows_method(line[1]):
            raise RequestError(501, "This server knows no such method.")
        block = data[line.end() :]
        if self._last[0] != block:
            self._last, self._before = self._before, self._last
            if self._last[0] != block:
                self._last = block, _parse_headers(block, self._max_headers)
        return Head(line, self._last[1])

    def parse_known(self, data: bytes, end: int, max_line_bytes: int) -> Head | None:
        """Read the head that ends there, if its headers are those of a request before it.

        The hot path. None means nothing: ``parse`` then looks at the same bytes.
        """
        line = _REQUEST_LINE.match(data)
        if line is None or line[5] != b"1" or not _knows_method(line[1]):
            return None
        line_end = line.end()
        if line_end - 2 > max_line_bytes:
            return None
        block = data[line_end:end]
        if self._last[0] == block:
            headers = self._last[1]
        elif self._before[0] == block:
            self._last, self._before = self._before, self._last
            headers = self._last[1]
        else:
            return None
        return Head(line, headers)


#: What is known once headers are forgotten.
_NOTHING = _Headers(b"\r\n", ())
_FORGOTTEN = b"", _NOTHING


@functools.lru_cache(64)
def _bare(method: bytes, is_http_1_1: bool, keeps_alive: bool) -> Head:
    """A head that says no more than this, for all connections."""
    line = _REQUEST_LINE.match(b"%b / HTTP/1.%d\r\n" % (method, is_http_1_1))
    assert line is not None
    head = Head.__new__(Head)
    head.method, _, head.path, head.query, _ = line.groups()
    head.headers, head.fields, head.length = _NOTHING, _NOTHING.fields, 0
    head.is_http_1_1, head.keeps_alive = is_http_1_1, keeps_alive
    head.expects_continue = False
    return head


class _Collector:
    """Collects headers for httptools: its callback is that of a dict, without a frame of Python."""

    __slots__ = ("on_header",)

    def __init__(self, collect: Callable[[bytes, bytes], None]) -> None:
        self.on_header = collect


def _parse_headers(block: bytes, max_headers: int) -> _Headers:
    """Read all lines but the first, empty line included."""
    count = block.count(b"\r\n") - 1
    if count > max_headers:
        raise RequestError(431, "The request has more headers than this server takes.")
    once: dict[bytes, bytes] = {}
    _feed(block, once.__setitem__)
    headers = _Headers(block, once.items())
    if len(headers.fields) == count:
        return headers
    items = _read(block)  # some came more than once
    names = [name.lower() for name, _ in items]
    for name in _SINGLE:
        if names.count(name) > 1:
            raise RequestError(400, f"There is more than one {name.decode().title()} header.")
    return _Headers(block, items)


def _read(block: bytes) -> list[tuple[bytes, bytes]]:
    """Every header of a block."""
    items: list[tuple[bytes, bytes]] = []
    _feed(block, lambda name, value: items.append((name, value)))
    return items


@functools.lru_cache(128)
def _lower(name: bytes) -> bytes:
    """The name in small letters, as one object for all connections."""
    return name.lower()


def _feed(block: bytes, collect: Callable[[bytes, bytes], None]) -> None:
    """Have each header collected, if these are headers."""
    try:
        Parser(_Collector(collect)).feed_data(b"GET / HTTP/1.1\r\n" + block)
    except HttpParserUpgrade:
        pass  # whether anything is upgraded is decided by whoever answers
    except HttpParserError as error:
        raise _problem_of_headers(block, error) from None


@functools.lru_cache(128)
def _knows_method(method: bytes) -> bool:
    """Whether the parser knows a method."""
    try:
        Parser(object()).feed_data(method + b" / HTTP/1.1\r\nHost: x\r\n\r\n")
    except HttpParserUpgrade:
        pass
    except HttpParserError:
        return False
    return True


def _words(value: bytes) -> list[bytes]:
    return [word.strip() for word in value.split(b",")]


def _problem_of_line(line: bytes) -> RequestError:
    _method, _, rest = line.partition(b" ")
    target, _, version = rest.rpartition(b" ")
    if re.fullmatch(rb"HTTP/[0-9](\.[0-9])?", version) and version[5:] not in (b"1.0", b"1.1"):
        return RequestError(505, "Of HTTP, versions 1.1 and 1.0 are spoken here.")
    if target and version.startswith(b"HTTP/1.") and not target.startswith(b"/"):
        return RequestError(400, "Only paths of this site are served here.")
    if target.startswith(b"/") and version.startswith(b"HTTP/1."):
        return RequestError(400, "The path holds characters that have to be percent-encoded.")
    return RequestError(400, "This does not begin like a request.")


def _problem_of_headers(block: bytes, error: HttpParserError) -> RequestError:
    codings = _CODINGS.findall(b"\r\n" + block)
    if len(codings) == 1 and b"chunked" not in _words(codings[0].lower()):
        return RequestError(501, "The only transfer coding known here is chunked.")
    # The parser's sentences are fixed ones, without a byte of what was sent.
    return RequestError(400, f"The headers break a rule of HTTP: {error}.")
