"""STOMP on anything that has ``send``, ``receive`` and ``close``."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Final, Protocol

from stompservice.protocol import Frame, FrameParser, encode
from thywill_server.management.diagnosis.trouble import Trouble, reason

PIECE_BYTES: Final = 65_536


class Wire(Protocol):
    """Bytes both ways."""

    def send(self, data: bytes) -> None:
        """Send all of it."""

    def receive(self) -> bytes:
        """Wait for some; none at the end."""

    def close(self) -> None:
        """Let go."""


class TcpWire:
    """A plain connection to a broker.

    Raises:
        Trouble: nobody listens there.
    """

    def __init__(self, host: str, port: int, seconds: float) -> None:
        self._address = f"{host}:{port}"
        try:
            self._socket = socket.create_connection((host, port), timeout=seconds)
        except OSError as error:
            raise Trouble(
                f"no broker listens on {self._address} ({reason(error)})",
                "Start it: ./run and the command orbited bring one. If it listens elsewhere, "
                'correct THYWILL["push"]["stomp_host"] and ["stomp_port"].',
            ) from error

    def send(self, data: bytes) -> None:
        """Send all of it."""
        self._socket.sendall(data)

    def receive(self) -> bytes:
        """Wait for some; none at the end."""
        try:
            return self._socket.recv(PIECE_BYTES)
        except ConnectionResetError:
            return b""

    def close(self) -> None:
        """Let go."""
        self._socket.close()


class StompSession:
    """A connection that is CONNECTED.

    Args:
        wire: what carries it.
        login: for CONNECT.
        passcode: likewise.
        virtual_host: likewise.
        refused: makes a Trouble of what the broker says when it refuses.

    Raises:
        Trouble: the broker refuses, or there is none.
    """

    def __init__(
        self,
        wire: Wire,
        login: str,
        passcode: str,
        virtual_host: str,
        refused: Callable[[str], Trouble],
    ) -> None:
        self._wire, self._refused = wire, refused
        self._parser = FrameParser()
        self._frames: list[Frame] = []
        headers = {"accept-version": "1.2", "host": virtual_host, "heart-beat": "0,0"}
        self._write("CONNECT", {**headers, "login": login, "passcode": passcode})
        answer = self._next()
        if answer.command != "CONNECTED":
            raise refused(said(answer))
        self.server = answer.headers.get("server", "a STOMP broker")

    def subscribe(self, destination: str) -> None:
        """Subscribe, and wait until it is confirmed."""
        headers = {"destination": destination, "id": "doctor", "receipt": "subscribed"}
        self._write("SUBSCRIBE", headers)
        answer = self._next()
        if answer.command != "RECEIPT":
            raise self._refused(said(answer))

    def wait_for(self, body: bytes) -> None:
        """Wait for a message with this body; others are passed over."""
        while True:
            frame = self._next()
            if frame.command == "ERROR":
                raise self._refused(said(frame))
            if frame.command == "MESSAGE" and frame.body == body:
                return

    def close(self) -> None:
        """Let go."""
        try:
            self._write("DISCONNECT", {})
        except (OSError, Trouble):
            pass
        self._wire.close()

    def _write(self, command: str, headers: dict[str, str]) -> None:
        self._wire.send(encode(Frame(command, headers)))

    def _next(self) -> Frame:
        while not self._frames:
            try:
                data = self._wire.receive()
            except TimeoutError:
                raise Trouble(
                    "the broker does not answer",
                    "What listens there may be no STOMP broker: compare stomp_port with it.",
                ) from None
            if not data:
                raise self._refused("the connection was closed")
            self._parser.receive_data(data)
            for event in self._parser.events_received():
                if isinstance(event, Frame):
                    self._frames.append(event)
                elif isinstance(event, Exception):
                    raise Trouble(
                        f"what answers is no STOMP broker ({event})",
                        'Correct THYWILL["push"]["stomp_port"].',
                    )
        return self._frames.pop(0)


def said(frame: Frame) -> str:
    """Give the words of a frame that is not the one that was hoped for."""
    return frame.headers.get("message") or frame.text.strip() or frame.command
