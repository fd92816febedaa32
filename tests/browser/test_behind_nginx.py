"""A browser and nginx: the site as the documentation puts it there, and a proxy that holds back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.nginx import MISSING, NGINX, OPENSSL, DocumentedNginx, Nginx
from tests.support.orbited_command import OrbitedCommand
from tests.support.site_process import SiteProcess, manage, write_settings

pytestmark = [
    pytest.mark.browser,
    pytest.mark.functional,
    pytest.mark.skipif(NGINX is None or OPENSSL is None, reason=MISSING),
]

TRANSPORTS = {
    "websocket": "WebSocket",
    "xhrstream": "XHR streaming",
    "longpoll": "long polling",
}


@pytest.fixture(scope="module")
def public_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A site as it would be on the internet: no debugging, TLS by nginx."""
    folder = tmp_path_factory.mktemp("site")
    environment = {
        "THYWILL_DEBUG": "0",
        "THYWILL_SECRET_KEY": "a key that is long enough for a test of the whole site, and no more",
        "THYWILL_ALLOWED_HOSTS": "localhost",
        "THYWILL_BEHIND_PROXY": "1",
        **write_settings(folder, f"STATIC_ROOT = {str(folder / 'collected')!r}"),
    }
    collected = manage(folder, "collectstatic", "--noinput", **environment)
    assert collected.returncode == 0, collected.stderr
    with SiteProcess(folder, "--no-reload", **environment) as site:
        port = int(site.url.rpartition(":")[2])
        with DocumentedNginx(tmp_path_factory.mktemp("nginx"), port) as nginx:
            yield f"https://localhost:{nginx.port}"


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_the_site_on_the_internet(chromium: Browser, public_url: str, transport: str) -> None:
    """The page is live over each transport, and what is typed comes back."""
    with chromium.new_context(ignore_https_errors=True) as context:
        page = context.new_page()
        page.goto(f"{public_url}/thywill/init/?transport={transport}")
        expect(page.locator("#state")).to_have_attribute("data-state", "live")
        page.get_by_label("Message", exact=True).fill("hello")
        page.get_by_role("button", name="Send", exact=True).click()
        expect(page.locator("#count")).to_have_text("1 of 1")
        expect(page.locator("#transport")).to_have_text(TRANSPORTS[transport])
        expect(page.locator("#median")).to_have_text(re.compile(r"^\d+(\.\d)? ms$"))


HOLDING_BACK = """
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://127.0.0.1:{site_port};
            proxy_ignore_headers X-Accel-Buffering;
        }}
    }}
"""

ECHO = """async ({port, count}) => {
    const { Orbited, TCPSocket } = await import("/static/Orbited.js");
    const socket = new TCPSocket();
    const transports = [];
    socket.ontransport = (name) => name && transports.push(name);
    await new Promise((resolve, reject) => {
        socket.onopen = resolve;
        socket.onclose = (code) => reject(new Error(`closed with ${code}`));
        socket.open("127.0.0.1", port);
    });
    let text = "";
    await new Promise((resolve) => {
        socket.onread = (piece) => {
            text += piece;
            const lines = text.split("\\n").length - 1;
            if (lines === count) resolve();
            else if (text.endsWith("\\n")) socket.send(`${lines}\\n`);
        };
        socket.send("0\\n");
    });
    socket.close();
    return [text, transports];
}"""


def test_a_proxy_that_holds_streams_back(page: Page, comet: OrbitedCommand, tmp_path: Path) -> None:
    """Without upgrade, without streams, over HTTP/1.0: the page finds the polls by itself."""
    site = HOLDING_BACK.format(port=comet.page_port, site_port=comet.port)
    with Nginx(tmp_path, site, comet.page_port):
        page.set_default_timeout(60_000)
        page.goto(f"http://127.0.0.1:{comet.page_port}/static/Orbited.js")
        text, transports = page.evaluate(ECHO, {"port": comet.echo_port, "count": 20})
    assert text == "".join(f"{number}\n" for number in range(20))
    assert transports[-1] in ("longpoll", "poll")
