"""The whiteboard on the server: who is here, what is drawn, taken back, cleared and kept."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4
from xml.etree import ElementTree

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ImproperlyConfigured
from django.test import Client as Browser
from pytest_django import Settings

from tests.support.page import thywill
from thywill_apps.commands import board, picture
from thywill_apps.commands import bounds as board_bounds
from thywill_server import testing
from thywill_server.application import ApplicationError

SVG = "{http://www.w3.org/2000/svg}"
STROKE = {"points": [100, 100, 5, -3], "ink": "blue", "width": 6}


@pytest.fixture(autouse=True)
def site(settings: Settings, db: None) -> None:
    """A site with the whiteboard, and push in memory."""
    settings.THYWILL = thywill(application={"packages": "thywill_apps", "default": "commands"})


@pytest.fixture
def bounded(settings: Settings) -> Iterator[Callable[..., None]]:
    """Sets bounds, for one test."""

    def bound(**values: Any) -> None:
        settings.WHITEBOARD = values
        board_bounds.bounds.cache_clear()

    yield bound
    board_bounds.bounds.cache_clear()


@pytest.fixture
def ada() -> Iterator[testing.VirtualBrowser]:
    """A visitor who has entered."""
    with testing.open() as page:
        assert page.send({"enter": "Ada"})["enter"]["name"] == "Ada"
        yield page


@pytest.fixture
def ben(ada: testing.VirtualBrowser) -> Iterator[testing.VirtualBrowser]:
    """Another one, who has entered after Ada."""
    with testing.open() as page:
        page.send({"enter": "Ben"})
        yield page


def code_of(answer: Any) -> str:
    """The code of an answer that is an error."""
    return str(answer["error"]["code"])


def test_a_page_enters_once_and_is_greeted(ada: testing.VirtualBrowser) -> None:
    """run_once: a greeting and a number for each page; the others hear who came."""
    with testing.open() as page:
        entered = page.send({"enter": "", "board": None})
        me = entered["enter"]["person"]
        assert entered["enter"]["name"] == f"Guest {me}"
        assert entered["enter"]["greeting"].startswith(f"Hello Guest {me}")
        names = [each["name"] for each in entered["board"]["people"]]
        assert names == ["Ada", f"Guest {me}"]
        ada.expect(None, {"came": {"person": me, "name": f"Guest {me}"}})
        assert code_of(page.send({"enter": "again"})["enter"]) == "already-run"


def test_a_stroke_is_seen_by_all(ada: testing.VirtualBrowser, ben: testing.VirtualBrowser) -> None:
    """Who draws gets its number, all pages the stroke, and a late page finds it."""
    assert ada.send({"draw": STROKE}) == {"draw": {"number": 1, "name": "Ada"}}
    drawn = {"number": 1, "by": 1, "name": "Ada", **STROKE}
    for page in (ada, ben):
        page.expect(None, {"drawn": drawn})
    with testing.open() as late:
        told = late.send({"board": None})["board"]
    assert told["strokes"] == [drawn]
    assert told["last_stroke"] == 1
    assert [each["name"] for each in told["people"]] == ["Ada", "Ben"]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"points": []}, "points: expected 1 to 400"),
        ({"points": [1, 2, 3]}, "x and y in turn"),
        ({"points": [0] * 802}, "points: expected 1 to 400"),
        ({"points": [1200, 1000, 1, 0]}, "off the board: 1201, 1000"),
        ({"points": [-1, 0]}, "off the board"),
        ({"points": [1.5, 2]}, r"message.points\[0\]: expected a whole number"),
        ({"ink": "pink"}, "ink: expected one of ink, red"),
        ({"width": 0}, "width: expected 1 to 40"),
        ({"width": None}, "message.width: expected a whole number"),
        ({"more": 1}, "message.more: unknown field"),
    ],
)
def test_what_is_no_stroke_is_answered(
    ada: testing.VirtualBrowser, change: dict[str, Any], sentence: str
) -> None:
    """Bad input is a sentence, and nothing of it is on the board."""
    answer = ada.send({"draw": {**STROKE, **change}, "board": None})
    assert code_of(answer["draw"]) == "invalid-message"
    assert re.search(sentence, answer["draw"]["error"]["message"])
    assert answer["board"]["strokes"] == []


def test_only_who_has_entered_draws() -> None:
    """Who looks on may ask for the board; the rest says what to do first."""
    with testing.open() as page:
        answer = page.send(
            {"board": None, "draw": STROKE, "undo": None, "clear": None, "rename": "X"}
        )
        assert answer.pop("board")["people"] == []
        assert {code_of(each) for each in answer.values()} == {"enter-first"}


def test_undo_takes_back_ones_own(ada: testing.VirtualBrowser, ben: testing.VirtualBrowser) -> None:
    """The last stroke of one's own goes, for all; those of others stay."""
    for page in (ada, ben, ada, ben):
        page.send({"draw": STROKE})
    assert ada.send({"undo": None}) == {"undo": 3}
    ben.expect(None, {"removed": [3]})
    assert ada.send({"undo": None}) == {"undo": 1}
    assert code_of(ada.send({"undo": None})["undo"]) == "nothing-to-undo"
    numbers = [each["number"] for each in ada.send({"board": None})["board"]["strokes"]]
    assert numbers == [2, 4]


