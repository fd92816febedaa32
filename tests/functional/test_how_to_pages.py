"""The how-to pages: what they tell to write and to run does what they say."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.documentation import (
    ROOT,
    environment,
    files,
    make_checkout,
    manage,
    settings_with,
    text_of,
    write,
)

pytestmark = pytest.mark.functional

COMPONENT = "documentation/how-to/write-a-component.md"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the site with the component of the how-to."""
    checkout = make_checkout(tmp_path)
    for path, text in files(COMPONENT):
        write(checkout, path, text)
    return checkout


def block_after(page: str, mark: str) -> str:
    """The content of the first code block of a page that holds some text."""
    blocks = re.findall(r"^```\w*\n(.*?)^```", text_of(page), re.DOTALL | re.MULTILINE)
    return next(block for block in blocks if mark in block)


def test_the_component_writes_what_the_page_shows(checkout: Path) -> None:
    """The line has the fields and values of the page, but for time and process."""
    settings_with(checkout, block_after(COMPONENT, '"labels": {"site"'))
    command = shlex.split(block_after(COMPONENT, "manage.py shell"))
    shown = json.loads(block_after(COMPONENT, '"message": "hello"'))
    run = manage(checkout, *command[2:])
    (line,) = [json.loads(line) for line in run.stdout.splitlines() if line.startswith("{")]
    assert list(line) == list(shown)
    for name in ("site", "level", "logger", "message", "thread"):
        assert line[name] == shown[name]


def test_the_component_passes_the_suites(checkout: Path) -> None:
    """The command of the page runs the suites for this component, and for no other one."""
    command = shlex.split(block_after(COMPONENT, "-m pytest"))
    run = subprocess.run(
        [sys.executable, *command[1:]],
        cwd=ROOT,
        env={**environment(checkout), "PYTHONPATH": str(checkout)},
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert run.returncode == 0, run.stdout
    passed = re.search(r"(\d+) passed", run.stdout)
    assert passed is not None
    assert int(passed[1]) > 10
    assert "skipped" not in run.stdout


def test_twisted_code_is_called_through_the_bridge() -> None:
    """The function of the page rings, in a process where nobody runs a reactor."""
    block = block_after("documentation/explanation/threads-and-the-reactor.md", "def ring_later")
    program = f"""{block}
import threading
bell = threading.Event()
ring_later(bell.set, 0.01)
assert bell.wait(60)
print("rang")
"""
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert (run.stdout, run.returncode) == ("rang\n", 0), run.stderr
