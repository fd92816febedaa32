"""What the parser costs.

The bounds are many times what is measured, and far below what a quadratic reader would need.
"""

import time

import pytest

from stompservice.protocol import Frame, FrameParser, encode


def seconds(pieces: list[bytes], frames: int) -> float:
    """How long it takes to read these pieces, which hold so many frames."""
    parser, found, start = FrameParser(), 0, time.process_time()
    for piece in pieces:
        parser.receive_data(piece)
        found += sum(isinstance(event, Frame) for event in parser.events_received())
    assert found == frames
    return time.process_time() - start


def cut(data: bytes, size: int) -> list[bytes]:
    """These bytes in pieces of one size."""
    return [data[i : i + size] for i in range(0, len(data), size)]


def test_cost_of_many_frames_in_one_buffer():
    """A hundred thousand frames cost about the same in one buffer as one by one."""
    frame = encode(Frame("SEND", {"destination": "/topic/a"}, b"hello"))
    assert seconds([frame * 100_000], 100_000) < 5


@pytest.mark.parametrize("announced", [True, False])
def test_cost_of_a_large_body_in_small_pieces(announced):
    """A body of 1 MB is not searched or copied again for each piece of it."""
    data = encode(Frame("SEND", {"destination": "/a"}, b"x" * 1_048_576))
    if not announced:
        data = data.replace(b"content-length:1048576\n", b"")
    assert seconds(cut(data, 16), 1) < 2


@pytest.mark.parametrize("flood", [b"\n", b"\r\n", b"\0"])
def test_cost_of_a_flood(flood):
    """Ten megabytes of line ends or NULs are nothing."""
    assert seconds(cut(flood * (10_000_000 // len(flood)), 65_536), 0) < 1


def test_buffer_is_given_back():
    """A reader that is asked for one frame at a time does not keep what it has read."""
    parser, frame = FrameParser(), encode(Frame("SEND", {"destination": "/a"}, b"x" * 1_000))
    parser.receive_data(frame)
    for _ in range(1_000):
        parser.receive_data(frame)
        next(parser.events_received())
    assert parser.bytes_buffered <= 2 * len(frame)
    assert len(parser._buffer) < 200_000
