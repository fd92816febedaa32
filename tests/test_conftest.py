"""The rules that hold for the whole suite, tried on a small suite in a folder of its own."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

pytestmark = pytest.mark.functional

ROOT = Path(__file__).parent.parent

SUITE = r"""
import unittest
import pytest

def test_skipped():
    pytest.skip("RabbitMQ is not installed")

@pytest.mark.skipif(True, reason="RabbitMQ is not installed")
def test_marked():
    raise AssertionError

class Case(unittest.TestCase):
    def test_trial(self):
        raise unittest.SkipTest("nginx is not installed")

@pytest.mark.xfail(reason="known")
def test_known():
    raise AssertionError

def test_printed():
    print("half of a pair: \ud800")
"""


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    """A suite with our conftest: three tests that skip, one known failure, one that passes."""
    shutil.copy(Path(__file__).parent / "conftest.py", tmp_path)
    (tmp_path / "test_small.py").write_text(SUITE)
    (tmp_path / "test_module.py").write_text("import pytest; pytest.importorskip('nowhere')")
    return tmp_path


def run(suite: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the small suite, with no plugin but xdist."""
    ours = ("THYWILL_REQUIRE_SERVERS", "CI", "DJANGO_SETTINGS_MODULE")
    inherited = {name: value for name, value in os.environ.items() if name not in ours}
    plugins = ["-p", "no:cacheprovider", "-p", "xdist.plugin"]
    command = [sys.executable, "-m", "pytest", *plugins, *arguments]
    return subprocess.run(
        command,
        cwd=suite,
        env={
            **inherited,
            "PYTHONPATH": str(ROOT),
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            **environment,
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_skips_are_named_at_the_end(suite: Path) -> None:
    """On a person's machine what was not tested is counted by reason, and nothing fails."""
    result = run(suite)
    assert result.returncode == 0
    end = result.stdout.partition("NOT TESTED HERE")[2]
    assert "2 skipped: RabbitMQ is not installed" in end
    assert "1 skipped: nginx is not installed" in end
    assert "1 skipped: could not import 'nowhere'" in end
    assert "1 passed, 4 skipped, 1 xfailed" in end


@pytest.mark.parametrize(
    ("variable", "workers"), [({"THYWILL_REQUIRE_SERVERS": "1"}, "2"), ({"CI": "true"}, "1")]
)
def test_skips_are_failures_where_nothing_may_be_missing(
    suite: Path, variable: dict[str, str], workers: str
) -> None:
    """In continuous integration each skipped test fails, on parallel workers too."""
    result = run(suite, "-n", workers, **variable)
    assert result.returncode == 1
    assert "nothing may be skipped here, but: nginx is not installed" in result.stdout
    last = result.stdout.splitlines()[-1]
    assert "2 failed, 1 passed, 1 xfailed, 2 errors" in last


THREAD = """
from thywill_server import reactor_bridge

def test_in_its_thread():
    assert reactor_bridge.call_and_wait(lambda: 7, timeout_seconds=10) == 7
"""
TRIAL = """
from twisted.internet import reactor
from twisted.internet.task import deferLater
from twisted.trial.unittest import TestCase

class Case(TestCase):
    def test_in_the_main_thread(self):
        return deferLater(reactor, 0, lambda: None)
"""


def test_trial_comes_before_the_reactors_thread(tmp_path: Path) -> None:
    """A reactor that runs in a thread would fail every test of trial that came later.

    A worker sorts as pytest alone does, and then xdist might sort again.
    """
    shutil.copy(Path(__file__).parent / "conftest.py", tmp_path)
    (tmp_path / "test_a_thread.py").write_text(THREAD + THREAD.replace("_in_", "_again_in_"))
    (tmp_path / "test_b_trial.py").write_text(TRIAL)
    finished = run(tmp_path, "-n1")
    assert "3 passed" in finished.stdout, finished.stdout


WORKERS = """
import pytest

@pytest.mark.parametrize("number", range(20))
def test_where(worker_id, number, record_property):
    record_property("worker", worker_id)
"""


def test_what_shares_a_browser_or_a_file_shares_a_worker(tmp_path: Path) -> None:
    """A file's tests all run on one worker, as do all that ask databases; browsers are on two."""
    folder, functional = tmp_path / "tests" / "browser", tmp_path / "tests" / "functional"
    folder.mkdir(parents=True)
    functional.mkdir()
    (tmp_path / "tests" / "thywill_apps").mkdir()
    shutil.copy(Path(__file__).parent / "conftest.py", tmp_path)
    pages = [folder / "test_a.py", folder / "test_b.py"]
    connections = [folder / "test_page_life.py", folder / "test_reconnect.py"]
    databases = [
        tmp_path / "tests" / f"{name}.py"
        for name in ("functional/test_swapped_components", "thywill_apps/test_chat_on_servers")
    ]
    for path in [*pages, *connections, *databases, tmp_path / "test_c.py"]:
        path.write_text(WORKERS)
    report = tmp_path / "report.xml"
    finished = run(tmp_path, "-n", "3", f"--rootdir={tmp_path}", f"--junit-xml={report}")
    assert finished.returncode == 0, finished.stdout
    workers: dict[str, set[str | None]] = {}
    for case in ElementTree.parse(report).iter("testcase"):
        used = {each.get("value") for each in case.iter("property")}
        workers.setdefault(str(case.get("classname")), set()).update(used)
    assert all(len(used) == 1 for used in workers.values())
    _, a, b, page_life, reconnect, swapped, chat = (workers[name] for name in sorted(workers))
    assert a == b
    assert page_life == reconnect
    assert swapped == chat
    assert len(a | page_life | swapped) == 3
