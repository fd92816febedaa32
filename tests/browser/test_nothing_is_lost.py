"""Ten thousand messages to each page, whose connections are reset a hundred times in mid-stream.

A reset makes a browser throw away what has arrived and was not read yet, so that a connection may
live for two hundred thousand bytes and bring nothing. The pages have their default settings, and
never find that anything is wrong.
"""

import random
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
from playwright.sync_api import Browser, Page

from tests.support.relay import Relay
from tests.support.site_process import SiteProcess

pytestmark = [pytest.mark.browser, pytest.mark.functional]

TRANSPORTS = ["websocket", "xhrstream", "sse", "longpoll", "poll"]
MESSAGES = 10_000
CUTS = 100
SPAN = 400
"""How many messages one call of the application pushes."""

MAX_BYTES = 200_000
"""The longest that a connection may answer before it is reset; half of it on average."""

SECONDS = 300
"""A page needs about half a minute, most of it in the pauses after a hundred cuts; on a machine
that is busy several times as long."""

PREPARE = """() => thywill.application.ready().then(() => {
    self.first = thywill.push.stomp;
    self.used = [thywill.push.transport];
    thywill.on("transport", (name) => used.push(name));
})"""

BEGIN = """([messages, span]) => {
    const numbers = [];
    const push = (from) => thywill.send.fn("numbers", [from, from + span]);
    const all = new Promise((resolve, reject) => {
        thywill.on("state", (state) => {
            if (state !== "live") reject(new Error(`${state} after ${numbers.length} messages`));
        });
        thywill.push.onReceipt = (message) => {
            numbers.push(Number.parseInt(message));
            if (numbers.length === messages) resolve(numbers);
            // In the middle of a span the next is asked for, so that messages never cease to come.
            const next = numbers.length + span / 2;
            if (next % span === 0 && next < messages) push(next).catch(reject);
        };
        push(0).catch(reject);
    });
    self.received = all.catch((error) => error.message);
}"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SiteProcess]:
    """One site, as `./run` starts it, with the testbed."""
    settings = {"DJANGO_SETTINGS_MODULE": "tests.support.site_settings"}
    with SiteProcess(tmp_path_factory.mktemp("site"), "--no-reload", **settings) as process:
        yield process


@contextmanager
def cut_page(chromium: Browser, site: SiteProcess, transport: str) -> Iterator[tuple[Page, Relay]]:
    """A page that is ready, behind a relay of its own that begins to cut."""
    host, port = site.url.removeprefix("http://").split(":")
    with Relay((host, int(port))) as relay, chromium.new_context() as context:
        page = context.new_page()
        page.goto(f"http://127.0.0.1:{relay.port}/thywill/init/testbed/?transport={transport}")
        page.evaluate(PREPARE)
        relay.budget = lambda: random.randrange(1, MAX_BYTES) if relay.cuts < CUTS else None
        yield page, relay


@pytest.mark.timeout(SECONDS)
def test_cut_a_hundred_times(chromium: Browser, site: SiteProcess) -> None:
    """Everything arrives, once and in order, over each transport; no page sees its session end."""
    with ExitStack() as stack:
        pages = [stack.enter_context(cut_page(chromium, site, name)) for name in TRANSPORTS]
        for page, _ in pages:
            page.evaluate(BEGIN, [MESSAGES, SPAN])
        for transport, (page, relay) in zip(TRANSPORTS, pages, strict=True):
            assert page.evaluate("received") == list(range(MESSAGES)), transport
            assert page.evaluate("thywill.push.stomp === first"), transport
            assert page.evaluate("used") == [transport]
            assert relay.cuts >= CUTS, transport
