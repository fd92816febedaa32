"""A server in memory with WebSocket end points, and both ends of what passes through them."""

from twisted.internet.protocol import Protocol, ServerFactory
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.python.failure import Failure

from orbited.config import from_mapping
from orbited.service import Comet
from tests.support.exchange import MemoryExchange
from tests.support.websocket_frames import BINARY, CLOSE, HANDSHAKE, frame, parse

OPTIONS = {
    "http": {"hosts": ["orbited.example"]},
    "access": [
        "* -> 127.0.0.1:7",
        "* -> [::1]:7",
        "* -> backend.example:7",
        "* -> local:1",
        "* -> alias:1",
        "* -> refusing:1",
        "https://listed.example -> 127.0.0.1:9",
    ],
    "proxy": {"connect_seconds": 4},
    "limits": {"post_bytes": 1000},
}


class Service(Protocol):
    """A service in this process: remembers what it hears."""

    def __init__(self):
        self.received = []
        self.lost = None
        self.calls = []

    def connectionMade(self):
        self.transport.registerProducer(self, True)

    def dataReceived(self, data):
        if data == b"fail":
            raise RuntimeError("a mistake of the service's")
        self.received.append(data)

    def connectionLost(self, reason=None):
        self.lost = reason

    def pauseProducing(self):
        self.calls.append("pause")

    def resumeProducing(self):
        self.calls.append("resume")


class Services(ServerFactory):
    """Builds services and keeps them."""

    def __init__(self):
        self.built = []

    def buildProtocol(self, address):
        self.built.append(Service())
        return self.built[-1]


class Refusing(ServerFactory):
    """Takes no connection."""

    def buildProtocol(self, address):
        return None


class TCPTransport(StringTransport):
    """A back end's socket in memory."""

    no_delay = False
    aborted = False

    def setTcpNoDelay(self, enabled):
        self.no_delay = enabled

    def abortConnection(self):
        self.aborted = True


class Socket:
    """The browser's end of a bridge."""

    def __init__(self, exchange):
        self.exchange = exchange
        self.connection = exchange.upgraded
        self.transport = StringTransport()
        self.connection.makeConnection(self.transport)

    def send(self, payload, opcode=BINARY):
        self.connection.dataReceived(frame(opcode, payload))

    def receive(self):
        """What came since the last time."""
        data = self.transport.value()
        self.transport.clear()
        return parse(data)

    def messages(self):
        """The payloads of that."""
        return [one.payload for one in self.receive()]

    def closed(self):
        """The code of the close frame that came last."""
        *_, last = self.receive()
        assert last.opcode == CLOSE
        return int.from_bytes(last.payload[:2], "big")


class Server:
    """A whole server behind a fake edge, with a reactor in memory."""

    def __init__(self, **sections):
        self.reactor = MemoryReactorClock()
        self.services = Services()
        local = {
            ("local", 1): self.services,
            ("alias", 1): self.services,
            ("refusing", 1): Refusing(),
        }
        options = {name: dict(section) for name, section in sections.items()}
        for name, section in OPTIONS.items():
            options[name] = (
                {**section, **options.get(name, {})} if isinstance(section, dict) else section
            )
        self.comet = Comet(from_mapping(options), local, self.reactor)
        self.counters = self.comet.tcp.counters

    def ask(self, path, *, headers=None, **options):
        """Make a request."""
        exchange = MemoryExchange(path=path, headers={**HANDSHAKE, **(headers or {})}, **options)
        self.comet.pages.respond(exchange)
        return exchange

    def open(self, path, **options):
        """Open a WebSocket to a service in the process."""
        exchange = self.ask(path, **options)
        assert exchange.status == 101, exchange.content
        return Socket(exchange)

    def open_tcp(self, path="/ws/127.0.0.1:7", **options):
        """Open a WebSocket to a TCP connection; both ends."""
        exchange = self.ask(path, **options)
        transport = self.accept()
        return Socket(exchange), transport

    def attempt(self):
        """Where the last TCP connection goes, and its factory."""
        host, port, factory, *_ = self.reactor.tcpClients[-1]
        return host, port, factory

    def accept(self):
        """The back end answers."""
        _, _, factory = self.attempt()
        protocol = factory.buildProtocol(None)
        transport = TCPTransport()
        transport.protocol = protocol
        protocol.makeConnection(transport)
        transport.say = protocol.dataReceived
        transport.lose = lambda error: protocol.connectionLost(Failure(error))
        return transport

    def turn(self):
        """Let the reactor's turn end."""
        self.reactor.advance(0)

    @property
    def bridges(self):
        return self.comet.tcp.bridges
