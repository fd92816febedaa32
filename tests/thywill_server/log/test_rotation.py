"""A log file that is begun anew, by us or by somebody else."""

import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any, Protocol

import pytest

from thywill_server.log.rotation import LogFileHandler

HOUR = 3600.0


class Open(Protocol):
    """Opens a handler."""

    def __call__(self, **settings: Any) -> LogFileHandler: ...


class Clock:
    """Seconds since the epoch, by hand."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """A clock that stands."""
    return Clock()


@pytest.fixture
def open_file(tmp_path: Path, clock: Clock) -> Iterator[Open]:
    """Opens ``site.log`` in a folder of its own."""
    with ExitStack() as stack:

        def open_file(**settings: Any) -> LogFileHandler:
            given = {"max_bytes": 0, "backups": 5, "every": "never", **settings}
            handler = LogFileHandler(str(tmp_path / "site.log"), clock=clock, **given)
            return stack.enter_context(closing(handler))

        yield open_file


def write(handler: LogFileHandler, text: str) -> None:
    """Have one line written."""
    handler.handle(logging.makeLogRecord({"msg": text}))


def contents(folder: Path) -> dict[str, str]:
    """The log files and what is in them."""
    return {
        path.name: path.read_text() for path in folder.glob("site.log*") if path.suffix != ".lock"
    }


def test_a_new_hour_begins_a_new_file(tmp_path: Path, clock: Clock, open_file: Open) -> None:
    """The first record of the hour renames what the last one has left."""
    handler = open_file(every="hour")
    write(handler, "one")
    clock.now += HOUR / 10
    write(handler, "two")
    clock.now += HOUR
    write(handler, "three")
    assert contents(tmp_path) == {"site.log": "three\n", "site.log.1": "one\ntwo\n"}


def test_a_file_of_yesterday_is_renamed(tmp_path: Path, clock: Clock, open_file: Open) -> None:
    """A process that starts anew goes by when the file was last written."""
    path = tmp_path / "site.log"
    path.write_text("old\n")
    os.utime(path, (clock.now - 2 * HOUR, clock.now - 2 * HOUR))
    write(open_file(every="hour"), "new")
    assert contents(tmp_path) == {"site.log": "new\n", "site.log.1": "old\n"}


def test_size_and_time_go_together(tmp_path: Path, clock: Clock, open_file: Open) -> None:
    """Whichever comes first; no file is larger than it may be, and an empty one is not renamed."""
    handler = open_file(every="hour", max_bytes=8)
    write(handler, "longer than a file may be")
    write(handler, "abc")
    write(handler, "def")
    write(handler, "ghi")
    clock.now += HOUR
    write(handler, "jkl")
    assert contents(tmp_path) == {
        "site.log": "jkl\n",
        "site.log.1": "ghi\n",
        "site.log.2": "abc\ndef\n",
        "site.log.3": "longer than a file may be\n",
    }


@pytest.mark.parametrize("is_deleted", [False, True])
def test_a_file_that_was_taken_away_is_left(
    tmp_path: Path, open_file: Open, is_deleted: bool
) -> None:
    """After logrotate the next record goes to a new file; nobody has to send a signal."""
    handler = open_file()
    write(handler, "one")
    path = tmp_path / "site.log"
    path.unlink() if is_deleted else path.rename(tmp_path / "rotated")
    write(handler, "two")
    assert contents(tmp_path) == {"site.log": "two\n"}
    assert is_deleted or (tmp_path / "rotated").read_text() == "one\n"


WRITER = """
import logging, sys
from thywill_server.log.rotation import LogFileHandler
handler = LogFileHandler(sys.argv[1], 20_000, 1000, "never")
print("ready", flush=True)
sys.stdin.readline()
for number in range(500):
    handler.handle(logging.makeLogRecord({"msg": f"{sys.argv[2]} {number} " + "x" * 100}))
"""


def test_processes_share_a_file(tmp_path: Path) -> None:
    """Three processes write and rename at once: no line is lost, doubled or torn."""
    command = [sys.executable, "-c", WRITER, str(tmp_path / "site.log")]
    with ExitStack() as stack:
        processes = []
        for name in "abc":
            process = subprocess.Popen(
                [*command, name],
                cwd=Path(__file__).parents[3],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            processes.append(stack.enter_context(process))
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        assert [process.wait(60) for process in processes] == [0, 0, 0]
    files = contents(tmp_path)
    assert len(files) > 5
    lines = [line for text in files.values() for line in text.splitlines()]
    wanted = [f"{name} {number} " + "x" * 100 for name in "abc" for number in range(500)]
    assert sorted(lines) == sorted(wanted)