def test_visitors_clear_by_vote(ada: testing.VirtualBrowser, ben: testing.VirtualBrowser) -> None:
    """is_authenticated: without an account it takes more than half of those here."""
    ada.send({"draw": STROKE})
    vote = {"is_cleared": False, "for": 1, "needed": 2}
    assert ada.send({"clear": None}) == ada.send({"clear": None}) == {"clear": vote}
    ben.expect(None, {"votes": {"for": 1, "needed": 2}})
    assert ben.send({"clear": None})["clear"]["is_cleared"]
    ada.expect(
        None,
        {"cleared": {"last_stroke": 1, "name": "Ben"}, "votes": {"for": 0, "needed": 2}},
    )
    assert ada.send({"board": None})["board"]["strokes"] == []
    assert ada.send({"draw": STROKE})["draw"]["number"] == 2


def test_who_is_signed_in_clears_at_once(ada: testing.VirtualBrowser) -> None:
    """is_authenticated: the user of the Django session needs no vote, and has the user's name."""
    ada.send({"draw": STROKE})
    with testing.open(user=User.objects.create_user("cleo")) as page:
        assert page.parameters["board"]["user"] == "cleo"
        assert page.send({"enter": "somebody"})["enter"]["name"] == "cleo"
        assert code_of(page.send({"rename": "Eve"})["rename"]) == "not-allowed"
        assert page.send({"clear": None})["clear"]["is_cleared"]
    assert ada.send({"board": None})["board"]["strokes"] == []


def test_who_leaves_is_let_out(ada: testing.VirtualBrowser) -> None:
    """teardown: the others hear it, the vote of who has gone does not count, the drawings stay."""
    with testing.open() as page:
        page.send({"enter": "Ben", "draw": STROKE, "clear": None})
    left = ada.expect(None, {"left": 2, "votes": {"for": 0, "needed": 1}})
    assert left.event is None
    told = ada.send({"board": None})["board"]
    assert [each["name"] for each in told["people"]] == ["Ada"]
    assert [each["name"] for each in told["strokes"]] == ["Ben"]


