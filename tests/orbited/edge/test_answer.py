"""Heads of answers."""

import pytest

from orbited.edge.answer import STATUS_LINES, Dates, has_body, header_block


def test_every_status_has_its_phrase():
    """Those that are newer than HTTP/1.1 too."""
    assert STATUS_LINES[429] == b"HTTP/1.1 429 Too Many Requests\r\n"
    assert STATUS_LINES[503] == b"HTTP/1.1 503 Service Unavailable\r\n"
    assert STATUS_LINES[431] == b"HTTP/1.1 431 Request Header Fields Too Large\r\n"


def test_a_later_header_takes_the_place_of_one_before():
    """Names are compared as HTTP does; the order is that of the first."""
    block = header_block((("Content-Type", "a"), ("X", "1"), ("content-type", "b")))
    assert block == b"content-type: b\r\nX: 1\r\n"


@pytest.mark.parametrize("value", ["a\r\nSet-Cookie: b", "a\nb", "a\rb"])
def test_a_header_cannot_be_two(value):
    """A line break in a value is our mistake, and is not sent."""
    with pytest.raises(ValueError, match="line break"):
        header_block((("X", value),))


def test_some_answers_have_no_body():
    """RFC 9110, 6.4.1."""
    assert has_body(200, b"GET")
    assert not has_body(200, b"HEAD")
    assert not has_body(204, b"GET")
    assert not has_body(304, b"GET")


def test_the_date_is_made_once_a_second():
    """As RFC 9110 writes it."""
    dates = Dates()
    line = dates.line(784111777.2)
    assert line == b"Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
    assert dates.line(784111777.9) is line
    assert dates.line(784111778.0) == b"Date: Sun, 06 Nov 1994 08:49:38 GMT\r\n"
