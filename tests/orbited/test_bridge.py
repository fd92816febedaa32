"""A WebSocket with bytes in it: what passes, how fast, and how it ends."""

import pytest
from twisted.internet.error import ConnectionDone, ConnectionLost

from tests.support.bridge_server import Server
from tests.support.websocket_frames import (
    BINARY,
    CLOSE,
    PING,
    PONG,
    TEXT,
    Received,
    close,
    parse,
)

MESSAGE = b"MESSAGE\nsubscription:0\n\nhello\0"


@pytest.fixture
def server():
    """With the usual settings."""
    return Server()


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
        socket.connection.send_frames = written.append
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


def test_one_broken_connection_is_not_the_others(server, caplog):
    """Whatever goes wrong while it is written to, those behind it get theirs."""
    broken, whole = server.open("/ws/local:1"), server.open("/ws/local:1")

    def fail(data):
        raise RuntimeError("a mistake of ours")

    broken.connection.send_frames = fail
    for service in server.services.built:
        service.transport.write(b"x")
    server.turn()
    assert broken.transport.disconnected
    assert whole.messages() == [b"x"]
    assert "failed and is dropped" in caplog.text


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


def test_a_service_that_pauses_after_closing(server):
    """The client's answer to the close frame is read all the same."""
    socket = server.open("/ws/local:1")
    (service,) = server.services.built
    service.transport.pauseProducing()
    service.transport.loseConnection()
    server.turn()
    service.transport.pauseProducing()
    assert socket.transport.producerState == "producing"
    assert socket.closed() == 1000


def test_a_service_that_does_not_wait(server):
    """A browser that does not read costs no more than [session] queued_bytes, then 1013."""
    server = Server(session={"queued_bytes": 10_000})
    socket = server.open("/ws/local:1")
    (service,) = server.services.built
    socket.transport.producer.pauseProducing()
    for _ in range(100):
        service.transport.write(b"x" * 1000)
        socket.transport.producer.pauseProducing()  # Twisted repeats it with every write
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
    socket, back_end = server.open_tcp()
    sockets = [server.open("/ws/local:1"), socket]
    stopped = []
    server.comet.tcp.drain().addCallback(stopped.append)
    for socket in sockets:
        assert socket.closed() == 1001
        assert not stopped
        socket.connection.connectionLost()
    back_end.lose(ConnectionDone())
    server.reactor.advance(1)
    assert stopped == [None]
    assert server.ask("/stomp").status == 503


def test_stopping_waits_for_back_ends(server):
    """What a client sent in its last moment reaches them first."""
    socket, back_end = server.open_tcp()
    stopped = []
    socket.send(b"last")
    server.comet.tcp.drain().addCallback(stopped.append)
    server.reactor.advance(0.1)
    socket.connection.connectionLost()
    assert (back_end.value(), back_end.disconnecting) == (b"last", True)
    server.reactor.advance(0.5)
    assert not stopped
    back_end.lose(ConnectionDone())
    server.reactor.advance(0.5)
    assert stopped == [None]


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
