"""One connection: answers in order, paced, in time; with a transport and a clock in memory."""

import gc
import weakref
from typing import Any

import pytest
from twisted.internet.error import ConnectionLost
from twisted.internet.protocol import Protocol
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from orbited.edge.connection import READ_AHEAD_BYTES
from orbited.edge.exchange import EdgeExchange
from orbited.edge.factory import EdgeFactory
from orbited.protocol.settings import RequestLimits
from tests.support.http_corpus import GET, post

LIMITS = RequestLimits(
    header_seconds=10, keep_alive_seconds=60, stalled_seconds=30, linger_seconds=2
)
REASON = Failure(ConnectionLost())


class Transport(StringTransport):
    """A transport that can be half-closed and cut."""

    connected = True
    is_half_closed = False
    is_cut = False

    def setTcpNoDelay(self, enabled: bool) -> None:
        self.no_delay = enabled

    def loseWriteConnection(self) -> None:
        self.is_half_closed = True

    def abortConnection(self) -> None:
        self.is_cut = True

    def loseConnection(self) -> None:
        super().loseConnection()
        self.connected = False


class Server:
    """A factory, and one connection to it."""

    def __init__(self, **options: Any) -> None:
        self.clock = Clock()
        self.exchanges: list[EdgeExchange] = []
        self.answers = True
        self.factory = EdgeFactory(
            self.begin, LIMITS, self.clock, max_body_bytes=lambda path: 1000, **options
        )
        self.connection = self.factory.buildProtocol(None)
        self.transport = Transport()
        self.connection.makeConnection(self.transport)

    def begin(self, connection: Any, head: Any) -> EdgeExchange:
        return EdgeExchange(connection, head, tuple(head.segments()), self.respond)

    def respond(self, exchange: EdgeExchange) -> None:
        self.exchanges.append(exchange)
        if exchange.path == ("fails",):
            raise RuntimeError("on purpose")
        if self.answers:
            exchange.reply(200, "/".join(exchange.path))

    def feed(self, data: bytes) -> bytes:
        """Send bytes; gives what came back."""
        self.connection.dataReceived(data)
        return self.written()

    def written(self) -> bytes:
        """What came back since the last time."""
        data = self.transport.value()
        self.transport.clear()
        return data


@pytest.fixture
def server() -> Server:
    """A server that answers at once with the path."""
    return Server()


def bodies(data: bytes) -> list[bytes]:
    """The bodies of answers that have a length."""
    found = []
    while data:
        head, _, rest = data.partition(b"\r\n\r\n")
        length = int(head.partition(b"Content-Length: ")[2].partition(b"\r\n")[0])
        found.append(rest[:length])
        data = rest[length:]
    return found


def test_an_answer_is_one_write(server):
    """Head and body leave together; who we are stays with us."""
    writes = []
    server.connection.write = writes.append
    server.connection.dataReceived(GET)
    (data,) = writes
    assert data == (
        b"HTTP/1.1 200 OK\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
        b"Content-Type: text/plain; charset=utf-8\r\nCache-Control: no-store\r\n"
        b"X-Content-Type-Options: nosniff\r\nX-Accel-Buffering: no\r\nContent-Length: 1\r\n\r\na"
    )


def test_requests_in_one_piece_are_answered_in_order(server):
    """However many; the depth of the stack does not grow with them."""
    count = 3000
    data = b"".join(GET.replace(b"/a", b"/%d" % number) for number in range(count))
    answer = server.feed(data)
    assert bodies(answer) == [b"%d" % number for number in range(count)]


def test_a_request_waits_for_the_one_before(server):
    """Answers are given later, and never in another order."""
    server.answers = False
    assert server.feed(GET + GET.replace(b"/a", b"/b")) == b""
    assert len(server.exchanges) == 1
    server.exchanges[0].reply(200, "first")
    assert bodies(server.written()) == [b"first"]
    server.exchanges[1].reply(200, "second")
    assert bodies(server.written()) == [b"second"]


