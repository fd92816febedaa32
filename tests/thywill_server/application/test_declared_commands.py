"""Commands of an application's commands.py, in messages of several: what each sentence promises."""

from __future__ import annotations

import importlib
import json
import logging
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from pytest_django import Settings

from tests.support.applications.switchboard import commands as switchboard
from tests.support.page import thywill
from thywill_server import testing
from thywill_server.application import App, Connection, command
from thywill_server.application.connection import Truth
from thywill_server.application.declared_commands import register_commands, slow_commands
from thywill_server.application.local_python import LocalPython
from thywill_server.apps import components


def of_site(**application: Any) -> dict[str, Any]:
    """A site with the switchboard, and push in memory."""
    packages = ["tests.support.applications.switchboard", "thywill_apps"]  # URLs are made once
    return thywill(application={"packages": packages, "default": "switchboard", **application})


def app_of_site() -> App:
    """The switchboard, as the site serves it."""
    application: Any = components().application
    found: App = application.applications["switchboard"].app
    return found


@pytest.fixture(autouse=True)
def site(settings: Settings, db: None) -> None:
    """The site of each test."""
    settings.THYWILL = of_site()
    switchboard.GONE.clear()
    switchboard.HOLD.clear()


@pytest.fixture
def page() -> Iterator[testing.VirtualBrowser]:
    """A visitor's page."""
    with testing.open() as page:
        yield page


def code_of(answer: Any) -> str:
    """The code of an answer that is an error, and nothing else."""
    assert list(answer) == ["error"]
    assert set(answer["error"]) >= {"code", "message"}
    return str(answer["error"]["code"])


# Answering.


def test_each_key_is_answered_under_itself_and_in_order(page: testing.VirtualBrowser) -> None:
    """Several commands in one object get one reply object, with their keys in their order."""
    asked = {"line": {"to": [1, 2]}, "visits": None, "add": [1, 2, 3], "ordinary": "hi"}
    answer = page.send(asked)
    assert list(answer) == list(asked)
    assert answer == {"line": [1, 2, 1], "visits": 1, "add": 6, "ordinary": "HI"}
    assert page.send({}) == {}


def test_a_command_can_be_asked_for_alone(page: testing.VirtualBrowser) -> None:
    """The same commands are answered by name, as those of ``@app.on`` are."""
    assert page.call("line", to=[3, 4], width=9) == [3, 4, 9]
    assert page.call("add", [20, 22]) == 42
    with pytest.raises(testing.Refused, match=r"message.to: missing"):
        page.call("line", width=2)


def test_commands_are_found_without_a_registry() -> None:
    """What commands.py marks is served, and nothing else of it can be called."""
    app = app_of_site()
    assert {"reply", "add", "line", "ordinary"} <= set(app.commands)
    assert {"not_a_command", "draw_line", "goodbye", "succeed"}.isdisjoint(app.commands)
    assert slow_commands(app) == ["wait"]


def test_the_form_of_2013(page: testing.VirtualBrowser) -> None:
    """``function(msg, response, connection)`` fills the response, or returns its answer."""
    assert page.send({"add": [1], "reply": "x"}) == {
        "add": 1,
        "reply": {"you said": "x"},
        "also": ["add", "reply"],
    }
    assert page.send({"repeat": {"text": "ab", "times": 2}}) == {"repeat": "abab"}
    assert page.send({"deferred_reply": 5}) == {"deferred_reply": 5}
    assert page.call("reply", "x") == {"you said": "x"}


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"repeat": {"text": "x"}}, "message.times: missing"),
        ({"repeat": "x"}, "message: expected an object"),
        ({"line": {"width": 2}}, "message.to: missing"),
        ({"line": {"to": [1, 2], "heigth": 2}}, "message.heigth: unknown field"),
        ({"line": {"to": [1, "2"]}}, 'message.to[1]: expected a whole number, got "2"'),
        ({"add": ["x"]}, 'message[0]: expected a whole number, got "x"'),
    ],
)
def test_arguments_are_checked_and_the_others_answered(
    page: testing.VirtualBrowser, asked: dict[str, Any], sentence: str
) -> None:
    """A missing, unknown or wrong argument is that command's answer, and no other command's."""
    answer = page.send({"add": [1], **asked, "visits": None} if "add" not in asked else asked)
    (name,) = asked
    assert code_of(answer[name]) == "invalid-message"
    assert answer[name]["error"]["message"].startswith(sentence)
    if name != "add":
        assert (answer["add"], answer["visits"]) == (1, 1)


