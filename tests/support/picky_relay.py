"""A relay that lets some transports through, and not others, as bad proxies do."""

from __future__ import annotations

import contextlib
import re
import socket

from tests.support.relay import CHUNK_BYTES, Relay

_TRANSPORT = re.compile(rb"GET \S*/tcp/\w+/(\w+)")
_Pair = tuple[socket.socket, socket.socket]


class PickyRelay(Relay):
    """Knows which transport each connection carries.

    Attributes:
        silenced: transports whose answers do not come through; their connections stay open, and
            silent for ever: no network leaves a hole in a connection.
        broken: transports whose connections are reset as soon as the server answers on them.
    """

    def __init__(self, target: tuple[str, int]) -> None:
        super().__init__(target)
        self.silenced: set[str] = set()
        self.broken: set[str] = set()
        self._transports: dict[_Pair, str | None] = {}

    def _pump_up(self, client: socket.socket, server: socket.socket) -> None:
        pair = (client, server)
        with contextlib.suppress(OSError):
            while data := client.recv(CHUNK_BYTES):
                # A browser sends no request before it has the answer to the last one.
                if data.startswith((b"GET ", b"POST ")):
                    found = _TRANSPORT.match(data)
                    self._transports[pair] = found[1].decode() if found else None
                server.sendall(data)
        self._close(pair)

    def _pump_down(self, client: socket.socket, server: socket.socket) -> None:
        pair = (client, server)
        is_silent = False
        with contextlib.suppress(OSError):
            while data := server.recv(CHUNK_BYTES):
                transport = self._transports.get(pair)
                if transport in self.broken:
                    self._cut(pair)
                    return
                is_silent |= transport in self.silenced
                if not is_silent:
                    client.sendall(data)
        self._close(pair)
