"""Other processes of a site publish, and end at once: nothing of it is lost."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.comet_page import StompConnection
from tests.support.ports import free_port
from tests.support.site_process import HttpPage, SiteProcess, manage, write_settings
from tests.support.stomp_page import StompPage
from thywill_server.push.orbited_stomp.ticket_key import load_ticket_key
from thywill_server.push.orbited_stomp.tickets import SITE_SUBJECT, issue_ticket

pytestmark = pytest.mark.functional

SETTINGS = """
from tests.support.site_settings import *
THYWILL["push"] = {**THYWILL["push"], "stomp_port": %d}
THYWILL["application"]["outgoing_destination"] = "/queue/thywill.outgoing"
"""

# The children of many a task queue end like this: no clean-up of the interpreter is run.
CHILD = """
import os
from thywill_server.application import flush, publish
pid = os.fork()
if not pid:
    for number in range(100):
        publish("live:hall", "said", number)
    flush()
    os._exit(0)
assert os.waitpid(pid, 0)[1] == 0
"""

SHELL = """
from thywill_server.application import publish
for number in range(100):
    publish("live:hall", "said", number)
"""

Run = Callable[..., Any]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[SiteProcess, Run]]:
    """A site, and a function that runs another process of it."""
    home: Path = tmp_path_factory.mktemp("home")
    port = free_port()
    variant = write_settings(home, SETTINGS % port)
    with SiteProcess(home, "--stomp-port", str(port), **variant) as process:
        yield process, lambda *arguments: manage(home, *arguments, **variant)


@pytest.fixture
def page(site: tuple[SiteProcess, Run]) -> Iterator[tuple[HttpPage, StompConnection]]:
    """A page of the rooms, in two channels."""
    page = HttpPage(site[0].url, "/thywill/init/rooms/")
    connection = page.listen("websocket")
    for channel in ("live:hall", "room:hall"):
        answer = page.post("channel", channel=channel).json
        confirmed = connection.subscribe(answer["destination"], ticket=answer["ticket"])
        assert confirmed.command == "RECEIPT"
    yield page, connection
    connection.close()


def test_the_command_sends(
    site: tuple[SiteProcess, Run], page: tuple[HttpPage, StompConnection]
) -> None:
    """To a page and to a channel; what a page hears is what was written."""
    loaded, connection = page
    run = site[1]("thywill", "send", loaded.uuid, "héllo")
    assert run.returncode == 0, run.stderr
    assert run.stdout.startswith(f"Sent to client {loaded.uuid}")
    assert connection.receive().body == "héllo".encode()
    arguments = ["--channel", "room:hall", "--event", "said", "--json", '{"text": "hi"}']
    run = site[1]("thywill", "send", *arguments)
    assert run.stdout == 'Sent to the channel "room:hall" of rooms.\n'
    frame = connection.receive()
    assert (frame.headers["event"], frame.headers["offset"]) == ("said", "1")
    assert json.loads(frame.body) == {"text": "hi"}


@pytest.mark.parametrize("program", [SHELL, CHILD], ids=["a shell", "a child"])
def test_a_process_that_ends_at_once(
    site: tuple[SiteProcess, Run], page: tuple[HttpPage, StompConnection], program: str
) -> None:
    """All that it has published arrives, in order."""
    run = site[1]("shell", "-c", program)
    assert run.returncode == 0, run.stderr
    assert [int(page[1].receive().body) for _ in range(100)] == list(range(100))


def test_without_a_broker(site: tuple[SiteProcess, Run], tmp_path: Path) -> None:
    """The command fails within its time, and says what is missing and where the message is."""
    variant = write_settings(tmp_path, SETTINGS % free_port())
    home = site[0].home
    told = ["thywill", "send", "--channel", "room:away", "hi", "--timeout", "0.5"]
    run = manage(home, *told, **variant)
    assert run.returncode == 1
    assert "There is no connection to the broker at 127.0.0.1:" in run.stderr
    assert "It is in the channel's history" in run.stderr


def test_plain_stomp(site: tuple[SiteProcess, Run], page: tuple[HttpPage, StompConnection]) -> None:
    """A program with the site's login publishes as ``publish`` does, without Django."""
    key = load_ticket_key(site[0].home / "ticket.key", {})
    ticket = issue_ticket(key, subject=SITE_SUBJECT, role="site", seconds=60)
    said = {"channel": "room:hall", "event": "said", "data": "from afar"}
    with StompPage(site[0].stomp_port, SITE_SUBJECT, ticket) as program:
        outgoing = {"destination": "/queue/thywill.outgoing"}
        program.send("SEND", outgoing, json.dumps(said).encode())
        frame = page[1].receive()
    assert (frame.headers["event"], frame.body) == ("said", b'"from afar"')
    kept = page[0].post("channel", channel="room:hall", after=None).json
    assert frame.headers["offset"] == str(kept["offset"])
    assert kept["messages"][-1]["data"] == "from afar"