def test_errors_are_answered_and_the_others_run(
    page: testing.VirtualBrowser, caplog: pytest.LogCaptureFixture
) -> None:
    """What goes wrong with one command is its answer, and tells nothing of the server."""
    for how, code in (
        ("refused", "too-late"),
        ("denied", "not-allowed"),
        ("broken", "application-failed"),
    ):
        answer = page.send({"add": [1], "fail": how, "visits": None})
        assert list(answer) == ["add", "fail", "visits"]
        assert code_of(answer["fail"]) == code
        assert "secret" not in json.dumps(answer)
    assert "a secret of the server" in caplog.text


def test_the_overlay_names_the_command_that_failed(settings: Settings) -> None:
    """Under DEBUG the page's author sees the error of a single command, with its traceback."""
    settings.DEBUG = True
    with testing.open() as page:
        page.send({"add": [1], "fail": "broken"})
        (error,) = page.request("/thywill/debug/", {})["errors"]
    assert error["what"] == "fail"
    assert "a secret of the server" in error["traceback"]


def test_a_command_may_belong_to_a_channel(page: testing.VirtualBrowser) -> None:
    """Only who may join the channel that the fields name is let through."""
    assert page.send({"knock": {"room": "open"}}) == {"knock": "open"}
    for room, code in (("closed", "not-allowed"), (":", "invalid-message")):
        assert code_of(page.send({"knock": {"room": room}})["knock"]) == code


def test_a_command_that_fails_is_undone_alone(page: testing.VirtualBrowser) -> None:
    """Within a transaction, what a failed command has written goes, and the rest stays."""
    with transaction.atomic():
        page.send({"motto": "kind", "fail": "broken", "total": None})
    state = app_of_site().state
    assert state.get("motto") == "kind"
    assert state.get("total") == 1
    assert "failed" not in state


def test_unknown_commands_have_a_default(page: testing.VirtualBrowser) -> None:
    """The command called default gets what nobody else knows, and by which name."""
    assert page.send({"dance": [1]}) == {"dance": ["dance", [1]]}
    assert page.call("dance", [1]) == ["dance", [1]]


def test_unknown_commands_without_a_default(settings: Settings) -> None:
    """Without one, each unknown command is an error that names it."""
    app = app_of_site()
    kept, app.default_command = app.default_command, None
    try:
        with testing.open() as page:
            answer = page.send({"dance": 1, "add": [1]})
    finally:
        app.default_command = kept
    assert code_of(answer["dance"]) == "unknown-command"
    assert '"dance"' in answer["dance"]["error"]["message"]
    assert answer["add"] == 1


@pytest.mark.parametrize("message", ["text", 5, None, [], [{"add": [1]}]])
def test_a_message_that_is_no_object_is_refused(page: testing.VirtualBrowser, message: Any) -> None:
    """Nothing is guessed of it."""
    with pytest.raises(testing.Refused, match=r"invalid-message: .*\{command: argument"):
        page.send(message)


def test_how_many_commands_a_message_holds_is_bounded(settings: Settings) -> None:
    """With more than max_commands none is run; a rate bounds a command by itself."""
    settings.THYWILL = of_site(max_commands=3)
    with testing.open() as page:
        with pytest.raises(testing.Refused, match="at most 3 commands, got 4"):
            page.send(dict.fromkeys(["total", "a", "b", "c"]))
        assert page.send({"total": None, "seldom": None}) == {"total": 1, "seldom": "now"}
        page.send({"seldom": None})
        answer = page.send({"seldom": None, "total": None})
        assert code_of(answer["seldom"]) == "too-many-requests"
        assert answer["seldom"]["error"]["retry_after"] > 0
        assert answer["total"] == 2


# States.


def test_connection_state_belongs_to_a_page_and_a_command() -> None:
    """Each page has its own, each command too; another command's can be read."""
    with testing.open() as one, testing.open(beside=one) as other:
        assert [one.call("visits") for _ in range(2)] == [1, 2]
        assert other.send({"visits": None, "look": None}) == {
            "visits": 1,
            "look": [{}, {"count": 1}],
        }


