"""The end points ``/ws`` and ``/stomp``: who gets through, what passes, and how it ends."""

import pytest
from twisted.internet.error import ConnectionDone, ConnectionLost, ConnectionRefusedError
from twisted.internet.protocol import Protocol, ServerFactory
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.python.failure import Failure

from orbited.config import from_mapping
from orbited.service import Comet
from tests.support.exchange import MemoryExchange
from tests.support.websocket_frames import (
    BINARY,
    CLOSE,
    HANDSHAKE,
    PING,
    PONG,
    TEXT,
    Received,
    close,
    frame,
    parse,
)

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

MESSAGE = b"MESSAGE\nsubscription:0\n\nhello\0"


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


@pytest.fixture
def server():
    """With the usual settings."""
    return Server()


# -- who gets through -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "host", "port"),
    [("/ws/127.0.0.1:7", "127.0.0.1", 7), ("/ws/[::1]:7", "::1", 7)],
)
def test_the_back_end_is_connected_first(server, path, host, port):
    """The browser is accepted when the back end has answered, under an IPv6 literal too."""
    exchange = server.ask(path)
    assert exchange.status is None
    assert server.attempt()[:2] == (host, port)
    transport = server.accept()
    assert exchange.status == 101
    assert transport.no_delay
    assert server.counters.websockets_opened == server.counters.back_end_connections == 1


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/ws", 404),
        ("/ws/", 404),
        ("/ws/localhost", 404),
        ("/ws/localhost:", 404),
        ("/ws/localhost:0", 404),
        ("/ws/localhost:65536", 404),
        ("/ws/::1:7", 404),
        ("/ws/local:1/more", 404),
        ("/ws/local:1\nmore", 404),
        ("/ws/" + "x" * 1000 + ":1", 404),
        ("/ws/echo", 404),  # unless it is configured
        ("/ws/other.example:7", 403),
        ("/ws/127.0.0.1:8", 403),
        ("/ws/localhost:7", 403),  # names are compared as they are written
        ("/ws/127.0.0.1:9", 403),  # for another origin
        ("/ws/refusing:1", 503),
        ("/stomp/more", 404),
    ],
)
def test_a_path_that_leads_nowhere(server, path, status):
    """It is answered with a status and a sentence, before any upgrade."""
    exchange = server.ask(path)
    assert (exchange.status, exchange.is_finished) == (status, True)
    assert exchange.content.endswith(b".\n")
    assert not server.bridges
    assert not server.reactor.tcpClients


@pytest.mark.parametrize(
    ("origin", "path", "is_allowed"),
    [
        (None, "/ws/local:1", True),
        ("http://orbited.example", "/ws/local:1", True),
        ("https://orbited.example", "/ws/local:1", False),
        ("https://evil.example", "/ws/local:1", False),
        ("https://evil.example", "/stomp", False),
        ("null", "/stomp", False),
        ("https://listed.example", "/ws/local:1", False),
        ("https://listed.example", "/ws/127.0.0.1:9", True),
    ],
)
def test_the_origin_decides(server, origin, path, is_allowed):
    """The access list is that of sessions."""
    exchange = server.ask(path, headers={"origin": origin} if origin else {})
    if server.reactor.tcpClients:
        server.accept()
    assert exchange.status == (101 if is_allowed else 403)
    assert server.counters.back_end_refusals == (not is_allowed)


def test_a_host_that_is_not_ours(server):
    """A name that somebody else's DNS has given this server is not of the same origin."""
    headers = {"host": "rebound.example", "origin": "http://rebound.example"}
    assert server.ask("/ws/local:1", headers=headers).status == 403


def test_a_request_that_is_no_handshake(server):
    """It gets what every other WebSocket here answers to that."""
    exchange = MemoryExchange(path="/ws/local:1")
    server.comet.pages.respond(exchange)
    assert exchange.status == 426
    assert server.ask("/stomp", headers={"sec-websocket-version": "8"}).status == 400


