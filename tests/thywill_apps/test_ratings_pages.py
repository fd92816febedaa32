"""The ratings with virtual browsers: a real broker, the model's own connection, two transports."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from pytest_django import Settings

from tests.support.page import thywill
from thywill_apps.ratings.bounds import Bounds
from thywill_apps.ratings.saving import SavedState
from thywill_apps.ratings.traits_web import TraitsWeb
from thywill_server import reactor_bridge, testing
from thywill_server.application import broker

SECONDS = 60


@pytest.fixture
def site(settings: Settings, tmp_path: Path, transactional_db: None) -> None:
    """A site with the ratings, a broker and Orbited."""
    application = {"packages": ["thywill_apps.ratings"], "default": "ratings"}
    push = {
        "component": "thywill_server.push.orbited_stomp.OrbitedStomp",
        "ticket_key_file": tmp_path / "ticket.key",
    }
    settings.THYWILL = thywill(application=application, push=push)


class Running:
    """The process's half, on the reactor of the test's process."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.web: TraitsWeb

    def __enter__(self) -> Running:
        from twisted.internet.defer import Deferred

        site = broker()

        def start() -> Any:
            reactor = reactor_bridge.get_reactor()
            self.web = TraitsWeb(site, SavedState(self._path), Bounds(alive_seconds=0.1), reactor)
            live: Deferred[None] = Deferred()
            self.web.on_live = lambda: live.callback(None)
            reactor.connectTCP(site.host, site.port, self.web)
            return live

        reactor_bridge.call_and_wait(start, timeout_seconds=SECONDS)
        return self

    def __exit__(self, *exception: object) -> None:
        reactor_bridge.call_and_wait(self.web.stop, timeout_seconds=SECONDS)
        self.web.saved.close()


@pytest.fixture
def pages(site: None) -> Iterator[list[Any]]:
    """Two browsers, each in the model's channel, on WebSocket and on long polling."""
    with (
        testing.open("ratings", transport="websocket") as one,
        testing.open("ratings", transport="longpoll") as other,
    ):
        yield [one, other]


def told(channel: Any, trait: str, **fields: Any) -> Any:
    """Wait for a change of a trait; gives its value."""
    changed = {"type": "trait_change", "trait": trait}
    numbered = {"epoch": testing.ANYTHING, "number": testing.ANYTHING}
    value = {"value": testing.ANYTHING, **fields}
    return channel.expect("trait_change", {**changed, **numbered, **value}, seconds=SECONDS).data[
        "value"
    ]


def test_pages_share_a_model(pages: list[Any], tmp_path: Path) -> None:
    """What one sets is told to both, whichever way their messages come, with numbers in order."""
    channels = [page.channel("model") for page in pages]
    with Running(tmp_path / "ratings.json") as running:
        for page, rating in zip(pages, (5, 2), strict=True):
            everything = page.call("hello", rating=rating)
            assert everything["own"]["rating"] == rating
        pages[0].call("trait_change", trait="entry_field", value="<i>hi</i>")
        for channel in channels:
            channel.expect("alive")
            assert told(channel, "messages")["text"] == "<i>hi</i>"
        with pytest.raises(testing.Refused, match="whole number") as refused:
            pages[1].call("trait_change", trait="rating_selector", value=6)
        assert (refused.value.code, refused.value.status) == ("invalid-message", 400)
        pages[1].call("trait_change", trait="rating_selector", value=4)
        distribution = [0, 0, 0, 1, 1]
        for channel in channels:
            value = told(channel, "ratings", value=testing.ANYTHING)
            while value["distribution"] != distribution:
                value = told(channel, "ratings")
            assert (value["mean"], value["count"]) == (4.5, 2)
            numbers = [
                pushed.data["number"]
                for pushed in channel.received
                if pushed.event == "trait_change"
            ]
            assert numbers == list(range(1, len(numbers) + 1))
        assert running.web.model.mean == 4.5
    assert json.loads((tmp_path / "ratings.json").read_text())["ratings"] == {
        pages[0].uuid: 5,
        pages[1].uuid: 4,
    }


def test_a_model_comes_back_to_its_pages(pages: list[Any], tmp_path: Path) -> None:
    """A page that was told by one process is told the same by the next, and no session is named."""
    path = tmp_path / "ratings.json"
    channels = [page.channel("model") for page in pages]
    with Running(path):
        for page, rating in zip(pages, (1, 5), strict=True):
            page.call("hello", rating=rating)
        pages[1].call("trait_change", trait="entry_field", value="before")
        before = pages[0].call("hello", rating=1)
    with Running(path):
        after = pages[0].call("hello", rating=1)
        assert after["epoch"] != before["epoch"]
        for name in ("messages", "ratings", "points", "clients", "own"):
            assert after[name] == before[name], name
        assert channels[0].expect("alive", {"epoch": after["epoch"], "number": 0}, seconds=SECONDS)
        pages[1].close()
        assert told(channels[0], "clients", value=1) == 1
    keys = Session.objects.values_list("session_key", flat=True)
    assert len(keys) == 2
    assert not [key for key in keys if key in path.read_text()]