def test_global_state_is_shared_and_changed_under_a_lock(settings: Settings) -> None:
    """All pages see it; functions change it while nobody else can; mistakes change nothing."""
    settings.THYWILL = of_site(max_state_bytes=1024)
    with testing.open() as page, testing.open() as other:
        assert page.send({"motto": "be kind", "total": None}) == {"motto": "be kind", "total": 1}
        assert other.call("total") == 2
        answer = other.send({"motto": "x" * 1024, "total": None})
        assert code_of(answer["motto"]) == "application-failed"
        assert answer["total"] == 3
    assert app_of_site().state.as_dict() == {"motto": "be kind", "set_by": page.uuid, "total": 3}


def test_run_once_runs_once_for_each_page(page: testing.VirtualBrowser) -> None:
    """A second call is refused; one that failed may be repeated; another page has its own."""
    assert code_of(page.send({"greet": ""})["greet"]) == "no-name"
    assert page.send({"greet": "Ada"}) == {"greet": "Hello Ada"}
    assert code_of(page.send({"greet": "Ada"})["greet"]) == "already-run"
    with pytest.raises(testing.Refused, match="already-run: This command runs only once"):
        page.call("greet", "Ada")
    with testing.open(beside=page) as other:
        assert other.call("greet", "Ben") == "Hello Ben"


def test_teardown_gets_the_state_of_the_connection() -> None:
    """It is called when a page has gone, with what commands have kept for it, which then goes."""
    with testing.open() as page:
        page.send({"visits": None, "greet": "Ada"})
        assert switchboard.GONE == []
    (gone,) = switchboard.GONE
    assert gone == (page.uuid, {"visits": {"count": 1}})
    with testing.open() as quiet:
        pass
    assert switchboard.GONE[1:] == [(quiet.uuid, {})]
    from thywill_server.database.models import State

    assert not State.objects.exclude(owner="").exclude(values="{}").exists()


# Who, and to whom.


def test_authentication_is_the_django_session_and_in_no_message(
    page: testing.VirtualBrowser, caplog: pytest.LogCaptureFixture, settings: Settings
) -> None:
    """Commands know the user; the session's key is in no page, reply, push or log."""
    caplog.set_level(logging.DEBUG)
    with testing.open(user=User.objects.create_user("ann")) as ann:
        assert ann.send({"who_am_i": None}) == {"who_am_i": ["ann", True, True]}
        assert page.send({"who_am_i": None}) == {"who_am_i": ["", False, False]}
        ann.send({"tell": {"whom": "all", "text": "hi"}, "motto": "x", "visits": None})
        ann.expect(None, {"told": "hi"})
        key = ann.session._client.session.session_key
        seen = [ann.html, repr(ann.received), repr(page.received), caplog.text]
        assert key
        assert not [text for text in seen if key in text]


def test_is_authenticated_is_a_truth_in_both_spellings() -> None:
    """Forgotten parentheses let nobody in."""
    assert Truth(True)
    assert not Truth(False)
    assert (Truth(True)(), Truth(False)()) == (True, False)
    assert Truth(False) == False == Truth(False)() != Truth(True)  # noqa: E712 - the point
    assert {Truth(True): "yes"}[True] == "yes"  # type: ignore[index]
    assert repr(Truth(False)) == "False"


def test_messages_to_all_to_some_and_to_everyone_else(page: testing.VirtualBrowser) -> None:
    """broadcast, send_to_subset, and everyone else as a subset."""
    with testing.open() as ada, testing.open() as ben:
        assert ada.call("tell", whom="others", text="not me") == 2
        for other in (page, ben):
            other.expect(None, {"told": "not me"})
        ada.expect_nothing(None)
        assert ada.call("tell", whom=[ben.uuid, ben.uuid], text="you") == 2
        ben.expect(None, {"told": "you"})
        page.expect_nothing(None)
        assert ada.call("tell", whom="all", text="all") == 3
        for each in (page, ada, ben):
            each.expect(None, {"told": "all"})
    assert page.call("tell", whom="others", text="gone") == 0


