"""The handshake, the access list, the connection to the back end, and pacing both sides."""

import pytest
from twisted.internet.error import ConnectionDone, ConnectionRefusedError
from twisted.internet.protocol import Protocol, ServerFactory
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.python.failure import Failure

from orbited.cometsession import TCPResource
from orbited.config import from_mapping
from orbited.protocol.packets import CLOSE, DATA, Packet
from orbited.proxy import ProxyFactory
from tests.orbited.conftest import Comet
from tests.support.comet import decode

OPTIONS = {
    "http": {"hosts": ["orbited.example"]},
    "access": [
        "* -> 127.0.0.1:7",
        "* -> [::1]:7",
        "* -> local:1",
        "* -> refusing:1",
        "https://listed.example -> 127.0.0.1:9",
    ],
    "proxy": {"connect_seconds": 4},
    "limits": {"held_post_bytes": 1000},
}


class Service(Protocol):
    """A service in this process that says ``hello`` first and remembers what it hears."""

    def __init__(self):
        self.received = []
        self.lost = None

    def connectionMade(self):
        self.transport.write(b"hello")

    def dataReceived(self, data):
        self.received.append(data)

    def connectionLost(self, reason=None):
        self.lost = reason


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


class Proxy(Comet):
    """The proxy behind a fake edge, with a reactor in memory for its TCP connections."""

    def __init__(self, options):
        super().__init__(from_mapping(options))
        self.reactor = MemoryReactorClock()
        self.clock = self.reactor
        self.services = Services()
        local = {("local", 1): self.services, ("refusing", 1): Refusing()}
        config = from_mapping(options)
        self.factory = ProxyFactory(config, local, self.reactor)
        self.tcp = TCPResource(self.factory, config, self.reactor, self.factory.counters)
        self.number = 0

    def begin(self, target, **options):
        """Create a session and send its handshake."""
        key = self.create(**options)
        self.poll(key)
        self.say(key, target)
        return key

    def say(self, key, data):
        """Send application bytes."""
        self.number += 1
        return self.post(key, Packet(self.number, DATA, data))

    def poll(self, key, ack=0):
        """What a poll brings: names and data."""
        self.turn()
        exchange = self.open(key, "poll", ack=ack)
        self.turn()
        return [packet[1:] for packet in decode(exchange.content)]

    def accept(self):
        """Let the last TCP connection succeed."""
        factory = self.reactor.tcpClients[-1][2]
        protocol = factory.buildProtocol(None)
        transport = StringTransport()
        transport.setTcpNoDelay = lambda is_on: None
        protocol.makeConnection(transport)
        return protocol, transport


@pytest.fixture
def proxy():
    """A proxy with two services in its process and a few entries in its list."""
    return Proxy(OPTIONS)


ONE = (b"data", b"MQ==")
CLOSED = (b"close", b"loseConnection")


def refused(code):
    """What a page reads for a code."""
    from base64 import b64encode

    return [(b"data", b64encode(b"0%d" % code)), CLOSED]


@pytest.mark.parametrize("line", [b"garbage\n", b"127.0.0.1\n", b"127.0.0.1:99999\n", b"\xff\n"])
def test_a_handshake_that_is_none_gets_102(proxy, line):
    """The code is data, then the session closes in order."""
    assert proxy.poll(proxy.begin(line), 2) == refused(102)
    assert proxy.reactor.tcpClients == []


@pytest.mark.parametrize(
    "line", [b"127.0.0.1:8\n", b"localhost:7\n", b"127.0.0.1:9\n", b"10.0.0.1:7\n"]
)
def test_an_address_that_is_not_listed_gets_106(proxy, line):
    """Nothing is connected, nothing is looked up."""
    assert proxy.poll(proxy.begin(line), 2) == refused(106)
    assert proxy.reactor.tcpClients == []
    assert proxy.factory.counters.back_end_refusals == 1


