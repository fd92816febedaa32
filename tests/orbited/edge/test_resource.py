"""Answers of twisted.web: each is the same bytes, and one that is all there is one write."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET

from orbited.edge.factory import EdgeFactory
from orbited.edge.resource import ResourceSite
from tests.orbited.edge.test_connection import LIMITS, REASON, Transport

Answer = Callable[[Any], Any]


class Root(Resource):
    """Answers as a test says."""

    isLeaf = True

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self._answer = answer

    def render(self, request: Any) -> Any:
        """Twisted: answer."""
        self._answer(request)
        return NOT_DONE_YET


class Asked:
    """One connection to a site."""

    def __init__(self, answer: Answer) -> None:
        site = ResourceSite(Root(answer))
        factory = EdgeFactory(site.begin, LIMITS, Clock(), max_body_bytes=lambda path: 1000)
        self.connection = factory.buildProtocol(None)
        self.transport = Transport()
        self.connection.makeConnection(self.transport)
        self.writes: list[bytes] = []
        write = self.transport.write

        def note(data: bytes) -> None:
            self.writes.append(data)
            write(data)

        self.connection.write = self.transport.write = note

    def ask(self, method: str = "GET", count: int = 1) -> bytes:
        """Ask; gives what has come back so far."""
        self.connection.dataReceived(f"{method} / HTTP/1.1\r\nHost: x\r\n\r\n".encode() * count)
        return self.transport.value()


def whole(request: Any) -> None:
    """Answer at once."""
    request.setHeader(b"content-length", b"4")
    request.write(b"done")
    request.finish()


def begin(requests: list[Any], piece: bytes, size: int, request: Any) -> None:
    """Announce a body of that size, and send a piece of it; the test goes on."""
    requests.append(request)
    request.setHeader(b"content-length", b"%d" % size)
    request.write(piece)


def test_a_whole_answer_is_one_write() -> None:
    """Head and body leave together, and so does each answer after it."""
    asked = Asked(whole)
    asked.ask(count=2)
    assert len(asked.writes) == 2
    for data in asked.writes:
        head, _, body = data.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 OK\r\n")
        assert body == b"done"


def test_a_body_in_pieces_comes_in_order() -> None:
    """Its length is known, and the pieces are not there yet."""
    requests: list[Any] = []
    asked = Asked(partial(begin, requests, b"one", 6))
    assert asked.ask().endswith(b"\r\n\r\none")
    requests[0].write(b"two")
    requests[0].finish()
    assert asked.transport.value().endswith(b"\r\n\r\nonetwo")


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("status", [200, 204, 304])
@pytest.mark.parametrize("announced", [None, b"0", b"4"])
def test_a_head_alone_is_sent(method: str, status: int, announced: bytes | None) -> None:
    """Where no body follows, for whatever reason."""

    def answer(request: Any) -> None:
        request.setResponseCode(status)
        if announced is not None:
            request.setHeader(b"content-length", announced)
        request.finish()

    data = Asked(answer).ask(method)
    assert data.startswith(b"HTTP/1.1 %d " % status)
    assert data.count(b"HTTP/1.1") == 1
    assert b"\r\n\r\n" in data


def test_a_stream_begins_at_once() -> None:
    """Its length is not known, so its head waits for nothing."""
    assert b"\r\n\r\n" in Asked(lambda request: request.write(b"")).ask()


def test_a_producer_finds_the_head_sent() -> None:
    """Whoever is paced writes as the browser takes it."""

    class Producer:
        def __init__(self, request: Any) -> None:
            self._request = request

        def resumeProducing(self) -> None:
            self._request.write(b"done")
            self._request.unregisterProducer()
            self._request.finish()

        def stopProducing(self) -> None:
            """Twisted: the browser is gone."""

    def answer(request: Any) -> None:
        request.setHeader(b"content-length", b"4")
        request.write(b"")
        request.registerProducer(Producer(request), False)

    assert Asked(answer).ask().endswith(b"\r\n\r\ndone")


def test_what_was_begun_is_sent_before_the_end() -> None:
    """Also the head, when the site gives up after it."""

    def answer(request: Any) -> None:
        request.setHeader(b"content-length", b"4")
        request.write(b"")
        request.loseConnection()

    asked = Asked(answer)
    assert b"content-length: 4\r\n" in asked.ask().lower()
    assert not asked.transport.connected


def test_nothing_is_written_to_a_browser_that_has_gone() -> None:
    """The answer that was begun is dropped."""
    requests: list[Any] = []
    asked = Asked(partial(begin, requests, b"", 4))
    asked.ask()
    asked.connection.connectionLost(Failure(REASON.value))
    requests[0].write(b"done")
    assert asked.transport.value() == b""


def test_the_own_address_is_asked_for_once() -> None:
    """It costs a system call, and stays what it is."""
    calls: list[str] = []

    class Counting(StringTransport):
        connected = True

        def getHost(self) -> Any:
            calls.append("getHost")
            return super().getHost()

    hosts: list[Any] = []

    def answer(request: Any) -> None:
        hosts.append(request.getHost())
        whole(request)

    asked = Asked(answer)
    transport = Counting()
    asked.connection.transport = transport
    asked.ask(count=3)
    assert len(calls) == 1
    assert hosts == [Transport().getHost()] * 3
