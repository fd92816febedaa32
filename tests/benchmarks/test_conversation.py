"""Byte templates, and the file that the generator reads."""

import pytest

from benchmarks.conversation import MESSAGE, Conversation, message_of, post, size, text_frame
from benchmarks.systems.base import Bench
from benchmarks.systems.brokers import Morbid, send_frame
from benchmarks.workloads import MESSAGE_BYTES, STOMP_FRAME_BYTES
from morbid.message import Message
from stompservice.protocol import V12, FrameParser


@pytest.mark.parametrize("length", [9, 100, 233])
def test_message_has_the_length_that_was_asked_for(length: int) -> None:
    """A message is as long as it says once its number is in it."""
    message = message_of(length)
    assert size(message) == length
    assert len(message.replace(b"<<SEQ>>", b"0000001")) == length


def test_length_of_base64_is_known() -> None:
    """The base64 of a template is counted as what it becomes."""
    assert size(b"<<B64:four:B64>>") == 8


def test_length_that_is_not_known_is_refused() -> None:
    """A template with a token of any length cannot be framed beforehand."""
    with pytest.raises(ValueError, match="not known"):
        size(b"/tcp/<<KEY>>")


def test_websocket_frame_has_its_length() -> None:
    """A frame begins with FIN, the length, and a mask of zeros."""
    assert text_frame(b"hello") == b"\x81\x85\0\0\0\0hello"
    assert text_frame(message_of(300))[:8] == b"\x81\xfe\x01\x2c\0\0\0\0"


def test_body_of_a_post_is_measured_by_the_generator() -> None:
    """Content-Length is left to the token that surrounds the body."""
    assert post(b"/send", b"a<<KEY>>").endswith(b"text/plain\r\n<<LEN:a<<KEY>>:LEN>>")


def test_conversation_is_lines_of_words() -> None:
    """Each method adds a line, bytes are hexadecimal, nothing is a dash."""
    talk = Conversation().role("sub").address(7, "ws").step(b"hi", until=b"ho").step()
    talk.step(b"x", capture=True, socket="up").publish(b"m", response=True, socket="up")
    assert talk.text.splitlines() == [
        "role sub",
        "addr down 127.0.0.1 7 ws",
        "step down 6869 pat 686f",
        "step down - none",
        "step up 78 capture",
        "publish up 6d resp",
    ]


def test_stomp_frames_are_stomp() -> None:
    """What the generator sends to a broker is a frame with a message for a body."""
    parser = FrameParser(version=V12)
    parser.receive_data(send_frame(b"/topic/a").replace(b"<<SEQ>>", b"0000001"))
    (frame,) = parser.events_received()
    assert frame.command == "SEND"
    assert len(frame.body) == MESSAGE_BYTES


def test_floors_send_frames_as_long_as_those_of_the_broker() -> None:
    """The length that the floors of STOMP use is that of morbid's MESSAGE, within a few bytes."""
    headers = {"content-type": "text/plain", "content-length": str(MESSAGE_BYTES)}
    message = Message("/topic/benchmark", f"{2**60:x}-123456", headers, b"x" * MESSAGE_BYTES)
    frame = message.frame(V12, b"subscription:0\n")
    assert abs(len(frame) - STOMP_FRAME_BYTES) < 4


def test_subscribers_and_publisher_log_in(tmp_path) -> None:
    """The conversation with a broker has both roles, and only subscribers subscribe."""
    broker = Morbid(Bench(tmp_path))
    text = broker.conversation("stomp").text
    subscriber, publisher = text.split("role pub")
    assert b"SUBSCRIBE".hex() in subscriber
    assert b"SUBSCRIBE".hex() not in publisher
    assert MESSAGE.hex() in publisher