@pytest.mark.parametrize(
    ("path", "offered", "chosen"),
    [
        ("/stomp", "v10.stomp, v11.stomp, v12.stomp", "v12.stomp"),
        ("/stomp", "v11.stomp, v10.stomp", "v11.stomp"),
        ("/stomp", "v10.stomp", "v10.stomp"),
        ("/stomp", "binary", None),
        ("/stomp", "", None),
        ("/ws/local:1", "v12.stomp", "v12.stomp"),
        ("/ws/local:1", "binary", "binary"),
        ("/ws/local:1", "mqtt", None),
    ],
)
def test_subprotocols(server, path, offered, chosen):
    """The newest STOMP that is offered; plain bytes have a name as well."""
    headers = {"sec-websocket-protocol": offered} if offered else {}
    head = server.ask(path, headers=headers).content.decode()
    lines = [line for line in head.split("\r\n") if line.startswith("Sec-WebSocket-Protocol")]
    assert lines == ([f"Sec-WebSocket-Protocol: {chosen}"] if chosen else [])


def test_the_broker_of_stomp():
    """The one in this process, by whichever of its names is allowed; or the one configured."""
    server = Server()
    server.open("/stomp")
    assert len(server.services.built) == 1
    configured = Server(websocket={"stomp_broker": "127.0.0.1:7"})
    configured.open_tcp("/stomp")
    assert configured.attempt()[:2] == ("127.0.0.1", 7)
    forbidden = Server(websocket={"stomp_broker": "127.0.0.1:8"})
    assert forbidden.ask("/stomp").status == 403


def test_without_a_broker():
    """The sentence tells which setting is missing."""
    comet = Comet(from_mapping({}), {}, MemoryReactorClock())
    exchange = MemoryExchange(path="/stomp", headers=HANDSHAKE)
    comet.pages.respond(exchange)
    assert exchange.status == 404
    assert b"[websocket] stomp_broker" in exchange.content


def test_it_may_be_switched_off():
    """Then there is nothing under these names."""
    server = Server(websocket={"enabled": "0"})
    for path in ("/ws/local:1", "/stomp"):
        assert server.ask(path).status == 404


# -- what goes wrong while connecting -------------------------------------------------------------


def test_a_back_end_that_refuses_is_502(server):
    """Nothing stays behind."""
    exchange = server.ask("/ws/127.0.0.1:7")
    assert len(server.bridges) == 1
    server.attempt()[2].clientConnectionFailed(None, Failure(ConnectionRefusedError()))
    assert exchange.status == 502
    assert not server.bridges
    assert not server.reactor.getDelayedCalls()


def test_a_back_end_that_does_not_answer_is_504(server):
    """After [proxy] connect_seconds."""
    exchange = server.ask("/ws/127.0.0.1:7")
    server.reactor.advance(3.9)
    assert exchange.status is None
    server.reactor.advance(0.2)
    assert exchange.status == 504
    assert not server.bridges


def test_a_browser_that_leaves_while_connecting(server):
    """The connection is given up, and not answered."""
    exchange = server.ask("/ws/127.0.0.1:7")
    exchange.lose()
    assert exchange.status is None
    assert not server.bridges
    assert not server.reactor.getDelayedCalls()


def test_the_server_stops_while_connecting(server):
    """The browser is told to come back."""
    exchange = server.ask("/ws/127.0.0.1:7")
    server.comet.tcp.drain()
    assert (exchange.status, exchange.headers["Retry-After"]) == (503, "5")
    assert not server.bridges


@pytest.mark.parametrize(("limit", "status"), [("sessions", 503), ("sessions_per_address", 429)])
def test_the_limits_on_sessions_count_bridges(limit, status):
    """Also those that are being connected; whoever goes makes room."""
    server = Server(limits={limit: 2})
    socket = server.open("/ws/local:1")
    server.ask("/ws/127.0.0.1:7")
    for path in ("/ws/local:1", "/stomp", "/tcp"):
        exchange = server.ask(path)
        assert exchange.status == status
        assert "Retry-After" in exchange.headers
    socket.connection.connectionLost()
    assert server.ask("/tcp").status == 200
    assert server.ask("/ws/local:1").status == status


