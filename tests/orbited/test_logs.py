"""Log lines and where they go."""

import logging
import re
import signal
import subprocess
import sys

import pytest

from orbited.errors import ConfigurationError
from orbited.logs import LineFormatter, configure
from orbited.settings import LoggingSettings
from tests.support.comet import Browser
from tests.support.orbited_process import ROOT, OrbitedProcess


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
    with pytest.raises(ConfigurationError, match=r"^\[logging\] info: cannot write to"):
        configure(LoggingSettings(info=(str(tmp_path / "no" / "x.log"),)), {})


def test_what_a_peer_wrote_stays_in_its_line():
    """Line ends and the commands of terminals are shown, not done."""
    record = logging.LogRecord(
        "orbited.x", logging.INFO, "", 1, "%s", ("a\n\x1b[2Jb\x9bé\t",), None
    )
    assert LineFormatter().format(record).endswith("orbited.x\ta\\x0a\\x1b[2Jb\\x9bé\t")


def test_requests_have_their_own_level():
    """By the name of their logger, in the line as in the filter."""
    record = logging.LogRecord("orbited.access", logging.INFO, "", 1, "x", (), None)
    assert " ACCESS orbited.access\t" in LineFormatter().format(record)


def test_a_file_that_was_moved_away_is_made_anew(tmp_path, capsys):
    """What was written stays in the old one; nothing is lost where the new one cannot be made."""
    file = tmp_path / "logs" / "x.log"
    file.parent.mkdir()
    files = configure(LoggingSettings(info=(str(file),), error=("SCREEN",)), {})
    log = logging.getLogger("x")
    log.info("one")
    file.rename(file.with_suffix(".1"))
    log.info("two")
    files.reopen()
    log.info("three")
    file.parent.rename(tmp_path / "elsewhere")
    files.reopen()
    log.info("four")
    assert "cannot open" in capsys.readouterr().out
    old, new = ((tmp_path / "elsewhere" / name).read_text() for name in ("x.1", "x.log"))
    assert [line.split("\t")[1] for line in old.splitlines()] == ["one", "two"]
    assert "\tthree\n" in new
    assert new.endswith("\tfour\n")


@pytest.mark.functional
def test_what_twisted_logs_is_in_the_log_too(tmp_path):
    """An error that nobody handled, once, with its traceback, in our format."""
    program = """
import logging, sys
from orbited.logs import configure, take_over_twisted
from orbited.settings import LoggingSettings
configure(LoggingSettings(error=(sys.argv[1],)), {})
take_over_twisted()
from twisted.internet.defer import fail
from twisted.python import log
fail(ValueError("nobody handles this"))
log.msg("of no interest")
"""
    file = tmp_path / "error.log"
    done = subprocess.run(
        [sys.executable, "-c", program, str(file)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert (done.stdout, done.stderr) == ("", "")
    text = file.read_text()
    assert re.match(r"\S+ \S+ ERROR  twisted\t", text)
    assert text.count("ValueError: nobody handles this") == 1


@pytest.mark.functional
def test_sighup_opens_the_files_again(tmp_path):
    """As logrotate wants it."""
    config = "[listen]\nhttp://127.0.0.1:0\n[logging]\naccess = a.log\n[http]\naccess_log = 1\n"
    with OrbitedProcess(tmp_path, config) as server:
        file = tmp_path / "a.log"
        file.rename(tmp_path / "a.log.1")
        server.send(signal.SIGHUP)
        server.wait_for(lambda: "1 log files are open again" in server.log)
        Browser(server.ports["http"][0]).create()
        server.wait_for(lambda: "GET /tcp 200" in file.read_text())
