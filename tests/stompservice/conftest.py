"""A broker's end of a connection, for tests of the client."""

from __future__ import annotations

import pytest
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport

from stompservice.connection import StompProtocol
from stompservice.protocol import Frame, FrameParser, encode


class BrokerEnd:
    """What a broker sees and says, over a transport in memory.

    Attributes:
        seen: frames that have arrived and were not asked for yet.
        is_lost: whether the client has been told that the connection is gone.
        was_aborted: whether the client cut the connection.
    """

    def __init__(self, protocol: StompProtocol) -> None:
        self.protocol = protocol
        self.transport = StringTransport()
        self.transport.abortConnection = self._abort
        self.parser = FrameParser()
        self.is_lost = self.was_aborted = False
        protocol.makeConnection(self.transport)

    def raw(self) -> bytes:
        """Bytes that have arrived."""
        data = self.transport.value()
        self.transport.clear()
        return data

    def seen(self) -> list[Frame]:
        """Frames that have arrived."""
        self.parser.receive_data(self.raw())
        return list(self.parser.events_received())

    def say(self, command: str, body: bytes = b"", **headers: str) -> None:
        """Send a frame; ``_`` in a header name stands for ``-``."""
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        self.protocol.dataReceived(encode(Frame(command, headers, body)))

    def accept(self, version: str = "1.2", **headers: str) -> None:
        """Answer CONNECT."""
        assert self.seen()[0].command == "CONNECT"
        self.say("CONNECTED", version=version, **headers)

    def answer_receipts(self) -> list[Frame]:
        """Send the receipts that the frames arrived ask for, and return the frames."""
        frames = self.seen()
        for frame in frames:
            if "receipt" in frame.headers:
                self.say("RECEIPT", receipt_id=frame.headers["receipt"])
        return frames

    def is_closing(self) -> bool:
        """Whether the client wants the connection closed."""
        return self.transport.disconnecting or self.was_aborted

    def lose(self) -> None:
        """The connection is gone."""
        if not self.is_lost:
            self.is_lost = True
            self.protocol.connectionLost(None)

    def _abort(self) -> None:
        self.was_aborted = True
        self.lose()


@pytest.fixture
def clock() -> Clock:
    """Time that passes when told to."""
    return Clock()


@pytest.fixture
def broker_end() -> type[BrokerEnd]:
    """Makes the broker's end of a protocol's connection."""
    return BrokerEnd
