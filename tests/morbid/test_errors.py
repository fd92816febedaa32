"""The table of refusals."""

from pathlib import Path

import pytest

from morbid.errors import REFUSALS, Refused
from stompservice.protocol import V10, V11, V12, Frame, FrameParser


@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS)
@pytest.mark.parametrize("version", [V10, V11, V12])
def test_frame(refusal, version):
    """Each row is an ERROR frame with message, code and a sentence."""
    parser = FrameParser(version=version)
    parser.receive_data(refusal.encode(version, "a detail", {"receipt-id": "r"}))
    (frame,) = parser.events_received()
    assert isinstance(frame, Frame)
    assert frame.command == "ERROR"
    assert frame.headers["message"] == refusal.message
    assert frame.headers["code"] == refusal.code
    assert frame.headers["receipt-id"] == "r"
    assert frame.body == f"{refusal.sentence}: a detail".encode()


@pytest.mark.parametrize(
    ("code", "message", "sentence"),
    [
        ("login-refused", "Invalid ID or password", "Invalid ID or password"),
        ("create-refused", "CREATE error", "Not authorized to create queue"),
        ("read-refused", "READ error", "Not authorized to read queue"),
        ("write-refused", "WRITE error", "Not authorized to write to queue"),
    ],
)
def test_texts_of_old(code, message, sentence):
    """What MorbidQ 0.8 said does not change."""
    assert (REFUSALS[code].message, REFUSALS[code].sentence) == (message, sentence)


def test_who_may_go_on():
    """Every ERROR closes from 1.1 on; a 1.0 connection survives these."""
    assert all(refusal.closes(V11) and refusal.closes(V12) for refusal in REFUSALS.values())
    assert {code for code, refusal in REFUSALS.items() if not refusal.closes(V10)} == {
        "create-refused",
        "read-refused",
        "write-refused",
        "queue-full",
        "unknown-subscription",
    }


def test_every_row_is_tested():
    """Each code is in a test that provokes it."""
    own = Path(__file__)
    tests = [path for path in own.parent.glob("test_*.py") if path != own]
    source = "".join(path.read_text("utf-8") for path in tests)
    assert [code for code in REFUSALS if f'"{code}"' not in source] == []


def test_refused_says_why():
    """The exception reads as a sentence in a log."""
    assert str(Refused(REFUSALS["queue-full"], "/queue/a")) == "queue-full: /queue/a"