# Waiting.


def test_functions_may_be_async_or_give_a_deferred(page: testing.VirtualBrowser) -> None:
    """Their results are the answers, in order with the others."""
    with testing.open(user=User.objects.create_user("ann")) as ann:
        asked = {"later": 0, "deferred": None, "add": [1]}
        assert ann.send(asked) == {"later": ["later", "ann"], "deferred": "deferred", "add": 1}


def test_slow_commands_leave_room_for_others(settings: Settings) -> None:
    """A process runs so many slow ones at once; one more is refused, and others are not."""
    settings.THYWILL = of_site(max_slow_commands=1)
    with testing.open() as page:
        assert page.configuration["bootstrap_parameters"]["slow_commands"] == ["wait"]
        application: Any = components().application
        held = application._declared
        waiting = app_of_site().commands["wait"]
        is_in, may_end = threading.Event(), threading.Event()

        def occupy() -> None:
            with held.held(waiting, None, "wait"):
                is_in.set()
                may_end.wait(60)

        thread = threading.Thread(target=occupy)
        thread.start()
        assert is_in.wait(60)
        answer = page.send({"wait": None, "add": [1]})
        assert code_of(answer["wait"]) == "too-many-requests"
        assert answer["add"] == 1
        may_end.set()
        thread.join(60)
        switchboard.HOLD.set()
        assert page.send({"wait": None}) == {"wait": "released"}


# Mistakes of authors.


@pytest.mark.parametrize(
    "source",
    [
        "def f(): pass",
        "def f(a, b, c, d): pass",
        "def f(a, b, *, c): pass",
        "def f(a, b: object()): pass",
        "def f(a, *, b: set): pass",
    ],
)
def test_a_function_of_another_form_is_refused(source: str) -> None:
    """A function that cannot be called is named where it is marked."""
    names: dict[str, Any] = {}
    exec(source, names)
    with pytest.raises(TypeError, match=r"^f: "):
        command(names["f"])


def test_names_and_options_that_are_none_are_refused() -> None:
    """The decorator says what it expects."""
    for wrong, sentence in (
        ({"required": "text"}, "a list of fields"),
        ({"timeout": 0}, "expected seconds"),
        ({"rate": "often"}, "rate: expected"),
    ):
        with pytest.raises((TypeError, ValueError), match=sentence):
            command(**wrong)(_nothing)  # type: ignore[call-overload]
    with pytest.raises(TypeError, match="a command's name"):
        command("")


def _nothing(connection: Connection) -> None:
    pass


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        (
            '@command("same")\ndef other(connection): pass\n',
            r'"\S+": "same" has a function already',
        ),
        ("import nothing_like_it\n", r'cannot import "\S+" \(No module named'),
        ("@command\ndef wrong(): pass\n", r'cannot import "\S+" \(TypeError: wrong: expected'),
    ],
)
def test_a_mistake_in_commands_is_a_sentence(
    source: str, sentence: str, write_application: Callable[..., str]
) -> None:
    """A name that is taken, a file that cannot be imported, a function of no known form."""
    interface = "from thywill_server.application import App\napp = App()\n"
    write_application("wrong", f'{interface}@app.on("same")\ndef same(client): pass\n')
    folder = Path(importlib.import_module("site_apps").__path__[0])
    text = f"from thywill_server.application import command\n{source}"
    (folder / "wrong" / "commands.py").write_text(text)
    (problem,) = LocalPython({"packages": "site_apps", "default": "wrong"}).check()
    assert re.search(sentence, problem), problem


def test_a_name_has_one_function() -> None:
    """Two functions of one name are refused, and nothing of the module is served."""
    module, app = ModuleType("twice"), App()
    module.__dict__.update(one=command("same")(lambda c: 1), two=command("same")(lambda c: 2))
    with pytest.raises(ValueError, match='"same" has a function already'):
        register_commands(app, module)
    assert app.commands == {}


def test_connection_state_is_set_by_commands_only(page: testing.VirtualBrowser) -> None:
    """Outside of a command there is none to set."""
    connection = Connection(None, App())  # type: ignore[arg-type]
    with pytest.raises(RuntimeError, match="none is running"):
        connection.update_connection_state(x=1)