def test_a_pen_is_seen_by_everyone_else(
    ada: testing.VirtualBrowser, ben: testing.VirtualBrowser
) -> None:
    """Where it is, and what it draws just now; off the board it is refused."""
    assert ada.send({"cursor": {"at": [5, 6], "ink": "red", "width": 4}}) == {"cursor": None}
    ben.expect(None, {"cursor": {"person": 1, "at": [5, 6], "ink": "red", "width": 4}})
    ada.send({"cursor": {"at": None}})
    ben.expect(None, {"cursor": {"person": 1, "at": None, "ink": "", "width": 0}})
    ada.expect_nothing(None, {"cursor": testing.ANYTHING})
    for wrong in ({"at": [-1, 0]}, {"at": [1]}, {"at": [1, 1], "ink": "pink", "width": 1}, {}):
        assert code_of(ada.send({"cursor": wrong})["cursor"]) == "invalid-message"


def test_a_name_is_changed(ada: testing.VirtualBrowser, ben: testing.VirtualBrowser) -> None:
    """Visitors may; what was drawn before keeps the old name; some names are none."""
    ada.send({"draw": STROKE})
    assert ada.send({"rename": " Ada  L. "}) == {"rename": "Ada L."}
    ben.expect(None, {"came": {"person": 1, "name": "Ada L."}})
    told = ada.send({"draw": STROKE, "board": None})["board"]
    assert [each["name"] for each in told["strokes"]] == ["Ada", "Ada L."]
    for wrong in ("", " ", "x" * 25, "a\x07"):
        assert code_of(ada.send({"rename": wrong})["rename"]) == "invalid-message"


def test_the_board_is_bounded(bounded: Callable[..., None], ada: testing.VirtualBrowser) -> None:
    """So many strokes are kept, and so many bytes; pages hear which ones had to go."""
    bounded(max_strokes=3)
    for _ in range(4):
        ada.send({"draw": STROKE})
    ada.expect(None, {"drawn": testing.ANYTHING, "removed": [1]})
    bounded(max_board_bytes=850)
    long = {**STROKE, "points": [100, 100, *([1, 1] * 150)]}
    ada.send({"draw": long})
    ada.expect(None, {"drawn": testing.ANYTHING, "removed": [2]})
    ada.send({"draw": long})
    ada.expect(None, {"drawn": testing.ANYTHING, "removed": [3, 4, 5]})
    numbers = [each["number"] for each in ada.send({"board": None})["board"]["strokes"]]
    assert numbers == [6]


def test_a_full_board_fits_into_the_state(ada: testing.VirtualBrowser) -> None:
    """With the defaults of board and site, the largest board and all its people are stored."""
    bounds = board_bounds.Bounds()
    state: dict[str, Any] = {}
    for number in range(bounds.max_people):
        board.enter(state, f"{number:02}" + "ß" * (bounds.max_name - 2), str(uuid4()), 1e9, ())
    for _ in range(40):
        board.draw(state, 1, "violet", 40, [600, 500, *([-10, 10, 10, -10] * 199), 0, 0])
    from thywill_apps.commands.thywill_interface import app

    with app.state.update() as values:
        values.clear()
        values.update(state)
    assert len(app.state.get("strokes")) < 40


def test_how_many_may_draw_is_bounded(bounded: Callable[..., None]) -> None:
    """One more may look on."""
    bounded(max_people=1)
    with testing.open() as one, testing.open() as other:
        one.send({"enter": "Ada"})
        answer = other.send({"enter": "Ben", "board": None})
        assert code_of(answer["enter"]) == "board-full"
        assert [each["name"] for each in answer["board"]["people"]] == ["Ada"]


def test_who_never_connects_takes_no_place_for_long(bounded: Callable[..., None]) -> None:
    """A page that only sends is never seen to leave; it is let out when somebody else comes."""
    bounded(max_people=2)
    state: dict[str, Any] = {}
    for moment, page in ((0.0, "a"), (59.0, "b")):
        board.enter(state, "", page, moment, {"a"})
    with pytest.raises(ApplicationError, match="only look on"):
        board.enter(state, "", "c", 60.0, {"a"})
    assert board.enter(state, "", "c", 120.0, {"a"}) == (3, "Guest 3")
    assert [each["person"] for each in board.told(state)["people"]] == [1, 3]


