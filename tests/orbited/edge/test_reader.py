"""Requests out of bytes, in any cut; limits and times."""

import random

import pytest

from orbited.edge.head import Head
from orbited.edge.reader import RequestReader, Signal, State
from orbited.errors import RequestError
from orbited.protocol.settings import RequestLimits
from tests.support.http_corpus import CASES, GET, Outcome, chunked, post

LIMITS = RequestLimits(
    request_line_bytes=300,
    header_bytes=6000,
    header_count=20,
    header_seconds=10,
    body_seconds=20,
    body_bytes_per_second=100,
    chunk_line_bytes=40,
    keep_alive_seconds=60,
)


def new_reader() -> RequestReader:
    """A reader whose time begins at 0 and whose bodies have 1000 bytes at most."""
    return RequestReader(LIMITS, lambda path: 1000, 0.0)


class Peer:
    """Answers whatever is complete at once, and keeps what it was."""

    def __init__(self) -> None:
        self.reader = new_reader()
        self.outcomes: list[Outcome] = []
        self.bodies: list[bytes] = []
        self.heads: list[Head] = []

    def feed(self, data: bytes, now: float = 0.0) -> None:
        self.reader.receive_data(data, now)
        while events := self.reader.events_received():
            for event in events:
                if isinstance(event, Head):
                    self.heads.append(event)
                    self.bodies = []
                elif isinstance(event, bytes):
                    self.bodies.append(event)
                elif event is Signal.END:
                    head = self.heads[-1]
                    self.outcomes.append((head.method, head.target, b"".join(self.bodies)))
                    self.reader.answered(now)
                else:
                    assert isinstance(event, RequestError)
                    self.outcomes.append(event.status)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_corpus_in_any_cut(case):
    """Whole, byte by byte, and in random pieces, the same comes of it."""
    whole = Peer()
    whole.feed(case.data)
    assert whole.outcomes == case.outcomes
    bytewise = Peer()
    for position in range(len(case.data)):
        bytewise.feed(case.data[position : position + 1])
    assert bytewise.outcomes == case.outcomes
    source = random.Random(case.name)
    for _ in range(20):
        pieces = Peer()
        position = 0
        while position < len(case.data):
            size = source.choice((1, 2, 3, 10, 100, 1000))
            pieces.feed(case.data[position : position + size])
            position += size
        assert pieces.outcomes == case.outcomes


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_request_before_changes_nothing(case):
    """What is read of a connection does not depend on what was read of it before."""
    peer = Peer()
    peer.feed(chunked(b"1\r\nx\r\n0\r\n\r\n") + case.data)
    assert peer.outcomes[1:] == case.outcomes


def test_nothing_is_read_ahead():
    """The next request waits until the one before it is answered."""
    reader = new_reader()
    reader.receive_data(GET + b"nonsense\r\n\r\n", 0)
    assert [type(event) for event in reader.events_received()] == [Head, Signal]
    assert reader.state is State.ANSWERING
    assert reader.buffered_bytes == 12
    reader.receive_data(b"more", 0)
    assert reader.events_received() == []
    reader.answered(0)
    (event,) = reader.events_received()
    assert isinstance(event, RequestError)


def test_a_body_is_given_as_it_comes():
    """The reader keeps none of it."""
    reader = new_reader()
    reader.receive_data(post(b"Content-Length: 10", body=b"abc"), 0)
    head, piece = reader.events_received()
    assert isinstance(head, Head)
    assert piece == b"abc"
    assert reader.buffered_bytes == 0
    reader.receive_data(b"defghijGET", 0)
    assert reader.events_received() == [b"defghij", Signal.END]
    assert reader.buffered_bytes == 3


def test_a_browser_that_waits_is_told_to_go_on():
    """Once, and only when the body is wanted and is not there."""
    reader = new_reader()
    reader.receive_data(post(b"Content-Length: 3", b"Expect: 100-continue"), 0)
    assert reader.data_to_send() == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert reader.data_to_send() == b""
    for data in (
        post(b"Content-Length: 3", b"Expect: 100-continue", body=b"a"),
        post(b"Content-Length: 0", b"Expect: 100-continue"),
        post(b"Content-Length: 5000", b"Expect: 100-continue"),
    ):
        reader = new_reader()
        reader.receive_data(data, 0)
        assert reader.data_to_send() == b""


