"""Fifty clients and five thousand messages, while Orbited and its broker are killed three times."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser.test_reconnect import TRANSPORTS, TwoProcesses
from tests.support.database_site import database_settings
from tests.support.mariadb import MariaDB
from tests.support.senders import MESSAGES, SENDERS, Senders, texts_of
from tests.support.site_process import Process, manage
from tests.support.visitor import Turning, Visitor

pytestmark = [pytest.mark.browser, pytest.mark.functional, pytest.mark.timeout(300)]

VISITORS = 49
"""And one page in Chromium."""

THREADS = 7
"""In which the visitors turn; each has some on every transport."""

KILLED_AT = (1200, 2400, 3600)
"""After so many messages."""

SECONDS = 120
ROOMS = "/thywill/init/rooms/"
CHANNEL = "hall:main"

SQLITE = "from tests.support.site_settings import INSTALLED_APPS, THYWILL"

WORKERS = 4
SHARED = """
BACKEND = "django.core.cache.backends.db.DatabaseCache"
CACHES = {"default": {"BACKEND": BACKEND, "LOCATION": "replies"}}
THYWILL["client_interface"]["replies_cache"] = "default"
"""
WSGI = """
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.wsgi import get_wsgi_application

application = StaticFilesHandler(get_wsgi_application())
"""

JOIN = """async (name) => {
    globalThis.heard = [];
    globalThis.hall = thywill.channel(name);
    hall.onReceipt = (data, meta) => heard.push([meta.offset, data]);
    await hall.joined;
}"""

WAIT = """async (offset) => {
    while (hall.cursor.offset < offset) await new Promise((resolve) => setTimeout(resolve, 50));
    return heard;
}"""


class SeveralWorkers(TwoProcesses):
    """Django in four worker processes of gunicorn, on MariaDB."""

    def __init__(self, home: Path, server: MariaDB) -> None:
        super().__init__(home, "\n".join([SQLITE, database_settings(server), SHARED]))
        made = manage(home, "createcachetable", **self.environment)
        assert made.returncode == 0, made.stderr
        (home / "variant_wsgi.py").write_text(WSGI)

    def start_django(self) -> None:
        """Start `gunicorn`."""
        options = ["--workers", str(WORKERS), "--bind", f"127.0.0.1:{self.port}"]
        command = [sys.executable, "-m", "gunicorn", *options, "variant_wsgi"]
        self.django = Process(command, self.home, **self.environment)
        for _ in range(WORKERS):
            self.django.wait_for_log("Booting worker")


@pytest.fixture(params=["sqlite", "four workers on mariadb"])
def processes(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[TwoProcesses]:
    """A site, and Orbited with its broker in a process of its own."""
    if request.param == "sqlite":
        both = TwoProcesses(tmp_path, SQLITE)
    else:
        both = SeveralWorkers(tmp_path, request.getfixturevalue("mariadb"))
    with (tmp_path / "orbited.cfg").open("a") as config:
        config.write(f"http://127.0.0.1:{both.comet_port} -> 127.0.0.1:{both.stomp_port}\n")
    both.start_orbited()
    both.start_django()
    yield both
    both.end()


def test_every_client_ends_with_all_messages(page: Page, processes: TwoProcesses) -> None:
    """Every client has every message, each once, in the order of its sender and of the channel."""
    url = f"http://127.0.0.1:{processes.port}"
    page.goto(url + ROOMS)
    page.evaluate(JOIN, CHANNEL)
    with ExitStack() as stack:
        threads = [stack.enter_context(Turning()) for _ in range(THREADS)]
        visitors = []
        for number in range(VISITORS):
            transport, thread = TRANSPORTS[number % len(TRANSPORTS)], threads[number % THREADS]
            visitors.append(stack.enter_context(Visitor(url, ROOMS, CHANNEL, transport, thread)))

        def wait_until(is_done: Callable[[], bool], what: str) -> None:
            end = time.monotonic() + SECONDS
            while not is_done():
                for visitor in visitors:
                    visitor.check()
                if time.monotonic() > end:
                    behind = [each.told for each in visitors if each.offset < MESSAGES]
                    raise AssertionError(what, behind)
                time.sleep(0.05)

        wait_until(lambda: all(each.channel.state == "joined" for each in visitors), "joining")
        senders = stack.enter_context(Senders(url, ROOMS))
        for life, number in enumerate(KILLED_AT, start=1):
            wait_until(partial(senders.have_sent, number), f"sending {number}")
            wait_until(partial(have_all_connected, visitors, life), f"connecting in life {life}")
            processes.kill(processes.orbited)
            processes.start_orbited()
        wait_until(partial(senders.have_sent, MESSAGES), "sending")
        wait_until(lambda: all(each.offset >= MESSAGES for each in visitors), "receiving")
        # The answer to joining again may have held all that was missing.
        lives = len(KILLED_AT) + 1
        wait_until(partial(have_all_connected, visitors, lives), "connecting at last")
        heard = page.evaluate(WAIT, MESSAGES)

    order = [text for _, text in heard]
    assert [offset for offset, _ in heard] == list(range(1, MESSAGES + 1))
    for number in range(SENDERS):
        assert [text for text in order if text.startswith(f"{number}-")] == texts_of(number)
    for visitor in visitors:
        said = [each for each in visitor.received if each.event == "said"]
        assert [each.offset for each in said] == list(range(1, MESSAGES + 1)), visitor.transport
        assert [each.data for each in said] == order, visitor.transport
        assert visitor.connections > len(KILLED_AT), visitor.transport
        recovered = {each.data for each in visitor.received if each.event == "recovered"}
        assert recovered == {True}, visitor.transport


def have_all_connected(visitors: list[Visitor], times: int) -> bool:
    """Whether each of them has had so many connections."""
    return all(visitor.connections >= times for visitor in visitors)
