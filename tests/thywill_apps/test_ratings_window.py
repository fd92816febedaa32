"""The ratings' window on Qt's offscreen platform, and Chaco's picture without any display."""

from __future__ import annotations

import json
import re
import struct
import subprocess
import sys
from ctypes.util import find_library
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.support.site_process import ROOT, Process, environment
from tests.support.stomp_line import morbid_process
from tests.support.stomp_page import StompPage
from thywill_apps.ratings.destinations import CHANNEL_IN, CHANNEL_OUT

pytestmark = pytest.mark.functional


needs_chaco = pytest.mark.skipif(find_spec("chaco") is None, reason="Chaco is not installed")
needs_qt = pytest.mark.skipif(
    find_spec("PySide6") is None or (sys.platform == "linux" and find_library("EGL") is None),
    reason="Qt, or a library of it, is missing",
)

HIDE = """
import sys
class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {names}:
            raise ModuleNotFoundError("No module named " + repr(name), name=name)
sys.meta_path.insert(0, Hidden())
from django.core.management import execute_from_command_line
execute_from_command_line(["manage.py", "ratings", *{options}])
"""
DRAW = """
import sys
from pathlib import Path
from thywill_apps.ratings.picture import draw
for name, points in (("empty", []), ("some", [(100, 3.0, 1), (103, 4.5, 2)])):
    Path(sys.argv[1], name).write_bytes(draw(points, [0, 0, 1, 0, len(points)], name == "some"))
"""


def started() -> list[str]:
    """What the how-to shows of a start."""
    page = (ROOT / "documentation" / "how-to" / "ratings.md").read_text(encoding="utf-8")
    lines = re.findall(r"^ratings: .+$", page, re.MULTILINE)
    assert len(lines) == 2
    return lines


def change_of(page: StompPage, trait: str) -> Any:
    """Wait until pages are told of a trait; gives its value."""
    while True:
        told = json.loads(page.receive().body)
        if told.get("trait") == trait:
            return told["value"]


@needs_qt
def test_the_window_shares_the_model(tmp_path: Path) -> None:
    """What is changed at the desk is in the pages, and what a page says is on the desk."""
    with morbid_process() as port, StompPage(port, "guest", "guest") as page:
        page.subscribe(CHANNEL_OUT)
        command = [sys.executable, "-m", "tests.support.ratings_window", "--window"]
        options = ["--port", str(port), "--state", str(tmp_path / "ratings.json")]
        qt = {"QT_QPA_PLATFORM": "offscreen", "DJANGO_SETTINGS_MODULE": "settings"}
        with Process(
            [*command, *options], tmp_path, stdin=subprocess.PIPE, HOME=str(tmp_path), **qt
        ) as desk:
            for line in started():
                desk.wait_for_line(f"^{re.escape(line.replace('61613', str(port)))}$")
            desk.write_line("topic Seen from the desk")
            assert change_of(page, "topic") == "Seen from the desk"
            desk.write_line("say Hello from the desk")
            message = change_of(page, "messages")
            assert (message["by"], message["text"]) == ("The desk", "Hello from the desk")
            card = {"uuid": "p1", "session": "s", "user": None, "username": "ann"}
            change = {"trait": "entry_field", "value": "Hello from a page"}
            request = {"kind": "message", "id": "1", "client": card, "message": change}
            body = json.dumps({**request, "command": "trait_change"}).encode()
            page.send("SEND", {"destination": CHANNEL_IN}, body)
            desk.wait_for_line("ann: Hello from a page")
            desk.write_line("close")
            assert desk.process.wait(60) == 0


@needs_chaco
def test_chaco_draws_without_a_display(tmp_path: Path) -> None:
    """Pictures of the size that the page has room for, with nothing to show too."""
    run = subprocess.run(
        [sys.executable, "-c", DRAW, tmp_path],
        cwd=ROOT,
        env=environment(tmp_path, HOME=str(tmp_path), DJANGO_SETTINGS_MODULE="settings"),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert run.returncode == 0, run.stderr
    for name in ("empty", "some"):
        png = (tmp_path / name).read_bytes()
        assert png.startswith(b"\x89PNG\r\n")
        assert struct.unpack(">II", png[16:24]) == (720, 300)


@pytest.mark.parametrize(
    ("hidden", "options", "sentence"),
    [
        (["traits"], [], 'Traits is not installed here: pip install "thywill[ratings]"'),
        pytest.param(
            ["qasync"],
            ["--window"],
            'qasync (for --window) is not installed here: pip install "thywill[desktop]"',
            marks=needs_qt,
        ),
    ],
)
def test_what_is_missing_is_one_sentence(
    hidden: list[str], options: list[str], sentence: str, tmp_path: Path
) -> None:
    """It says what to install, here and elsewhere."""
    program = HIDE.format(names=hidden, options=options)
    qt = {"QT_QPA_PLATFORM": "offscreen", "DJANGO_SETTINGS_MODULE": "settings"}
    run = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=environment(tmp_path, HOME=str(tmp_path), **qt),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert run.returncode == 1
    assert run.stderr.startswith(f"CommandError: {sentence}, or in this folder: ")
    assert run.stderr.count("\n") == 1
