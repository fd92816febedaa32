"""The head of an answer, as bytes.

What a server says over and over is made once: status lines, the date of this second, and whole
blocks of headers, which are remembered by their text.
"""

import functools
from email.utils import formatdate
from http import HTTPStatus

__all__ = ["STATUS_LINES", "Dates", "has_body", "header_block", "refusal"]

#: Every status of the register, with the phrase of RFC 9110 or of the one that it comes from.
STATUS_LINES = {
    status.value: b"HTTP/1.1 %d %b\r\n" % (status.value, status.phrase.encode())
    for status in HTTPStatus
}

#: Heads of answers that are kept for a second: one for each origin that pages come from.
MAX_HEADS = 256

#: RFC 9110, 6.4.1: answers with these have no body, whatever the request was.
_BODILESS = frozenset((204, 304))


def has_body(status: int, method: bytes) -> bool:
    """Whether bytes follow the head."""
    return method != b"HEAD" and status not in _BODILESS


@functools.lru_cache(256)
def header_block(headers: tuple[tuple[str, str], ...]) -> bytes:
    """Headers as they stand in a head; a later one takes the place of one before it.

    Raises:
        ValueError: a line break in a value would begin a header of somebody else's.
    """
    merged = {name.lower(): f"{name}: {value}\r\n" for name, value in headers}
    block = "".join(merged.values())
    if block.count("\n") != len(merged) or block.count("\r") != len(merged):
        raise ValueError("a header holds a line break")
    return block.encode("latin-1")


def refusal(status: int, date_line: bytes, content_type: str, body: bytes) -> bytes:
    """The whole answer to what is no request; the connection ends with it."""
    headers = (
        ("Content-Type", content_type),
        ("Cache-Control", "no-store"),
        ("X-Content-Type-Options", "nosniff"),
        ("Content-Length", str(len(body))),
        ("Connection", "close"),
    )
    return b"%b%b%b\r\n%b" % (STATUS_LINES[status], date_line, header_block(headers), body)


class Dates:
    """The ``Date`` header, made once a second, and what begins with it. RFC 9110, 6.6.1."""

    __slots__ = ("_end", "_heads", "_line", "_second")

    def __init__(self) -> None:
        self._second = self._end = -1
        self._line = b""
        self._heads: dict[bytes, bytes] = {}

    def line(self, now: float) -> bytes:
        """The header for this time, in seconds since 1970."""
        second = int(now)
        if second != self._second:
            self._second, self._end = second, second + 1
            self._line = b"Date: %b\r\n" % formatdate(second, usegmt=True).encode()
            self._heads.clear()
        return self._line

    def ok_head(self, headers: bytes, now: float) -> bytes:
        """The head of an answer with status 200, up to the value of ``Content-Length``.

        Args:
            headers: a block of them, as ``header_block`` gives it.
        """
        if not self._second <= now < self._end:
            self.line(now)
        head = self._heads.get(headers)
        if head is None:
            head = b"HTTP/1.1 200 OK\r\n%b%bContent-Length: " % (self._line, headers)
            if len(self._heads) < MAX_HEADS:
                self._heads[headers] = head
        return head
