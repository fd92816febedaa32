"""STOMP as tables: commands, versions, and what each version does differently.

The three versions share one shape and differ in small rules. Each rule is one
table here, keyed by version, so that neither the encoder nor the parser asks
``if version ==``. Sources: stomp.github.io, "STOMP Protocol Specification" 1.0,
1.1 and 1.2; chapter names are quoted beside the tables.
"""

from __future__ import annotations

import re
from typing import Final

V10: Final = "1.0"
V11: Final = "1.1"
V12: Final = "1.2"
VERSIONS: Final = (V10, V11, V12)
"""Lowest first, as they appear in an ``accept-version`` header."""

CONNECT_COMMANDS: Final = frozenset({"CONNECT", "STOMP"})
CLIENT_COMMANDS: Final = frozenset(
    {
        *CONNECT_COMMANDS,
        "SEND",
        "SUBSCRIBE",
        "UNSUBSCRIBE",
        "ACK",
        "NACK",
        "BEGIN",
        "COMMIT",
        "ABORT",
        "DISCONNECT",
    }
)
SERVER_COMMANDS: Final = frozenset({"CONNECTED", "MESSAGE", "RECEIPT", "ERROR"})
COMMANDS: Final = CLIENT_COMMANDS | SERVER_COMMANDS

MAX_COMMAND_BYTES: Final = 32
"""Longest word taken for a command; twice the longest that STOMP has."""
COMMAND: Final = re.compile(rf"[A-Z]{{1,{MAX_COMMAND_BYTES}}}")

# "Body": "Only the SEND, MESSAGE, and ERROR frames MAY have a body." (1.1, 1.2)
BODY_COMMANDS: Final = frozenset({"SEND", "MESSAGE", "ERROR"})
BODILESS: Final[dict[str, frozenset[str]]] = {
    V10: frozenset(),
    V11: COMMANDS - BODY_COMMANDS,
    V12: COMMANDS - BODY_COMMANDS,
}

# "Value Encoding": CONNECT and CONNECTED "SHOULD NOT escape [...] in order to
# remain backward compatible with STOMP 1.0". The same frames announce the version
# that rules them: in this header.
VERSION_HEADERS: Final[dict[str, str]] = {
    "CONNECT": "accept-version",
    "STOMP": "accept-version",
    "CONNECTED": "version",
}
UNESCAPED_COMMANDS: Final = frozenset(VERSION_HEADERS)

# "Value Encoding".
ESCAPES: Final[dict[str, dict[str, str]]] = {
    V10: {},
    V11: {"\\": "\\\\", "\n": "\\n", ":": "\\c"},
    V12: {"\\": "\\\\", "\n": "\\n", ":": "\\c", "\r": "\\r"},
}
UNESCAPES: Final[dict[str, dict[str, str]]] = {
    version: {escaped: plain for plain, escaped in table.items()}
    for version, table in ESCAPES.items()
}
ESCAPE_SEQUENCE: Final = re.compile(r"\\.?", re.DOTALL)

# "Augmented BNF": EOL = [CR] LF in 1.2 only.
CRLF_VERSIONS: Final = frozenset({V12})

# 1.0 is silent; its clients write "destination: /x", and its brokers let the last
# of repeated headers win. 1.1 and 1.2: "only the first header entry SHOULD be used".
LENIENT_VERSIONS: Final = frozenset({V10})
BLANKS: Final = " \t\r"

ACK_MODES: Final[dict[str, frozenset[str]]] = {
    V10: frozenset({"auto", "client"}),
    V11: frozenset({"auto", "client", "client-individual"}),
    V12: frozenset({"auto", "client", "client-individual"}),
}


def negotiate_version(accept_version: str | None) -> str | None:
    """Choose the version of a connection.

    Args:
        accept_version: the client's ``accept-version`` header, None when absent.

    Returns:
        The highest version in common, 1.0 for a client that names none, None when
        there is nothing in common.

    STOMP 1.1 and 1.2, "Protocol Negotiation".
    """
    if accept_version is None:
        return V10
    offered = {version.strip() for version in accept_version.split(",")}
    return max(offered.intersection(VERSIONS), default=None)
