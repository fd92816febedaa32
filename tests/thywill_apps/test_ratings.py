"""The ratings without a broker: the model, its clients, what goes in and out, what is kept."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from pytest_django import Settings
from traits.api import TraitError
from twisted.internet.task import Clock

from tests.support.documentation import ROOT
from tests.support.page import thywill
from thywill_apps.ratings import bounds as ratings_bounds
from thywill_apps.ratings.bounds import Bounds
from thywill_apps.ratings.destinations import CHANNEL_CONTROL, CHANNEL_IN, CHANNEL_OUT
from thywill_apps.ratings.model import RatedTalk
from thywill_apps.ratings.picture import mean_lines
from thywill_apps.ratings.saving import Busy, SavedState
from thywill_apps.ratings.traits_web import TraitsWeb
from thywill_server import testing
from thywill_server.application import Broker

BROKER = Broker("127.0.0.1", 1, "site", lambda: "a ticket", "/")


class Web(TraitsWeb):
    """The process, with lists in place of a broker."""

    def __init__(self, path: Path, clock: Clock, **bounds: Any) -> None:
        self.time = clock
        self.sent: list[tuple[str, Any, dict[str, str]]] = []
        self.acknowledged: list[Any] = []
        self.subscribed: list[str] = []
        super().__init__(BROKER, SavedState(path), Bounds(**bounds), clock, clock.seconds)

    def send(self, destination: str, message: Any, /, **headers: Any) -> Any:
        """Keep it."""
        self.sent.append((destination, json.loads(message), headers))

    def subscribe(self, destination: str, /, **headers: Any) -> Any:
        """Keep it."""
        self.subscribed.append(destination)

    def ack(self, msg: Any, /, **headers: Any) -> Any:
        """Keep it."""
        self.acknowledged.append(msg)

    def connect(self) -> Web:
        """Have a connection begin."""
        self.recv_connected({"cmd": "CONNECTED", "headers": {}, "body": ""})
        return self

    def take(self, destination: str, request: Any, **headers: Any) -> None:
        """Hand over a message of the site."""
        told = {"destination": destination, **headers}
        self.recv_message({"cmd": "MESSAGE", "headers": told, "body": json.dumps(request)})

    def ask(self, page: str, command: str, message: Any, message_id: str = "1", **card: Any) -> Any:
        """Ask in a page's name; gives the reply."""
        self.take(
            CHANNEL_IN,
            {
                "kind": "message",
                "id": message_id,
                "command": command,
                "message": message,
                "client": {"uuid": page, "session": "s", "user": None, "username": None, **card},
            },
            **{"reply-to": "/topic/replies", "correlation-id": "c"},
        )
        destination, reply, headers = self.sent.pop()
        assert (destination, headers) == ("/topic/replies", {"correlation-id": "c"})
        return reply

    def hello(self, page: str, rating: int | None = None, **more: Any) -> Any:
        """Say hello in a page's name; gives all that it is told."""
        card = {name: more.pop(name) for name in ("session", "username") if name in more}
        reply = self.ask(page, "hello", {"rating": rating, **more}, **card)
        assert reply["status"] == "ok", reply
        return reply["reply"]

    def published(self) -> list[tuple[str, Any]]:
        """The traits and values that have gone out, after the pause between two publications."""
        self.time.advance(0.2)
        found = [
            (told["trait"], told["value"])
            for destination, told, headers in self.sent
            if destination == CHANNEL_OUT and headers["event"] == "trait_change"
        ]
        self.sent.clear()
        return found


@pytest.fixture
def clock() -> Clock:
    """Some time."""
    clock = Clock()
    clock.advance(1000)
    return clock


@pytest.fixture
def web(tmp_path: Path, clock: Clock) -> Iterator[Web]:
    """The process, connected, with little room."""
    bounds = {"max_clients": 3, "messages_kept": 3, "messages_a_minute": 4, "changes_a_second": 2}
    web = Web(tmp_path / "ratings.json", clock, **bounds).connect()
    web.sent.clear()
    yield web
    web.saved.close()