# -- what passes ----------------------------------------------------------------------------------


def test_bytes_to_and_from_tcp(server):
    """Text and binary up as bytes, each piece down as a binary message."""
    socket, back_end = server.open_tcp()
    socket.send(b"\0\xff")
    socket.send("κόσμε".encode(), TEXT)
    assert back_end.value() == b"\0\xff" + "κόσμε".encode()
    back_end.say(b"one")
    back_end.say(b"two")
    assert socket.receive() == [Received(BINARY, b"one"), Received(BINARY, b"two")]


def test_bytes_to_and_from_a_service(server):
    """The service gets the message itself; what it writes in one turn leaves in one piece."""
    socket = server.open("/ws/local:1")
    (service,) = server.services.built
    socket.send(b"up")
    assert service.received == [b"up"]
    service.transport.writeSequence([b"one", b"two"])
    service.transport.write(b"")
    assert socket.receive() == []
    server.turn()
    assert socket.messages() == [b"one", b"two"]


def test_much_is_not_gathered(server):
    """What is more than a transport buffers leaves at once."""
    socket = server.open("/ws/local:1")
    (service,) = server.services.built
    service.transport.write(b"x" * 70_000)
    assert socket.messages() == [b"x" * 70_000]


def test_whole_stomp_frames_come_down(server):
    """One frame or heart-beat in each message: text if it is text, else binary."""
    for path, headers in (
        ("/stomp", {}),
        ("/ws/127.0.0.1:7", {"sec-websocket-protocol": "v12.stomp"}),
    ):
        if path == "/stomp":
            socket = server.open(path, headers=headers)
            say = server.services.built[-1].transport.write
        else:
            socket, back_end = server.open_tcp(path, headers=headers)
            say = back_end.say
        binary = b"MESSAGE\ncontent-length:2\n\n\xff\0\0"
        say(b"\n" + MESSAGE + binary + MESSAGE[:10])
        say(MESSAGE[10:])
        server.turn()
        assert socket.receive() == [
            Received(TEXT, b"\n"),
            Received(TEXT, MESSAGE),
            Received(BINARY, binary),
            Received(TEXT, MESSAGE),
        ]


def test_one_frame_for_many_clients_is_made_once(server):
    """They all get the very same object; one that is in the middle of a frame gets its own."""
    sockets = [server.open("/stomp") for _ in range(4)]
    services = server.services.built
    services[3].transport.write(b"MESSAGE\n\nunfin")
    written = []
    for socket in sockets:
        socket.connection._write = written.append
    for service in services:
        service.transport.write(MESSAGE)
    server.turn()
    assert len(written) == 4
    assert written[0] is written[1] is written[2]
    assert parse(written[3]) == [Received(TEXT, b"MESSAGE\n\nunfin" + MESSAGE)]


def test_a_long_frame_goes_in_pieces():
    """Beyond the bound nothing is kept, and nothing is lost."""
    server = Server(websocket={"stomp_frame_bytes": 1024})
    socket, back_end = server.open_tcp(headers={"sec-websocket-protocol": "v12.stomp"})
    long = b"MESSAGE\n\n" + b"x" * 3000 + b"\0"
    for start in range(0, len(long), 500):
        back_end.say(long[start : start + 500])
    back_end.say(MESSAGE)
    *pieces, last = socket.messages()
    assert (b"".join(pieces), last) == (long, MESSAGE)


def test_compression():
    """Messages of some size shrink, and bytes stay what they are."""
    server = Server(transports={"websocket_compression": 1})
    socket = server.open("/stomp", headers={"sec-websocket-extensions": "permessage-deflate"})
    body = b"MESSAGE\n\n" + b"x" * 5000 + b"\0"
    server.services.built[-1].transport.write(MESSAGE + body)
    plain, compressed = socket.receive()
    assert plain == Received(TEXT, MESSAGE)
    assert compressed.reserved == 4
    assert len(compressed.payload) < 200


