"""Log lines as Orbited writes them, and where they go.

::

    11/20/26 11:48:04:127 INFO   orbited.start<TAB>listening on http://127.0.0.1:8001

The three digits are milliseconds. Each level has its own list of places: ``SCREEN`` (or
``STDOUT``), ``STDERR``, or the name of a file, which is appended to. A file that somebody has
moved away is made anew at SIGHUP, as ``logrotate`` and its like expect.
"""

import contextlib
import logging
import os
import sys
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, TextIO

from orbited.errors import ConfigurationError
from orbited.settings import LoggingSettings

__all__ = ["LineFormatter", "LogFile", "LogFiles", "configure", "take_over_twisted"]

log = logging.getLogger(__name__)

#: Requests have a level of their own, between INFO and WARN, by the name of their logger.
ACCESS = 25
ACCESS_LOGGER = "orbited.access"

_LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "access": ACCESS,
    "warn": logging.WARNING,
    "error": logging.ERROR,
}

#: Loggers whose lines below WARN are of use to few; ``[loggers]`` turns them on.
_QUIET = ("websockets", "twisted")

#: What a peer may have put into a line is not to look like another line, or speak to a terminal.
_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(32), *range(0x7F, 0xA0)) if code != 9}


class LineFormatter(logging.Formatter):
    """Writes one record as one line, tracebacks behind it."""

    def format(self, record: logging.LogRecord) -> str:
        """Logging: make the line."""
        when = datetime.fromtimestamp(record.created)  # noqa: DTZ006 - local time, as ever
        stamp = f"{when:%m/%d/%y %H:%M:%S}:{when.microsecond // 1000:03d}"
        message = record.getMessage().translate(_CONTROLS)
        line = f"{stamp} {_level_of(record).upper():<6} {record.name}\t{message}"
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        return line


def _level_of(record: logging.LogRecord) -> str:
    """The name in the configuration of the highest level that the record reaches."""
    if record.name == ACCESS_LOGGER:
        return "access"
    reached = [name for name, level in _LEVELS.items() if level <= record.levelno]
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
        if _level_of(record) != self._level:
            return False
        enabled = self._loggers.get(record.name)
        return self._default if enabled is None else self._level in enabled  # type: ignore[operator]


class LogFile:
    """A file that is appended to, line by line."""

    def __init__(self, path: str) -> None:
        self.name = os.path.abspath(path)
        self._stream = self._open()

    def write(self, text: str) -> int:
        """Append."""
        return self._stream.write(text)

    def flush(self) -> None:
        """Each line is out already."""
        self._stream.flush()

    def close(self) -> None:
        """Let go of it."""
        self._stream.close()

    def reopen(self) -> None:
        """Make it anew, where it was moved away; go on with the old one if that fails."""
        try:
            stream = self._open()
        except OSError as error:
            log.error("cannot open %r again: %s", self.name, error.strerror)
            return
        before, self._stream = self._stream, stream
        before.close()

    def give_to(self, uid: int, gid: int) -> None:
        """Let an account write to it that this process is about to become."""
        os.fchown(self._stream.fileno(), uid, gid)

    def _open(self) -> TextIO:
        return open(self.name, "a", encoding="utf-8", errors="backslashreplace", buffering=1)


class LogFiles:
    """All files that are written to."""

    def __init__(self, files: Iterable[LogFile]) -> None:
        self._files = tuple(files)

    def reopen(self) -> None:
        """Make those anew that were moved away."""
        for file in self._files:
            file.reopen()
        log.info("%d log files are open again", len(self._files))

    def give_to(self, uid: int, gid: int) -> None:
        """Let an account write to them; what is no plain file, as /dev/null, has its owner."""
        for file in self._files:
            with contextlib.suppress(OSError):
                if os.path.isfile(file.name):
                    file.give_to(uid, gid)


def configure(settings: LoggingSettings, loggers: Mapping[str, tuple[str, ...]]) -> LogFiles:
    """Set up the root logger of this process.

    Args:
        loggers: exact name of a logger to the levels it writes.

    Raises:
        ConfigurationError: a file cannot be written to.
    """
    files: dict[str, LogFile] = {}
    handlers: list[logging.Handler] = []
    for level in _LEVELS:
        for place in getattr(settings, level):
            handler = logging.StreamHandler[Any](_stream(level, place, files))
            handler.setFormatter(LineFormatter())
            handler.addFilter(_LevelFilter(level, settings, loggers))
            handlers.append(handler)
    root = logging.getLogger()
    root.handlers[:] = handlers
    has_debug = "debug" in settings.enabled_default or any("debug" in v for v in loggers.values())
    root.setLevel(logging.DEBUG if has_debug else logging.INFO)
    for name in _QUIET:
        if name not in loggers:
            logging.getLogger(name).setLevel(logging.WARNING)
    return LogFiles(files.values())


def _stream(level: str, place: str, files: dict[str, LogFile]) -> TextIO | LogFile:
    if place.upper() in ("SCREEN", "STDOUT"):
        return sys.stdout
    if place.upper() == "STDERR":
        return sys.stderr
    if place not in files:
        try:
            files[place] = LogFile(place)
        except OSError as error:
            problem = f"[logging] {level}: cannot write to {place!r}: {error.strerror}"
            raise ConfigurationError(problem) from None
    return files[place]


def take_over_twisted() -> None:
    """Send what Twisted logs, errors that nobody handles above all, to the logger ``twisted``."""
    from twisted.logger import STDLibLogObserver, globalLogBeginner

    globalLogBeginner.beginLoggingTo([STDLibLogObserver("twisted")], redirectStandardIO=False)
