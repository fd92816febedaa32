"""What holds for every file of the repository, whatever is in it."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
MAX_LINES = 450
"""A module wants to be shorter than 350 lines; beyond this it holds two ideas."""
MAX_LINES_OF_LISTS = 600
"""Tests and style sheets are lists: they are not read from top to bottom."""
SOURCE = {".py", ".js", ".mjs", ".css", ".html"}
BINARY = {".png", ".jpg", ".ico", ".woff2", ".bin"}

SOMEBODYS_MACHINE = re.compile(
    "(?<![\\w.])/" + "(?:home|Users|root|mnt|work)/[A-Za-z0-9_.]" + "|C:\\\\+" + "Users"
)
LEFT_OVER = re.compile(r"^(<<<<<<<|>>>>>>>) |\b(TO" + "DO|FIX" + r"ME)\b", re.MULTILINE)


def tracked() -> Iterator[Path]:
    """Every file that git knows and that is still there."""
    listing = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    paths = (ROOT / name for name in listing.split("\0") if name)
    return (path for path in paths if path.is_file())


def texts() -> Iterator[tuple[str, str]]:
    """Name and content of the tracked text files; recorded bytes are not text of ours."""
    for path in tracked():
        name = path.relative_to(ROOT).as_posix()
        if path.suffix not in BINARY and not name.startswith("tests/data/"):
            yield name, path.read_bytes().decode("utf-8")


def test_source_files_are_short() -> None:
    """No source file is longer than can be read in one sitting."""
    long = {}
    for name, text in texts():
        is_list = name.startswith("tests/") or name.endswith(".css")
        lines = len(text.splitlines())
        if Path(name).suffix in SOURCE and lines > (MAX_LINES_OF_LISTS if is_list else MAX_LINES):
            long[name] = lines
    assert not long


def test_files_are_tidy() -> None:
    """Lines end in LF without blanks before it, and files in exactly one LF."""
    untidy = [
        name
        for name, text in texts()
        if text and ("\r" in text or re.search(r"[ \t]$", text, re.MULTILINE) or text[-1] != "\n")
    ]
    assert not untidy


def test_no_file_names_somebodys_machine() -> None:
    """Absolute paths of the machine where a file was written mean nothing on another."""
    found = [
        f"{name}: {match.group()}"
        for name, text in texts()
        for match in SOMEBODYS_MACHINE.finditer(text)
    ]
    assert not found


def test_nothing_is_left_over() -> None:
    """No conflict markers and no notes to oneself: what is open is described elsewhere."""
    found = [
        f"{name}: {match.group()}" for name, text in texts() for match in LEFT_OVER.finditer(text)
    ]
    assert not found


def test_scripts_can_be_started() -> None:
    """The scripts keep the bit that makes them commands."""
    for name in ("run", ".ci/run"):
        assert (ROOT / name).stat().st_mode & 0o111, name