# -- pacing ---------------------------------------------------------------------------------------


def test_a_slow_browser_pauses_the_back_end(server):
    """Over TCP by not reading it, in the process by telling it."""
    socket, back_end = server.open_tcp()
    local = server.open("/ws/local:1")
    (service,) = server.services.built
    assert back_end.producerState == "producing"
    for one in (socket, local):
        one.transport.producer.pauseProducing()
    assert back_end.producerState == "paused"
    assert service.calls == ["pause"]
    assert server.counters.back_end_pauses == 2
    for one in (socket, local):
        one.transport.producer.resumeProducing()
    assert back_end.producerState == "producing"
    assert service.calls == ["pause", "resume"]


def test_a_slow_back_end_pauses_the_browser(server):
    """Its messages wait in its own sockets; none is lost."""
    socket, back_end = server.open_tcp()
    back_end.producer.pauseProducing()
    assert socket.transport.producerState == "paused"
    back_end.producer.resumeProducing()
    assert socket.transport.producerState == "producing"
    local = server.open("/ws/local:1")
    (service,) = server.services.built
    service.transport.pauseProducing()
    assert local.transport.producerState == "paused"
    local.send(b"on its way already")
    assert service.received == []
    service.transport.resumeProducing()
    assert service.received == [b"on its way already"]
    assert local.transport.producerState == "producing"


def test_a_service_that_does_not_wait(server):
    """A browser that does not read costs no more than [session] queued_bytes, then 1013."""
    server = Server(session={"queued_bytes": 10_000})
    socket = server.open("/ws/local:1")
    (service,) = server.services.built
    socket.transport.producer.pauseProducing()
    for _ in range(100):
        service.transport.write(b"x" * 1000)
    server.turn()
    frames = socket.receive()
    assert sum(len(one.payload) for one in frames[:-1]) == 10_000
    assert frames[-1].opcode == CLOSE
    assert frames[-1].payload.startswith((1013).to_bytes(2, "big"))
    assert service.lost.check(ConnectionDone)


# -- the end --------------------------------------------------------------------------------------


def test_a_back_end_that_closes_is_1000(server):
    """Behind all that it said, in this turn too."""
    socket, back_end = server.open_tcp()
    back_end.say(b"last")
    back_end.lose(ConnectionDone())
    assert socket.receive()[0] == Received(BINARY, b"last")
    local = server.open("/ws/local:1")
    (service,) = server.services.built
    service.transport.write(b"last")
    service.transport.loseConnection()
    server.turn()
    last, closing = local.receive()
    assert last == Received(BINARY, b"last")
    assert closing.payload[:2] == (1000).to_bytes(2, "big")


def test_a_back_end_that_breaks_is_1011(server):
    """The browser can tell it from an end."""
    socket, back_end = server.open_tcp()
    back_end.lose(ConnectionLost())
    assert socket.closed() == 1011


def test_a_service_that_fails_is_1011(server):
    """One connection of it, and the peer learns nothing about the mistake."""
    socket = server.open("/ws/local:1")
    (service,) = server.services.built
    socket.send(b"fail")
    (closing,) = socket.receive()
    assert closing.payload == (1011).to_bytes(2, "big") + b"internal error"
    assert service.lost.check(ConnectionDone)


def test_a_message_that_is_too_large_is_1009(server):
    """The limit is that of sessions; the back end sees nothing of it."""
    socket = server.open("/ws/local:1")
    (service,) = server.services.built
    socket.send(b"x" * 1000)
    socket.send(b"x" * 1001)
    assert socket.closed() == 1009
    assert service.received == [b"x" * 1000]
    assert service.lost is not None


