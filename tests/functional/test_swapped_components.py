"""Each component swapped for another one, by settings alone: the echo and a chat room go on.

The same two tests run on the project's own choice of components and on each other one.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from tests.support.database_site import database_settings
from tests.support.site_process import ROOT, SiteProcess, environment, write_settings
from tests.support.visitor import Visitor

pytestmark = pytest.mark.functional

ECHO, ROOMS = "/thywill/init/proof_of_concept/", "/thywill/init/rooms/"
TEXT = "héllo 👋"

PROJECT = "from tests.support.site_settings import INSTALLED_APPS, THYWILL\n"

REMOTE = """
ROOM = {"may_join": "everybody", "history": 200}
THYWILL["application"] = {
    "component": "thywill_server.application.remote_stomp.RemoteStomp",
    "applications": {
        "proof_of_concept": {"title": "Echo"},
        "rooms": {"title": "Rooms", "channels": {"room:{room}": ROOM}},
    },
}
"""
SWAPPED = {
    "the project's own": "",
    "application: remote_stomp": REMOTE,
    "client_interface: another": """
THYWILL["client_interface"] = {"component": "tests.support.another_interface.AnotherSite"}
""",
    "database: mysql": "mariadb",
    "database: postgresql": "postgresql",
    "log: logfile": """
THYWILL["log"] = {
    "component": "thywill_server.log.logfile.Logfile", "path": HOME / "site.log", "format": "json"
}
LOGGING = logging_config(THYWILL)
""",
    "push: in_memory": """
THYWILL["push"] = {"component": "thywill_server.push.in_memory.InMemory"}
""",
}

Seen = Callable[[SiteProcess, Visitor], bool]
SEEN: dict[str, Seen] = {
    "client_interface: another": lambda site, page: page.page.parameters["interface"] == "another",
    "log: logfile": lambda site, page: (site.home / "site.log").stat().st_size > 0,
    "push: in_memory": lambda site, page: page.page.push["component"] == "in_memory",
    "database: mysql": lambda site, page: not (site.home / "thywill.sqlite3").exists(),
    "database: postgresql": lambda site, page: not (site.home / "thywill.sqlite3").exists(),
}
"""What shows that it is really the other one that works; the program of ``REMOTE`` shows itself."""


@pytest.fixture(scope="module", params=SWAPPED)
def site(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SiteProcess]:
    """A running site with one component that is another."""
    swapped: str = SWAPPED[request.param]
    if request.param.startswith("database"):
        swapped = database_settings(request.getfixturevalue(swapped))
    home = tmp_path_factory.mktemp("home")
    variant = write_settings(home, PROJECT + swapped)
    with SiteProcess(home, "--no-reload", **variant) as running:
        if swapped is not REMOTE:
            yield running
            return
        module = "tests.support.remote_echo_and_rooms"
        program = subprocess.Popen(
            [sys.executable, "-m", module, str(running.stomp_port), str(home / "ticket.key")],
            cwd=ROOT,
            env=environment(home),
            stdout=subprocess.PIPE,
            text=True,
        )
        with program:
            assert program.stdout is not None
            assert program.stdout.readline() == "ready\n"
            yield running
            program.kill()


def test_the_echo(site: SiteProcess, request: pytest.FixtureRequest) -> None:
    """What a page sends comes back to it, and to nobody else."""
    with Visitor(site.url, ECHO, "", "websocket") as page:
        page.wait_for(lambda: page.connections == 1, "connecting")
        assert page.page.post("send", message=TEXT, id="1").status == 200
        page.wait_for(lambda: page.own == [TEXT], "the echo")
        swapped = request.node.callspec.params["site"]
        assert SEEN.get(swapped, lambda *_: True)(site, page)


def test_a_room(site: SiteProcess) -> None:
    """What one page says in a room all hear in order, and who comes later reads it."""
    with (
        Visitor(site.url, ROOMS, "room:a", "websocket") as one,
        Visitor(site.url, ROOMS, "room:a", "longpoll") as two,
    ):
        for page in (one, two):
            page.wait_for(lambda page=page: page.channel.state == "joined", "joining")
        for number in range(5):
            message = {"room": "a", "text": f"{TEXT} {number}"}
            assert one.page.post("send", command="say", message=message).status == 200
        for page in (one, two):
            page.wait_for(lambda page=page: page.offset == 5, "hearing")
    with Visitor(site.url, ROOMS, "room:a", "websocket") as three:
        three.wait_for(lambda: three.channel.state == "joined", "joining late")
    for page in (one, two, three):
        heard = [(each.offset, each.data["text"]) for each in page.received]
        assert heard == [(number + 1, f"{TEXT} {number}") for number in range(5)]


def test_a_channel_that_is_none(site: SiteProcess) -> None:
    """A channel that the application does not have is refused, with its code."""
    refused = site.open_page(ROOMS).post("channel", channel="cellar:x")
    assert (refused.status, refused.json["code"]) == (404, "unknown-channel")
