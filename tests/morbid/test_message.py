"""Messages and the bytes they become."""

import pytest

from morbid.message import REMEMBERED_CHARACTERS, Message, remembered_lines

LONG = "x" * (REMEMBERED_CHARACTERS + 1)


@pytest.mark.parametrize(
    ("destination", "headers"), [("/topic/a", {"note": LONG}), (f"/topic/{LONG}", {"note": "y"})]
)
def test_long_headers_are_not_remembered(destination: str, headers: dict[str, str]) -> None:
    """What a stranger sends once does not stay in memory, however long it is."""
    remembered_lines.cache_clear()
    frame = Message(destination, "m1", headers, b"").frame("1.2")
    assert f"destination:{destination}\n".encode() in frame
    assert f"note:{headers['note']}\n".encode() in frame
    assert remembered_lines.cache_info().currsize == 1


def test_short_headers_are_encoded_once() -> None:
    """A sender that repeats itself is not encoded anew."""
    remembered_lines.cache_clear()
    for number in range(3):
        Message("/topic/a", f"m{number}", {"note": "y"}, b"").frame("1.2")
    assert remembered_lines.cache_info().misses == 2
