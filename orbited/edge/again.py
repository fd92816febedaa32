"""A request that comes again: the way up of the hot path.

What a page asks over and over differs from the time before in the number that it acknowledges, and
in its body::

    GET /tcp/KEY/longpoll?ack=41 HTTP/1.1 CRLF Host: ... CRLF CRLF
    \\------- before ------/  \\------------- behind -------------/

    POST /tcp/KEY?ack=41 HTTP/1.1 CRLF ... Content-Length: 27 CRLF ... CRLF CRLF 27 bytes
    \\---- before ---/  \\----------- between -----------/  \\----- behind -----/

The request that is remembered was read strictly. One that has the same bytes in the same places,
and nothing but plain decimal numbers between them, would be read to the same end, so it is not read
at all: whoever answered the first takes it, on the same exchange.
"""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from orbited.edge.head import Head
from orbited.protocol.settings import RequestLimits

if TYPE_CHECKING:
    from orbited.edge.exchange import EdgeExchange

__all__ = ["Again", "Take", "remember"]

#: Takes acknowledgement, body and time, or says False and has changed nothing.
Take = Callable[[int, bytes, float], bool]

MAX_ACK_DIGITS = 15
MAX_LENGTH_DIGITS = 9

_ACK = re.compile(rb"ack=[0-9]{1,15}")
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]+)[ \t]*\r\n", re.IGNORECASE)


class Again:
    """One request that may come again.

    Attributes:
        exchange: of the request, to be used anew.
        head: of the request; its path, method and headers are those of each that matches.
        take: what takes the next one.
    """

    __slots__ = (
        "_before",
        "_behind",
        "_behind_size",
        "_between",
        "_between_size",
        "_max_body_bytes",
        "_start",
        "exchange",
        "head",
        "take",
    )

    def __init__(
        self,
        exchange: "EdgeExchange",
        head: Head,
        take: Take,
        parts: tuple[bytes, bytes | None, bytes],
        max_body_bytes: int,
    ) -> None:
        self.exchange = exchange
        self.head = head
        self.take = take
        self._before, self._between, self._behind = parts
        self._start, self._behind_size = len(self._before), len(self._behind)
        self._between_size = len(self._between or b"")
        self._max_body_bytes = max_body_bytes

    def match(self, data: bytes) -> tuple[int, bytes] | None:
        """Acknowledgement and body, if this is the request once more, all of it and no more."""
        if not data.startswith(self._before):
            return None
        between, behind = self._between, self._behind
        if between is None:
            number = data[self._start : -self._behind_size]
            if len(number) <= MAX_ACK_DIGITS and number.isdigit() and data.endswith(behind):
                return int(number), b""
            return None
        start = self._start
        end = data.find(b" ", start, start + MAX_ACK_DIGITS + 1)
        if end < 0 or not data.startswith(between, end):
            return None
        number = data[start:end]
        start = end + self._between_size
        size = self._behind_size
        end = data.find(behind, start, start + MAX_LENGTH_DIGITS + size)
        length, body = data[start:end], data[end + size :]
        if (
            end < 0
            or not number.isdigit()
            or not length.isdigit()
            or not len(body) == int(length) <= self._max_body_bytes
        ):
            return None
        return int(number), body


def remember(
    exchange: "EdgeExchange", head: Head, take: Take, limits: RequestLimits, max_body_bytes: int
) -> Again | None:
    """What matches this request when it comes again; None where it is not a plain one."""
    query, block = head.query, head.headers.block
    line_bytes = len(head.method) + len(head.target) + len(b"  HTTP/1.1\r\n")
    if (
        query is None
        or _ACK.fullmatch(query) is None
        or not (head.is_http_1_1 and head.keeps_alive)
        or head.expects_continue
        or b"host" not in head.fields  # they are forgotten
        or line_bytes + MAX_ACK_DIGITS > limits.request_line_bytes
        or line_bytes + len(block) + MAX_ACK_DIGITS + MAX_LENGTH_DIGITS > limits.header_bytes
    ):
        return None
    before, version = b"%b %b?ack=" % (head.method, head.path), b" HTTP/1.1"
    if head.method == b"GET" and head.length == 0:
        parts: tuple[bytes, bytes | None, bytes] = before, None, version + b"\r\n" + block
    elif head.method == b"POST" and (length := _LENGTH.search(b"\r\n" + block)) is not None:
        lines = version + b"\r\n" + block
        start, end = length.start(1) + len(version), length.end(1) + len(version)
        parts = before, lines[:start], lines[end:]
    else:
        return None
    return Again(exchange, head, take, parts, max_body_bytes)
