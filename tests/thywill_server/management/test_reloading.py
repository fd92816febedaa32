"""Supervised processes: which exit code means what. That a site reloads is in tests/functional."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PROGRAM = """
import os, signal, sys
from pathlib import Path
import django
from django.conf import settings

settings.configure(INSTALLED_APPS=["watched"])
django.setup()
from thywill_server.management import reloading

ENDS = {ends}
if reloading.is_child():
    turns = Path("turns")
    number = len(turns.read_text()) if turns.exists() else 0
    turns.write_text("x" * (number + 1))
    end = ENDS[number]
    if end == "stopped":
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        os.kill(os.getppid(), signal.SIGTERM)
        signal.pause()
    if end == "broken":  # and mended, before anybody looks
        Path("watched", "mended.py").write_text("")
        end = 1
    sys.exit(end)
print("code", reloading.supervise({{"HANDED": "on"}}, print))
print("children", len(Path("turns").read_text()))
"""


@pytest.fixture
def supervise(tmp_path):
    """Supervise children that end as told; gives the lines that are printed."""
    (tmp_path / "watched").mkdir()
    (tmp_path / "watched" / "__init__.py").write_text("")

    def run(*ends):
        program = tmp_path / "program.py"
        program.write_text(PROGRAM.format(ends=ends))
        finished = subprocess.run(
            [sys.executable, str(program)],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (finished.returncode, finished.stderr) == (0, "")
        return finished.stdout.splitlines()

    return run


def test_a_child_that_ends_well_is_the_end(supervise):
    """Exit code 0 is handed on."""
    assert supervise(0) == ["code 0", "children 1"]


def test_a_child_that_never_started_is_the_end(supervise):
    """A site that is wrong from the beginning says so once."""
    assert supervise(1) == ["code 1", "children 1"]


def test_a_reload_starts_another(supervise):
    """The code that asks for a new process gets one, as often as it comes."""
    assert supervise(3, 3, 3, 0) == ["code 0", "children 4"]


def test_broken_code_is_waited_out(supervise):
    """After a reload, a child that fails is followed by another once code has changed."""
    assert supervise(3, "broken", 0) == [
        "The site does not start with this change; it waits for the next one.",
        "code 0",
        "children 3",
    ]


def test_a_signal_reaches_the_child(supervise):
    """SIGTERM is handed on, and the child's own end is waited for."""
    assert supervise(3, "stopped") == ["code 0", "children 2"]
