"""Sessions for a factory of one's own: in a site of twisted.web, or on a port of their own."""

from typing import Any

import pytest
from twisted.internet.error import ConnectionLost
from twisted.internet.protocol import ServerFactory
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.python.failure import Failure
from twisted.web.resource import Resource
from twisted.web.server import Site

from orbited.cometsession import Port
from orbited.protocol.packets import DATA, TEXT, Packet
from orbited.servers import make_factory
from tests.support.comet import decode


class Served:
    """A port with the echo above it, and what listens."""

    def __init__(self, is_mounted: bool) -> None:
        self.reactor = MemoryReactorClock()
        self.factory: ServerFactory = make_factory("echo")
        root = Resource()
        options = {"resource": root, "childName": "tcp"} if is_mounted else {"port": 9999}
        self.port = Port(factory=self.factory, reactor=self.reactor, **options)
        self.port.startListening()
        self.site: Any = (
            Site(root, reactor=self.reactor) if is_mounted else self.reactor.tcpServers[0][1]
        )
        self.transports: dict[Any, StringTransport] = {}
        self.connection = self.connect()

    def connect(self) -> Any:
        """A browser connects."""
        connection, transport = self.site.buildProtocol(None), StringTransport()
        connection.makeConnection(transport)
        self.transports[connection] = transport
        return connection

    def ask(self, line: str, body: bytes = b"", *headers: str, connection: Any = None) -> bytes:
        """Send a request; gives all that came back."""
        connection = connection or self.connection
        transport = self.transports[connection]
        length = [f"Content-Length: {len(body)}"] if body else []
        lines = [f"{line} HTTP/1.1", "Host: x", *length, *headers, "", ""]
        connection.dataReceived("\r\n".join(lines).encode() + body)
        self.reactor.advance(0)
        answer = transport.value()
        transport.clear()
        return answer


@pytest.fixture(params=[True, False], ids=["mounted", "alone"])
def served(request):
    """Both kinds."""
    return Served(request.param)


def content(answer: bytes) -> bytes:
    """The body of an answer that has a length."""
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK"), head
    assert len(body) == int(head.lower().partition(b"content-length: ")[2].split()[0])
    return body


def test_bytes_go_up_and_come_back(served):
    """Through a session, its POSTs and its polls."""
    key = content(served.ask("GET /tcp")).decode()
    content(served.ask(f"GET /tcp/{key}/longpoll"))
    packet = TEXT.encode([Packet(1, DATA, b"hello")])
    assert content(served.ask(f"POST /tcp/{key}", packet)) == b"OK"
    (packet,) = decode(content(served.ask(f"GET /tcp/{key}/longpoll?ack=2")))
    assert packet[1:] == (b"data", b"aGVsbG8=")


def test_a_stream_is_written_to_until_its_browser_goes(served):
    """And then the session has no transport any more."""
    key = content(served.ask("GET /tcp")).decode()
    stream = served.connect()
    head = served.ask(f"GET /tcp/{key}/xhrstream", connection=stream)
    assert b"Transfer-Encoding: chunked" in head
    session = served.port.tcp.connections[key]
    assert session.transport_name == "xhrstream"
    stream.connectionLost(Failure(ConnectionLost()))
    assert session.transport_name is None


def test_everything_else_is_not_found(served):
    """There is nothing beside the sessions."""
    assert served.ask("GET /tcp/no/such/thing").startswith(b"HTTP/1.1 404 ")


def test_a_port_of_its_own_has_nothing_else():
    """Neither at its root nor under another name."""
    served = Served(is_mounted=False)
    for path in ("/", "/tcpx", "/static/Orbited.js"):
        assert served.ask(f"GET {path}").startswith(b"HTTP/1.1 404 ")


def test_stopping_ends_the_factory(served):
    """As with any port of Twisted."""
    assert served.factory.numPorts == 1
    assert served.port.stopListening().called
    assert served.factory.numPorts == 0
