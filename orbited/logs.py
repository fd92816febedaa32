"""Log lines as Orbited writes them, and where they go.

::

    11/20/26 11:48:04:127 INFO   orbited.start<TAB>listening on http://127.0.0.1:8001

The three digits are milliseconds. Each level has its own list of places: ``SCREEN`` (or
``STDOUT``), ``STDERR``, or the name of a file, which is appended to.
"""

import logging
import sys
from collections.abc import Mapping
from datetime import datetime
from typing import TextIO

from orbited.errors import ConfigurationError
from orbited.settings import LoggingSettings

__all__ = ["LineFormatter", "configure"]

#: Requests have a level of their own, between INFO and WARN.
ACCESS = 25

_LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "access": ACCESS,
    "warn": logging.WARNING,
    "error": logging.ERROR,
}

#: Loggers whose lines are of use to nobody who runs a server.
_QUIET = ("websockets", "twisted")


class LineFormatter(logging.Formatter):
    """Writes one record as one line, tracebacks behind it."""

    def format(self, record: logging.LogRecord) -> str:
        """Logging: make the line."""
        when = datetime.fromtimestamp(record.created)  # noqa: DTZ006 - local time, as ever
        stamp = f"{when:%m/%d/%y %H:%M:%S}:{when.microsecond // 1000:03d}"
        line = f"{stamp} {_level_name(record.levelno).upper():<6} {record.name}\t"
        line += record.getMessage()
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        return line


def _level_name(number: int) -> str:
    """The name in the configuration of the highest level that the number reaches."""
    reached = [name for name, level in _LEVELS.items() if level <= number]
    return reached[-1] if reached else "debug"


class _LevelFilter(logging.Filter):
    """Lets through one level, for the loggers that have it enabled."""

    def __init__(self, level: str, settings: LoggingSettings, loggers: Mapping[str, object]):
        super().__init__()
        self._level = level
        self._default = level in settings.enabled_default
        self._loggers = loggers

    def filter(self, record: logging.LogRecord) -> bool:
        """Logging: whether the record is written."""
        level = "access" if record.name == "orbited.access" else _level_name(record.levelno)
        if level != self._level:
            return False
        enabled = self._loggers.get(record.name)
        return self._default if enabled is None else self._level in enabled  # type: ignore[operator]


def configure(settings: LoggingSettings, loggers: Mapping[str, tuple[str, ...]]) -> None:
    """Set up the root logger of this process.

    Args:
        loggers: exact name of a logger to the levels it writes.

    Raises:
        ConfigurationError: a file cannot be written to.
    """
    root = logging.getLogger()
    for handler in list(root.handlers):
        root.removeHandler(handler)
    streams: dict[str, TextIO] = {}
    for level in _LEVELS:
        for place in getattr(settings, level):
            handler = logging.StreamHandler(_open(place, streams))
            handler.setFormatter(LineFormatter())
            handler.addFilter(_LevelFilter(level, settings, loggers))
            root.addHandler(handler)
    has_debug = "debug" in settings.enabled_default or any("debug" in v for v in loggers.values())
    root.setLevel(logging.DEBUG if has_debug else logging.INFO)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def _open(place: str, streams: dict[str, TextIO]) -> TextIO:
    if place.upper() in ("SCREEN", "STDOUT"):
        return sys.stdout
    if place.upper() == "STDERR":
        return sys.stderr
    if place not in streams:
        try:
            streams[place] = open(place, "a", encoding="utf-8", buffering=1)  # noqa: SIM115
        except OSError as error:
            problem = f"[logging]: cannot write to {place!r}: {error.strerror}"
            raise ConfigurationError(problem) from None
    return streams[place]
