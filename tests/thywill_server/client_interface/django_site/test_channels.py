"""Channels as pages see them: what /thywill/channel/ answers, and what is pushed."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.test import Client as Browser
from pytest_django import Settings

from tests.support.page import Page, assert_refused, thywill
from thywill_server.application import broadcast, history, publish, to_client, to_subset, to_user
from thywill_server.apps import components
from thywill_server.database.models import Channel

ROOMS = "tests.support.applications.rooms"


@pytest.fixture(autouse=True)
def rooms(site: Settings, transactional_db: None) -> None:
    """The site with the rooms; real transactions, since publishing waits for them."""
    application = {"packages": [ROOMS, "tests.support.applications.testbed"], "default": "rooms"}
    site.THYWILL = thywill(application=application)


def join(page: Page, channel: str = "room:a", **fields: Any) -> Any:
    """Ask for a channel."""
    return page.post("channel", page.identified(channel=channel, **fields))


def joined(page: Page, channel: str = "room:a", **fields: Any) -> dict[str, Any]:
    """Join a channel."""
    response = join(page, channel, **fields)
    assert response.status_code == 200, response.content
    answer: dict[str, Any] = response.json()
    return answer


def cursor(answer: dict[str, Any]) -> dict[str, Any]:
    """The cursor that a page has after an answer."""
    return {"epoch": answer["epoch"], "offset": answer["offset"]}


def say(page: Page, text: Any = "hi", command: str = "say", **fields: Any) -> Any:
    """Say something in a room."""
    response = page.send({"room": "a", "text": text, **fields}, command=command)
    assert response.status_code == 200, response.content
    return response.json()["reply"]


def pushed(page: Page, after: int = 0) -> list[dict[str, Any]]:
    """What waits for a page."""
    answer = page.post("push", page.identified(after=after)).json()
    messages: list[dict[str, Any]] = answer["messages"]
    return messages


def test_first_answer(page: Page) -> None:
    """A channel that nobody has published to begins with an empty epoch."""
    assert joined(page, id="7") == {
        "status": "ok",
        "id": "7",
        "channel": "room:a",
        "destination": "/topic/thywill.channel.rooms.room_3Aa",
        "ticket": "",
        "expires_in": None,
        "has_history": True,
        "epoch": "",
        "offset": 0,
        "recovered": None,
        "messages": [],
        "more": False,
    }
    assert not Channel.objects.exists()


def test_published_in_order_with_offsets(page: Page) -> None:
    """What is published comes by push with its offset, and is in the history as well."""
    start = joined(page)
    say(page, "hi", times=2)
    first, second = pushed(page)
    epoch = first["headers"]["epoch"]
    assert first["headers"] == {"channel": "room:a", "epoch": epoch, "offset": "1"}
    assert (first["event"], first["body"]) == ("said", '{"text":"hi","number":0}')
    assert second["headers"]["offset"] == "2"
    missed = joined(page, after=cursor(start))
    assert missed["recovered"] is True
    assert cursor(missed) == {"epoch": epoch, "offset": 2}
    assert missed["messages"][1] == {
        "offset": 2,
        "event": "said",
        "data": {"text": "hi", "number": 1},
        "id": f"{epoch}-2",
    }
    assert joined(page, after=cursor(missed))["messages"] == []


def test_only_members_hear(page: Page, browser: Browser) -> None:
    """A page that is in another room, or has left, gets nothing."""
    other = Page(browser)
    joined(page)
    joined(other, "room:b")
    say(page)
    assert len(pushed(page)) == 1
    assert pushed(other) == []
    assert join(page, leave=True).json() == {"status": "ok", "id": None, "channel": "room:a"}
    say(page)
    assert len(pushed(page)) == 1


def test_refusals(page: Page) -> None:
    """Each has its code, and nobody is let in."""
    assert_refused(join(page, "room:secret"), 403, "not-allowed")
    assert_refused(join(page, "cellar:a"), 404, "unknown-channel")
    assert_refused(join(page, "room:a:b"), 404, "unknown-channel")
    assert_refused(join(page, "room:" + "x" * 200), 404, "unknown-channel")
    assert_refused(join(page, "room:\n"), 404, "unknown-channel")
    refusal = assert_refused(join(page, "live:closed", id="3"), 400, "closed")
    assert (refusal["message"], refusal["id"]) == ("It is closed on Sundays.", "3")
    publish("room:secret", "said", "for nobody")
    assert pushed(page) == []


@pytest.mark.parametrize(
    "fields",
    [
        {"channel": None},
        {"channel": 7},
        {"after": 7},
        {"after": {"epoch": "x"}},
        {"after": {"epoch": "x", "offset": -1}},
        {"after": {"epoch": "x", "offset": True}},
        {"after": {"epoch": "x", "offset": 2**60}},
        {"after": {"epoch": "x" * 33, "offset": 1}},
        {"replay": -1},
        {"replay": "many"},
    ],
)
def test_malformed(page: Page, fields: dict[str, Any]) -> None:
    """What is not of the right form is refused before the application is asked."""
    response = page.post("channel", page.identified(**{"channel": "room:a", **fields}))
    assert_refused(response, 400, "malformed-message")


def test_handler_needs_membership(page: Page) -> None:
    """A handler with channel= is called for those who may join only."""
    response = page.send({"room": "secret", "text": "hi"}, command="say")
    assert_refused(response, 403, "not-allowed")
    for room in ("", "a:b", "a\n"):
        response = page.send({"room": room, "text": "hi"}, command="say")
        assert (response.status_code, response.json()["code"]) == (400, "invalid-message")
        assert response.json()["message"].startswith("message.room: ")
    assert not Channel.objects.exists()


def test_roll_back_is_never_seen(page: Page) -> None:
    """A publish in a transaction that rolls back is in no history and is not pushed."""
    joined(page)
    say(page, "kept", command="take_back")
    (message,) = pushed(page)
    assert message["headers"]["offset"] == "1"
    assert [event.data for event in history("room:a")] == [{"text": "kept"}]


def test_waits_for_the_commit(page: Page) -> None:
    """Outside of handlers too: nothing is pushed before the transaction is over."""
    joined(page)
    with transaction.atomic():
        publish("room:a", "said", 1)
        publish("room:b", "said", 2)
        assert pushed(page) == []
    assert [message["body"] for message in pushed(page)] == ["1"]


def test_async_handler(page: Page) -> None:
    """An async function may publish at once and look at the history; the rest follows it."""
    joined(page)
    assert say(page, "a", command="say_async") == [{"text": "a", "number": 0}]
    assert [message["headers"]["offset"] for message in pushed(page)] == ["1", "2"]


def test_replay(page: Page) -> None:
    """Without a cursor a page gets what is kept, or as many of the newest as it wants."""
    say(page, times=5)
    assert [message["offset"] for message in joined(page)["messages"]] == [1, 2, 3, 4, 5]
    answer = joined(page, replay=2)
    assert [message["offset"] for message in answer["messages"]] == [4, 5]
    assert answer["recovered"] is None
    assert joined(page, replay=0)["messages"] == []
    assert len(joined(page, replay=99)["messages"]) == 5


def test_more(site: Settings, browser: Browser) -> None:
    """A long history comes in parts."""
    application = {"packages": [ROOMS], "default": "rooms", "max_join_messages": 2}
    site.THYWILL = thywill(application=application)
    page = Page(browser)
    say(page, times=5)
    answer, found = joined(page), []
    while answer["more"]:
        found += [message["offset"] for message in answer["messages"]]
        answer = joined(page, after=cursor(answer))
    assert found + [message["offset"] for message in answer["messages"]] == [1, 2, 3, 4, 5]


def test_snapshot(page: Page) -> None:
    """A page begins with the snapshot, goes on with messages, and starts anew after a hole."""
    assert joined(page, "short:a")["snapshot"] == {"total": 0}
    say(page, command="add", times=3)
    start = joined(page, "short:a")
    assert (start["snapshot"], start["offset"], start["messages"]) == ({"total": 3}, 1, [])
    say(page, command="add", times=4)
    missed = joined(page, "short:a", after=cursor(start))
    assert [message["data"] for message in missed["messages"]] == [4]
    assert "snapshot" not in missed
    for _ in range(20):
        say(page, command="add")
    again = joined(page, "short:a", after=cursor(start))
    assert (again["recovered"], again["snapshot"], again["messages"]) == (False, {"total": 27}, [])
    assert again["offset"] == 22


def test_without_history(page: Page) -> None:
    """Nothing is kept: no offsets, and nobody can be sure to have it all."""
    answer = joined(page, "live:a")
    assert (answer["has_history"], answer["epoch"], answer["offset"]) == (False, None, None)
    say(page, "hi", command="live")
    (message,) = pushed(page)
    assert message["headers"] == {"channel": "live:a"}
    assert joined(page, "live:a", after={"epoch": "", "offset": 0})["recovered"] is False
    assert history("live:a") == []


def test_first_page_has_the_cursor(page: Page, browser: Browser) -> None:
    """A page that begins in a channel was told all that the request would have answered."""
    from tests.support.applications.rooms.thywill_interface import BEGINS_IN, app

    assert "channels" not in page.parameters
    say(page, "old")
    app.state[BEGINS_IN] = ["room:a", "short:a"]
    second = Page(browser)
    told = second.parameters["channels"]
    assert told["room:a"]["messages"][0]["data"]["text"] == "old"
    assert told["short:a"]["snapshot"] == {"total": 0}
    assert second.parameters["channel_path"] == "/thywill/channel/"
    say(page, "new")
    (message,) = pushed(second)
    assert message["headers"]["offset"] == "2"


def test_rate(page: Page, browser: Browser) -> None:
    """Too often is refused with the time to wait; the tabs of a browser count together."""
    assert page.send(command="often").json()["reply"] == 1
    assert page.send(command="often", id="2").json()["reply"] == 2
    response = Page(browser).send(command="often", id="1")
    refusal = assert_refused(response, 429, "too-many-requests")
    assert 29 < refusal["retry_after"] <= 30
    assert response["Retry-After"] == "30"
    stranger = Page(Browser(enforce_csrf_checks=True))
    assert stranger.send(command="often").json()["reply"] == 1


def test_from_outside(page: Page) -> None:
    """Code that is no handler finds the application by the channel's name."""
    joined(page)
    publish("room:a", "said", {"by": "cron"})
    assert [message["body"] for message in pushed(page)] == ['{"by":"cron"}']
    with pytest.raises(ValueError, match='no application has a channel "cellar:a"'):
        publish("cellar:a", "said", 1)
    with pytest.raises(ValueError, match='application "testbed" has no channel "room:a"'):
        publish("room:a", "said", 1, application="testbed")
    with pytest.raises(ValueError, match='there is no application "nobody"'):
        publish("room:a", "said", 1, application="nobody")
    with pytest.raises(ValueError, match='event: "snapshot" is what a page hears'):
        publish("room:a", "snapshot", 1)
    with pytest.raises(ValueError, match="event: expected 1 to 100"):
        publish("room:a", "", 1)
    with pytest.raises(TypeError, match="JSON has no form"):
        publish("room:a", "said", object())