@pytest.mark.parametrize(
    ("line", "connection", "keeps_alive"),
    [
        (b"GET /a HTTP/1.1", b"", True),
        (b"GET /a HTTP/1.1", b"keep-alive", True),
        (b"GET /a HTTP/1.1", b"close", False),
        (b"GET /a HTTP/1.1", b"Upgrade, Close", False),
        (b"GET /a HTTP/1.0", b"", False),
        (b"GET /a HTTP/1.0", b"keep-alive", False),
    ],
)
def test_whether_the_connection_is_kept(line, connection, keeps_alive):
    """HTTP/1.1 keeps it unless it says otherwise; HTTP/1.0 does not."""
    peer = Peer()
    peer.feed(line + b"\r\nHost: x\r\nConnection: " + connection + b"\r\n\r\n")
    assert peer.heads[0].keeps_alive is keeps_alive


# -- time -------------------------------------------------------------------------------------


def test_a_connection_that_says_nothing_is_closed():
    """At first in the time of a head, later in that of an idle connection."""
    reader = new_reader()
    assert reader.next_deadline() == 10
    reader.tick(9.9)
    assert reader.events_received() == []
    reader.tick(10)
    assert reader.events_received() == [Signal.IDLE]
    reader = new_reader()
    reader.receive_data(GET, 3)
    reader.events_received()
    assert reader.next_deadline() is None
    reader.answered(5)
    assert reader.next_deadline() == 65
    reader.tick(65)
    assert reader.events_received() == [Signal.IDLE]


def test_a_head_that_drips_ends_with_408():
    """Its time begins with its first byte and is not put off by more of them."""
    reader = new_reader()
    for second in range(9):
        reader.receive_data(b"X", second)
    assert reader.next_deadline() == 10
    reader.tick(10)
    (event,) = reader.events_received()
    assert event.status == 408
    assert reader.next_deadline() is None


def test_a_body_that_drips_ends_with_408():
    """A byte a second is not enough."""
    reader = new_reader()
    reader.receive_data(post(b"Content-Length: 1000"), 0)
    reader.events_received()
    for second in range(20):
        reader.tick(second)
        reader.receive_data(b"x", second)
    assert reader.next_deadline() == pytest.approx(20.2)
    assert set(reader.events_received()) == {b"x"}
    reader.tick(20.3)
    (event,) = reader.events_received()
    assert event.status == 408


def test_a_body_that_comes_slowly_but_surely_is_taken():
    """What has come earns time for the rest."""
    reader = new_reader()
    reader.receive_data(post(b"Content-Length: 1000"), 0)
    for second in range(4, 29):
        reader.tick(second)
        reader.receive_data(b"x" * 40, second)
    assert reader.events_received()[-1] is Signal.END


def test_after_the_end_nothing_is_read():
    """Neither bytes nor time bring anything any more."""
    reader = new_reader()
    reader.receive_data(b"nonsense\r\n\r\n", 0)
    assert len(reader.events_received()) == 1
    reader.receive_data(GET, 1)
    reader.tick(1000)
    assert reader.events_received() == []
    assert reader.buffered_bytes == 0


def test_who_takes_the_connection_gets_what_followed():
    """The first frames of a WebSocket may come with its request."""
    reader = new_reader()
    reader.receive_data(GET + b"\x81\x80frames", 0)
    reader.events_received()
    assert reader.take_rest() == b"\x81\x80frames"
    assert reader.next_deadline() is None


# -- the short way ------------------------------------------------------------------------------


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_short_way_reads_what_the_other_reads(case):
    """A request that repeats headers is read the same, or left to be read with care."""
    careful, quick = Peer(), Peer()
    for peer in (careful, quick):
        peer.feed(case.data)
    known = len(careful.outcomes)
    careful.feed(case.data)
    request = quick.reader.take_request(case.data)
    if request is None:
        quick.feed(case.data)
    else:
        head, body = request
        quick.outcomes.append((head.method, head.target, body))
        quick.reader.answered(0.0)
    assert quick.outcomes[known:] == careful.outcomes[known:]
    assert quick.reader.state is careful.reader.state
    assert quick.reader.next_deadline() == careful.reader.next_deadline()


def test_what_takes_the_short_way():
    """The same headers once more, all of the body, and nothing behind it."""
    peer, length = Peer(), b"Content-Length: 3"
    assert peer.reader.take_request(post(length, body=b"abc")) is None
    peer.feed(post(length, body=b"abc"))
    request = peer.reader.take_request(post(length, body=b"def"))
    assert request is not None
    assert (request[0].target, request[1]) == (peer.heads[0].target, b"def")
    assert peer.reader.state is State.ANSWERING
    assert peer.reader.take_request(post(length, body=b"ghi")) is None
    peer.reader.answered(0.0)
    for body in (b"defG", b"de", b""):
        assert peer.reader.take_request(post(length, body=body)) is None
    peer.feed(post(b"Content-Length: 1001", body=b"x" * 1001))
    assert peer.outcomes[-1] == 413
    assert peer.reader.take_request(post(length, body=b"abc")) is None
