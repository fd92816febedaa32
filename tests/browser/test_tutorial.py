"""The applications that the documentation teaches: written as it says, they do what it says."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

ROOT = Path(__file__).parents[2]
FILE = re.compile(r"^```\w+\n(?:#|//) (\S+/\S+)\n(.*?)^```", re.DOTALL | re.MULTILINE)

pytestmark = [pytest.mark.browser, pytest.mark.functional]


def files(page: str) -> list[tuple[str, str]]:
    """Path and content of the code blocks that begin with a path, in their order."""
    return FILE.findall((ROOT / page).read_text(encoding="utf-8"))


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the site to write applications into."""
    for name in ("thywill_apps", "static"):
        shutil.copytree(ROOT / name, tmp_path / name)
    for name in ("settings.py", "manage.py"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


@contextmanager
def site(checkout: Path) -> Iterator[str]:
    """Run the copy of the site; gives the address of its applications."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "THYWILL_HOME": str(checkout / "home"),
        "PYTHONUNBUFFERED": "1",
    }
    manage = [sys.executable, "manage.py"]
    migrate = [*manage, "migrate", "--verbosity", "0"]
    subprocess.run(migrate, cwd=checkout, env=environment, check=True, timeout=60)
    serve = [*manage, "runthywill", "--port", "0", "--stomp-port", "0", "--no-reload"]
    with (checkout / "site.log").open("w") as log:
        process = subprocess.Popen(
            serve, cwd=checkout, env=environment, stdout=subprocess.PIPE, stderr=log, text=True
        )
        try:
            assert process.stdout is not None
            for line in process.stdout:
                found = re.search(r"http://\S+/thywill/init/", line)
                if found:
                    break
            else:
                pytest.fail((checkout / "site.log").read_text())
            yield found.group()
        finally:
            process.terminate()
            process.communicate(timeout=30)


def write(checkout: Path, path: str, text: str) -> None:
    """Write one of the documentation's files where it says."""
    (checkout / path).parent.mkdir(parents=True, exist_ok=True)
    (checkout / path).write_text(text, encoding="utf-8")


def test_readme_application_is_a_dozen_lines() -> None:
    """The README promises a dozen lines, blank ones not counted."""
    texts = [text for _, text in files("README.md")]
    assert len(texts) == 2
    assert sum(1 for text in texts for line in text.splitlines() if line.strip()) <= 13


def test_readme_application_rolls_a_die(checkout: Path, page: Page) -> None:
    """The README's application pushes a number from 1 to 6 for each press of its button."""
    for path, text in files("README.md"):
        write(checkout, path, text)
    with site(checkout) as address:
        page.goto(f"{address}dice/")
        page.evaluate("thywill.application.ready()")
        page.get_by_role("button", name="Roll").click()
        expect(page.locator("body")).to_contain_text(re.compile(r"Roll\s+[1-6]\b"))


def test_tutorial_is_followed_to_its_end(checkout: Path, page: Page) -> None:
    """Each step of the tutorial gives what the tutorial says, errors included."""
    first, second = (
        files("documentation/tutorial/first-application.md")[n : n + 2] for n in (0, 2)
    )
    for path, text in first:
        write(checkout, path, text)
    with site(checkout) as address:
        page.goto(f"{address}dice/")
        page.evaluate("thywill.application.ready()")
        page.get_by_role("button", name="Roll").click()
        expect(page.locator("body")).to_contain_text(re.compile(r"Roll\s+[1-6]\b"))
    for path, text in second:
        write(checkout, path, text)
    with site(checkout) as address:
        page.goto(f"{address}dice/")
        page.evaluate("thywill.application.ready()")
        page.get_by_role("button", name="Roll").click()
        expect(page.locator("button")).to_have_text("a die with 20 sides")
        expect(page.locator("body")).to_contain_text(re.compile(r"rolled \d+"))
        mistake = """
            thywill.send.fn("roll", {sides: "many"})
                .then(() => "no error", (error) => `${error.code}: ${error.message}`)
        """
        answer = page.evaluate(mistake)
        assert answer.startswith("invalid-message:")
        assert "sides" in answer


def test_room_is_shared(checkout: Path, page: Page) -> None:
    """Two pages of the how-to's room see the same, and the shell's message too."""
    text = (ROOT / "documentation/how-to/share-a-room.md").read_text(encoding="utf-8")
    (outside,) = re.findall(r"shell -c '(.+)'$", text, re.MULTILINE)
    for path, source in files("documentation/how-to/share-a-room.md"):
        write(checkout, path, source)
    with site(checkout) as address, page.context.new_page() as second:
        page.goto(f"{address}lobby/")
        page.get_by_role("button", name="Say hello").click()
        expect(page.locator("p")).to_have_text(["1: hello"])
        second.goto(f"{address}lobby/")
        expect(second.locator("p")).to_have_text(["1: hello (from the history)"])
        environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "THYWILL_HOME": str(checkout / "home"),
        }
        shell = [sys.executable, "manage.py", "shell", "-c", outside]
        subprocess.run(shell, cwd=checkout, env=environment, check=True, timeout=60)
        second.get_by_role("button", name="Say hello").click()
        for each in (page, second):
            expect(each.locator("p").last).to_have_text(re.compile("^3: hello"))
            expect(each.locator("p").nth(1)).to_have_text(re.compile("^2: from the shell"))
