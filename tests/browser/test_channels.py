"""Channels in Chromium: nothing is lost, repeated or out of order, whatever goes away meanwhile."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Route

from tests.browser.test_reconnect import RENEW_EARLY, TICKET_SECONDS, TwoProcesses
from tests.support.site_process import ROOT, HttpPage, SiteProcess, environment, write_settings

pytestmark = [pytest.mark.browser, pytest.mark.functional]

SETTINGS = {"DJANGO_SETTINGS_MODULE": "tests.support.site_settings"}
IN_MEMORY = """
from tests.support.site_settings import INSTALLED_APPS, THYWILL
THYWILL["push"] = {"component": "thywill_server.push.in_memory.InMemory"}
"""
ROOMS = "/thywill/init/rooms/"

JOIN = """async (name) => {
    globalThis.heard = [];
    globalThis.room = thywill.channel(name);
    room.onReceipt = (data, meta) => heard.push([meta.offset, data, meta.replayed]);
    room.on("recovered", (isWhole) => heard.push(`recovered ${isWhole}`));
    room.on("snapshot", (data) => heard.push(data));
    await room.joined;
}"""

WAIT_FOR = """async (offset) => {
    while (room.cursor.offset < offset) await new Promise((resolve) => setTimeout(resolve, 20));
    return heard.splice(0);
}"""


@pytest.fixture(scope="module")
def orbited_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SiteProcess]:
    """A site as `./run` starts it."""
    with SiteProcess(tmp_path_factory.mktemp("site"), "--no-reload", **SETTINGS) as process:
        yield process


@pytest.fixture(scope="module")
def in_memory_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SiteProcess]:
    """The same with push in memory."""
    home = tmp_path_factory.mktemp("site")
    with SiteProcess(home, "--no-reload", **write_settings(home, IN_MEMORY)) as process:
        yield process


@pytest.fixture(params=["orbited", "in_memory"])
def site(request: pytest.FixtureRequest) -> SiteProcess:
    """Both."""
    process: SiteProcess = request.getfixturevalue(f"{request.param}_site")
    return process


class Author:
    """Somebody else, who publishes."""

    def __init__(self, url: str, room: str) -> None:
        self.page = HttpPage(url, ROOMS)
        self.room = room

    def say(self, text: Any = "hi", times: int = 1, command: str = "say") -> None:
        """Publish."""
        message = {"room": self.room, "text": text, "times": times}
        answer = self.page.post("send", message=message, command=command)
        assert answer.status == 200, answer.body


def said(offsets: range, is_replayed: bool, text: Any = "hi") -> list[Any]:
    """What a page hears of messages that were published by one call."""
    return [
        [offset, {"text": text, "number": number}, is_replayed]
        for number, offset in enumerate(offsets)
    ]


def test_live_and_replayed(page: Page, site: SiteProcess) -> None:
    """A page begins with what is kept, goes on with what comes, and leaves."""
    author = Author(site.url, "live")
    author.say(times=3)
    page.goto(site.url + ROOMS)
    page.evaluate(JOIN, "room:live")
    assert page.evaluate(WAIT_FOR, 3) == said(range(1, 4), is_replayed=True)
    author.say(times=2)
    assert page.evaluate(WAIT_FOR, 5) == said(range(4, 6), is_replayed=False)
    page.evaluate("room.leave()")
    author.say()
    page.evaluate(JOIN, "room:live")
    assert [offset for offset, *_ in page.evaluate(WAIT_FOR, 6)] == [1, 2, 3, 4, 5, 6]


def test_offline(page: Page, site: SiteProcess) -> None:
    """What was published while a page was offline is there when it is back, once, in order."""
    author = Author(site.url, "offline")
    page.goto(site.url + ROOMS)
    page.evaluate(JOIN, "room:offline")
    author.say()
    page.evaluate(WAIT_FOR, 1)
    page.context.set_offline(True)
    page.evaluate("thywill.push.stomp?.reset()")  # a real cut ends what is open
    for number in range(20):
        author.say(number)
    page.context.set_offline(False)
    author.say("after", times=5)
    heard = page.evaluate(WAIT_FOR, 26)
    assert "recovered false" not in heard
    offsets = [each[0] for each in heard if isinstance(each, list)]
    assert offsets == list(range(2, 27))


def test_refused(page: Page, site: SiteProcess) -> None:
    """A page hears why it may not join, and goes on."""
    page.goto(site.url + ROOMS)
    page.evaluate("thywill.application.ready()")
    code = "(name) => thywill.channel(name).joined.catch((error) => error.code)"
    assert page.evaluate(code, "room:secret") == "not-allowed"
    assert page.evaluate(code, "nowhere:a") == "unknown-channel"
    assert page.evaluate(code, "live:closed") == "closed"
    assert page.evaluate("thywill.state") == "live"


def test_roll_back_is_never_seen(page: Page, site: SiteProcess) -> None:
    """A publish that was rolled back is not heard; the one after it has the next offset."""
    author = Author(site.url, "rolled-back")
    page.goto(site.url + ROOMS)
    page.evaluate(JOIN, "room:rolled-back")
    author.say("kept", command="take_back")
    assert page.evaluate(WAIT_FOR, 1) == [[1, {"text": "kept"}, False]]


def test_between_page_and_subscription(page: Page, site: SiteProcess) -> None:
    """What is published after the page was made and before it listens arrives."""
    author = Author(site.url, "between")
    author.say("before")
    author.page.post("send", message=["room:between"], command="begin_in")

    def publish_first(route: Route) -> None:
        author.say("between")
        route.continue_()

    page.route("**/thywill/channels.js", publish_first)
    page.goto(site.url + ROOMS)
    page.evaluate(JOIN, "room:between")
    texts = [data["text"] for _, data, _ in page.evaluate(WAIT_FOR, 2)]
    assert texts == ["before", "between"]
    author.page.post("send", message=[], command="begin_in")


def test_between_answer_and_subscription(page: Page, site: SiteProcess) -> None:
    """What is published while the page has a ticket and does not listen yet arrives."""
    author = Author(site.url, "answered")
    answers = []

    def publish_after(route: Route) -> None:
        answer = route.fetch()
        answers.append(answer)
        if len(answers) == 1:
            author.say("between")
        route.fulfill(response=answer)

    page.goto(site.url + ROOMS)
    page.evaluate("thywill.application.ready()")
    page.route("**/thywill/channel/", publish_after)
    page.evaluate(JOIN, "room:answered")
    texts = [data["text"] for _, data, _ in page.evaluate(WAIT_FOR, 1)]
    assert texts == ["between"]


def test_snapshot_again_after_a_hole(page: Page, orbited_site: SiteProcess) -> None:
    """A page that was away for longer than the history lasts begins anew from the snapshot.

    Push in memory keeps the messages for the page itself, so there it has no hole.
    """
    site = orbited_site
    author = Author(site.url, "holes")
    author.say(times=5, command="add")
    page.goto(site.url + ROOMS)
    page.evaluate(JOIN, "short:holes")
    assert page.evaluate(WAIT_FOR, 1) == [{"total": 5}]
    author.say(times=2, command="add")
    assert page.evaluate(WAIT_FOR, 2) == [[2, 2, False]]
    page.context.set_offline(True)
    page.evaluate("thywill.push.stomp?.reset()")
    for _ in range(20):
        author.say(command="add")
    page.context.set_offline(False)
    heard = page.evaluate(WAIT_FOR, 22)
    assert heard[:2] == ["recovered false", {"total": 27}]
    author.say(command="add")
    # Live or replayed: it may have been published before the page listened again.
    assert page.evaluate(WAIT_FOR, 23)[-1][:2] == [23, 1]


PUBLISH = """
import sys, django
django.setup()
from thywill_server.application import publish
print("ready", flush=True)
sys.stdin.readline()
for number in range(100):
    publish("room:outside", "said", f"{sys.argv[1]} {number}")
