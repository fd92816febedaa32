"""A request that comes again is answered as it would be if it were read."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.error import ConnectionLost
from twisted.internet.protocol import Protocol, ServerFactory
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from orbited.cometsession import TCPResource
from orbited.config import from_mapping
from orbited.edge.connection import EdgeConnection
from orbited.edge.exchange import EdgeExchange
from orbited.edge.factory import EdgeFactory
from orbited.edge.reader import State
from orbited.protocol.packets import DATA, PING, TEXT, Packet
from tests.orbited.edge.test_connection import Transport, bodies
from tests.orbited.protocol.test_reopen import everything

OPTIONS = {
    "limits": {"request_line_bytes": 120, "header_bytes": 512, "post_bytes": 200},
    "session": {"packet_bytes": 1024, "unacknowledged_bytes": 8192},
}


class Application(Protocol):
    """Remembers what comes, and answers what it is told to."""

    def __init__(self) -> None:
        self.received: list[bytes] = []

    def dataReceived(self, data: bytes) -> None:
        self.received.append(data)
        if data == b"fail":
            raise RuntimeError("on purpose")
        if data.startswith(b"echo"):
            self.transport.write(data)


class Watched(EdgeConnection):
    """A connection that counts what is known, where it may be."""

    def __init__(self, factory: EdgeFactory, site: "Site") -> None:
        super().__init__(factory)
        self.site = site

    def _serve_again(self, *found: Any) -> bool:
        is_taken = super()._serve_again(*found)
        self.site.known += is_taken
        return is_taken

    def remember(self, *request: Any) -> Any:
        return super().remember(*request) if self.site.quick else request[1]


class Site:
    """A server with one session, and a connection to it; ``quick`` knows what comes again."""

    def __init__(self, *, quick: bool = True) -> None:
        self.clock = Clock()
        self.application = Application()
        factory = ServerFactory()
        factory.buildProtocol = lambda address: self.application  # type: ignore[assignment]
        self.tcp = TCPResource(factory, from_mapping(OPTIONS), self.clock)
        self.edge = EdgeFactory(
            lambda connection, head: EdgeExchange(
                connection, head, tuple(head.segments()[1:]), self.tcp.respond
            ),
            self.tcp.config.limits,
            self.clock,
            max_body_bytes=lambda path: self.tcp.config.limits.post_bytes,
        )
        self.quick = quick
        self.known = 0
        self.connect()
        (key,) = bodies(self.feed(b"GET /tcp HTTP/1.1\r\nHost: h\r\n\r\n"))
        self.key = key
        self.session = self.tcp.connections[key.decode()]
        self.feed(self.poll(0))
        self.feed(self.post(2, TEXT.encode([Packet(1, DATA, b"hello")])))

    def connect(self) -> None:
        """Have a new connection."""
        self.connection = Watched(self.edge, self)
        self.transport = Transport()
        self.connection.makeConnection(self.transport)

    def feed(self, data: bytes) -> bytes:
        """Send bytes; gives what comes back until the turn ends."""
        if self.transport.connected and not self.transport.is_cut:
            self.connection.dataReceived(data.replace(b"<KEY>", self.key))
        self.clock.advance(0)
        return self.written()

    def written(self) -> bytes:
        """What came back since the last time."""
        data = self.transport.value()
        self.transport.clear()
        return data

    key = b""

    def poll(self, ack: object) -> bytes:
        """A long poll, with what is written behind ``ack=``."""
        return (
            b"GET /tcp/<KEY>/longpoll?ack=%b HTTP/1.1\r\nHost: h\r\nX: y\r\n\r\n"
            % str(ack).encode()
        )

    def post(self, ack: object, body: bytes, length: object = None) -> bytes:
        """Packets up."""
        length = len(body) if length is None else length
        return b"POST /tcp/<KEY>?ack=%b HTTP/1.1\r\nHost: h\r\nContent-Length: %b\r\n\r\n%b" % (
            str(ack).encode(),
            str(length).encode(),
            body,
        )

    def state(self) -> object:
        """All that can be seen of it from outside, and what the session knows."""
        reader, transport = self.connection._reader, self.transport
        return (
            reader.state,
            reader.next_deadline(),
            reader.buffered_bytes,
            (transport.disconnecting, transport.is_half_closed, transport.is_cut),
            transport.producerState,
            everything(self.session.core),
            self.session.transport_name,
            self.session.absent_since,
            self.application.received,
            [getattr(self.tcp.counters, name) for name in self.tcp.counters.__slots__],
            len(self.tcp.connections),
        )


KEYS = re.compile(rb"[0-9a-f]{32}")

SMUGGLED = b"GET /tcp HTTP/1.1\r\nHost: h\r\n\r\n"

#: What somebody may write where a number is expected.
NUMBERS = ["+2", "-1", "", "0", "02", "1_0", " 2", "2 ", "2&x=1", "%32", "9" * 15, "9" * 16, "٣"]

#: Changes to the bytes of a request, and to what follows it.
CHANGES = [
    (b"", b""),
    (b"HTTP/1.1", b"HTTP/1.0"),
    (b" HTTP/1.1", b"  HTTP/1.1"),
    (b"\r\n\r\n", b"\n\n"),
    (b"Host: h", b"Host: h\r\nHost: h"),
    (b"Host: h", b"Host: other"),
    (b"Host: h", b"Host: h\r\nConnection: close"),
    (b"Host: h", b"Host: h\r\nTransfer-Encoding: chunked"),
    (b"Host: h", b"Host: h\r\nContent-Length: 3"),
    (b"Host: h", b"Host: h\r\nExpect: 100-continue"),
    (b"Content-Length: ", b"content-length:\t"),
    (b"Content-Length: ", b"Content-Length:  "),
    (b"GET ", b"HEAD "),
    (b"GET ", b"get "),
    (b"GET ", b"\r\nGET "),
    (b"longpoll", b"poll"),
    (b"<KEY>", b"no-key"),
]

_NUMBER = st.one_of(st.just("last"), st.just("last"), st.integers(0, 6), st.sampled_from(NUMBERS))
_PACKETS = st.sampled_from([b"news", b"echo", b"echo again", b"fail", None, b"x" * 160])
STEPS = st.lists(
    st.one_of(
        st.tuples(
            st.sampled_from(["poll", "post"]),
            _NUMBER,
            _PACKETS,
            st.one_of(st.just(CHANGES[0]), st.sampled_from(CHANGES)),
            st.sampled_from([None, None, None, "+5", "05", "5", "500", "0x5", ""]),
            st.one_of(st.none(), st.none(), st.integers(0, 120)),
            st.sampled_from([b"", b"", b"", b"\r\n", SMUGGLED]),
        ),
        st.tuples(st.sampled_from(["write", "write", "advance", "connect", "close"])),
        st.tuples(st.sampled_from(["write"])),
    ),
    max_size=25,
)


def do(site: Site, step: tuple[Any, ...], number: int) -> bytes:
    """Do one step; gives what came back."""
    if step[0] == "write":
        site.session.write(b"down %d" % number)
        return turn(site)
    if step[0] == "advance":
        site.clock.advance(0.4)
        return site.written()
    if step[0] == "close":
        site.session.loseConnection()
        return turn(site)
    if step[0] == "connect":
        site.connection.connectionLost(Failure(ConnectionLost()))
        before = site.written()
        site.connect()
        return before
    kind, ack, text, (old, new), length, cut, rest = step
    if ack == "last":
        ack = site.session.core.outbox.last_id
    packet = Packet(number + 1, PING) if text is None else Packet(number + 1, DATA, text)
    if kind == "poll":
        data = site.poll(ack)
    else:
        data = site.post(ack, TEXT.encode([packet]), length)
    data = data.replace(old, new, 1) + rest if old else data + rest
    if cut is None:
        return site.feed(data)
    return site.feed(data[:cut]) + (site.feed(data[cut:]) if data[cut:] else b"")


def turn(site: Site) -> bytes:
    """Let the reactor's turn end."""
    site.clock.advance(0)
    return site.written()


