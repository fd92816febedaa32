"""Fixtures for the server of sessions: a clock, a protocol above, exchanges below."""

from collections.abc import Callable
from typing import Any

import pytest
from twisted.internet.protocol import Protocol, ServerFactory
from twisted.internet.task import Clock

from orbited.cometsession import TCPResource
from orbited.config import from_mapping
from orbited.connection import TCPConnectionResource
from orbited.protocol.packets import TEXT, Packet
from orbited.settings import Config
from tests.support.exchange import MemoryExchange


class Recorder(Protocol):
    """The application of a session: remembers what it was told."""

    def __init__(self) -> None:
        self.received: list[bytes] = []
        self.lost: Any = None

    def dataReceived(self, data: bytes) -> None:
        self.received.append(data)

    def connectionLost(self, reason: Any = None) -> None:
        self.lost = reason


class Comet:
    """A ``TCPResource`` with a fake clock, and the verbs of a browser."""

    def __init__(self, config: Config, protocol: Callable[[], Protocol] = Recorder) -> None:
        self.clock = Clock()
        self.protocols: list[Any] = []
        factory = ServerFactory()

        def build(address: object) -> Protocol:
            self.protocols.append(protocol())
            return self.protocols[-1]

        factory.buildProtocol = build  # type: ignore[method-assign,assignment]
        self.tcp = TCPResource(factory, config, self.clock)

    def turn(self) -> None:
        """Let the reactor's turn end."""
        self.clock.advance(0)

    def ask(self, method: str = "GET", path: str = "", **options: Any) -> MemoryExchange:
        """Make a request."""
        exchange = MemoryExchange(method, path, **options)
        self.tcp.respond(exchange)
        return exchange

    def create(self, **options: Any) -> str:
        """Create a session."""
        exchange = self.ask(**options)
        assert exchange.status == 200
        return exchange.content.decode()

    def session(self, key: str) -> TCPConnectionResource:
        """The session of a key."""
        return self.tcp.connections[key]

    def open(
        self, key: str, name: str = "xhrstream", ack: int = 0, **options: Any
    ) -> MemoryExchange:
        """Open a transport."""
        query = {"ack": str(ack)} if ack else {}
        return self.ask("GET", f"{key}/{name}", query=query, **options)

    def post(self, key: str, *packets: Packet, **options: Any) -> MemoryExchange:
        """POST packets."""
        return self.ask("POST", key, body=TEXT.encode(packets), **options)


@pytest.fixture
def make_comet() -> Callable[..., Comet]:
    """Makes a server with these options."""

    def make(
        options: dict[str, Any] | None = None, protocol: Callable[[], Protocol] = Recorder
    ) -> Comet:
        return Comet(from_mapping(options or {}), protocol)

    return make


@pytest.fixture
def comet(make_comet: Callable[..., Comet]) -> Comet:
    """A server with default settings."""
    return make_comet()