def test_reading_stops_when_too_much_waits(server):
    """A browser that sends request after request behind one that is held cannot fill memory."""
    server.answers = False
    server.feed(GET)
    server.feed(b"x" * READ_AHEAD_BYTES)
    assert server.transport.producerState == "producing"
    server.feed(b"x")
    assert server.transport.producerState == "paused"
    server.exchanges[0].reply(200, "")
    assert server.transport.producerState == "producing"


def test_a_browser_that_goes_away_is_told_of(server):
    """At once, and once; what is written afterwards goes nowhere."""
    server.answers = False
    server.feed(GET)
    (exchange,) = server.exchanges
    lost = []
    exchange.on_lost(lambda: lost.append(1))
    exchange.on_lost(lambda: lost.append(2))
    exchange.start(200, [])
    exchange.write(b"some")
    server.connection.connectionLost(REASON)
    assert lost == [1, 2]
    server.written()
    exchange.write(b"more")
    exchange.finish()
    assert server.written() == b""
    assert not server.factory.connections
    assert not server.clock.getDelayedCalls()


def test_an_answer_without_a_length_comes_in_chunks(server):
    """And the connection goes on behind it."""
    server.answers = False
    server.feed(GET)
    (exchange,) = server.exchanges
    exchange.start(200, [("Content-Type", "text/plain")])
    exchange.write(b"")
    head = server.written()
    assert head.endswith(b"Transfer-Encoding: chunked\r\n\r\n")
    exchange.write(b"now ")
    exchange.write(b"and later")
    exchange.finish()
    exchange.finish()
    assert server.written() == b"4\r\nnow \r\n9\r\nand later\r\n0\r\n\r\n"
    server.feed(GET)
    assert len(server.exchanges) == 2


def test_an_answer_is_never_longer_than_announced(server):
    """What is too much would be read as the next answer."""
    server.answers = False
    server.feed(GET)
    (exchange,) = server.exchanges
    exchange.start(200, [], 5)
    for _ in range(3):
        exchange.write(b"abc")
    exchange.finish()
    assert server.written().endswith(b"\r\n\r\nabcab")
    assert not server.transport.is_cut


def test_an_answer_that_is_too_short_is_cut(server):
    """So that nobody takes it for whole, or the next answer for the rest of it."""
    server.answers = False
    server.feed(GET + GET)
    exchange = server.exchanges[0]
    exchange.start(200, [], 5)
    exchange.write(b"abc")
    exchange.finish()
    assert server.transport.is_cut
    assert len(server.exchanges) == 1


def test_a_stream_keeps_no_headers(server):
    """It may last for hours, and there may be thousands; the request behind it has its own."""
    server.answers = False
    server.feed(GET)
    (stream,) = server.exchanges
    assert stream.header("host") == "x"
    stream.start(200, [])
    stream.write(b"now")
    assert stream.header("host") is None
    stream.finish()
    server.feed(GET)
    assert server.exchanges[1].header("host") == "x"


def test_http_1_0_gets_no_chunks(server):
    """Its answer ends where the connection does."""
    server.answers = False
    server.feed(b"GET /a HTTP/1.0\r\n\r\n")
    (exchange,) = server.exchanges
    exchange.start(200, [])
    exchange.write(b"bytes")
    exchange.finish()
    answer = server.written()
    assert b"Connection: close\r\n" in answer
    assert answer.endswith(b"\r\n\r\nbytes")
    assert server.transport.disconnecting


@pytest.mark.parametrize("length", [5, None])
def test_head_gets_a_head(server, length):
    """Everything but the body, whichever way it is answered."""
    server.answers = False
    server.feed(b"HEAD /a HTTP/1.1\r\nHost: x\r\n\r\n" * 2)
    server.exchanges[0].start(200, [], length)
    server.exchanges[0].write(b"bytes")
    server.exchanges[0].finish()
    server.exchanges[1].reply(200, "bytes")
    first, second, rest = server.written().split(b"\r\n\r\n")
    assert (b"Content-Length: 5" in first) is (length == 5)
    assert b"Content-Length: 5" in second
    assert rest == b""


def test_a_responder_that_fails_is_a_500(server, caplog):
    """Nothing of the inside is shown, and the connection goes on."""
    answer = server.feed(GET.replace(b"/a", b"/fails"))
    assert answer.startswith(b"HTTP/1.1 500 Internal Server Error\r\n")
    assert b"on purpose" not in answer
    assert "on purpose" in caplog.text
    assert bodies(server.feed(GET)) == [b"a"]