@given(STEPS)
def test_it_is_answered_as_if_it_were_read(steps):
    """Numbers, framing, what follows, pieces: both ways write and know the same."""
    quick, careful = Site(), Site(quick=False)
    plain = ("last", None, CHANGES[0], None, None, b"")
    steps = [("poll", *plain), ("post", *plain), ("write",)] * 3 + steps
    for number, step in enumerate(steps, 1):
        answers = [KEYS.sub(b"KEY", do(site, step, number)) for site in (quick, careful)]
        assert answers[0] == answers[1]
        assert quick.state() == careful.state()
        assert quick.connection._reader.state is not State.IDLE or not (
            quick.connection._reader.buffered_bytes
        )


def test_what_is_known_when_it_comes_again():
    """Polls and POSTs, from the third on, with any body and acknowledgement."""
    site = Site()
    for number in range(1, 7):
        site.feed(site.poll(site.session.core.outbox.last_id))
        site.session.write(b"down")
        assert TEXT.encode([Packet(number + 2, DATA, b"down")]) in turn(site)
        packet = Packet(number + 1, DATA, b"x" * number)
        answer = site.feed(site.post(site.session.core.outbox.last_id, TEXT.encode([packet])))
        assert bodies(answer) == [b"OK"]
    assert site.known >= 8
    assert site.application.received[1:] == [b"x" * number for number in range(1, 7)]


