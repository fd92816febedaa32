"""Two processes, as people know it: `manage.py runserver` and `orbited`, and either one going away.

The page and Orbited have two origins here, so this is the cross-origin test too.
"""

import shutil
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.ports import free_port
from tests.support.site_process import ROOT, Process, SiteProcess, migrate, write_settings

pytestmark = [pytest.mark.browser, pytest.mark.functional]

TRANSPORTS = ["websocket", "xhrstream", "sse", "longpoll", "poll"]

SECONDS = 30_000
"""A page waits up to half a second, one, two, four ... between its attempts."""


TICKET_SECONDS = 12

RENEW_EARLY = "Math.random = () => -2"
"""Tickets are renewed when 0.6 + 0.2 * random of their time is over: so it is a fifth of it, and a
busy machine has the rest."""


def is_running(process: Process | None) -> bool:
    """Whether it was started and has not ended."""
    return process is not None and process.process.poll() is None


class TwoProcesses:
    """Django and Orbited, each to be started and killed by itself."""

    def __init__(self, home: Path, source: str = "") -> None:
        self.home = home
        self.port, self.comet_port, self.stomp_port = free_port(), free_port(), free_port()
        self.environment = write_settings(
            home, f'{source}\nTHYWILL["push"]["stomp_port"] = {self.stomp_port}'
        )
        self.environment["ORBITED_URL"] = f"http://127.0.0.1:{self.comet_port}/"
        (home / "orbited.cfg").write_text(
            f"[listen]\nhttp://127.0.0.1:{self.comet_port}\n"
            f"stomp://127.0.0.1:{self.stomp_port} morbid.cfg\n"
            f"[access]\nhttp://127.0.0.1:{self.port} -> 127.0.0.1:{self.stomp_port}\n"
        )
        shutil.copy(ROOT / "morbid.cfg", home)
        migrate(home, **self.environment)
        self.django: Process | None = None
        self.orbited: Process | None = None

    def start_django(self) -> None:
        """Start `manage.py runserver`."""
        command = [sys.executable, "manage.py", "runserver", "--noreload", f"127.0.0.1:{self.port}"]
        self.django = Process(command, self.home, **self.environment)
        self.django.wait_for_line("^Starting (WSGI )?development server")

    def start_orbited(self) -> None:
        """Start `orbited`, which starts its broker."""
        command = [sys.executable, "-m", "orbited", "-c", str(self.home / "orbited.cfg")]
        self.orbited = Process(command, self.home)
        self.orbited.wait_for_line(f"listening on .*:{self.comet_port}")

    @staticmethod
    def kill(process: Process | None) -> None:
        """End a process without a word, as a crash would."""
        assert process is not None
        process.stop(signal.SIGKILL)
        process.__exit__()

    def end(self) -> None:
        """Kill what runs."""
        for process in (self.django, self.orbited):
            if is_running(process):
                self.kill(process)

    def open_echo(self, page: Page, transport: str = "") -> None:
        """Load the echo's page."""
        page.goto(f"http://127.0.0.1:{self.port}/thywill/init/?transport={transport}")


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoProcesses]:
    """Both, for all tests of this file."""
    both = TwoProcesses(tmp_path_factory.mktemp("both"))
    yield both
    both.end()


@pytest.fixture
def processes(both: TwoProcesses) -> TwoProcesses:
    """Both, running."""
    if not is_running(both.orbited):
        both.start_orbited()
    if not is_running(both.django):
        both.start_django()
    return both


def expect_state(page: Page, state: str) -> None:
    """Wait for what the page says about its connection."""
    expect(page.locator("#state")).to_have_attribute("data-state", state, timeout=SECONDS)


def expect_echo(page: Page, text: str) -> None:
    """Send a text and wait until it is back."""
    page.get_by_label("Message", exact=True).fill(text)
    page.keyboard.press("Enter")
    newest = page.locator("#trips .trip[data-status=returned] .back").first
    expect(newest).to_have_text(text, timeout=SECONDS)


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_two_origins(page: Page, processes: TwoProcesses, transport: str) -> None:
    """A page of one origin talks to Orbited on another, over each transport."""
    processes.open_echo(page, transport)
    expect_state(page, "live")
    expect_echo(page, "héllo <b>&\"' 你好")
    assert page.evaluate("thywill.push.transport") == transport


