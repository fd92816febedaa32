"""Heads that repeat, and what they are read as."""

import pytest

from orbited.edge import head as head_module
from orbited.edge.head import HeadParser
from orbited.errors import RequestError
from tests.support.http_corpus import CASES, head


@pytest.fixture
def parser(monkeypatch):
    """A parser that counts what it really reads."""
    parser = HeadParser(20)
    parse, parser_reads = head_module._parse_headers, []

    def count(block, max_headers):
        parser_reads.append(block)
        return parse(block, max_headers)

    monkeypatch.setattr(head_module, "_parse_headers", count)
    return parser, parser_reads


GET = b"GET /a?%d HTTP/1.1"
POST = b"POST /b?%d HTTP/1.1"


def test_the_same_headers_are_read_once(parser):
    """Also when two kinds of requests take turns; what they say is the same each time."""
    parser, reads = parser
    for number in range(5):
        got = parser.parse(head(GET % number, b"Host: x", b"Accept: y"))
        posted = parser.parse(head(POST % number, b"Host: x", b"Content-Length: 2"))
        assert (got.target, got.length) == (b"/a?%d" % number, 0)
        assert (posted.target, posted.length) == (b"/b?%d" % number, 2)
        assert got.fields[b"accept"] == b"y"
    assert len(reads) == 2


def test_headers_that_differ_are_read(parser):
    """In whatever byte, and a third kind puts out the oldest."""
    parser, reads = parser
    for length in (1, 2, 3, 1):
        posted = parser.parse(head(POST % 1, b"Host: x", b"Content-Length: %d" % length))
        assert posted.length == length
    assert len(reads) == 4


def test_the_same_headers_mean_something_else_under_http_1_0(parser):
    """What depends on the version is looked at each time."""
    parser, _ = parser
    assert parser.parse(head(b"POST /a HTTP/1.1", b"Host: x", b"Transfer-Encoding: chunked"))
    with pytest.raises(RequestError, match="400"):
        parser.parse(head(b"POST /a HTTP/1.0", b"Host: x", b"Transfer-Encoding: chunked"))
    assert parser.parse(head(b"GET /a HTTP/1.0", b"X: y"))
    with pytest.raises(RequestError, match="no Host"):
        parser.parse(head(b"GET /a HTTP/1.1", b"X: y"))


@pytest.mark.parametrize("case", [case for case in CASES if case.outcomes in ([400], [501])])
def test_what_is_refused_is_never_remembered(case):
    """The second time it is refused as well."""
    if b"\r\n\r\n" not in case.data:
        return
    data = case.data.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
    answers = []
    parser = HeadParser(20)
    for _ in range(3):
        try:
            parser.parse(data)
            answers.append(200)
        except RequestError as error:
            answers.append(error.status)
    assert len(set(answers)) == 1


def test_headers_that_come_twice_are_all_kept():
    """In order, under the names that were sent; the last one counts."""
    got = HeadParser(20).parse(head(GET % 1, b"Host: x", b"X: 1 ", b"x: 2", b"X:\t3", b"Y: z"))
    assert got.items == [(b"Host", b"x"), (b"X", b"1"), (b"x", b"2"), (b"X", b"3"), (b"Y", b"z")]
    assert got.fields[b"x"] == b"3"


@pytest.mark.parametrize(
    ("path", "segments"),
    [
        (b"/", [""]),
        (b"/a/b", ["a", "b"]),
        (b"/a//b/", ["a", "", "b", ""]),
        (b"/a%2Fb/%C3%A4", ["a/b", "\u00c3\u00a4"]),
        (b"/%zz", ["%zz"]),
    ],
)
def test_segments_of_a_path(path, segments):
    """Cut first, decoded then, so that an encoded slash is part of a name."""
    got = HeadParser(20).parse(head(b"GET %b?a/b HTTP/1.1" % path, b"Host: x"))
    assert got.segments() == segments
