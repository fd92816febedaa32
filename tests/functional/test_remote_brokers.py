"""The component `remote_stomp` and the program of the how-to, over MorbidQ and over RabbitMQ."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.how_to_hall import Hall
from tests.support.rabbitmq import ServerMissing, rabbitmq
from tests.support.remote_component import ComponentProcess
from tests.support.stomp_line import morbid_process
from tests.support.stomp_page import StompPage
from thywill_server.push.orbited_stomp.tickets import issue_ticket

pytestmark = pytest.mark.functional

OUTGOING = "/queue/thywill.outgoing"


@pytest.fixture(scope="module", params=["morbid", "rabbitmq"])
def port(request: pytest.FixtureRequest) -> Iterator[int]:
    """A broker's."""
    if request.param == "morbid":
        with morbid_process() as port:
            yield port
        return
    try:
        with rabbitmq() as server:
            yield server.stomp_port
    except ServerMissing as missing:
        pytest.skip(str(missing))


def component(port: int, **more: object) -> ComponentProcess:
    """One process of the site."""
    return ComponentProcess(
        {
            "applications": {"hall": {}},
            "stomp_host": "127.0.0.1",
            "stomp_port": port,
            "stomp_login": "guest",
            "stomp_passcode": "guest",
            **more,
        }
    )


def test_each_process_gets_its_own_replies(port: int, tmp_path: Path) -> None:
    """Two processes ask at the same time; the application is away, and killed once meanwhile."""
    with component(port) as first, component(port) as second:
        for number in range(20):
            first.ask(f"first-{number:02}", "nothing", number)
        with Hall(tmp_path, port) as hall:
            expected = [["refused", f"first-{n:02}", "unknown-command", 400] for n in range(20)]
            assert first.read_all(20) == expected
            hall.kill()
        for number in range(20):
            first.ask(f"first-{number:02}", "fail", None)
            second.ask(f"second-{number:02}", "nothing", None)
        with Hall(tmp_path, port):
            failed = "it says: KeyError('not for browsers')"
            assert first.read_all(20) == [["failed", f"first-{n:02}", failed] for n in range(20)]
            refused = [["refused", f"second-{n:02}", "unknown-command", 400] for n in range(20)]
            assert second.read_all(20) == refused


def test_nothing_is_done_twice(port: int, tmp_path: Path) -> None:
    """A message in whose middle the program died runs out of time, and so does one too late.

    What was queued behind it is answered by the next program.
    """
    hasty, patient = {"reply_timeout_seconds": 4}, {"reply_timeout_seconds": 60}
    with component(port, **hasty) as site, component(port, **patient) as other:
        with Hall(tmp_path, port) as hall:
            site.ask("u-1", "die", None)
            for number in range(5):
                other.ask(f"u-{number + 5}", "nothing", None)
            hall.wait()
        assert site.read() == ["refused", "u-1", "application-timeout", 504]
        site.ask("u-2", "die", None)
        assert site.read() == ["refused", "u-2", "application-timeout", 504]
        with Hall(tmp_path, port):  # which would die once more
            refused = [["refused", f"u-{n + 5}", "unknown-command", 400] for n in range(5)]
            assert other.read_all(5) == refused
            site.ask("u-3", "nothing", None)
            assert site.read() == ["refused", "u-3", "unknown-command", 400]


def test_any_program_sends(port: int) -> None:
    """What is put into the outgoing queue is sent by the site, in order, and bad input is told."""
    with component(port) as site, StompPage(port, "guest", "guest") as program:
        program.subscribe("/topic/answers")
        headers = {"destination": OUTGOING, "reply-to": "/topic/answers"}
        for number in range(50):
            told = {"client": "u-1", "message": str(number)}
            program.send("SEND", {"destination": OUTGOING}, json.dumps(told).encode())
        bad = {"client": "u-1", "channel": "x", "event": "y"}
        program.send("SEND", {**headers, "correlation-id": "7"}, json.dumps(bad).encode())
        program.send("SEND", {"destination": OUTGOING}, b"\xffno JSON")
        last = json.dumps({"client": "u-1", "message": "last"}).encode()
        program.send("SEND", {**headers, "correlation-id": "8"}, last)
        expected = [["pushed", "to u-1", text] for text in [*map(str, range(50)), "last"]]
        assert [site.read() for _ in range(51)] == expected
        answers = [program.receive(), program.receive()]
        assert [answer.headers["correlation-id"] for answer in answers] == ["7", "8"]
        assert [json.loads(answer.body) for answer in answers] == [
            {
                "status": "error",
                "code": "malformed-message",
                "message": "expected one of channel, client, user, everybody, got channel, client",
            },
            {"status": "ok"},
        ]


@pytest.mark.parametrize("port", ["rabbitmq"], indirect=True)
def test_rabbitmq_lets_no_page_in(port: int) -> None:
    """It takes no tickets, as the documentation says: browsers need MorbidQ."""
    page = "6e1a4d1e-0c9f-4c55-8a43-5f0a3f0f5d1c"
    ticket = issue_ticket(b"k" * 32, subject=page, seconds=60)
    with StompPage(port, page, ticket) as refused:
        assert refused.answer.command == "ERROR"
        assert f"Access refused for user '{page}'".encode() in refused.answer.body