def test_orbited_dies_and_comes_back(page: Page, processes: TwoProcesses) -> None:
    """The page says that it is recovering, connects with a new ticket, and is live again."""
    processes.open_echo(page)
    expect_state(page, "live")
    expect_echo(page, "before")
    processes.kill(processes.orbited)
    expect_state(page, "recovering")
    expect(page.locator("#problem")).not_to_be_empty()
    processes.start_orbited()
    expect_state(page, "live")
    expect(page.locator("#problem")).to_be_hidden()
    expect_echo(page, "after")


def send_and_expect(pages: dict[str, Page], count: int) -> None:
    """Have every page send something, and wait until it is back: the trip of that number."""
    for page in pages.values():
        page.get_by_label("Message", exact=True).fill(f"trip {count}")
        page.keyboard.press("Enter")
    for page in pages.values():
        newest = page.locator("#trips .trip[data-status=returned] .back").first
        expect(newest).to_have_text(f"trip {count}", timeout=SECONDS)
        expect(page.locator("#count")).to_have_text(f"{count} of {count}")


LISTEN = """() => {
    self.stomp = thywill.push.stomp;
    self.trouble = new Promise((resolve) => {
        thywill.push.onError = (error) => resolve(error.message);
    });
}"""


@pytest.mark.timeout(300)
def test_every_transport_outlives_orbited(chromium: Browser, processes: TwoProcesses) -> None:
    """Pages keep what they have, connect anew by the same transport, and go on.

    A server that stops in order tells them why, with 203; one that dies cannot.
    """
    with ExitStack() as stack:
        pages = {}
        for transport in TRANSPORTS:
            pages[transport] = stack.enter_context(chromium.new_context()).new_page()
            processes.open_echo(pages[transport], transport)
        for page in pages.values():
            expect_state(page, "live")
        send_and_expect(pages, 1)
        for count, number in enumerate((signal.SIGTERM, signal.SIGKILL), 2):
            for page in pages.values():
                page.evaluate(LISTEN)
            assert processes.orbited is not None
            with processes.orbited as orbited:
                orbited.stop(number)
            was_told = ["code 203" in page.evaluate("trouble") for page in pages.values()]
            assert was_told == [number == signal.SIGTERM] * len(pages)
            processes.start_orbited()
            for transport, page in pages.items():
                expect_state(page, "live")
                assert page.evaluate("thywill.push.transport") == transport
                assert page.evaluate("thywill.push.stomp !== stomp")
            send_and_expect(pages, count)


def test_orbited_comes_late(page: Page, processes: TwoProcesses) -> None:
    """A page that was loaded before Orbited was there starts as soon as it is."""
    processes.kill(processes.orbited)
    processes.open_echo(page)
    expect(page.locator("#problem")).to_contain_text("cannot load", timeout=SECONDS)
    expect_state(page, "connecting")
    processes.start_orbited()
    expect_state(page, "live")
    expect_echo(page, "at last")


def test_site_dies_and_comes_back(page: Page, processes: TwoProcesses) -> None:
    """A message sent while the site is away arrives when it is back, once."""
    processes.open_echo(page)
    expect_state(page, "live")
    processes.kill(processes.django)
    page.get_by_label("Message", exact=True).fill("are you there?")
    page.keyboard.press("Enter")
    expect(page.locator("#trips .trip")).to_have_attribute("data-status", "under-way")
    processes.start_django()
    expect(page.locator("#trips .trip")).to_have_attribute(
        "data-status", "returned", timeout=SECONDS
    )
    expect(page.locator("#count")).to_have_text("1 of 1")
    expect_echo(page, "good")
    expect(page.locator("#count")).to_have_text("2 of 2")


def test_tickets_are_renewed(page: Page, tmp_path: Path) -> None:
    """A page that stays open outlives its ticket without losing its connection."""
    settings = write_settings(tmp_path, f'THYWILL["push"]["ticket_seconds"] = {TICKET_SECONDS}')
    with SiteProcess(tmp_path, "--no-reload", **settings) as site:
        page.add_init_script(RENEW_EARLY)
        page.goto(f"{site.url}/thywill/init/")
        expect_state(page, "live")
        page.evaluate(
            "() => { globalThis.states = []; thywill.on('state', (state) => states.push(state)); }"
        )
        over = time.monotonic() + TICKET_SECONDS + 1
        renewals = 0
        while time.monotonic() < over:
            with page.expect_response("**/thywill/ticket/") as ticket:
                pass
            assert ticket.value.json()["expires_in"] == TICKET_SECONDS
            renewals += 1
        assert renewals > 1
        expect_echo(page, "still here")
        assert page.evaluate("states") == []
