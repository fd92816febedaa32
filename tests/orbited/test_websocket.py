"""WebSockets, spoken to by the client half of the library in memory, and by raw frames."""

import socket as sockets
import struct

import pytest
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from websockets.client import ClientProtocol
from websockets.exceptions import InvalidStatus
from websockets.frames import Frame, Opcode
from websockets.uri import parse_uri

from orbited.protocol.packets import ACK, CLOSE, DATA, RAW, Packet
from orbited.upgrade import upgrade
from orbited.websocket import CLOSE_SECONDS
from tests.support.comet import Browser, Socket, decode, serving
from tests.support.exchange import MemoryExchange

HANDSHAKE = {
    "connection": "keep-alive, Upgrade",
    "upgrade": "websocket",
    "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==",
    "sec-websocket-version": "13",
}


class Listener:
    """Remembers what it is told."""

    def __init__(self):
        self.messages = []
        self.calls = []

    def message_received(self, data, is_text):
        self.messages.append((data, is_text))

    def connection_lost(self):
        self.calls.append("lost")

    def pauseProducing(self):
        self.calls.append("pause")

    def resumeProducing(self):
        self.calls.append("resume")


class Pair:
    """A server's connection and a client, without anything between them."""

    def __init__(self, max_message_bytes=1000):
        self.client = ClientProtocol(parse_uri("ws://orbited.example/"))
        request = self.client.connect()
        self.client.send_request(request)
        self.client.data_to_send()
        headers = {name.lower(): value for name, value in request.headers.raw_items()}
        exchange = MemoryExchange(headers=headers)
        self.listener, self.clock, self.transport = Listener(), Clock(), StringTransport()
        self.server = upgrade(
            exchange, self.listener, self.clock, max_message_bytes=max_message_bytes
        )
        assert self.server is not None
        self.server.makeConnection(self.transport)
        self.response = exchange.content
        self.client.receive_data(self.response)

    def pump(self):
        """Carry bytes both ways until there are none; what the client received."""
        frames = []
        while True:
            up = b"".join(self.client.data_to_send())
            if up:
                self.server.dataReceived(up)
            down = self.transport.value()
            self.transport.clear()
            if down:
                self.client.receive_data(down)
                events = self.client.events_received()
                frames += [event for event in events if isinstance(event, Frame)]
            if not up and not down:
                return frames


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65535, 65536, 200_000])
def test_messages_of_every_size_go_down(size):
    """Each of the three length forms of RFC 6455, 5.2, is understood by a client."""
    pair = Pair()
    pair.client.max_message_size = None
    pair.server.send_binary(b"x" * size)
    assert [(f.opcode, len(f.data)) for f in pair.pump()] == [(Opcode.BINARY, size)]


def test_messages_come_up():
    """Text and binary, whole or in fragments, with a ping between the fragments."""
    pair = Pair()
    pair.client.send_binary(b"\0\xff")
    pair.client.send_text(b"text")
    pair.client.send_binary(b"one ", fin=False)
    pair.client.send_ping(b"?")
    pair.client.send_continuation(b"two", fin=True)
    frames = pair.pump()
    assert pair.listener.messages == [(b"\0\xff", False), (b"text", True), (b"one two", False)]
    assert [(f.opcode, bytes(f.data)) for f in frames] == [(Opcode.PONG, b"?")]


