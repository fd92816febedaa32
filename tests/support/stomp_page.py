"""What a page does on a STOMP connection, over a plain socket and without a browser."""

from __future__ import annotations

import socket
from typing import Any, Self

from stompservice.protocol import Frame, FrameParser, encode

SECONDS = 60


class StompPage:
    """One page's connection to a broker.

    Args:
        port: the broker's, on this machine.
        login: the page's uuid.
        passcode: its ticket.
    """

    def __init__(self, port: int, login: str, passcode: str) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=SECONDS)
        self._parser = FrameParser()
        self._frames: list[Frame] = []
        headers = {"accept-version": "1.2", "host": "/", "login": login, "passcode": passcode}
        self.send("CONNECT", headers)
        self.answer = self.receive()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._socket.close()

    def send(self, command: str, headers: dict[str, str], body: bytes = b"") -> None:
        """Write one frame."""
        self._socket.sendall(encode(Frame(command, headers, body)))

    def receive(self) -> Frame:
        """Wait for the next frame.

        Raises:
            EOFError: the broker closed the connection.
            TimeoutError: nothing came.
        """
        while not self._frames:
            received = self._socket.recv(65_536)
            if not received:
                raise EOFError("the broker closed the connection")
            self._parser.receive_data(received)
            for event in self._parser.events_received():
                frame: Any = event
                if not isinstance(frame, Frame):
                    raise AssertionError(f"the broker wrote no frame: {frame}")
                self._frames.append(frame)
        return self._frames.pop(0)

    def subscribe(self, destination: str, **more: str) -> Frame:
        """Subscribe with a receipt, and give the broker's answer."""
        headers = {"destination": destination, "id": destination, "receipt": "subscribed", **more}
        self.send("SUBSCRIBE", headers)
        return self.receive()