def test_close_is_what_was_asked_for(server):
    """The last answer says so, and nothing behind it is looked at."""
    request = b"GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    answer = server.feed(request + GET)
    assert b"Connection: close\r\n" in answer
    assert bodies(answer) == [b"a"]
    assert server.transport.disconnecting


def test_a_refusal_is_read_before_the_connection_closes(server, monkeypatch):
    """What still comes is read and thrown away for a while, then the connection ends."""
    monkeypatch.setattr("orbited.edge.ending.is_plain", lambda transport: True)
    answer = server.feed(post(b"Content-Length: 1001"))
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"Connection: close\r\n" in answer
    assert server.transport.is_half_closed
    assert not server.transport.disconnecting
    assert server.feed(b"x" * 1001 + GET) == b""
    server.clock.advance(2)
    assert server.transport.disconnecting


def test_a_refusal_over_tls_ends_as_tls_does(server):
    """It has a word of its own for the end, and waits for the browser's; but not for ever."""
    server.feed(post(b"Content-Length: 1001"))
    assert server.transport.disconnecting
    assert not server.transport.is_half_closed
    server.clock.advance(2)
    assert server.transport.is_cut


def test_a_slow_request_is_told_so(server):
    """408 for a head that does not end; an idle connection just closes."""
    server.feed(GET[:-1])
    server.clock.advance(10)
    assert server.written().startswith(b"HTTP/1.1 408 Request Timeout\r\n")
    idle = Server()
    idle.clock.advance(10)
    assert idle.written() == b""
    assert idle.transport.disconnecting


def test_a_connection_that_was_used_is_kept_for_longer(server):
    """It is closed when nothing more is asked, counted from the last answer."""
    server.feed(GET)
    server.clock.pump([30, 29])
    server.feed(GET)
    server.clock.pump([30, 29])
    assert not server.transport.disconnecting
    server.clock.advance(1)
    assert server.transport.disconnecting


def test_while_a_request_is_answered_no_time_runs_out(server):
    """However long the answer is waited for."""
    server.answers = False
    server.feed(GET)
    server.clock.pump([60] * 10)
    assert not server.transport.disconnecting
    assert not server.clock.getDelayedCalls()


def test_a_browser_that_takes_nothing_is_cut(server):
    """Nothing new is begun for it meanwhile, and whoever writes is paused."""
    server.answers = False
    server.feed(GET)
    producer = Producer()
    server.exchanges[0].register_producer(producer)
    server.connection.pauseProducing()
    server.connection.pauseProducing()
    assert producer.calls == ["pause"]
    server.exchanges[0].reply(200, "")
    server.feed(GET)
    assert len(server.exchanges) == 1
    server.clock.advance(29)
    assert not server.transport.is_cut
    server.clock.advance(1)
    assert server.transport.is_cut


def test_a_browser_that_takes_it_in_the_end_goes_on(server):
    """What was paused is resumed, what waited is begun."""
    server.answers = False
    server.feed(GET)
    producer = Producer()
    server.connection.pauseProducing()
    server.exchanges[0].register_producer(producer)
    server.connection.resumeProducing()
    assert producer.calls == ["pause", "resume"]
    server.connection.pauseProducing()
    server.exchanges[0].reply(200, "")
    server.feed(GET)
    server.connection.resumeProducing()
    assert len(server.exchanges) == 2
    server.clock.advance(30)
    assert not server.transport.is_cut


