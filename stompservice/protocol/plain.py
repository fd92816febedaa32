r"""Plain heads: the short cut through the parser that almost every frame takes.

::

    SEND\n destination:/topic/a\n content-type:text/plain\n content-length:5

A head is *plain* when it has no CR, no NUL, no repeated header, no escape that its version
does not know and, in 1.0, no blank to strip. It is read by two splits. Heads of SEND are
remembered besides: a program that sends a thousand messages says mostly
the same a thousand times. What is remembered is bounded, by number and by size, and
never a login (CONNECT is not plain).

Nothing here finds faults. What is not plain is read again with care by the parser, so
that there is one place for each rule, and this one may only ever agree with it: the
property tests feed every input whole, which comes here, and byte by byte, which does not.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Final, NoReturn

from stompservice.protocol.spec import (
    BLANKS,
    COMMANDS,
    ESCAPE_SEQUENCE,
    LENIENT_VERSIONS,
    UNESCAPED_COMMANDS,
    UNESCAPES,
)

PLAIN_HEAD_BYTES: Final = 1_024
"""How far to look for the end of a head that is taken in one piece."""

PLAIN_COMMANDS: Final = COMMANDS - UNESCAPED_COMMANDS
"""Commands whose heads are read by the version of the connection, whatever they say."""

KNOWN_HEADS: Final = 512
"""How many heads of SEND are remembered; their frames have the same headers object."""

LENGTH: Final = re.compile(r"[0-9]{1,18}", re.ASCII)
"""What a ``content-length`` looks like."""

UNKNOWN: Final = -1
"""The length of a body that ends at the first NUL."""

NOT_PLAIN: Final[tuple[str, dict[str, str], int]] = ("", {}, UNKNOWN)


def plain_head(head: bytes, version: str) -> tuple[str, dict[str, str], int]:
    """Read command, headers and announced length of a head without anything special.

    Returns:
        ``NOT_PLAIN`` for any other, be it wrong or only rare.
    """
    if b"\r" in head or b"\0" in head:
        return NOT_PLAIN
    command, *lines = head.decode("utf-8", "surrogateescape").split("\n")
    try:
        headers = dict([line.split(":", 1) for line in lines])
        if b"\\" in head:
            headers = _unescaped(headers, UNESCAPES[version])
    except (ValueError, KeyError):  # A line has no colon, or an escape no meaning.
        return NOT_PLAIN
    length = headers.get("content-length")
    if (
        command not in PLAIN_COMMANDS
        or len(headers) < len(lines)  # Some are repeated.
        or not all(name.strip(BLANKS) for name in headers)
        or (version in LENIENT_VERSIONS and (b" " in head or b"\t" in head))
        or (length is not None and not LENGTH.fullmatch(length))
    ):
        return NOT_PLAIN
    return command, headers, UNKNOWN if length is None else int(length)


def _unescaped(headers: dict[str, str], meanings: dict[str, str]) -> dict[str, str]:
    def unescape(text: str) -> str:
        if "\\" not in text:
            return text
        return ESCAPE_SEQUENCE.sub(lambda match: meanings[match[0]], text)

    return {unescape(name): unescape(value) for name, value in headers.items()}


class SharedHeaders(dict[str, str]):
    """Headers that many frames have in common; whoever wants to change them makes a copy.

    Attributes:
        beginning: the bytes of such frames, up to the body.
        length: of their bodies, as announced.
        memo: what whoever publishes such frames has made of the headers, to have it ready.
    """

    __slots__ = ("beginning", "length", "memo")

    def __init__(
        self, headers: dict[str, str], beginning: bytes = b"", length: int = UNKNOWN
    ) -> None:
        super().__init__(headers)
        self.beginning = beginning
        self.length = length
        self.memo: Any = None

    def _refuse(self, *arguments: object, **named: object) -> NoReturn:
        raise TypeError("these headers are those of other frames, too: change a copy of them")

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse


@lru_cache(maxsize=KNOWN_HEADS)
def head_of_send(head: bytes, version: str) -> tuple[str, dict[str, str], int]:
    """The same for SEND: whoever sends much says the same again and again, but for the body."""
    command, headers, length = plain_head(head, version)
    return command, SharedHeaders(headers, head + b"\n\n", length), length
