"""Ten thousand messages to one page whose connections are reset a hundred times in mid-stream.

A reset makes a browser throw away what has arrived and was not read yet, so that a connection may
live for two hundred thousand bytes and bring nothing.
"""

import random
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from tests.support.relay import Relay
from tests.support.site_process import SiteProcess

pytestmark = [pytest.mark.browser, pytest.mark.functional]

MESSAGES = 10_000
CUTS = 100
SPAN = 400
"""How many messages one call of the application pushes."""

MAX_BYTES = 200_000
"""The longest that a connection may answer before it is reset; half of it on average."""

SECONDS = 110

RECEIVE_ALL = """async ([messages, span]) => {
    const numbers = [];
    const push = (from) => thywill.send.fn("numbers", [from, from + span]);
    await new Promise((resolve, reject) => {
        thywill.on("state", (state) => {
            if (state !== "live") reject(new Error(`${state} after ${numbers.length} messages`));
        });
        thywill.push.onReceipt = (message) => {
            numbers.push(Number.parseInt(message));
            if (numbers.length === messages) resolve();
            // In the middle of a span the next is asked for, so that messages never cease to come.
            const next = numbers.length + span / 2;
            if (next % span === 0 && next < messages) push(next).catch(reject);
        };
        push(0).catch(reject);
    });
    return numbers;
}"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SiteProcess]:
    """One site, as `./run` starts it, with the testbed."""
    settings = {"DJANGO_SETTINGS_MODULE": "tests.support.site_settings"}
    with SiteProcess(tmp_path_factory.mktemp("site"), "--no-reload", **settings) as process:
        yield process


@pytest.mark.timeout(SECONDS)
@pytest.mark.parametrize("transport", ["websocket", "xhrstream", "sse", "longpoll", "poll"])
def test_cut_a_hundred_times(page: Page, site: SiteProcess, transport: str) -> None:
    """Everything arrives, once and in order, and the page never sees its session end."""
    host, port = site.url.removeprefix("http://").split(":")
    with Relay((host, int(port))) as relay:
        page.goto(f"http://127.0.0.1:{relay.port}/thywill/init/testbed/?transport={transport}")
        page.evaluate(
            "thywill.application.ready().then(() => { self.first = thywill.push.stomp; })"
        )
        relay.budget = lambda: random.randrange(1, MAX_BYTES) if relay.cuts < CUTS else None
        numbers = page.evaluate(RECEIVE_ALL, [MESSAGES, SPAN])
        assert numbers == list(range(MESSAGES))
        assert page.evaluate("thywill.push.stomp === self.first")
        assert relay.cuts >= CUTS
