"""Answers with one packet are those that anybody would get, whoever else gets the packet."""

from typing import Any

import pytest
from twisted.internet.task import Clock

from orbited.edge.answer import MAX_HEADS, Dates, header_block
from orbited.edge.exchange import EdgeExchange
from orbited.edge.factory import EdgeFactory
from orbited.protocol.packets import TEXT
from orbited.protocol.settings import RequestLimits
from orbited.protocol.shared import SharedFrame
from tests.orbited.edge.test_connection import Transport

BODIES = SharedFrame(TEXT, bytes)
CORS = (("Access-Control-Allow-Origin", "http://a.example"), ("Vary", "Origin"))


class Poll:
    """A connection that answers with whatever it is told."""

    def __init__(self, factory: EdgeFactory) -> None:
        self.connection = factory.buildProtocol(None)
        self.transport = Transport()
        self.connection.makeConnection(self.transport)

    def ask(self, data: bytes) -> bytes:
        """Send a request; gives the answer."""
        self.connection.dataReceived(data)
        answer = self.transport.value()
        self.transport.clear()
        return answer


@pytest.fixture
def answers(request) -> tuple[list[Any], Any]:
    """What the next requests are answered with, and a clock and two pages that ask."""
    script: list[Any] = []

    def begin(connection: Any, head: Any) -> EdgeExchange:
        return EdgeExchange(connection, head, (), lambda exchange: script.pop(0)(exchange))

    clock = Clock()
    factory = EdgeFactory(begin, RequestLimits(), clock, max_body_bytes=lambda path: 1000)
    return script, clock, Poll(factory), Poll(factory)


@pytest.mark.parametrize(
    "line", [b"GET / HTTP/1.1", b"HEAD / HTTP/1.1", b"GET / HTTP/1.0", b"POST / HTTP/1.1"]
)
def test_it_is_the_answer_that_anybody_gets(answers, line):
    """For every number, payload, page and second, and for those who want a head only."""
    script, clock, one, other = answers
    request = line + b"\r\nHost: x\r\n\r\n"
    for number, payload, headers, seconds in (
        (9, b"first", CORS, 0),
        (9, b"first", CORS, 0),
        (10, b"first", CORS, 0),
        (11, b"first", (), 0.9),
        (99, b"second" * 100, CORS, 0.2),
        (100, b"first", CORS, 86400),
    ):
        clock.advance(seconds)
        for page in (one, other):
            script += [
                lambda exchange, number=number, payload=payload, headers=headers: (
                    exchange.reply_packet(BODIES, number, payload, headers, clock.seconds())
                ),
                lambda exchange, number=number, payload=payload, headers=headers: exchange.reply(
                    200, BODIES.build(number, payload), headers
                ),
            ]
            shared = page.ask(request)
            if line.endswith(b"1.0"):
                assert page.transport.disconnecting
                return
            assert shared == page.ask(request)


def test_an_answer_that_nobody_waits_for_goes_nowhere(answers):
    """The browser was gone before."""
    script, _clock, page, _ = answers
    held: list[EdgeExchange] = []
    script.append(held.append)
    page.ask(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    held[0].reply(200, "")
    page.transport.clear()
    held[0].reply_packet(BODIES, 1, b"late", (), 0.0)
    assert page.transport.value() == b""


def test_what_is_kept_for_a_second_is_bounded():
    """However many origins pages have."""
    dates = Dates()
    for number in range(MAX_HEADS + 10):
        block = header_block((("X", str(number)),))
        assert block in dates.ok_head(block, 1.0)
    assert len(dates._heads) == MAX_HEADS
    assert b"00:00:02" in dates.ok_head(block, 2.5)