def test_the_model_reacts() -> None:
    """Mean and distribution follow the ratings, and whoever observes them is told."""
    now = [100.0]
    talk = RatedTalk(lambda: now[0], points_kept=2)
    means: list[float] = []
    talk.observe(lambda event: means.append(event.new), "mean")
    talk.rate("a", 5)
    talk.rate("b", 2)
    talk.rate("b", 2)
    assert means == [5.0, 3.5]
    assert talk.distribution == [0, 1, 0, 0, 1]
    assert talk.points == [(100, 3.5, 2)]
    for second in (101, 102):
        now[0] = second
        talk.rate("a", 6 - (second - 100))
    assert [point[0] for point in talk.points] == [100, 102][-2:]
    talk.rate("a", None)
    talk.rate("b", None)
    assert (talk.mean, talk.points[-1]) == (0.0, (102, 0.0, 0))
    for wrong in (0, 6, 2.5, "3"):
        with pytest.raises(TraitError):
            talk.rate("a", wrong)  # type: ignore[arg-type]


def test_the_mean_stays_until_it_changes() -> None:
    """Chaco draws steps, and nothing while nobody rates, as the page does."""
    points = [(100, 4.0, 1), (103, 2.5, 2), (107, 0.0, 0), (109, 5.0, 1)]
    assert mean_lines(points) == [
        [(-9.0, 4.0), (-6.0, 4.0), (-6.0, 2.5), (-2.0, 2.5)],
        [(0.0, 5.0)],
    ]
    assert mean_lines([]) == mean_lines([(100, 0.0, 0)]) == []


def test_messages_are_bounded_and_not_repeated() -> None:
    """The oldest leave the model; one that comes again, after a restart, is not added again."""
    talk = RatedTalk(lambda: 1.0, messages_kept=2)
    added: list[str] = []
    talk.observe(lambda event: added.append(event.new["text"]), "message_added")
    for number in (1, 2, 2, 3, 1):
        talk.add_message("ann", str(number), str(number))
    assert added == ["1", "2", "3"]
    assert [each["text"] for each in talk.messages] == ["2", "3"]
    again = RatedTalk(lambda: 1.0, messages=list(talk.messages))
    assert not again.add_message("ann", "3", "3")


def test_trait_changes_go_both_ways(web: Web) -> None:
    """What a page sets changes the model, and what changes in the model goes to every page."""
    assert web.subscribed == [CHANNEL_CONTROL, CHANNEL_IN]
    told = web.hello("p1", username="ann")
    assert told["own"] == {"name": "ann", "rating": None}
    assert web.published() == [("clients", 1)]
    said = {"trait": "entry_field", "value": "  well\n done "}
    web.ask("p1", "trait_change", said)
    web.ask("p1", "trait_change", {"trait": "rating_selector", "value": 4})
    (message, ratings) = web.published()
    assert message[0] == "messages"
    assert message[1] == {"id": "p1:1", "by": "ann", "text": "well done", "at": 1000.2}
    ratings_now = {"mean": 4.0, "count": 1, "distribution": [0, 0, 0, 1, 0]}
    assert ratings == ("ratings", {**ratings_now, "point": [1000, 4.0, 1]})
    web.model.topic = "Changed in the window"
    assert web.published() == [("topic", "Changed in the window")]


def test_changes_go_together(web: Web) -> None:
    """However many ratings change at once, pages are told once, of all."""
    for page in ("p1", "p2", "p3"):
        web.hello(page, 3)
    assert [trait for trait, _ in web.published()] == ["clients", "ratings"]


def test_what_is_told_is_numbered(web: Web) -> None:
    """A page sees from the number what it has missed, and from the epoch that all is new."""
    first = web.hello("p1", 3)
    web.time.advance(1.0)
    (*_, (_, alive, headers)) = web.sent
    assert headers["event"] == "alive"
    assert (alive["epoch"], alive["number"]) == (first["epoch"], first["number"] + 2)
    web.connect()
    again = web.hello("p1", 3)
    assert again["epoch"] != first["epoch"]
    assert again["number"] == 0