@pytest.mark.parametrize("is_closing", [True, False])
def test_a_browser_that_goes(server, is_closing):
    """The back end's connection is closed behind what is on its way, but not waited for."""
    socket, back_end = server.open_tcp()
    local = server.open("/ws/local:1")
    (service,) = server.services.built
    for one in (socket, local):
        one.send(b"last")
        if is_closing:
            one.connection.dataReceived(close(1000))
        one.connection.connectionLost()
    assert back_end.value() == b"last"
    assert back_end.disconnecting
    assert service.received == [b"last"]
    assert service.lost.check(ConnectionDone)
    assert not server.bridges
    assert server.counters.websockets_ended == 2
    back_end.say(b"too late")
    server.reactor.advance(31)
    assert back_end.aborted
    assert not server.reactor.getDelayedCalls()


def test_stopping_is_1001(server):
    """All are told, and waited for until they have answered."""
    sockets = [server.open("/ws/local:1"), server.open_tcp()[0]]
    stopped = []
    server.comet.tcp.drain().addCallback(stopped.append)
    for socket in sockets:
        assert socket.closed() == 1001
        assert not stopped
        socket.connection.connectionLost()
    server.reactor.advance(1)
    assert stopped == [None]
    assert server.ask("/stomp").status == 503


def test_stopping_waits_within_bounds(server):
    """Whoever does not answer is cut off."""
    socket = server.open("/ws/local:1")
    stopped = []
    server.comet.tcp.drain().addCallback(stopped.append)
    server.reactor.advance(4.9)
    server.reactor.advance(1)
    assert socket.transport.disconnected
    assert stopped == [None]


# -- signs of life --------------------------------------------------------------------------------


def test_a_silent_browser_is_pinged_and_given_up():
    """After [session] ping_interval, and ping_timeout without any answer."""
    server = Server(session={"ping_interval": 10, "ping_timeout": 5})
    socket = server.open("/ws/local:1")
    server.reactor.advance(9.9)
    assert socket.receive() == []
    server.reactor.advance(0.2)
    assert socket.receive() == [Received(PING, b"")]
    server.reactor.advance(5)
    assert socket.transport.disconnected
    socket.connection.connectionLost()
    assert server.services.built[0].lost is not None
    assert not server.bridges


def test_any_bytes_are_a_sign_of_life():
    """A pong as well as a message; then the time begins anew."""
    server = Server(session={"ping_interval": 10, "ping_timeout": 5})
    socket = server.open("/ws/local:1")
    for payload, opcode in ((b"", PONG), (b"x", BINARY), (b"?", PING)):
        server.reactor.advance(10)
        assert socket.receive()[0] == Received(PING, b"")
        socket.send(payload, opcode)
        socket.receive()
        server.reactor.advance(5)
        server.reactor.advance(9.9)
        assert socket.receive() == []
        server.reactor.advance(0.2)
        assert socket.receive() == [Received(PING, b"")]
        socket.send(b"", PONG)
        server.reactor.advance(5)


def test_nobody_is_given_up_while_not_read():
    """When the back end lets the browser wait, its pongs wait too."""
    server = Server(session={"ping_interval": 10, "ping_timeout": 5})
    socket = server.open("/ws/local:1")
    server.services.built[0].transport.pauseProducing()
    for _ in range(10):
        server.reactor.advance(10)
    assert socket.receive() == []
    assert not socket.transport.disconnected


# -- the echo -------------------------------------------------------------------------------------


def test_the_echo():
    """Only when configured; text stays text, and a client that does not read is not read."""
    server = Server(websocket={"echo_enabled": 1})
    socket = server.open("/ws/echo")
    socket.send(b"\xff")
    socket.send(b"text", TEXT)
    assert socket.receive() == [Received(BINARY, b"\xff"), Received(TEXT, b"text")]
    socket.transport.producer.pauseProducing()
    assert socket.transport.producerState == "paused"
    socket.transport.producer.resumeProducing()
    assert socket.transport.producerState == "producing"
    foreign = server.ask("/ws/echo", headers={"origin": "https://evil.example"})
    assert foreign.status == 403
