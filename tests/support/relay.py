"""A TCP relay on loopback whose connections a test can cut.

It stands between a client and a server and passes bytes on, both ways. ``cut`` resets
connections on both sides, as when a laptop leaves its network; a ``budget`` ends one in mid-stream.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

CHUNK_BYTES = 65_536
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Relay:
    """Listens on a free port and relays each connection to ``target``.

    Attributes:
        port: where to connect.
        cuts: how many connections were reset while they were open.
        budget: asked when the server answers on a connection: after how many more bytes it is to be
            cut, in the middle of them; None lets it live for now.
    """

    def __init__(self, target: tuple[str, int]) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.cuts = 0
        self.budget: Callable[[], int | None] = lambda: None
        self._pairs: set[tuple[socket.socket, socket.socket]] = set()
        self._lock = threading.Lock()
        self._acceptor = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self) -> Self:
        """Begin to accept."""
        self._acceptor.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop, and close everything."""
        # Closing alone would leave the thread in accept, to take one more connection.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._acceptor.join()
        self._listener.close()
        self.cut()

    def cut(self) -> int:
        """Reset every open connection, on both sides; returns how many there were."""
        with self._lock:
            pairs, self._pairs = self._pairs, set()
        for pair in pairs:
            _reset(pair)
        self.cuts += len(pairs)
        return len(pairs)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(self._target)
            except OSError:
                client.close()
                continue
            pair = (client, server)
            with self._lock:
                self._pairs.add(pair)
            for pump in (self._pump_up, self._pump_down):
                threading.Thread(target=pump, args=pair, daemon=True).start()

    def _pump_up(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := client.recv(CHUNK_BYTES):
                server.sendall(data)
        self._close((client, server))

    def _pump_down(self, client: socket.socket, server: socket.socket) -> None:
        budget: int | None = None
        with contextlib.suppress(OSError):
            while data := server.recv(CHUNK_BYTES):
                if budget is None:
                    budget = self.budget()
                client.sendall(data if budget is None else data[:budget])
                if budget is not None:
                    budget -= len(data)
                    if budget < 0:
                        self._cut((client, server))
                        return
        self._close((client, server))

    def _cut(self, pair: tuple[socket.socket, socket.socket]) -> None:
        with self._lock:
            if pair not in self._pairs:
                return
            self._pairs.discard(pair)
            self.cuts += 1
        _reset(pair)

    def _close(self, pair: tuple[socket.socket, socket.socket]) -> None:
        # No part of a site uses a connection that is closed in one direction only.
        with self._lock:
            if pair not in self._pairs:
                return  # it was cut, and a plain end here would forestall the reset
            self._pairs.discard(pair)
        for end in pair:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


def _reset(ends: tuple[socket.socket, ...]) -> None:
    for end in ends:
        with contextlib.suppress(OSError):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            # Closing alone would leave a thread in recv, and the socket open until it returns.
            end.shutdown(socket.SHUT_RD)
        end.close()