@pytest.mark.parametrize(
    ("command", "message", "code", "sentence"),
    [
        ("dance", {}, "unknown-command", "no command 'dance'"),
        ("hello", [], "invalid-message", "Expected an object"),
        ("hello", {"rating": 9}, "invalid-message", "whole number of 1 to 5"),
        ("trait_change", {"trait": "topic", "value": "x"}, "invalid-message", "no trait 'topic'"),
        ("trait_change", {"trait": "rating_selector", "value": True}, "invalid-message", "whole"),
        ("trait_change", {"trait": "rating_selector", "value": [1]}, "invalid-message", "whole"),
        ("trait_change", {"trait": "entry_field", "value": 3}, "invalid-message", "is text"),
        ("trait_change", {"trait": "entry_field", "value": " \x00"}, "invalid-message", "nothing"),
        ("trait_change", {"trait": "entry_field", "value": "x" * 501}, "invalid-message", "500"),
    ],
)
def test_what_is_refused(web: Web, command: str, message: Any, code: str, sentence: str) -> None:
    """It gets a code and a sentence; the model is as before."""
    web.hello("p1", 2)
    reply = web.ask("p1", command, message)
    assert (reply["status"], reply["code"]) == ("error", code)
    assert sentence in reply["message"]
    assert (web.model.mean, web.model.topic, web.model.messages) == (2.0, "This talk", [])


def test_pages_are_bounded(web: Web) -> None:
    """So many take part, and each so often; the others are told to wait, and may come later."""
    for page in ("p1", "p2", "p3"):
        web.hello(page)
    assert web.ask("p4", "hello", {})["code"] == "too-many-clients"
    web.take(CHANNEL_CONTROL, {"kind": "disconnected", "client": {"uuid": "p1"}})
    web.hello("p4")
    for value, status in ((1, "ok"), (2, "ok"), (3, "error")):
        change = {"trait": "rating_selector", "value": value}
        reply = web.ask("p4", "trait_change", change)
        assert reply["status"] == status
    assert (reply["code"], reply["http_status"]) == ("too-many-requests", 429)
    web.time.advance(1)
    assert web.ask("p4", "trait_change", change)["status"] == "ok"
    replies = [
        web.ask("p4", "trait_change", {"trait": "entry_field", "value": "x"}, str(number))
        for number in range(5)
    ]
    assert [reply["status"] for reply in replies] == ["ok"] * 4 + ["error"]
    assert len(web.model.messages) == 3


def test_all_pages_together_are_bounded(tmp_path: Path, clock: Clock) -> None:
    """What many say at once is refused beyond a bound, so that nobody's page drowns."""
    web = Web(tmp_path / "ratings.json", clock, messages_a_second=3).connect()
    said = {"trait": "entry_field", "value": "x"}
    replies = [web.ask(f"p{number}", "trait_change", said)["status"] for number in range(4)]
    assert replies == ["ok", "ok", "ok", "error"]
    clock.advance(1)
    assert web.ask("p3", "trait_change", said)["status"] == "ok"
    web.saved.close()


def test_who_comes_and_goes(web: Web) -> None:
    """A page that has gone rates no more; one that was loaded again keeps its name and rating."""
    card = {"uuid": "p1", "session": "s1", "user": None, "username": None}
    web.take(CHANNEL_CONTROL, {"kind": "connected", "client": card})
    name = web.hello("p1", 5, session="s1")["own"]["name"]
    assert name == "Guest 1"
    reloaded = web.hello("p1 again", 5, session="s1", before="p1")
    assert reloaded["own"] == {"name": name, "rating": 5}
    assert set(web.handlers) == {"p1 again"}
    stranger = web.hello("p2", 1, session="s2", before="p1 again")  # which is not its to replace
    assert (stranger["own"]["name"], set(web.handlers)) == ("Guest 2", {"p1 again", "p2"})
    web.take(CHANNEL_CONTROL, {"kind": "disconnected", "client": {**card, "uuid": "p2"}})
    assert web.model.connection_ratings == {"p1 again": 5}


def test_nothing_that_pages_saw_is_lost(web: Web, tmp_path: Path, clock: Clock) -> None:
    """A process that is killed comes back with messages, ratings, points and names.

    Ratings of pages that do not come back count for a while, and then no more.
    """
    web.hello("p1", 5)
    web.hello("p2", 2)
    web.ask("p1", "trait_change", {"trait": "entry_field", "value": "before"})
    web.model.topic = "Kept"
    told = [web.published(), web.hello("p1", 5)][1]
    web.saved.close()  # as the system does for a process that is no more
    again = Web(tmp_path / "ratings.json", clock).connect()
    seen = again.hello("p1", 5)
    for name in ("topic", "messages", "ratings", "points", "own", "clients"):
        assert seen[name] == told[name], name
    said = {"trait": "entry_field", "value": "before"}
    assert again.ask("p1", "trait_change", said)["status"] == "ok"  # its reply was lost, then
    assert [each["text"] for each in again.model.messages] == ["before"]
    clock.advance(29)
    assert again.model.mean == 3.5
    clock.advance(2)
    assert (again.model.mean, set(again.handlers)) == (5.0, {"p1"})
    again.saved.close()


