"""Messages and the bytes they become."""

import pytest

from morbid.message import REMEMBERED_CHARACTERS, Message, remembered_line
from stompservice.protocol.plain import SharedHeaders

LONG = "x" * (REMEMBERED_CHARACTERS + 1)


@pytest.mark.parametrize("version", ["1.0", "1.1", "1.2"])
def test_a_long_destination_is_not_remembered(version: str) -> None:
    """What a stranger sends once does not stay in memory, however long it is."""
    remembered_line.cache_clear()
    frame = Message(f"/topic/{LONG}", "m1", {"note": "y"}, b"").frame(version)
    assert f"destination:/topic/{LONG}\n".encode() in frame
    assert b"note:y\n" in frame
    assert remembered_line.cache_info().currsize == 0


def test_a_message_with_shared_headers_is_one_with_its_own() -> None:
    """In every version, with and without a length, and to another destination in between."""
    for headers in ({"note": "a:b"}, {"note": "y", "content-length": "9", "receipt": "1"}):
        shared = SharedHeaders(headers)
        for number, destination in enumerate(["/topic/a", "/topic/a", "/queue/b", "/topic/a"]):
            own = Message(destination, f"m{number}", headers, b"text")
            other = Message(destination, f"m{number}", shared, b"text")
            for version in ("1.0", "1.1", "1.2"):
                assert other.frame(version, b"ack:7\n") == own.frame(version, b"ack:7\n")
            assert (other.headers, other.size_bytes) == (own.headers, own.size_bytes)
            assert other.headers_as_sent() == own.headers_as_sent()


def test_shared_headers_are_encoded_once() -> None:
    """A sender that repeats itself is not encoded anew."""
    remembered_line.cache_clear()
    shared = SharedHeaders({"note": "y"})
    for number in range(3):
        Message("/topic/a", f"m{number}", shared, b"").frame("1.2")
    assert remembered_line.cache_info()[:2] == (0, 1)
    with pytest.raises(TypeError, match="change a copy"):
        shared["note"] = "z"
