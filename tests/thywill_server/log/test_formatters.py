"""Log records as lines."""

import json
import logging
import sys

import pytest

from thywill_server.log.formatters import JsonLinesFormatter, TextFormatter


def record(text: str, *arguments: object, level: int = logging.INFO) -> logging.LogRecord:
    """A record of a fixed moment."""
    made = logging.LogRecord("thywill_server.x", level, "x.py", 1, text, arguments, None)
    made.created, made.msecs = 1_795_000_000.123, 123.0
    return made


def failed() -> logging.LogRecord:
    """A record with a traceback."""
    made = record("it failed", level=logging.ERROR)
    try:
        raise KeyError("secret\nline")
    except KeyError:
        made.exc_info = sys.exc_info()
    return made


def test_text_is_one_line() -> None:
    """Time, level, logger and message."""
    line = TextFormatter().format(record("session %s resumed", "abc"))
    assert line.endswith(" INFO     thywill_server.x: session abc resumed")


@pytest.mark.parametrize(
    "text", ["a\nb", "a\r\n2026 CRITICAL forged", "\x1b[2J", "a\u2028b", "\x85"]
)
def test_no_message_can_look_like_two(text: str) -> None:
    """Line breaks and terminal escapes from a peer are shown, not obeyed."""
    line = TextFormatter().format(record("got %s", text))
    assert len(line.splitlines()) == 1
    assert "\x1b" not in line
    assert "\\" in line


def test_a_traceback_follows() -> None:
    """The traceback of an error keeps its lines."""
    lines = TextFormatter().format(failed()).splitlines()
    assert lines[0].endswith("ERROR    thywill_server.x: it failed")
    assert lines[1] == "Traceback (most recent call last):"


def test_color_marks_the_level() -> None:
    """Only what is not normal is colored."""
    formatter = TextFormatter(color=True)
    assert "\x1b[31mERROR   \x1b[0m" in formatter.format(record("x", level=logging.ERROR))
    assert "\x1b" not in formatter.format(record("x"))


def test_json_is_one_object_a_line() -> None:
    """Everything is in it, what was given as extra too, and nothing breaks the line."""
    made = failed()
    made.client = "u-1"
    made.strange = object
    line = JsonLinesFormatter().format(made)
    assert "\n" not in line
    fields = json.loads(line)
    assert fields["time"] == "2026-11-18T11:06:40.123+00:00"
    assert (fields["level"], fields["logger"], fields["message"]) == (
        "ERROR",
        "thywill_server.x",
        "it failed",
    )
    assert fields["client"] == "u-1"
    assert fields["strange"] == "<class 'object'>"
    assert fields["traceback"].startswith("Traceback (most recent call last):\n")
    assert {"process", "thread"} <= set(fields)
    assert not {"args", "msg", "exc_info", "levelno"} & set(fields)


def test_json_takes_any_text() -> None:
    """A lone surrogate in a message is escaped."""
    assert json.loads(JsonLinesFormatter().format(record("\ud800")))["message"] == "\ud800"