@pytest.mark.parametrize("has_access_log", [True, False])
def test_what_is_known_needs_no_headers(has_access_log):
    """Their bytes are kept once; what was read of them is let go, but for the line in the log."""
    site = Site()
    site.edge.has_access_log = has_access_log
    for _ in range(4):
        site.feed(site.poll(site.session.core.outbox.last_id))
        site.session.write(b"down")
        turn(site)
    (again,) = [each for each in site.connection._again if each.head.method == b"GET"]
    parser = site.connection._reader._heads
    assert not again.head.fields
    assert all(b"X: y" not in block for block, headers in (parser._last, parser._before))
    path = b"/tcp/%b/longpoll" % site.key
    assert again.head.path == (path if has_access_log else b"/")
    known = site.known
    site.feed(site.poll(site.session.core.outbox.last_id))
    assert site.known == known + 1
    assert site.connection._head is again.head
    site.session.write(b"down")
    assert turn(site)
    site.session.write(b"more")
    other = site.poll(site.session.core.outbox.last_id).replace(b"X: y", b"X: z")
    assert site.feed(other).startswith(b"HTTP/1.1 200 OK")  # it is read
    assert site.known == known + 1


def test_a_poll_that_lasts_is_known_no_more():
    """Its connection keeps no headers, and no request."""
    site = Site()
    for _ in range(4):
        site.feed(site.poll(site.session.core.outbox.last_id))
        site.session.write(b"down")
        turn(site)
    assert site.connection._again
    site.feed(site.poll(site.session.core.outbox.last_id))
    for _ in range(3):
        site.clock.advance(0.5)
    assert not site.connection._again
    site.session.write(b"late")
    assert turn(site)


def test_a_browser_that_goes_away_from_a_known_poll_is_noticed():
    """The session waits for it to come back, and gives it what it missed."""
    site = Site()
    for _ in range(4):
        site.feed(site.poll(site.session.core.outbox.last_id))
        site.session.write(b"down")
        turn(site)
    known = site.known
    ack = site.session.core.outbox.last_id
    site.feed(site.poll(ack))
    assert site.known == known + 1
    assert site.session.transport_name == "longpoll"
    site.connection.connectionLost(Failure(ConnectionLost()))
    assert site.session.transport_name is None
    site.session.write(b"missed")
    site.connect()
    assert TEXT.encode([Packet(ack + 1, DATA, b"missed")]) in site.feed(site.poll(ack))


@pytest.mark.parametrize("is_known", [True, False])
def test_a_server_that_stops_lets_known_requests_go(is_known):
    """They are answered, and the connection closes."""
    site = Site(quick=is_known)
    for number in range(4):
        site.feed(site.post(2, TEXT.encode([Packet(number + 2, DATA, b"x")])))
    site.edge.is_stopping = True
    answer = site.feed(site.post(2, TEXT.encode([Packet(9, DATA, b"last")])))
    assert b"Connection: close\r\n" in answer
    assert site.transport.disconnecting
    assert site.application.received[-1] == b"last"


class Audience:
    """One session, as a broker knows those who get a message."""

    def __init__(self, session: Any) -> None:
        self.members = [session]
        self.consumers = [None]


@pytest.mark.parametrize("is_broadcast", [False, True])
def test_polls_in_one_piece_are_each_answered(is_broadcast):
    """A browser may send the next request behind the one that is held."""
    site = Site()

    def write(text: bytes) -> bytes:
        if is_broadcast:
            site.tcp.broadcaster.broadcast(Audience(site.session), text)
        else:
            site.session.write(text)
        return turn(site)

    for text in (b"one", b"two", b"three"):
        ack = site.session.core.outbox.last_id
        site.feed(site.poll(ack))
        assert site.feed(site.poll(ack + 1)) == b""
        assert TEXT.encode([Packet(ack + 1, DATA, text)]) in write(text)
        assert TEXT.encode([Packet(ack + 2, DATA, text)]) in write(text)
