"""A whole site whose application is another process, its log in a file, and other programs."""

import json
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.support.comet_page import StompConnection
from tests.support.how_to_hall import Hall, block
from tests.support.site_process import HttpPage, SiteProcess, write_settings
from tests.support.stomp_page import StompPage
from thywill_server.push.orbited_stomp.ticket_key import load_ticket_key
from thywill_server.push.orbited_stomp.tickets import SITE_SUBJECT, issue_ticket

pytestmark = pytest.mark.functional

OUTGOING = "/queue/thywill.outgoing"
ROOM = "/topic/thywill.channel.hall.room_3Amain"
NEWS = "/topic/thywill.channel.hall.news"

SETTINGS = """
import settings as project
THYWILL = {**project.THYWILL}
%s
THYWILL["application"]["applications"]["hall"]["channels"]["news"] = {"may_join": "everybody"}
THYWILL["application"]["applications"]["hall"]["events"] = True
THYWILL["client_interface"]["disconnect_grace_seconds"] = 0.1
THYWILL["log"] = {
    "component": "thywill_server.log.logfile.Logfile",
    "path": HOME / "site.log",
    "format": "json",
    "level": "DEBUG",
}
LOGGING = logging_config(THYWILL)
"""


class Running(NamedTuple):
    """A site, and where it keeps what it writes."""

    site: SiteProcess
    home: Path

    def hall(self) -> Hall:
        """The program of the how-to."""
        return Hall(self.home, self.site.stomp_port, self.home / "ticket.key")

    def program(self) -> StompPage:
        """Another program, with the site's own login."""
        key = load_ticket_key(self.home / "ticket.key", {})
        ticket = issue_ticket(key, subject=SITE_SUBJECT, role="site", seconds=60)
        program = StompPage(self.site.stomp_port, SITE_SUBJECT, ticket)
        assert program.answer.command == "CONNECTED", program.answer
        return program

    def log(self) -> list[dict[str, Any]]:
        """The lines of the log file."""
        return [json.loads(line) for line in (self.home / "site.log").read_text().splitlines()]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The site with the settings of the how-to; the program is each test's."""
    home = tmp_path_factory.mktemp("home")
    variant = write_settings(home, SETTINGS % block("settings.py"))
    with SiteProcess(home, **variant) as site:
        yield Running(site, home)


def join(page: HttpPage, connection: StompConnection, channel: str) -> dict[str, Any]:
    """Join a channel as the page's script does; gives the answer."""
    answer: dict[str, Any] = page.post("channel", channel=channel).json
    assert answer["status"] == "ok", answer
    confirmed = connection.subscribe(answer["destination"], ticket=answer["ticket"])
    assert confirmed.command == "RECEIPT"
    return answer


def say(page: HttpPage, text: str) -> dict[str, Any]:
    """Send the command ``say``; gives the answer."""
    answer: dict[str, Any] = page.post("send", command="say", message={"text": text}).json
    return answer


def test_a_page_talks_to_the_program(running: Running) -> None:
    """It joins a channel, gets replies, and hears what the program publishes, with offsets.

    While the program is killed and started again, a message waits for it and is answered once.
    """
    page = HttpPage(running.site.url)
    connection = page.listen("websocket")
    answers: list[dict[str, Any]] = []
    with running.hall() as hall:
        offset = join(page, connection, "room:main")["offset"]
        assert page.post("channel", channel="room:closed").json["code"] == "not-allowed"
        assert page.post("channel", channel="cellar:main").json["code"] == "unknown-channel"
        assert say(page, "héllo")["reply"] == 5
        hall.kill()
        waiting = threading.Thread(target=lambda: answers.append(say(page, "later")))
        waiting.start()
    with running.hall():
        waiting.join()
        assert [answer["reply"] for answer in answers] == [5]
        assert say(page, "last")["reply"] == 4
        for number, text in enumerate(["héllo", "later", "last"], start=1):
            frame = connection.receive()
            assert json.loads(frame.body) == {"text": text}
            assert frame.headers["offset"] == str(offset + number)
    connection.close()