def test_the_board_is_saved_as_svg(ada: testing.VirtualBrowser) -> None:
    """The picture has a path with a title for each stroke; names cannot be markup."""
    assert ada.configuration["bootstrap_parameters"]["slow_commands"] == ["export"]
    ada.send({"rename": '<Ada> & "Co"'})
    ada.send({"draw": STROKE})
    ada.send({"draw": {**STROKE, "points": [1, 2, 3, 5, 4, 4, 0, 2]}})
    answer = ada.send({"export": None})["export"]
    assert answer["strokes"] == 2
    paths = ElementTree.fromstring(answer["svg"]).findall(f"{SVG}path")
    assert [path.get("d") for path in paths] == [
        "M100 100L105 97",
        "M1 2L2.5 4.5Q4 7 6 9Q8 11 8 12L8 13",
    ]
    assert paths[0].findtext(f"{SVG}title") == 'blue, by <Ada> & "Co"'
    assert picture.path_of([7, 8]) == "M7 8h0"
    assert picture.path_of([0, 0, 300, 0, 0, 5]) == "M0 0L286 0Q300 0 300 2.5L300 5"


def test_unknown_commands_are_told_what_there_is(ada: testing.VirtualBrowser) -> None:
    """The default command names those of the board."""
    answer = ada.send({"dance": None, "board": None})
    assert code_of(answer["dance"]) == "unknown-command"
    assert "The board knows board, clear" in answer["dance"]["error"]["message"]
    assert answer["board"]["strokes"] == []


def test_the_session_is_in_no_message_and_no_log(caplog: pytest.LogCaptureFixture) -> None:
    """Who somebody is comes with the session's cookie, and the session's key with nothing."""
    caplog.set_level(logging.DEBUG)
    with (
        testing.open(user=User.objects.create_user("cleo")) as cleo,
        testing.open() as other,
    ):
        other.send({"enter": "Ada"})
        answers = [cleo.send({"enter": "", "board": None, "draw": STROKE, "clear": None})]
        other.expect(None, {"votes": testing.ANYTHING, "cleared": testing.ANYTHING})
        key = cleo.session._client.session.session_key
        assert answers[0]["enter"]["name"] == "cleo"
        seen = [cleo.html, str(answers), str(cleo.received), str(other.received), caplog.text]
        assert len(key) > 20
        assert not [text for text in seen if key in text]


def test_signing_in_and_out(client: Browser) -> None:
    """By the board's own form, which needs no script, and back to the board."""
    User.objects.create_user("ann", password="pass of ann")
    form = client.get("/commands/sign-in/")
    assert form.status_code == 200
    assert "default-src 'none'" in form.headers["Content-Security-Policy"]
    fields = {"username": "ann", "password": "wrong"}
    assert b'role="alert"' in client.post("/commands/sign-in/", fields).content
    fields["password"] = "pass of ann"
    response = client.post("/commands/sign-in/", fields)
    assert response.headers["Location"] == "/commands/"
    assert client.get("/commands/").headers["Location"] == "/thywill/init/commands/"
    page = client.get("/thywill/init/commands/").content.decode()
    assert "Signed in as <b>ann</b>" in page
    assert client.post("/commands/sign-out/").headers["Location"] == "/commands/"


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"max_stroke": 3}, r'WHITEBOARD\["max_stroke"\]: expected one of max_strokes'),
        ({"max_strokes": "3"}, r"expected a whole number above 0: '3'"),
        ({"max_strokes": 0}, r"expected a whole number above 0: 0"),
    ],
)
def test_bounds_that_are_wrong(
    values: dict[str, Any], sentence: str, bounded: Callable[..., None]
) -> None:
    """A mistake in the bounds is one sentence."""
    bounded(**values)
    with pytest.raises(ImproperlyConfigured, match=sentence):
        board_bounds.bounds()