def test_a_listed_origin_reaches_what_is_listed_for_it(proxy):
    """And nothing that is listed for others; the creating request counts."""
    headers = {"headers": {"origin": "https://listed.example"}}
    key = proxy.create(**headers)
    proxy.post(key, Packet(1, DATA, b"127.0.0.1:9\n"), **headers)
    assert proxy.reactor.tcpClients[-1][:2] == ("127.0.0.1", 9)
    key = proxy.create(**headers)
    proxy.post(key, Packet(1, DATA, b"127.0.0.1:7\n"), **headers)
    assert proxy.poll(key)[-2:] == refused(106)


def test_a_foreign_page_gets_106(proxy):
    """Also where anybody may go: its Origin is neither ours nor listed."""
    key = proxy.create(headers={"origin": "https://evil.example"})
    proxy.post(key, Packet(1, DATA, b"127.0.0.1:7\n"))
    assert proxy.poll(key)[-2:] == refused(106)


def test_a_refused_connection_gets_108(proxy):
    """The back end is not there."""
    key = proxy.begin(b"127.0.0.1:7\n")
    proxy.reactor.tcpClients[-1][2].clientConnectionFailed(None, Failure(ConnectionRefusedError()))
    assert proxy.poll(key, 2) == refused(108)
    assert proxy.poll(proxy.begin(b"refusing:1\n"), 2) == refused(108)


def test_no_answer_in_time_gets_104(proxy):
    """After the configured time nobody waits any longer."""
    key = proxy.begin(b"127.0.0.1:7\n")
    proxy.reactor.advance(3.9)
    assert proxy.poll(key, 2) == []
    proxy.reactor.advance(0.2)
    assert proxy.poll(key, 2) == refused(104)


def test_ipv6_literals_stand_in_brackets(proxy):
    """As in a URL."""
    proxy.begin(b"[::1]:7\n")
    assert proxy.reactor.tcpClients[-1][:2] == ("::1", 7)


def test_bytes_flow_both_ways_over_tcp(proxy):
    """After ``1``, in a packet of its own, everything is passed on as it is."""
    key = proxy.begin(b"127.0.0.1:7\n")
    protocol, transport = proxy.accept()
    protocol.dataReceived(b"\0\xff")
    assert proxy.poll(key, 2) == [ONE, (b"data", b"AP8=")]
    proxy.say(key, b"up\r\n")
    assert transport.value() == b"up\r\n"
    protocol.connectionLost(Failure(ConnectionDone()))
    assert proxy.poll(key, 4) == [CLOSED]


def test_bytes_flow_both_ways_in_process(proxy):
    """The service is called without a socket; its first words come behind ``1``."""
    key = proxy.begin(b"local:1\n")
    assert proxy.reactor.tcpClients == []
    assert proxy.poll(key, 2) == [ONE, (b"data", b"aGVsbG8=")]
    proxy.say(key, b"up")
    assert proxy.services.built[0].received == [b"up"]
    proxy.post(key, Packet(99, CLOSE))
    assert proxy.services.built[0].lost is not None


def test_a_service_is_called_past_the_proxy_while_it_reads(proxy):
    """Not while bytes wait for it, nor once it has closed, nor once the browser has."""
    key = proxy.begin(b"local:1\n")
    session, service = proxy.session(key), proxy.services.built[0]
    assert session.receiver is service
    service.transport.pauseProducing()
    assert session.receiver is None
    proxy.say(key, b"a")
    assert service.received == []
    service.transport.resumeProducing()
    proxy.say(key, b"b")
    assert (session.receiver, service.received) == (service, [b"a", b"b"])
    service.transport.loseConnection()
    assert session.receiver is None
    proxy.say(key, b"c")
    other = proxy.session(proxy.begin(b"local:1\n"))
    assert other.receiver is proxy.services.built[1]
    other.abortConnection()
    proxy.turn()
    assert other.receiver is None
    assert service.received == [b"a", b"b"]