@pytest.mark.parametrize("cut", [1, 2, 5, 6, 7, 130, 1000])
def test_messages_come_up_in_any_cut(cut):
    """Short ones and long ones, with all else between them; nothing is taken for a beginning."""
    pair = Pair(max_message_bytes=100_000)
    client, sizes = pair.client, [0, 1, 125, 126, 127, 300, 65535, 65536]
    for size in sizes:
        client.send_binary(b"\x82\xfe" * (size // 2) + b"x" * (size % 2))
        client.send_text(b"\xc3\xa4")
        client.send_ping(b"")
        client.send_binary(b"one ", fin=False)
        client.send_continuation(b"two", fin=True)
    up = b"".join(client.data_to_send())
    for start in range(0, len(up), cut):
        pair.server.dataReceived(up[start : start + cut])
    expected = []
    for size in sizes:
        expected.append((b"\x82\xfe" * (size // 2) + b"x" * (size % 2), False))
        expected += [(b"\xc3\xa4", True), (b"one two", False)]
    assert pair.listener.messages == expected
    assert pair.listener.calls == []


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (b"\x82\x01x", 1002),  # not masked
        (b"\xc2\x81\0\0\0\0x", 1002),  # a bit that nothing has given a meaning
        (b"\x81\x81\0\0\0\0\xff", 1007),
        (b"\x83\x81\0\0\0\0x", 1002),
        (b"\x82\xfe\x04\x00\0\0\0\0" + b"x" * 1024, 1009),
    ],
)
def test_a_fault_is_found_behind_a_short_message(frame, code):
    """What is read on the short way lets nothing pass that the library refuses."""
    pair = Pair(max_message_bytes=1000)
    pair.server.dataReceived(b"\x82\x81\0\0\0\0a" + frame + b"\x82\x81\0\0\0\0b")
    pair.pump()
    assert pair.listener.messages == [(b"a", False)]
    assert pair.client.close_rcvd.code == code


MASK = b"\x17\x2a\x80\xff"


def masked(payload, first=0x82):
    """A frame with a length of two bytes, whether that is its form or not."""
    data = bytes(byte ^ MASK[place % 4] for place, byte in enumerate(payload))
    return b"%c\xfe%b%b%b" % (first, len(payload).to_bytes(2, "big"), MASK, data)


@pytest.mark.parametrize(
    ("size", "code"), [(0, None), (125, None), (126, None), (999, None), (1000, None), (1001, 1009)]
)
@pytest.mark.parametrize("first", [0x82, 0x81, 0x80, 0xC2, 0x89])
@pytest.mark.parametrize("more", [b"", masked(b"y" * 126), masked(b"y" * 126)[:-1], b"\x82"])
def test_a_message_that_comes_alone_is_read_as_any_other(size, code, first, more):
    """What comes in one read means what it means byte by byte."""
    whole, bytewise = Pair(max_message_bytes=1000), Pair(max_message_bytes=1000)
    received = masked(b"x" * size, first) + more
    whole.server.dataReceived(received)
    for place in range(len(received)):
        bytewise.server.dataReceived(received[place : place + 1])
    assert whole.listener.messages == bytewise.listener.messages
    for pair in (whole, bytewise):
        pair.pump()
    closed = whole.client.close_rcvd
    assert (closed and closed.code) == (
        bytewise.client.close_rcvd and bytewise.client.close_rcvd.code
    )
    if first == 0x82 and not more:
        assert (closed and closed.code) == code
        assert len(whole.listener.messages) == (code is None)


@pytest.mark.parametrize("frame", [b"\x82\x81\0\0\0\0b", masked(b"b" * 200)])
def test_a_whole_message_within_fragments_is_a_fault(frame):
    """RFC 6455, 5.4: fragments of two messages are not mixed."""
    pair = Pair()
    pair.server.dataReceived(b"\x02\x81\0\0\0\0a")
    pair.server.dataReceived(frame)
    pair.pump()
    assert pair.client.close_rcvd.code == 1002
    assert pair.listener.messages == []


def test_a_message_in_two_reads_is_not_taken_for_two():
    """The second read begins as a message would."""
    pair = Pair()
    inner = masked(b"z" * 200)
    received = b"\x82\xfe%b\0\0\0\0%b" % (len(inner).to_bytes(2, "big"), inner)
    pair.server.dataReceived(received[:8])
    pair.server.dataReceived(received[8:])
    assert pair.listener.messages == [(inner, False)]


def test_nothing_is_read_behind_the_close():
    """Neither what comes in the same read, nor in the next."""
    pair = Pair()
    pair.client.send_close(1000)
    pair.pump()
    pair.server.dataReceived(masked(b"z" * 200))
    assert pair.listener.messages == []


def test_a_message_says_whether_more_came_with_it():
    """So whoever answers can answer at once, or all together."""
    pair = Pair()
    told = []
    pair.listener.message_received = lambda data, _: told.append((data, pair.server.has_more))
    pair.server.dataReceived(b"\x82\x81\0\0\0\0a\x82\x81\0\0\0\0b")
    assert told == [(b"a", True), (b"b", False)]
    told.clear()
    pair.server.dataReceived(masked(b"c" * 200))
    pair.server.dataReceived(masked(b"d" * 200) + masked(b"e" * 200))
    assert told == [(b"c" * 200, False), (b"d" * 200, True), (b"e" * 200, False)]


def test_a_message_that_is_too_large_ends_with_1009():
    """Whole or in fragments; the connection stays open for a while, so that the code arrives."""
    for fragments in ([1001], [600, 600]):
        pair = Pair(max_message_bytes=1000)
        *first, last = fragments
        for number, size in enumerate(first):
            (pair.client.send_continuation if number else pair.client.send_binary)(
                b"x" * size, fin=False
            )
        (pair.client.send_continuation if first else pair.client.send_binary)(b"x" * last, True)
        pair.pump()
        assert pair.client.close_rcvd.code == 1009
        assert pair.listener.calls == ["lost"]
        assert pair.listener.messages == []
        assert not pair.transport.disconnected


def test_closing_is_answered_and_ends():
    """Whoever begins, both sides get their close frame and the connection is closed."""
    pair = Pair()
    pair.client.send_close(1000)
    pair.pump()
    assert pair.client.close_rcvd.code == 1000
    assert pair.listener.calls == ["lost"]
    assert pair.transport.disconnecting
    pair.server.connectionLost()
    assert not pair.clock.getDelayedCalls()


def test_we_may_close():
    """The listener that closes hears nothing more."""
    pair = Pair()
    pair.server.close(1000)
    pair.server.send_binary(b"too late")
    pair.pump()
    assert pair.client.close_rcvd.code == 1000
    assert pair.listener.calls == []
    pair.server.connectionLost()
    assert pair.listener.calls == []


def test_a_close_that_is_not_answered_ends_all_the_same():
    """A browser that went to sleep does not hold the connection."""
    pair = Pair()
    pair.server.close(1000)
    pair.clock.advance(CLOSE_SECONDS - 0.1)
    assert not pair.transport.disconnected
    pair.clock.advance(0.2)
    assert pair.transport.disconnected


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (b"\x82\x01x", 1002),  # not masked
        (b"\xc2\x81\0\0\0\0x", 1002),  # a reserved bit
        (b"\x83\x81\0\0\0\0x", 1002),  # a reserved opcode
        (b"\x80\x81\0\0\0\0x", 1002),  # a continuation of nothing
        (b"\x09\x80\0\0\0\0", 1002),  # a fragmented ping
        (b"\x89\xfe\0\x7e\0\0\0\0" + b"x" * 126, 1002),  # a long ping
        (b"\x88\x81\0\0\0\0x", 1002),  # a close of one byte
        (b"\x88\x82\0\0\0\0" + struct.pack("!H", 1005), 1002),  # a code that is never sent
        (b"\x82\xff" + b"\xff" * 8 + b"\0\0\0\0", 1009),  # as large as can be written
    ],
)
def test_what_breaks_the_protocol_ends_the_connection(frame, code):
    """RFC 6455, 5 and 7.4: each violation has its code, and none reaches the listener."""
    pair = Pair()
    pair.server.dataReceived(frame)
    pair.pump()
    assert pair.client.close_rcvd.code == code
    assert pair.listener.messages == []
    assert pair.listener.calls == ["lost"]


def test_a_vanished_browser_is_noticed_once():
    """The listener hears of it, and writing goes nowhere."""
    pair = Pair()
    pair.server.connectionLost()
    pair.server.connectionLost()
    pair.server.send_binary(b"x")
    pair.server.pause_reading()
    pair.server.resume_reading()
    assert pair.listener.calls == ["lost"]
    assert pair.transport.value() == b""


def test_back_pressure_both_ways():
    """A full socket is told to the listener; the listener may stop the reading."""
    pair = Pair()
    pair.transport.producer.pauseProducing()
    pair.transport.producer.resumeProducing()
    assert pair.listener.calls == ["pause", "resume"]
    pair.server.pause_reading()
    assert pair.transport.producerState == "paused"
    pair.server.resume_reading()
    assert pair.transport.producerState == "producing"


@pytest.mark.parametrize(
    ("offered", "ours", "chosen"),
    [
        (["v12.stomp", "v11.stomp"], ["v11.stomp", "v12.stomp"], "v11.stomp"),
        (["other"], ["v12.stomp"], None),
        (None, ["v12.stomp"], None),
        (["v12.stomp"], [], None),
    ],
)
def test_subprotocols(offered, ours, chosen):
    """The first of ours that is offered; who offers none, or none of ours, is welcome too."""
    headers = dict(HANDSHAKE)
    if offered:
        headers["sec-websocket-protocol"] = ", ".join(offered)
    exchange = MemoryExchange(headers=headers)
    upgrade(exchange, Listener(), Clock(), max_message_bytes=10, subprotocols=ours)
    assert exchange.status == 101
    line = f"Sec-WebSocket-Protocol: {chosen}".encode()
    assert (line in exchange.content) is (chosen is not None)


def test_compression_is_negotiated_when_wanted():
    """Off by default; on, large messages shrink and arrive."""
    assert b"permessage-deflate" not in Pair().response
    exchange = MemoryExchange(
        headers={**HANDSHAKE, "sec-websocket-extensions": "permessage-deflate"}
    )
    server = upgrade(exchange, Listener(), Clock(), max_message_bytes=10, compression=True)
    assert b"permessage-deflate" in exchange.content
    transport = StringTransport()
    server.makeConnection(transport)
    server.send_binary(b"x" * 10_000)
    assert len(transport.value()) < 1000


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"upgrade": "h2c"}, 426),
        ({"connection": "close"}, 426),
        ({"sec-websocket-version": "8"}, 400),
        ({"sec-websocket-key": "short"}, 400),
        ({"sec-websocket-key": ""}, 400),
        ({"upgrade": None}, 426),
        ({"sec-websocket-key": None}, 400),
        ({"sec-websocket-protocol": "\0"}, 400),
    ],
)
def test_a_handshake_that_is_none_is_answered(change, status):
    """With a status that says what is wrong, and no connection."""
    headers = {k: v for k, v in {**HANDSHAKE, **change}.items() if v is not None}
    exchange = MemoryExchange(headers=headers)
    assert upgrade(exchange, Listener(), Clock(), max_message_bytes=10) is None
    assert (exchange.status, exchange.is_finished) == (status, True)


