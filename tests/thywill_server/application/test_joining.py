"""A snapshot and its position belong together, however busy the channel is."""

from typing import Any

import pytest

from tests.support.recording import RecordingPush
from thywill_server.application.base import Join
from thywill_server.application.channels import Channel, ChannelDeclaration, ChannelPattern
from thywill_server.application.joining import answer_to
from thywill_server.client import Client
from thywill_server.database import history

pytestmark = pytest.mark.django_db(transaction=True)

NAME = "room:a"
CLIENT = Client("u-1", "session", None, "chat")


class Busy:
    """A room whose total changes while one looks, so often."""

    def __init__(self, changes: int) -> None:
        self.changes = changes
        self.total = 0
        self.looks = 0

    def change(self) -> None:
        """Count one more, and publish it."""
        self.total += 1
        history.append("chat", NAME, "total", str(self.total), 100)

    def snapshot(self, client: Client, room: str) -> int:
        """Look, and be overtaken."""
        self.looks += 1
        seen = self.total
        if self.changes > 0:
            self.changes -= 1
            self.change()
        return seen


def answer(room: Busy, **request: Any) -> dict[str, Any]:
    """What a page is answered."""
    declaration = ChannelDeclaration(
        ChannelPattern("room:{room}"), lambda client, room: True, 100, room.snapshot
    )
    channel = Channel("chat", NAME, declaration, {"room": "a"})
    return answer_to(
        CLIENT,
        channel,
        Join(NAME, **request),
        push=RecordingPush({}),
        call=lambda function, client, fields: function(client, **fields),
        max_messages=100,
        max_bytes=100_000,
    )


@pytest.mark.parametrize("changes", [0, 1, 2])
def test_overtaken_snapshots_are_taken_again(changes: int) -> None:
    """What the page gets is what holds at the position it gets."""
    room = Busy(changes)
    room.change()
    found = answer(room)
    assert found["snapshot"] == found["offset"] == 1 + changes
    assert room.looks == 1 + changes


def test_a_busy_channel_is_locked() -> None:
    """At the third time the publishers are made to wait: nothing comes between."""
    room = Busy(3)
    room.change()
    found = answer(room)
    assert found["snapshot"] == found["offset"] == 4
    assert room.looks == 4


def test_snapshot_of_a_channel_that_nobody_has_published_to() -> None:
    """It has one all the same."""
    found = answer(Busy(0))
    assert (found["snapshot"], found["epoch"], found["offset"]) == (0, "", 0)


def test_replay_instead_of_the_snapshot() -> None:
    """A page that says how many messages it wants gets those."""
    room = Busy(0)
    for _ in range(3):
        room.change()
    found = answer(room, replay=2)
    assert [message["data"] for message in found["messages"]] == [2, 3]
    assert "snapshot" not in found
