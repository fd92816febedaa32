"""A broker's end of a connection, for tests of the client and the service."""

from __future__ import annotations

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionRefusedError as Refused
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from zope.interface import implementer

from stompservice.connection import StompProtocol
from stompservice.protocol import Frame, FrameParser, encode
from stompservice.service import StompClientService


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

    def bodies(self) -> list[bytes]:
        """The bodies of the SENDs that have arrived."""
        return [frame.body for frame in self.seen() if frame.command == "SEND"]

    def commands(self) -> list[str]:
        """The commands of the frames that have arrived."""
        return [frame.command for frame in self.seen()]

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


@implementer(IStreamClientEndpoint)
class MemoryEndpoint:
    """A broker's address: the test decides what becomes of each attempt."""

    def __init__(self) -> None:
        self.attempts: list[tuple[object, Deferred]] = []
        self.cancelled = 0

    def connect(self, factory):
        """Wait for ``up`` or ``refuse``."""
        attempt = Deferred(self._cancel)
        self.attempts.append((factory, attempt))
        return attempt

    def up(self):
        """The TCP connection comes about; returns the broker's end."""
        factory, attempt = self.attempts.pop(0)
        protocol = factory.buildProtocol(None)
        broker = BrokerEnd(protocol)
        attempt.callback(protocol)
        return broker

    def refuse(self):
        """The TCP connection is refused."""
        self.attempts.pop(0)[1].errback(Refused())

    def _cancel(self, attempt: Deferred) -> None:
        self.cancelled += 1
        attempt.errback(ConnectionError("cancelled"))


@pytest.fixture
def clock() -> Clock:
    """Time that passes when told to."""
    return Clock()


@pytest.fixture
def broker_end() -> type[BrokerEnd]:
    """Makes the broker's end of a protocol's connection."""
    return BrokerEnd


@pytest.fixture
def endpoint() -> MemoryEndpoint:
    """The only broker's address."""
    return MemoryEndpoint()


@pytest.fixture
def build(clock, endpoint):
    """Makes a service; without jitter, with the given settings."""

    def build(endpoints=None, **settings) -> StompClientService:
        settings = {"random": lambda: 1.0, **settings}
        return StompClientService(endpoints or [endpoint], reactor=clock, **settings)

    return build


@pytest.fixture
def service(build) -> StompClientService:
    """A service that was started."""
    service = build(max_queued=3)
    service.startService()
    return service


@pytest.fixture
def live(service, endpoint):
    """The broker's end of a service that is live."""
    broker = endpoint.up()
    broker.accept()
    assert service.is_connected
    return broker


@pytest.fixture
def endpoints() -> list[MemoryEndpoint]:
    """Two brokers."""
    return [MemoryEndpoint(), MemoryEndpoint()]