def test_a_post_is_no_handshake():
    """Only GET can be upgraded."""
    exchange = MemoryExchange("POST", headers=HANDSHAKE)
    assert upgrade(exchange, Listener(), Clock(), max_message_bytes=10) is None
    assert exchange.status == 400


# -- the transport, in a real server --------------------------------------------------------------


@pytest.fixture(scope="module")
def server():
    """A real server with a small limit, that does not wait long before it acknowledges."""
    small = {"limits": {"post_bytes": 2000}, "session": {"acknowledge_seconds": 0.1}}
    with serving(small) as server:
        yield server


@pytest.fixture
def browser(server):
    """A session connected to the echo."""
    browser = Browser(server["http"])
    browser.shake_hands("localhost:18001")
    return browser


@pytest.mark.functional
def test_packets_travel_both_ways_with_acknowledgements(browser):
    """Raw data up and down, our ack a little later, theirs in a packet."""
    with browser.socket() as socket:
        assert decode(socket.receive()) == [(b"0", b"ack", b"1")]
        socket.send(RAW.encode([Packet(2, DATA, b"\0\xff")]))
        assert decode(socket.receive()) == [(b"4", b"data", b"\0\xff")]
        assert decode(socket.receive()) == [(b"0", b"ack", b"2")]
        socket.send(RAW.encode([Packet(0, ACK, b"4"), Packet(3, DATA, b"x")]))
        assert decode(socket.receive()) == [(b"5", b"data", b"x")]
        assert decode(socket.receive()) == [(b"0", b"ack", b"3")]
        socket.send(RAW.encode([Packet(4, CLOSE)]))
        assert decode(socket.receive()) == [(b"0", b"ack", b"4")]
        assert socket.receive() is None
        assert socket.close_code == 1000