def test_full_queue_stays_in_history(site: Settings, browser: Browser) -> None:
    """When nothing can be pushed the message is in the history, and the publisher goes on."""
    site.THYWILL = thywill(
        application={"packages": [ROOMS], "default": "rooms"}, push={"max_queued_messages": 1}
    )
    page = Page(browser)
    start = joined(page)
    say(page, times=3)
    assert len(joined(page, after=cursor(start))["messages"]) == 3


def test_pages_of_an_application(page: Page, browser: Browser) -> None:
    """Every page of the application hears a broadcast, and no page of another."""
    second, other = Page(browser), Page(browser, "/thywill/init/testbed/")
    page.send({"headline": 1}, command="all")
    broadcast("noon", application="rooms")
    for each in (page, second):
        assert [message["body"] for message in pushed(each)] == ['{"headline":1}', "noon"]
    assert pushed(other) == []
    with pytest.raises(ValueError, match="which application"):
        broadcast("noon")


def test_pages_of_a_user(page: Page) -> None:
    """Every page of a user hears it, in whatever browser; an anonymous visitor has no key."""
    user = User.objects.create(username="ada")
    pages = []
    for _ in range(2):
        browser = Browser(enforce_csrf_checks=True)
        browser.force_login(user)
        pages.append(Page(browser))
    assert pages[0].send("hi", command="mine").status_code == 200
    to_user(user, "plain")
    for each in pages:
        assert [message["body"] for message in pushed(each)] == ['"hi"', "plain"]
    assert pushed(page) == []
    assert_refused(page.send("hi", command="mine"), 500, "application-failed")


