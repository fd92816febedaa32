"""The head of a request, read strictly.

::

    POST /tcp/KEY?ack=7 HTTP/1.1\\r\\n        a path of this server; 1.0 or 1.1
    Host: example.com\\r\\n                   exactly one
    Content-Length: 12\\r\\n                  or Transfer-Encoding: chunked, never both
    \\r\\n

``httptools`` (llhttp) does the reading, without any of its leniencies. What is checked here beside
it is what RFC 9112 leaves to the server, and what two servers in a row could read differently.
"""

import re
from collections.abc import Callable, Iterable
from urllib.parse import unquote_to_bytes

from httptools import HttpParserError, HttpParserInvalidMethodError, HttpParserUpgrade
from httptools import HttpRequestParser as Parser

from orbited.errors import RequestError

__all__ = ["Head", "parse_head"]

#: RFC 9112, 3: one space each, and a target in origin-form without a fragment.
_REQUEST_LINE = re.compile(
    rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+) ((/[!\"$->@-~]*)(?:\?([!\"$-~]*))?) HTTP/1\.([01])\r\n"
)

#: RFC 9112, 6.1: the codings of a request, when there is no doubt about the header itself.
_CODINGS = re.compile(rb"\r\ntransfer-encoding:[ \t]*([a-z0-9 \t,-]+)\r\n", re.IGNORECASE)

#: Of these a second one is never harmless.
_SINGLE = (b"host", b"content-length", b"transfer-encoding")


class Head:
    """What a request says of itself.

    Attributes:
        method: as it was sent; methods are case-sensitive.
        target: path and query as they stand in the request line.
        path: the target without its query.
        query: what follows the question mark; None when there is none.
        fields: lower-case name to value; the last one of a name that came twice.
        length: bytes of the body; None when it is chunked.
        is_http_1_1: and so the answer may be chunked.
        keeps_alive: another request may follow.
        expects_continue: the body comes only after ``100 Continue``.
    """

    __slots__ = (
        "_headers",
        "expects_continue",
        "fields",
        "is_http_1_1",
        "keeps_alive",
        "length",
        "method",
        "path",
        "query",
        "target",
    )

    method: bytes
    target: bytes
    path: bytes
    query: bytes | None
    fields: dict[bytes, bytes]
    length: int | None
    is_http_1_1: bool
    keeps_alive: bool
    expects_continue: bool

    def __init__(self, headers: Iterable[tuple[bytes, bytes]]) -> None:
        self._headers = headers

    @property
    def items(self) -> list[tuple[bytes, bytes]]:
        """The headers in order, names as they were sent."""
        return [(name, value.strip(b" \t")) for name, value in self._headers]

    def segments(self) -> list[str]:
        """The parts of the path between slashes, percent-decoded, as Latin-1."""
        path = self.path.decode("latin-1")
        parts = path[1:].split("/")
        if "%" in path:
            parts = [unquote_to_bytes(part).decode("latin-1") for part in parts]
        return parts


class _Fields:
    """Collects headers for httptools: its callback is that of a dict, without a frame of Python."""

    __slots__ = ("on_header",)

    def __init__(self, collect: Callable[[bytes, bytes], None]) -> None:
        self.on_header = collect


def parse_head(data: bytes, header_count: int) -> Head:
    """Read one head, empty line included.

    Args:
        header_count: how many lines it has beside the first and the empty one.

    Raises:
        RequestError: with the status of the answer.
    """
    line = _REQUEST_LINE.match(data)
    if line is None:
        raise _problem_of_line(data[: data.index(b"\r\n")])
    headers: dict[bytes, bytes] = {}
    _parse(data, headers.__setitem__)
    items: Iterable[tuple[bytes, bytes]] = headers.items()
    # llhttp leaves blanks behind a value.
    fields = {name.lower(): value.strip(b" \t") for name, value in items}
    if len(fields) != header_count:
        items = _with_twins(data)
        fields = {name.lower(): value.strip(b" \t") for name, value in items}
    head = Head(items)
    head.fields = fields
    head.method, head.target, head.path, head.query, minor = line.groups()
    head.is_http_1_1 = minor == b"1"
    if head.is_http_1_1 and b"host" not in fields:
        raise RequestError(400, "The request has no Host header.")
    _set_framing(head)
    connection = fields.get(b"connection", b"").lower()
    head.keeps_alive = head.is_http_1_1 and (
        connection == b"keep-alive" or b"close" not in _words(connection)
    )
    return head


def _parse(data: bytes, collect: Callable[[bytes, bytes], None]) -> None:
    """Have each header collected, if this is a head."""
    try:
        Parser(_Fields(collect)).feed_data(data)
    except HttpParserUpgrade:
        pass  # whether anything is upgraded is decided by whoever answers
    except HttpParserInvalidMethodError:
        raise RequestError(501, "This server knows no such method.") from None
    except HttpParserError as error:
        raise _problem_of_headers(data, error) from None


def _with_twins(data: bytes) -> list[tuple[bytes, bytes]]:
    """All headers of a head in which some came more than once."""
    items: list[tuple[bytes, bytes]] = []
    _parse(data, lambda name, value: items.append((name, value)))
    names = [name.lower() for name, _ in items]
    for name in _SINGLE:
        if names.count(name) > 1:
            raise RequestError(400, f"There is more than one {name.decode().title()} header.")
    return items


def _set_framing(head: Head) -> None:
    """Find out how long the body is. RFC 9112, 6.3."""
    fields = head.fields
    head.expects_continue = False
    coding = fields.get(b"transfer-encoding")
    if coding is not None:
        if not head.is_http_1_1:
            raise RequestError(400, "HTTP/1.0 knows no Transfer-Encoding.")
        if coding.lower() != b"chunked":
            raise RequestError(501, "The only transfer coding known here is chunked.")
        head.length = None
    else:
        head.length = int(fields.get(b"content-length", b"0"))
    expectation = fields.get(b"expect")
    if expectation is not None:
        if expectation.lower() != b"100-continue":
            raise RequestError(417, "The only expectation known here is 100-continue.")
        head.expects_continue = head.is_http_1_1 and head.length != 0


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


def _problem_of_headers(data: bytes, error: HttpParserError) -> RequestError:
    codings = _CODINGS.findall(data)
    if len(codings) == 1 and b"chunked" not in _words(codings[0].lower()):
        return RequestError(501, "The only transfer coding known here is chunked.")
    # The parser's sentences are fixed ones, without a byte of what was sent.
    return RequestError(400, f"The headers break a rule of HTTP: {error}.")