@pytest.mark.functional
def test_falling_back_repeats_just_what_was_not_acknowledged(browser):
    """From a WebSocket to a stream and back: ids go on, and repeats are dropped."""
    with browser.socket() as socket:
        socket.receive()
        socket.send(RAW.encode([Packet(2, DATA, b"a")]))
        browser.take(socket.receive(), raw=True)
    browser.next_id = 2
    browser.send(b"a", b"b")
    browser.poll()
    with browser.socket() as socket:
        assert decode(socket.receive()) == [(b"0", b"ack", b"3")]
    assert browser.received == b"ab"


@pytest.mark.functional
@pytest.mark.parametrize(
    ("message", "code"), [(b"garbage", 1007), (b"x" * 2001, 1009), ("text", 1003)]
)
def test_what_is_not_packets_ends_the_socket_not_the_session(browser, message, code):
    """The session lives on; another transport finds everything in place."""
    with browser.socket() as socket:
        socket.receive()
        if isinstance(message, str):
            socket.protocol.send_text(message.encode())
            socket._write()
        else:
            socket.send(message)
        assert socket.receive() is None
        assert socket.close_code == code
    browser.send(b"still")
    browser.poll()
    assert browser.received == b"still"


@pytest.mark.functional
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "https://listed.example"}, 101),
    ],
)
def test_the_origin_is_checked(browser, headers, status):
    """Browsers do not check it for WebSockets, so we do."""
    if status == 101:
        with browser.socket(headers) as socket:
            assert socket.receive() is not None
    else:
        with pytest.raises(InvalidStatus) as caught:
            browser.socket(headers)
        assert caught.value.response.status_code == status


@pytest.mark.functional
def test_an_unknown_key_is_404(server):
    """There is no socket without a session."""
    with pytest.raises(InvalidStatus) as caught:
        Socket(server["http"], "/tcp/unknown/websocket")
    assert caught.value.response.status_code == 404


@pytest.mark.functional
def test_bytes_sent_together_with_the_handshake_are_read(server, browser):
    """A client that does not wait for the answer loses nothing."""
    with sockets.create_connection(("127.0.0.1", server["http"]), 10) as connection:
        head = "".join(f"{name}: {value}\r\n" for name, value in HANDSHAKE.items())
        packet = RAW.encode([Packet(2, DATA, b"early")])
        frame = b"\x82" + bytes([0x80 | len(packet)]) + b"\0\0\0\0" + packet
        request = f"GET /tcp/{browser.key}/websocket?ack=3 HTTP/1.1\r\nHost: x\r\n{head}\r\n"
        connection.sendall(request.encode() + frame)
        received = b""
        while b"early" not in received:
            piece = connection.recv(65536)
            assert piece
            received += piece
    assert received.startswith(b"HTTP/1.1 101 ")
