"""Ports for servers that tests start."""

from __future__ import annotations

import random
import socket

FIRST, LAST = 12_000, 32_000
"""Below the ports that Linux and macOS give to clients: theirs are taken again at any moment, and
between finding a port and listening on it a test must not lose it to a connection."""

_choose = random.SystemRandom()
_claims: dict[int, socket.socket] = {}


def free_port() -> int:
    """Find a port of loopback that nobody listens on, and that no test has been given before.

    Tests run in several processes, and a server listens a while after its port was found, or never.
    So a port is claimed by the UDP port of the same number, which no test uses for anything else
    and which this process holds to its end.
    """
    while True:
        port = _choose.randrange(FIRST, LAST)
        claim = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            claim.bind(("127.0.0.1", port))
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            claim.close()
        else:
            _claims[port] = claim
            return port
