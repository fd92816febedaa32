"""The how-to page on testing an application: its application, its tests, what it shows."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.documentation import (
    environment,
    files,
    make_checkout,
    manage,
    text_of,
    write,
)

pytestmark = pytest.mark.functional

PAGE = "documentation/how-to/test-an-application.md"
FAILING = """
from django.contrib.auth.models import User

from thywill_server import testing


def test_that_fails(db):
    with testing.open("counter", user=User.objects.create_user("anna")) as page:
        count = page.channel("count")
        page.call("add", 2)
        %s
"""


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the site with the application of the page."""
    checkout = make_checkout(tmp_path_factory.mktemp("site"))
    write(checkout, "thywill_apps/counter/__init__.py", "")
    write(checkout, "thywill_apps/counter/tests/__init__.py", "")
    for path, text in files(PAGE):
        write(checkout, path, text)
    return checkout


def blocks() -> list[str]:
    """The content of every code block."""
    return re.findall(r"^```\w*\n(.*?)^```", text_of(PAGE), re.DOTALL | re.MULTILINE)


def block_with(mark: str) -> str:
    """The first code block that holds some text."""
    return next(block for block in blocks() if mark in block)


def run_pytest(checkout: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run pytest in the copy."""
    variables = {**environment(checkout), "DJANGO_SETTINGS_MODULE": "settings"}
    variables["PYTHONPATH"] = os.pathsep.join([str(checkout), variables["PYTHONPATH"]])
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments],
        cwd=checkout,
        env=variables,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_its_tests_pass_as_it_shows(checkout: Path) -> None:
    """The output is that of the page, but for the time that it took."""
    command = shlex.split(block_with("manage.py test"))
    run = manage(checkout, *command[2:])

    def without_time(text: str) -> list[str]:
        lines = re.sub(r" in [\d.]+s", "", text).splitlines()
        return [line for line in lines if line and "test database" not in line]

    said = [*run.stdout.splitlines(), *run.stderr.splitlines()]
    assert without_time("\n".join(said)) == without_time(block_with("Ran 5 tests"))
    assert run.returncode == 0


def test_its_tests_for_pytest(checkout: Path) -> None:
    """Both pass; and one that expects the wrong number fails with the text of the page."""
    wrong = block_with('{"count": 3, "by": "anna"}').strip()
    failing = "thywill_apps/counter/tests/test_failing.py"
    write(checkout, failing, FAILING % f"{wrong[:-1]}, seconds=0.1)")
    command = shlex.split(block_with("python -m pytest"))
    run = run_pytest(checkout, *command[3:], failing, "--tb=short")
    assert "1 failed, 2 passed" in run.stdout, run.stdout + run.stderr
    shown = [line.removeprefix("E").strip() for line in run.stdout.splitlines()]
    for line in block_with("NothingCame").splitlines():
        assert line.replace("came in 5 s", "came in 0.1 s").strip() in shown
