"""A headless Chromium, and a comet server of one's own."""

import os
import shutil
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Error, Page, Playwright, expect, sync_playwright

from tests.support.orbited_command import OrbitedCommand

MILLISECONDS = 30_000
"""How long what is expected of a page may take: a busy machine is no failure. (5 s by default.)"""

expect.set_options(timeout=MILLISECONDS)

SHELLS = ("chromium-headless-shell", "chrome-headless-shell")
"""Chromium without the parts for a screen: a page costs half of what it costs in a whole one."""

WHOLE = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)


def executable(*names: str) -> str | None:
    """Where one of these is; $CHROMIUM goes before them, unless it is a shell and they are not."""
    chosen = os.environ.get("CHROMIUM", "")
    if "headless" in Path(chosen).name and SHELLS[0] not in names:
        chosen = ""
    return next((path for name in (chosen, *names) if name and (path := shutil.which(name))), None)


class Browsers:
    """Playwright and a Chromium, shared by modules that follow one another on a worker.

    While playwright's synchronous interface is open, asyncio takes its thread to be in a loop, and
    Django then refuses its ORM. So both end before tests of another folder have their turn.
    """

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._playwright: Playwright | None = None
        self._shared: Browser | None = None

    @property
    def playwright(self) -> Playwright:
        """Their driver."""
        if self._playwright is None:
            self._playwright = self._stack.enter_context(sync_playwright())
        return self._playwright

    @property
    def shared(self) -> Browser:
        """The browser of all; another one where it has died."""
        if self._shared is None or not self._shared.is_connected():
            path = executable(*SHELLS, *WHOLE)
            self._shared = self._stack.enter_context(self._launch(path))
        return self._shared

    def whole(self, without: str) -> Browser:
        """Start a browser that can do what the others cannot; whoever asks for it closes it.

        Args:
            without: an argument that playwright gives by default.
        """
        path = executable(*WHOLE) or self.playwright.chromium.executable_path
        return self._launch(path, ignore_default_args=[without])

    def _launch(self, path: str | None, **options: Any) -> Browser:
        """Start one; that of playwright itself where there is no path."""
        try:
            return self.playwright.chromium.launch(
                executable_path=path, args=["--no-sandbox"], **options
            )
        except Error as error:
            if "executable doesn't exist" in error.message.lower():
                pytest.skip("no Chromium; install it, or name it in the environment as CHROMIUM")
            raise

    def close(self) -> None:
        """End all; what is asked for later starts anew."""
        self._stack.close()
        self._playwright = self._shared = None


BROWSERS = pytest.StashKey[Browsers]()


def browsers_of(config: pytest.Config) -> Browsers:
    """Those of this worker."""
    return config.stash.setdefault(BROWSERS, Browsers())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(
    item: pytest.Item, nextitem: pytest.Item | None
) -> Generator[None, None, None]:
    """Behind the last test of this folder, and its fixtures, close what they have shared."""
    yield
    if nextitem is None or item.path.parent not in nextitem.path.parents:
        browsers_of(item.config).close()


@pytest.fixture(scope="module")
def browsers(request: pytest.FixtureRequest) -> Browsers:
    """For tests that need another browser."""
    return browsers_of(request.config)


@pytest.fixture(scope="module")
def chromium(browsers: Browsers) -> Browser:
    """One browser for all tests; each makes its own context."""
    return browsers.shared


@contextmanager
def page_in(browser: Browser) -> Iterator[Page]:
    """A page in a context of its own, which fails the test when it meets an uncaught error."""
    errors: list[str] = []
    with browser.new_context() as context:
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        yield page
    assert not errors


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """Such a page in the browser of all."""
    with page_in(chromium) as page:
        yield page


@pytest.fixture(scope="module")
def comet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OrbitedCommand]:
    """A server for the tests of one module."""
    server = OrbitedCommand.in_folder(tmp_path_factory.mktemp("comet"))
    server.start()
    yield server
    server.kill()
