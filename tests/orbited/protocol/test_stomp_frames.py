"""Where STOMP frames end, whatever the pieces are that they come in."""

import pytest

from orbited.protocol.stomp_frames import HEART_BEAT, FrameSplitter

PLAIN = b"MESSAGE\nsubscription:1\n\nhello\0"
BINARY = b"MESSAGE\ncontent-length:4\ntype:x\n\n\0\n\0\xff\0"
EMPTY = b"MESSAGE\ncontent-length:0\n\n\0"
CRLF = b"MESSAGE\r\ncontent-length: 3\r\n\r\n\0\0\0\0"
DECOY = b"MESSAGE\nid:1\n\nfirst\n\ncontent-length:400\n\nlast\0"
HEADLESS = b"CONNECTED\0"
FRAMES = [PLAIN, BINARY, EMPTY, CRLF, DECOY, HEADLESS]


@pytest.fixture
def splitter():
    """One with room for every frame here."""
    return FrameSplitter(1000)


@pytest.mark.parametrize("frame", FRAMES)
def test_a_frame_that_comes_whole_is_not_copied(splitter, frame):
    """The very object goes on, with the line end that some brokers add too."""
    for data in (frame, frame + b"\n"):
        (message,) = splitter.split(data)
        assert message is data
        assert splitter.is_between_frames


@pytest.mark.parametrize("frame", FRAMES)
def test_a_frame_in_two_pieces(frame):
    """Cut anywhere, it is whole again."""
    for cut in range(1, len(frame)):
        splitter = FrameSplitter(1000)
        assert splitter.split(frame[:cut]) == []
        assert not splitter.is_between_frames
        assert splitter.split(frame[cut:]) == [frame], cut
        assert splitter.is_between_frames


@pytest.mark.parametrize("size", range(1, 40))
def test_many_frames_in_pieces(splitter, size):
    """Each goes alone, in order, however the stream was cut."""
    stream = b"".join(FRAMES)
    messages = []
    for start in range(0, len(stream), size):
        messages += splitter.split(stream[start : start + size])
    assert messages == FRAMES


def test_heart_beats_are_messages_of_their_own(splitter):
    """A client of 2012 takes nothing else for one than a message of one LF."""
    assert splitter.split(b"\n") == [HEART_BEAT]
    assert splitter.split(b"\r\n\n\n" + PLAIN + b"\n") == [HEART_BEAT, PLAIN + b"\n"]
    assert splitter.split(b"\n") == [HEART_BEAT]
    assert splitter.is_between_frames


def test_nothing_is_nothing(splitter):
    """No bytes, no message."""
    assert splitter.split(b"") == []


@pytest.mark.parametrize("chunk", [1, 7, 64, 1000])
@pytest.mark.parametrize(
    "long",
    [
        b"MESSAGE\ncontent-length:500\n\n" + b"\0" * 500 + b"\0",
        b"MESSAGE\n\n" + b"x" * 500 + b"\0",
        b"MESSAGE\nname:" + b"x" * 500 + b"\n\n\0",
    ],
)
def test_what_is_too_long_goes_in_pieces(long, chunk):
    """Nothing is lost, no more than the bound is kept, and the next frames are whole again."""
    splitter = FrameSplitter(100)
    stream = PLAIN + long + BINARY + PLAIN
    messages = []
    for start in range(0, len(stream), chunk):
        messages += splitter.split(stream[start : start + chunk])
        assert len(splitter._buffer) <= 100
    assert b"".join(messages) == stream
    assert messages[0] == PLAIN
    assert messages[-2:] == [BINARY, PLAIN]


def test_a_long_frame_that_comes_whole_is_whole(splitter):
    """The bound is on what is kept, and nothing has to be."""
    frame = b"MESSAGE\ncontent-length:5000\n\n" + b"\0" * 5001
    assert splitter.split(frame) == [frame]


@pytest.mark.parametrize("cut", range(1, 40))
def test_a_wrong_length_costs_one_frame(cut):
    """Where no NUL stands at the end of the body, the next one ends the frame."""
    splitter = FrameSplitter(1000)
    stream = b"MESSAGE\ncontent-length:2\n\nfour\0" + PLAIN
    messages = splitter.split(stream[:cut]) + splitter.split(stream[cut:])
    assert messages == [stream[: -len(PLAIN)], PLAIN]
