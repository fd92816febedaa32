"""Log lines and where they go."""

import logging
import re

import pytest

from orbited.errors import ConfigurationError
from orbited.logs import LineFormatter, configure
from orbited.settings import LoggingSettings


@pytest.fixture(autouse=True)
def root():
    """The root logger, put back as it was."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield root
    for handler in set(root.handlers) - set(handlers):
        if getattr(handler.stream, "name", "").endswith(".log"):
            handler.stream.close()
    root.handlers[:] = handlers
    root.setLevel(level)


def test_the_line_is_that_of_old():
    """Date, time with three digits of milliseconds, level, logger, tab, message."""
    record = logging.LogRecord("orbited.x", logging.WARNING, "", 1, "a %s", ("b",), None)
    line = LineFormatter().format(record)
    assert re.fullmatch(r"\d\d/\d\d/\d\d \d\d:\d\d:\d\d:\d{3} WARN   orbited\.x\ta b", line)


def test_an_exception_follows_its_line():
    """With its traceback, in our own log only."""
    try:
        raise ValueError("inside")
    except ValueError as error:
        info = (ValueError, error, error.__traceback__)
    record = logging.LogRecord("orbited.x", logging.ERROR, "", 1, "failed", (), info)
    assert "failed\nTraceback" in LineFormatter().format(record)


def test_levels_go_where_they_are_sent(tmp_path, capsys):
    """Each level has its places; what is not enabled is not written, unless for one logger."""
    file = tmp_path / "orbited.log"
    settings = LoggingSettings(
        debug=(str(file),),
        info=("SCREEN",),
        access=(str(file),),
        warn=("STDERR", str(file)),
        error=("STDERR",),
        enabled_default=("access", "warn"),
    )
    configure(settings, {"loud": ("debug", "info")})
    logging.getLogger("quiet").debug("hidden")
    logging.getLogger("quiet").info("hidden")
    logging.getLogger("quiet").error("hidden")
    logging.getLogger("quiet").warning("to both")
    logging.getLogger("loud").debug("to the file")
    logging.getLogger("loud").info("to the screen")
    logging.getLogger("loud").warning("hidden")
    logging.getLogger("orbited.access").info("a request")
    captured = capsys.readouterr()
    written = file.read_text()
    assert "hidden" not in captured.out + captured.err + written
    assert captured.out.endswith("\tto the screen\n")
    assert captured.err.endswith("\tto both\n")
    assert [line.split("\t")[1] for line in written.splitlines()] == [
        "to both",
        "to the file",
        "a request",
    ]


def test_a_file_that_cannot_be_written_is_named(tmp_path):
    """In one sentence."""
    with pytest.raises(ConfigurationError, match=r"\[logging\]: cannot write to"):
        configure(LoggingSettings(info=(str(tmp_path / "no" / "x.log"),)), {})
