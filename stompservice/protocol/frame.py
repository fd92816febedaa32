r"""One STOMP frame, and how it becomes bytes.

::

    SEND \n                          command
    destination:/topic/a \n          header lines, escaped as the version asks
    content-length:5 \n
    \n                               blank line
    hello \0                         body, NUL
    \n                               one line end: clients of the 1.0 days wait for it

Header text is UTF-8. Bytes that are not are kept as lone surrogates (PEP 383), so
that a broker passes on exactly what it was given.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from stompservice.errors import EncodeError
from stompservice.protocol.spec import (
    BLANKS,
    BODILESS,
    COMMAND,
    COMMANDS,
    ESCAPES,
    UNESCAPED_COMMANDS,
    V10,
    V11,
    V12,
)

Headers = Mapping[str, str] | Iterable[tuple[str, str]]
"""Header names and values, in the order in which they are written."""

SECRET_HEADERS: Final = frozenset({"passcode"})


@dataclass(slots=True, repr=False)
class Frame:
    """A command, its headers in wire order (not escaped), and a body."""

    command: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def text(self) -> str:
        """The body as text; bytes that are not UTF-8 become lone surrogates."""
        return self.body.decode("utf-8", "surrogateescape")

    def __str__(self) -> str:
        """One short line for logs: no body, no secrets."""
        shown = [
            f"{name}:{'***' if name in SECRET_HEADERS else value[:60]!r}"
            for name, value in list(self.headers.items())[:8]
        ]
        elided = ["..."] if len(self.headers) > len(shown) else []
        return " ".join([self.command, *shown, *elided, f"({len(self.body)} bytes)"])

    def __repr__(self) -> str:
        return f"<Frame {self}>"


def encode(frame: Frame, version: str = V12) -> bytes:
    """Write a whole frame, with its NUL and one line end.

    A ``content-length`` is added when there is a body and the frame names none.

    Raises:
        EncodeError: a header or body that this version cannot carry, or a
            ``content-length`` that is not the body's.
    """
    command, headers, body = frame.command, frame.headers, frame.body
    if command not in COMMANDS and not COMMAND.fullmatch(command):
        raise EncodeError(f"a command is a word of capital letters, not {command[:40]!r}")
    length = headers.get("content-length")
    if length is None:
        length_line = b"content-length:%d\n" % len(body) if body else b""
    elif length == str(len(body)):
        length_line = b""
    else:
        raise EncodeError(f"content-length is {length!r}, but the body has {len(body)} bytes")
    if body and (command in BODILESS[version] or command in UNESCAPED_COMMANDS):
        raise EncodeError(f"{command} has no body in STOMP {version}, got {len(body)} bytes")
    lines = encode_headers(headers, version, escape=command not in UNESCAPED_COMMANDS)
    return b"".join((command.encode("ascii"), b"\n", lines, length_line, b"\n", body, b"\0\n"))


def encode_headers(
    headers: Headers, version: str, *, escape: bool = True, lossy: bool = False
) -> bytes:
    r"""Write header lines, ``b"name:value\n"`` each; the blank line is the caller's.

    Args:
        headers: names and values, not escaped.
        version: whose escaping rules to follow.
        escape: False for CONNECT and CONNECTED, which are never escaped.
        lossy: put a blank (in a name an underscore) where this version has no way to
            write a character, instead of raising. For a broker that hands a message
            of a 1.2 client to a 1.0 client.

    Raises:
        EncodeError: an empty name, or a character that cannot be written.
    """
    table = ESCAPES[version] if escape else {}
    escapable = _ESCAPABLE[version] if escape else None
    forbidden, forbidden_in_name = _FORBIDDEN[version if escape else None]
    lines: list[str] = []
    for name, value in headers.items() if isinstance(headers, Mapping) else headers:
        if escapable is not None:
            if escapable.search(name):
                name = escapable.sub(lambda match: table[match[0]], name)
            if escapable.search(value):
                value = escapable.sub(lambda match: table[match[0]], value)
        if not name.strip(BLANKS) or forbidden_in_name.search(name) or forbidden.search(value):
            if not lossy:
                raise EncodeError(f"STOMP {version} cannot carry the header {name!r}:{value!r}")
            name, value = (
                forbidden_in_name.sub("_", name).strip(BLANKS) or "_",
                forbidden.sub(" ", value),
            )
        lines.append(f"{name}:{value}\n")
    try:
        return "".join(lines).encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        raise EncodeError(f"a header is not text: {error.object[error.start]!r}") from error


_ESCAPABLE: Final[dict[str, re.Pattern[str] | None]] = {
    version: re.compile("[" + re.escape("".join(table)) + "]") if table else None
    for version, table in ESCAPES.items()
}

# What would end the line or the frame, or move the colon: in values, and in names.
# Looked for after escaping, so a colon of 1.1 is no longer there. Key None: never
# escaped, and read before a version is agreed, when a CR may be taken for a line end.
_FORBIDDEN: Final[dict[str | None, tuple[re.Pattern[str], re.Pattern[str]]]] = {
    None: (re.compile("[\0\n\r]"), re.compile("[\0\n\r:]")),
    V10: (re.compile("[\0\n]"), re.compile("[\0\n:]")),
    V11: (re.compile("\0"), re.compile("\0")),
    V12: (re.compile("\0"), re.compile("\0")),
}