"""


def test_several_processes_publish(page: Page, orbited_site: SiteProcess, tmp_path: Path) -> None:
    """Two processes that are no part of the site publish at once: all of it, once, in order."""
    settings = write_settings(
        tmp_path,
        "from tests.support.site_settings import *\n"
        f'THYWILL["push"]["stomp_port"] = {orbited_site.stomp_port}',
    )
    page.goto(orbited_site.url + ROOMS)
    page.evaluate(JOIN, "room:outside")
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", PUBLISH, name],
            cwd=ROOT,
            env=environment(orbited_site.home, **settings),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in "ab"
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    heard = page.evaluate(WAIT_FOR, 200)
    for process in processes:
        process.communicate(timeout=60)
        assert process.returncode == 0
    assert [offset for offset, *_ in heard] == list(range(1, 201))
    for name in "ab":
        own = [text.split()[1] for _, text, _ in heard if text.startswith(name)]
        assert own == [str(number) for number in range(100)]
    assert any(not is_replayed for *_, is_replayed in heard)


def test_orbited_dies_twice(page: Page, two_processes: TwoProcesses) -> None:
    """Orbited is killed and started again, its broker with it: all messages, once, in order."""
    two_processes.start_orbited()
    two_processes.start_django()
    url = f"http://127.0.0.1:{two_processes.port}"
    author = Author(url, "killed")
    page.goto(url + ROOMS)
    page.evaluate(JOIN, "room:killed")
    for _ in range(2):
        author.say(times=10)
        two_processes.kill(two_processes.orbited)
        author.say(times=10)
        two_processes.start_orbited()
        author.say(times=10)
    heard = page.evaluate(WAIT_FOR, 60)
    assert "recovered false" not in heard
    offsets = [each[0] for each in heard if isinstance(each, list)]
    assert offsets == list(range(1, 61))


@pytest.fixture
def two_processes(tmp_path: Any) -> Iterator[TwoProcesses]:
    """Django with the rooms, and Orbited, not started."""
    both = TwoProcesses(tmp_path, "from tests.support.site_settings import *")
    yield both
    both.end()


def test_channel_tickets_are_renewed(page: Page, tmp_path: Path) -> None:
    """A page outlives its channel's ticket, and goes on hearing the channel."""
    source = (
        "from tests.support.site_settings import *\n"
        f'THYWILL["push"]["ticket_seconds"] = {TICKET_SECONDS}\n'
        'THYWILL["push"]["orbited_url"] = "/orbited/"'
    )
    with SiteProcess(tmp_path, "--no-reload", **write_settings(tmp_path, source)) as site:
        author = Author(site.url, "renewed")
        page.add_init_script(RENEW_EARLY)
        page.goto(site.url + ROOMS)
        page.evaluate(JOIN, "room:renewed")
        over = time.monotonic() + TICKET_SECONDS + 1
        renewals = 0
        while time.monotonic() < over:
            with page.expect_response("**/thywill/channel/") as renewal:
                pass
            assert renewal.value.json()["expires_in"] == TICKET_SECONDS
            renewals += 1
        assert renewals > 1
        author.say()
        assert page.evaluate(WAIT_FOR, 1) == said(range(1, 2), is_replayed=False)
        assert page.evaluate("room.state") == "joined"