def test_a_service_that_fails_costs_its_session_only(proxy, caplog):
    """What it raises stands in the log, and the session is closed."""
    key, other = proxy.begin(b"local:1\n"), proxy.begin(b"local:1\n")
    service = proxy.services.built[0]
    service.dataReceived = lambda data: [].pop()
    proxy.say(key, b"a")
    assert "the protocol failed" in caplog.text
    assert (proxy.session(key).is_told, service.lost is not None) == (True, True)
    proxy.say(other, b"b")
    assert proxy.services.built[1].received == [b"b"]


def test_frames_of_a_service_are_not_copied(proxy):
    """The very object that it writes is what waits for the transport."""
    key = proxy.begin(b"local:1\n")
    proxy.poll(key, 2)
    frame = b"MESSAGE\n\n" + b"x" * 1000
    proxy.services.built[0].transport.write(frame)
    proxy.turn()
    proxy.open(key, "longpoll", ack=4)
    assert proxy.session(key).core.outbox._unacked[-1] is frame


def test_what_comes_too_early_is_kept(proxy):
    """Bytes behind the handshake line, and packets while connecting, reach the back end."""
    key = proxy.begin(b"127.0.0.1:7\nCONNECT")
    proxy.say(key, b" more")
    _, transport = proxy.accept()
    assert transport.value() == b"CONNECT more"


def test_too_much_that_comes_too_early_is_refused(proxy):
    """Only so much is kept for a back end that has not answered."""
    key = proxy.begin(b"127.0.0.1:7\n")
    proxy.say(key, b"x" * 1001)
    assert proxy.poll(key, 2) == refused(102)
    assert proxy.reactor.connectors[-1].stoppedConnecting


def test_a_browser_that_leaves_closes_the_back_end(proxy):
    """At once, and an attempt that is still going on is given up."""
    key = proxy.begin(b"127.0.0.1:7\n")
    _, transport = proxy.accept()
    proxy.post(key, Packet(99, CLOSE))
    assert transport.disconnecting
    key = proxy.begin(b"127.0.0.1:7\n")
    connector = proxy.reactor.connectors[-1]
    proxy.post(key, Packet(99, CLOSE))
    assert connector.stoppedConnecting


def test_a_slow_browser_pauses_a_tcp_back_end():
    """Its socket is not read while too much waits, and read again when that has gone."""
    proxy = Proxy({**OPTIONS, "session": {"pause_bytes": 1000}})
    key = proxy.begin(b"127.0.0.1:7\n")
    protocol, transport = proxy.accept()
    protocol.dataReceived(b"x" * 2000)
    assert transport.producerState == "paused"
    proxy.poll(key, 2)
    assert transport.producerState == "producing"


def test_a_slow_tcp_back_end_makes_the_browser_wait(proxy):
    """While its socket is full the answers to POSTs are held."""
    key = proxy.begin(b"127.0.0.1:7\n")
    _, transport = proxy.accept()
    transport.producer.pauseProducing()
    held = proxy.say(key, b"x")
    assert held.status is None
    transport.producer.resumeProducing()
    assert held.content == b"OK"


def test_a_slow_service_makes_the_browser_wait(proxy):
    """A service in this process is not given more than it wants to read."""
    key = proxy.begin(b"local:1\n")
    service = proxy.services.built[0]
    service.transport.pauseProducing()
    held = proxy.say(key, b"a")
    proxy.say(key, b"b")
    assert (held.status, service.received) == (None, [])
    service.transport.resumeProducing()
    assert held.content == b"OK"
    assert service.received == [b"a", b"b"]


def test_keys_and_bytes_stand_in_no_log(proxy, caplog):
    """What is logged of a refusal names the address that was asked for, and nothing secret."""
    caplog.set_level("DEBUG")
    key = proxy.begin(b"127.0.0.1:8\n")
    proxy.poll(key, 2)
    assert "127.0.0.1' port 8" in caplog.text
    assert key not in caplog.text