class Producer:
    """Remembers how it was paced."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def pauseProducing(self) -> None:
        self.calls.append("pause")

    def resumeProducing(self) -> None:
        self.calls.append("resume")

    def stopProducing(self) -> None:
        self.calls.append("stop")


class Taker(Protocol):
    """Takes a connection over."""

    def __init__(self) -> None:
        self.received = b""
        self.lost: Any = None

    def dataReceived(self, data: bytes) -> None:
        self.received += data

    def connectionLost(self, reason: Any = None) -> None:
        self.lost = reason


def test_a_connection_can_be_handed_over(server):
    """With what came behind the request, and all that comes later."""
    server.answers = False
    server.feed(GET + b"early")
    taker = Taker()
    server.exchanges[0].upgrade(b"HTTP/1.1 101 Switching Protocols\r\n\r\n", taker)
    assert server.written() == b"HTTP/1.1 101 Switching Protocols\r\n\r\n"
    assert taker.received == b""  # not before whoever handed it over is done
    server.clock.advance(0)
    server.feed(b" and late")
    assert taker.received == b"early and late"
    assert not server.clock.getDelayedCalls()
    server.connection.connectionLost(REASON)
    assert taker.lost is REASON


def test_headers_need_not_be_kept_while_an_answer_is_long_in_coming(server):
    """Whoever answers says so; the answer, and the next request, are what they would be."""
    server.answers = False
    server.feed(GET)
    exchange = server.exchanges[0]
    assert exchange.header("host") is not None
    exchange.settle()
    assert exchange.header("host") is None
    exchange.reply(200, "late")
    server.answers = True
    assert bodies(server.written() + server.feed(GET)) == [b"late", b"a"]


def test_nothing_is_left_of_a_connection_that_was_handed_over(server, monkeypatch):
    """A plain transport calls whoever took it over, which may hold it for days."""
    monkeypatch.setattr("orbited.edge.connection.is_plain", lambda transport: True)
    server.answers = False
    server.feed(GET)
    taker, transport = Taker(), server.transport
    server.exchanges.pop().upgrade(b"HTTP/1.1 101 Switching Protocols\r\n\r\n", taker)
    assert transport.protocol is taker
    left = weakref.ref(server.connection)
    del server.connection
    gc.collect()
    assert left() is None


def test_stopping_closes_what_is_idle(server):
    """An answer that is under way is finished first."""
    server.answers = False
    idle = Server()
    idle.factory.doStart()
    idle.factory.doStop()
    assert idle.transport.disconnecting
    server.feed(GET)
    server.factory.doStart()
    server.factory.doStop()
    assert not server.transport.disconnecting
    server.exchanges[0].reply(200, "last")
    assert b"Connection: close\r\n" in server.written()
    assert server.transport.disconnecting


def test_the_access_log_shows_no_query(caplog):
    """One line for each request, and for what is none."""
    caplog.set_level("INFO", "orbited.access")
    server = Server(has_access_log=True)
    server.connection.address = "192.0.2.1"
    server.feed(b"GET /a?secret HTTP/1.1\r\nHost: x\r\n\r\nnonsense\r\n\r\n")
    assert caplog.messages == ["192.0.2.1 GET /a 200", "192.0.2.1 - - 400"]


@pytest.mark.parametrize(
    ("query", "value"),
    [
        (b"", None),
        (b"?other=1", None),
        (b"?ack=1", "1"),
        (b"?ack=1&ack=2", "2"),
        (b"?%61ck=3", "3"),
        (b"?ack=a+b%20c", "a b c"),
        (b"?ack", ""),
        (b"?back=4", None),
    ],
)
def test_arguments(server, query, value):
    """The last one of a name, decoded."""
    server.feed(GET.replace(b"/a", b"/a" + query))
    assert server.exchanges[0].argument("ack") == value


def test_what_a_request_says(server):
    """Path, headers and body as a responder reads them."""
    server.feed(
        b"POST /a%2Fb/%C3%A4?x HTTP/1.1\r\nHost: h\r\nX-Y: 1\r\nx-y:  2 \r\n"
        b"Content-Length: 4\r\n\r\nbo"
    )
    server.feed(b"dy")
    (exchange,) = server.exchanges
    assert exchange.method == "POST"
    assert exchange.path == ("a/b", "\u00c3\u00a4")
    assert exchange.target == "/a%2Fb/%C3%A4?x"
    assert exchange.body == b"body"
    assert exchange.header("X-Y") == "2"
    assert exchange.header("nothing") is None
    assert exchange.header_items()[:2] == [("Host", "h"), ("X-Y", "1")]
    assert (exchange.scheme, exchange.status) == ("http", 200)
