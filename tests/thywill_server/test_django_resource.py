"""Answers that cross to the reactor in one piece, beside streams, which say the same."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import TestCase

from thywill_server.django_resource import DjangoResource
from thywill_server.site import SiteRoot, make_site, with_bodies

GET = b"GET /a%20b/?q=1 HTTP/1.1\r\nHost: site:8000\r\nX-A: 1\r\nX-A: 2\r\n\r\n"
HEAD = GET.replace(b"GET", b"HEAD")


class Answered:
    """What Django gives: pieces that are all there, or come one by one."""

    def __init__(self, pieces: list[bytes], streaming: bool) -> None:
        self.pieces, self.streaming = pieces, streaming
        self.closed = 0
        self.on_piece: Callable[[], object] = lambda: None

    def __iter__(self) -> Iterator[bytes]:
        for piece in self.pieces:
            self.on_piece()
            yield piece

    def close(self) -> None:
        """Count."""
        self.closed += 1


class Crossing(MemoryReactorClock):
    """A reactor whose thread is this one.

    Attributes:
        crossed: how often it was called from a web thread.
    """

    crossed = 0

    def callFromThread(self, function: Callable[..., Any], *arguments: Any) -> None:
        """Call at once."""
        self.crossed += 1
        function(*arguments)


class Inline:
    """A pool of no threads."""

    def callInThread(self, function: Callable[..., Any], *arguments: Any) -> None:
        """Call at once."""
        function(*arguments)


class Line:
    """A browser's connection to a site that answers so."""

    def __init__(
        self, given: Any, status: str = "200 OK", headers: tuple[tuple[str, str], ...] = ()
    ) -> None:
        def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
            self.environ = environ
            start_response(status, list(headers))
            return given

        self.reactor = Crossing()
        pool: Any = Inline()
        resource = DjangoResource(self.reactor, pool, with_bodies(application))
        self.root = SiteRoot(resource)
        self._channel: Any = make_site(self.reactor, self.root).buildProtocol(None)  # type: ignore[no-untyped-call]
        self._transport = StringTransport()
        self._channel.makeConnection(self._transport)

    def ask(self, request: bytes = GET) -> bytes:
        """Give the answer, but for its date."""
        self._channel.dataReceived(request)
        return re.sub(rb"Date: [^\r]+", b"Date: now", self._transport.value())

    def lose(self) -> None:
        """The browser goes."""
        self._channel.connectionLost(Failure(ConnectionError()))


@pytest.mark.parametrize("request_", [GET, HEAD])
@pytest.mark.parametrize("pieces", [[], [b"whole"], [b"", b"in ", b"pieces"]])
@pytest.mark.parametrize("status", ["200 OK", "204 No Content", "429 Too Many Requests", "299 "])
def test_both_ways_send_the_same(request_: bytes, pieces: list[bytes], status: str) -> None:
    """Byte for byte, whatever the answer."""
    headers = (("Content-Length", str(sum(map(len, pieces)))), ("Set-Cookie", "a=\xe9"))
    answers = []
    for streaming in (True, False):
        given = Answered(pieces, streaming)
        line = Line(given, status, (*headers, ("Date", "never"), ("Server", "me")))
        answers.append(line.ask(request_))
        assert given.closed == 1
        assert line.root.requests_open == 0
    assert answers[0] == answers[1]
    assert answers[0].startswith(f"HTTP/1.1 {status}".encode())
    assert b"Set-Cookie: a=\xe9\r\n" in answers[0]
    assert b"never" not in answers[0]


def test_what_is_whole_crosses_once() -> None:
    """A stream crosses for each piece, and at its end."""
    pieces = [b"a", b"", b"b", b"c"]
    lines = [Line(Answered(pieces, streaming)) for streaming in (False, True)]
    for line in lines:
        line.ask()
    assert [line.reactor.crossed for line in lines] == [1, 4]


def test_a_stream_ends_when_the_browser_goes() -> None:
    """What nobody reads is not made; it is closed, and nothing is logged."""
    given = Answered([b"a"] * 1000, streaming=True)
    line = Line(given)
    made: list[int] = []

    def on_piece() -> None:
        made.append(1)
        if len(made) == 3:
            line.lose()

    given.on_piece = on_piece
    line.ask()
    assert len(made) == 3
    assert given.closed == 1


def test_a_browser_that_goes_before_the_answer() -> None:
    """Nobody is there to be answered, and nothing raises."""
    given = Answered([b"a"], streaming=False)
    line = Line(given)
    given.on_piece = line.lose
    assert line.ask() == b""
    assert given.closed == 1


def test_what_wsgi_is_told() -> None:
    """Names and values are those of PEP 3333."""
    line = Line(Answered([], streaming=False))
    line.ask()
    told = line.environ
    wanted = {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/a b/",
        "QUERY_STRING": "q=1",
        "CONTENT_TYPE": "",
        "CONTENT_LENGTH": "",
        "SERVER_NAME": "site",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "site:8000",
        "HTTP_X_A": "1,2",
        "wsgi.url_scheme": "http",
    }
    assert {name: told[name] for name in wanted} == wanted


class MistakeTests(TestCase):
    """Twisted notes what fails."""

    def test_a_header_that_cannot_be_sent(self) -> None:
        """HTTP has no bytes for it: 500, and the log says why."""
        answer = Line(Answered([b"a"], streaming=False), headers=(("X-A", "\u20ac"),)).ask()
        assert answer.startswith(b"HTTP/1.1 500 ")
        assert len(self.flushLoggedErrors(UnicodeEncodeError)) == 1

    def test_an_answer_that_breaks_off(self) -> None:
        """Before anything is sent it is a 500; after that only the connection's end can say so."""
        for streaming, begin in ((False, b"HTTP/1.1 500 "), (True, b"HTTP/1.1 200 ")):
            given = Answered([b"a", b"b"], streaming)
            seen: list[int] = []

            def on_piece(seen: list[int] = seen) -> None:
                seen.append(1)
                if len(seen) == 2:
                    raise OSError("on purpose")

            given.on_piece = on_piece
            line = Line(given)
            assert line.ask().startswith(begin)
            assert given.closed == 1
            assert len(self.flushLoggedErrors(OSError)) == 1

    def test_a_mistake_after_the_answer(self) -> None:
        """It is logged, and the answer stands."""
        given = Answered([b"whole"], streaming=False)
        given.close = lambda: 1 / 0  # type: ignore[assignment, return-value]
        answer = Line(given, headers=(("Content-Length", "5"),)).ask()
        assert answer.endswith(b"\r\n\r\nwhole")
        assert len(self.flushLoggedErrors(ZeroDivisionError)) == 1
