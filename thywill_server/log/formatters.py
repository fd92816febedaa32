"""Log records as lines: for people, in color where the terminal can, and as JSON."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Any, Final

from thywill_server.log.context import NAMES

COLORS: Final[dict[int, str]] = {
    logging.DEBUG: "\x1b[2m",
    logging.WARNING: "\x1b[33m",
    logging.ERROR: "\x1b[31m",
    logging.CRITICAL: "\x1b[1;31m",
}
RESET: Final = "\x1b[0m"

CONTROL_CHARACTERS: Final[dict[int, str]] = {
    code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160)) if chr(code) not in "\t"
} | {0x2028: "\\u2028", 0x2029: "\\u2029"}
"""A message with a line break in it, from a peer, must not look like two records."""

_WORDS: Final = {"request": "request", "client": "client", "message_id": "message"}

STANDARD_ATTRIBUTES: Final = frozenset(
    (*vars(logging.makeLogRecord({})), "message", "asctime", "taskName", "context")
)


class TextFormatter(logging.Formatter):
    """One record, one line; a traceback follows on lines of its own.

    Args:
        color: whether levels are colored.
    """

    def __init__(self, color: bool = False) -> None:
        super().__init__()
        self.color = color

    def formatMessage(self, record: logging.LogRecord) -> str:
        """Give ``2026-11-20 12:00:00,123 INFO     thywill_server.push: text [request 3f2a...]``."""
        message = record.message + shown_context(record)
        if not message.isprintable():
            message = message.translate(CONTROL_CHARACTERS)
        level = f"{record.levelname:<8}"
        if self.color and record.levelno in COLORS:
            level = f"{COLORS[record.levelno]}{level}{RESET}"
        return f"{self.formatTime(record)} {level} {record.name}: {message}"


class JsonLinesFormatter(logging.Formatter):
    """One record, one line, one JSON object; what was given as ``extra`` is in it too.

    So are ``request``, ``client`` and ``message_id``, where they are known.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Give ``{"time": ..., "level": ..., "logger": ..., "message": ..., ...}``."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "process": record.process,
            "thread": record.threadName,
            **getattr(record, "context", {}),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        if record.stack_info:
            line["stack"] = record.stack_info
        for name, value in vars(record).items():
            if name not in STANDARD_ATTRIBUTES and name not in line:
                line[name] = value
        return json.dumps(line, default=str)


def shown_context(record: logging.LogRecord) -> str:
    """Give `` [request 3f2a01bc client 6e1a... message 12]``; nothing when nothing is known."""
    context = getattr(record, "context", None)
    if not context:
        return ""
    words = [f"{_WORDS[name]} {context[name]}" for name in NAMES if name in context]
    return f" [{' '.join(words)}]"
