"""A comet session of a virtual browser, whose server goes away at the worst moment."""

import socket
import struct
import threading
from collections.abc import Callable

import pytest

from thywill_server.testing.comet import CometSession, Place
from thywill_server.testing.loop import Loop
from thywill_server.testing.streams import Speed

RESET = struct.pack("ii", 1, 0)
"""For SO_LINGER: a reset instead of an end."""


class CuttingLoop(Loop):
    """Has the first connection that it watches reset before a byte was written to it."""

    def __init__(self, server: socket.socket) -> None:
        super().__init__()
        self._server = server
        self._is_cut = False

    def watch(self, connection: socket.socket, readable: Callable[[], object]) -> None:
        """Reset it, once; then watch it all the same."""
        if not self._is_cut:
            self._is_cut = True
            accepted, _ = self._server.accept()
            accepted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            accepted.close()
        super().watch(connection, readable)


@pytest.mark.parametrize("transport", ["websocket", "xhrstream", "sse", "longpoll", "poll"])
def test_a_transport_that_is_reset_while_it_opens_is_opened_again(transport: str) -> None:
    """A server that is killed between the connection and the first byte on it."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        creating = threading.Thread(target=create_session, args=(server,))
        creating.start()
        loop = CuttingLoop(server)
        place = Place(*server.getsockname(), "/orbited/")
        session = CometSession(loop, place, transport, Speed(), lambda _: None, lambda: None)
        creating.join()
        server.settimeout(0)
        again: list[bytes] = []

        def is_asked_again() -> bool:
            try:
                connection, _ = server.accept()
            except BlockingIOError:
                return False
            with connection:
                connection.settimeout(10)
                again.append(connection.recv(1024))
            return True

        assert loop.run(is_asked_again, 10)
        assert again[0].startswith(f"GET /orbited/tcp/key/{transport}?ack=0 ".encode())
        session.cut()
        loop.close()


def create_session(server: socket.socket) -> None:
    """Answer the one request that creates a session."""
    connection, _ = server.accept()
    with connection:
        while b"\r\n\r\n" not in connection.recv(4096):
            pass
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nkey")