def test_a_failure_has_its_ids_in_the_log(running: Running) -> None:
    """The page reads a code only; the log has the failure with request, client and message."""
    page = HttpPage(running.site.url)
    with running.hall():
        answer = page.post("send", id="failing-1", command="fail", message=None)
    assert (answer.status, answer.json["code"]) == (500, "application-failed")
    (line,) = [
        line
        for line in running.log()
        if line.get("message_id") == "failing-1" and line["level"] == "ERROR"
    ]
    assert "KeyError('not for browsers')" in line["traceback"]
    assert line["client"] == page.uuid
    assert re.fullmatch("[0-9a-f]{8}", line["request"])


def test_the_log_has_everybody_once_and_no_secrets(running: Running) -> None:
    """Twisted's records are there, each once; tickets, tokens and cookies are not, at DEBUG too."""
    page = HttpPage(running.site.url)
    connection = page.listen("websocket")
    connection.close()
    lines = running.log()
    starting = [line for line in lines if line["logger"] == "twisted"]
    assert starting
    shown = [(line["time"], line["message"], line["thread"]) for line in starting]
    assert len(shown) == len(set(shown))
    text = (running.home / "site.log").read_text()
    secrets = [page.push["ticket"], page.parameters["client_token"], page.parameters["csrf_token"]]
    secrets += [cookie.value for cookie in page._cookies]
    assert not [secret for secret in secrets if secret in text]


def test_other_programs_publish(running: Running) -> None:
    """The outgoing queue is ``publish``, with a history; a channel's destination is live only."""
    page = HttpPage(running.site.url)
    connection = page.listen("websocket")
    with running.hall(), running.program() as program:
        offset = join(page, connection, "room:main")["offset"]
        join(page, connection, "news")
        program.subscribe("/topic/answers")
        said = [{"channel": "room:main", "event": "said", "data": {"text": text}} for text in "ab"]
        program.send("SEND", {"destination": OUTGOING}, json.dumps(said).encode())
        for number in (1, 2):
            frame = connection.receive()
            assert frame.headers["offset"] == str(offset + number)
            assert frame.headers["event"] == "said"
        # The second one cannot be sent, so neither is.
        half = [said[0], {"channel": "cellar", "event": "said"}]
        asking = {"destination": OUTGOING, "reply-to": "/topic/answers"}
        program.send("SEND", asking, json.dumps(half).encode())
        assert json.loads(program.receive().body)["code"] == "malformed-message"
        live = {"content-type": "application/json", "event": "told", "channel": "news"}
        program.send("SEND", {"destination": NEWS, **live}, b'{"n": 1}')
        frame = connection.receive()
        assert (frame.headers["event"], frame.body) == ("told", b'{"n": 1}')
        assert "offset" not in frame.headers
        answer = page.post("channel", channel="room:main", after=None).json
        assert answer["offset"] == offset + 2
    connection.close()


def test_a_page_sends_to_no_queue(running: Running) -> None:
    """A page's ticket opens neither the outgoing queue nor that of the application."""
    page = HttpPage(running.site.url)
    for destination in (OUTGOING, "/queue/thywill.application.hall"):
        with StompPage(running.site.stomp_port, page.uuid, page.push["ticket"]) as browser:
            assert browser.answer.command == "CONNECTED"
            browser.send("SEND", {"destination": destination, "receipt": "r"}, b"{}")
            assert browser.receive().command == "ERROR"
        with StompPage(running.site.stomp_port, page.uuid, page.push["ticket"]) as browser:
            assert browser.subscribe(destination).command == "ERROR"


def test_the_application_is_told_who_comes_and_goes(running: Running) -> None:
    """Once each, without an answer; the program here is another one."""
    with running.program() as program:
        frame = program.subscribe("/queue/thywill.application.hall")
        while frame.command == "MESSAGE":  # what earlier tests have left in the queue
            frame = program.receive()
        assert frame.command == "RECEIPT"
        page = HttpPage(running.site.url)
        connection = page.listen("websocket")
        connection.send("DISCONNECT", {"receipt": "bye"})
        kinds: list[str] = []
        while len(kinds) < 2:
            frame = program.receive()
            request = json.loads(frame.body)
            if request["client"]["uuid"] == page.uuid:  # those of earlier tests may be there too
                assert "reply-to" not in frame.headers
                kinds.append(request["kind"])
        assert kinds == ["connected", "disconnected"]
        connection.close()