def test_messages_that_nobody_waits_for(web: Web) -> None:
    """What has expired is not done, and what cannot be read ends nothing; both are acknowledged."""
    before = len(web.acknowledged)
    web.take(CHANNEL_IN, {"kind": "message"}, expires="999999")
    web.recv_message({"cmd": "MESSAGE", "headers": {"destination": CHANNEL_IN}, "body": "{"})
    assert len(web.acknowledged) == before + 2
    assert web.handlers == {}


def test_a_file_belongs_to_one_process(tmp_path: Path, caplog: Any) -> None:
    """A second one is refused; a file that cannot be read is kept aside, and the talk begins."""
    path = tmp_path / "folder" / "ratings.json"
    first = SavedState(path)
    with pytest.raises(Busy):
        SavedState(path)
    first.close()
    path.write_text("{half")
    state = SavedState(path)
    assert state.load() == {}
    assert path.with_suffix(".unreadable").read_text() == "{half"
    assert "cannot be read" in caplog.text
    state.close()


# On the site.


@pytest.fixture
def site(settings: Settings) -> None:
    """A site with the ratings, and push in memory."""
    application = {"packages": ["thywill_apps.ratings"], "default": "ratings"}
    settings.THYWILL = thywill(application=application)


@pytest.mark.usefixtures("site", "db")
def test_a_site_without_a_broker_says_so(client: Any) -> None:
    """The page is served and says why it does not come alive; what it sends is refused at once."""
    html = client.get("/thywill/init/ratings/").content.decode()
    assert "this site pushes in memory" in html
    with testing.open("ratings") as page, pytest.raises(testing.Refused) as refused:
        page.call("hello", rating=None)
    assert refused.value.code == "application-unavailable"


@pytest.mark.usefixtures("site", "db")
def test_the_command_without_a_broker() -> None:
    """One sentence."""
    with pytest.raises(ImproperlyConfigured, match="has no broker"):
        call_command("ratings")


@pytest.mark.usefixtures("db")
def test_the_command_at_a_broker_without_pages(settings: Settings) -> None:
    """Where applications have a broker of their own, pages would hear nothing: it is refused."""
    application = {
        "component": "thywill_server.application.remote_stomp.RemoteStomp",
        "applications": {"ratings": {}},
        "stomp_host": "127.0.0.1",
    }
    settings.THYWILL = {**thywill(), "application": application}
    with pytest.raises(CommandError, match="pages are at"):
        call_command("ratings")


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"max_clint": 1}, "expected one of max_clients"),
        ({"max_clients": 0}, "expected a whole number above 0: 0"),
        ({"alive_seconds": "1"}, "expected a number above 0: '1'"),
    ],
)
def test_wrong_bounds_are_one_sentence(
    given: dict[str, Any], sentence: str, settings: Settings
) -> None:
    """They are named as settings.py writes them."""
    settings.RATINGS = given
    ratings_bounds.bounds.cache_clear()
    with pytest.raises(ImproperlyConfigured, match=sentence):
        ratings_bounds.bounds()
    ratings_bounds.bounds.cache_clear()


# What the how-to shows.


def block(mark: str) -> str:
    """The code block of the page that holds some text."""
    page = (ROOT / "documentation" / "how-to" / "ratings.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```\w*\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    return next(block for block in blocks if mark in block)


def test_the_program_of_the_how_to(capsys: pytest.CaptureFixture[str]) -> None:
    """It prints what the page shows."""
    exec(block("# waves.py"), {})
    assert capsys.readouterr().out == block("mean 5.00\n")


def test_the_bounds_of_the_how_to() -> None:
    """All of them, with their defaults."""
    told: dict[str, Any] = {}
    exec(block("RATINGS = {"), told)
    assert told["RATINGS"] == asdict(Bounds())
