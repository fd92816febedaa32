r"""The first bytes of a session: where to connect, and the answer.

::

    browser   127.0.0.1:61613\n        [::1]:61613\n for IPv6
    server    1                        connected: bytes flow both ways from here on
    server    0106                     or a zero and a number of orbited.errors, then close

The answer is a packet of its own: the client of 2010 reads its first character and throws the
rest of that packet away.
"""

from typing import NamedTuple

from orbited.errors import INVALID_HANDSHAKE

__all__ = ["CONNECTED", "HandshakeError", "Target", "parse_handshake", "refusal"]

CONNECTED = b"1"

#: A host name has at most 253 characters, a port five; blanks around them are allowed.
MAX_LINE_BYTES = 300


class Target(NamedTuple):
    """What the page asked for; ``early`` is what it sent behind the line, without waiting."""

    host: str
    port: int
    early: bytes = b""


class HandshakeError(Exception):
    """The line is not understood; ``code`` is what the page is told."""

    code = INVALID_HANDSHAKE


def refusal(code: int) -> bytes:
    """The answer for an error, e.g. ``0106``."""
    return b"0%d" % code


def parse_handshake(data: bytes) -> Target:
    """Read the first ``data`` packet of a session.

    Raises:
        HandshakeError: no host, no port, or too long.
    """
    line, _, early = data.partition(b"\n")
    if len(line) > MAX_LINE_BYTES:
        raise HandshakeError("the handshake line is too long")
    try:
        text = line.decode("utf-8").strip()
    except UnicodeDecodeError:
        raise HandshakeError("the handshake line is not UTF-8") from None
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        colon, port = rest[:1], rest[1:]
        is_complete = bool(bracket) and ":" in host
    else:
        host, colon, port = text.partition(":")
        is_complete = ":" not in port
    if not (is_complete and host and colon == ":" and host.isprintable() and " " not in host):
        raise HandshakeError("expected HOST:PORT")
    if not (port.isascii() and port.isdigit() and 1 <= len(port) <= 5 and 0 < int(port) < 65536):
        raise HandshakeError("expected a port from 1 to 65535")
    return Target(host, int(port), early)
