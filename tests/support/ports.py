"""Ports for servers that tests start."""

from __future__ import annotations

import contextlib
import random
import socket

FIRST, LAST = 12_000, 32_000
"""Below the ports that Linux and macOS give to clients: theirs are taken again at any moment, and
between finding a port and listening on it a test must not lose it to a connection."""

_choose = random.SystemRandom()
_given: set[int] = set()


def free_port() -> int:
    """Find a port of loopback that nobody listens on; never the same twice in one process."""
    while True:
        port = _choose.randrange(FIRST, LAST)
        if port in _given:
            continue
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            _given.add(port)
            return port