def test_some_pages(page: Page, browser: Browser) -> None:
    """Each of them once, but for the one left out."""
    second, third = Page(browser), Page(browser)
    uuids = [page.uuid, second.uuid, third.uuid, page.uuid]
    to_subset(uuids, "event", 1, except_=third.uuid)
    to_client(third.uuid, "alone")
    assert [message["event"] for message in pushed(page)] == ["event"]
    assert [message["event"] for message in pushed(second)] == ["event"]
    assert [message["body"] for message in pushed(third)] == ["alone"]


def test_state_waits_like_everything(page: Page) -> None:
    """What a handler changes and publishes in one transaction comes or goes together."""
    joined(page, "short:a")
    with transaction.atomic():
        say(page, command="add", times=2)
        transaction.set_rollback(True)
    assert joined(page, "short:a")["snapshot"] == {"total": 0}
    assert pushed(page) == []


@pytest.fixture
def atomic_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each request is a transaction."""
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)


def test_one_transaction_for_each_request(page: Page, atomic_requests: None) -> None:
    """What an async handler publishes belongs to its request's transaction, and is pushed after."""
    joined(page)
    say(page, "a", command="say_async")
    say(page, "b")
    assert [message["headers"]["offset"] for message in pushed(page)] == ["1", "2", "3"]
    assert [event.data["text"] for event in history("room:a")] == ["a", "a", "b"]


@pytest.mark.parametrize("command", ["refuse", "refuse_async"])
def test_refused_request_has_published_nothing(
    page: Page, atomic_requests: None, command: str
) -> None:
    """A handler that publishes and then refuses has done neither, when requests are atomic."""
    joined(page)
    response = page.send({"room": "a", "text": "never"}, command=command)
    assert_refused(response, 400, "no")
    assert history("room:a") == []
    assert pushed(page) == []


@pytest.mark.parametrize("command", ["refuse", "refuse_async"])
def test_refused_handler_has_published(page: Page, command: str) -> None:
    """Without a transaction around it, what was published before a refusal stays."""
    response = page.send({"room": "a", "text": "kept"}, command=command)
    assert_refused(response, 400, "no")
    assert [event.data for event in history("room:a")] == ["kept"]


def test_the_long_poll_is_no_transaction(page: Page, atomic_requests: None) -> None:
    """It may wait for long, and a transaction would keep everybody else from writing."""
    seen: list[bool] = []
    push: Any = components().push

    def wait_for_messages(*arguments: Any) -> list[Any]:
        seen.append(connection.in_atomic_block)
        return []

    push.wait_for_messages = wait_for_messages
    assert pushed(page) == []
    assert seen == [False]
