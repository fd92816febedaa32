"""SEND after SEND: which are taken together, and which are left to others."""

import pytest

from stompservice.protocol import FrameParser
from stompservice.protocol.sends import RUN_BYTES

BEGINNING = b"SEND\ndestination:/a\ncontent-length:5\n\n"


def parser_after(data: bytes, taken: int = 1) -> FrameParser:
    """Return a parser that knows this beginning, and has read so many frames of those bytes."""
    parser = FrameParser(shares_headers=True)
    parser.receive_data(BEGINNING + b"first\0")
    assert len(list(parser.events_received())) == 1
    parser.receive_data(data)
    for _ in range(taken):
        assert parser.take_send() is not None
    return parser


def sends(*bodies: bytes, ending: bytes = b"\0") -> bytes:
    """Frames with these bodies."""
    return b"".join(BEGINNING + body + ending for body in bodies)


@pytest.mark.parametrize("ending", [b"\0", b"\0\n"])
def test_all_but_the_last_are_taken_together(ending):
    """Where the last one ends is looked at with more care; nothing is lost between."""
    parser = parser_after(sends(b"aaaaa", b"bbbbb", b"ccccc", b"ddddd", ending=ending))
    assert parser.take_run() == [b"bbbbb", b"ccccc"]
    taken = parser.take_send()
    assert taken is not None
    assert taken[1] == b"ddddd"
    assert parser.bytes_buffered == 0
    assert parser.take_run() == []


@pytest.mark.parametrize(
    "other",
    [
        b"BEGIN\ntransaction:t\n\n\0",
        b"SEND\ndestination:/b\ncontent-length:5\n\nother\0",
        b"SEND\ndestination:/a\ncontent-length:6\n\nlonger\0",
        b"\n\n" + BEGINNING + b"other\0",
    ],
)
def test_whatever_differs_ends_the_run(other):
    """It is left where it is, with all behind it."""
    parser = parser_after(sends(b"aaaaa", b"bbbbb", b"ccccc", b"ddddd") + other)
    assert parser.take_run() == [b"bbbbb", b"ccccc"]
    behind = parser_after(sends(b"aaaaa", b"bbbbb") + other + sends(b"ccccc", b"ddddd"))
    assert behind.take_run() == []
    assert behind.bytes_buffered == len(sends(b"bbbbb") + other + sends(b"ccccc", b"ddddd"))


def test_a_length_that_is_wrong_ends_the_run():
    """The frame is left to whoever finds faults."""
    parser = parser_after(sends(b"aaaaa", b"bbbbb", b"longer", b"ddddd"))
    assert parser.take_run() == [b"bbbbb"]
    assert parser.take_send() is None


def test_a_body_may_hold_what_stands_between_two():
    """Where a body ends is what its sender has announced."""
    length = len(BEGINNING) + 5
    head = b"SEND\ndestination:/a\ncontent-length:%d\n\n" % length
    odd = (b"\0" + head).ljust(length, b"y")
    parser = FrameParser(shares_headers=True)
    plain = b"x" * length
    parser.receive_data(b"".join(head + body + b"\0" for body in (plain, plain, odd, plain, plain)))
    found = [event.body for event in [next(parser.events_received())]]
    while (taken := parser.take_send()) is not None:
        found += [taken[1], *parser.take_run()]
    assert found == [plain, plain, odd, plain, plain]


def test_nothing_is_taken_together_without_an_announced_length():
    """A body that ends at its first NUL is looked for by itself."""
    parser = FrameParser(shares_headers=True)
    parser.receive_data(b"SEND\ndestination:/a\n\nx\0" * 4)
    next(parser.events_received())
    assert parser.take_run() == []
    assert parser.take_send() is not None


def test_a_run_is_bounded():
    """However much has arrived, not all of it is taken apart at once."""
    parser = parser_after(sends(*[b"aaaaa"] * 2_000))
    stride = len(BEGINNING) + 6
    assert RUN_BYTES // stride - 1 <= len(parser.take_run()) <= RUN_BYTES // stride
