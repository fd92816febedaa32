"""A headless Chromium, and a comet server of one's own."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Playwright, sync_playwright

from tests.support.orbited_command import OrbitedCommand

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def executables(playwright: Playwright) -> Iterator[str]:
    """Where a Chromium may be: $CHROMIUM, the system's, playwright's own."""
    for name in (os.environ.get("CHROMIUM", ""), *NAMES):
        if name and (path := shutil.which(name)):
            yield path
    if Path(playwright.chromium.executable_path).exists():
        yield playwright.chromium.executable_path


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One browser for the tests of a module; each makes its own context.

    While playwright's synchronous interface is open, asyncio takes its thread to be in a loop, and
    Django then refuses its ORM. So it is closed before other tests have their turn.
    """
    with sync_playwright() as playwright:
        path = next(executables(playwright), None)
        if path is None:
            pytest.skip("no Chromium; install it, or name it in the environment as CHROMIUM")
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A page in a context of its own, which fails the test when it meets an uncaught error."""
    errors: list[str] = []
    with chromium.new_context() as context:
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        yield page
    assert not errors


@pytest.fixture(scope="module")
def comet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OrbitedCommand]:
    """A server for the tests of one module."""
    server = OrbitedCommand.in_folder(tmp_path_factory.mktemp("comet"))
    server.start()
    yield server
    server.kill()
