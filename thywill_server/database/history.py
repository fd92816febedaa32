"""Channels' histories: messages with gapless offsets, in the transaction of whoever publishes.

::

    append("chat", "room:lobby", "said", '{"text": "hi"}', keep=200)   # Position(epoch, offset)
    read("chat", "room:lobby", after=position, limit=100, max_bytes=262_144)

An *epoch* names one life of a channel: when its row is deleted, the next message begins another
with offset 1. A channel nobody has published to has no row, and its position is `BEGINNING`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from thywill_server.database.deadlocks import retried
from thywill_server.database.models import Channel, ChannelMessage, key_of, lasting_row

TRIM_PARTS: Final = 8
"""Histories are trimmed once for every eighth of what they keep, not at each message."""


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a channel's history: just after the message with this offset."""

    epoch: str
    offset: int


BEGINNING: Final = Position("", 0)
"""Before the first message of a channel that had none yet."""


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """A message of the history; ``data`` is JSON text."""

    offset: int
    event: str
    data: str


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a history.

    Attributes:
        messages: in order.
        end: the position after the last of them.
        is_whole: whether nothing is missing between what was asked for and the first message.
        has_more: whether there are more messages after ``end``.
    """

    messages: list[StoredMessage]
    end: Position
    is_whole: bool
    has_more: bool


@retried
def append(application: str, name: str, event: str, data: str, keep: int) -> Position:
    """Store a message at the end of a channel's history.

    Within a transaction the channel is locked until its end, and others who publish to the same
    channel wait; a roll-back leaves no gap.

    Args:
        application: whose channel.
        name: the channel's.
        event: the event's name.
        data: JSON text.
        keep: how many messages the history keeps; at times it has up to an eighth more.
    """
    with transaction.atomic():
        row = lasting_row(Channel, application, name, application=application, name=name)
        rows = Channel.objects.filter(pk=row)
        rows.update(last_offset=F("last_offset") + 1, changed_at=timezone.now())
        pk, epoch, offset = rows.values_list("pk", "epoch", "last_offset").get()
        ChannelMessage.objects.bulk_create(
            [ChannelMessage(channel_id=pk, offset=offset, event=event, data=data)]
        )
        if offset % max(1, keep // TRIM_PARTS) == 0:
            ChannelMessage.objects.filter(channel_id=pk, offset__lte=offset - keep).delete()
    return Position(epoch, offset)


def position(application: str, name: str) -> Position:
    """Give the position at the end of a channel's history."""
    found = _found(application, name)
    return BEGINNING if found is None else found[1]


def lock(application: str, name: str) -> Position:
    """Keep everybody else from publishing until the end of the transaction; gives the position."""
    if position(application, name) == BEGINNING:
        return BEGINNING
    rows = Channel.objects.select_for_update().filter(key=key_of(application, name))
    epoch, offset = rows.values_list("epoch", "last_offset").get()
    return Position(epoch, offset)


def read(
    application: str, name: str, after: Position | None, limit: int, max_bytes: int
) -> Stretch:
    """Give messages of a channel, oldest first.

    Args:
        application: whose channel.
        name: the channel's.
        after: what the reader has; None for a reader that has nothing and expects nothing.
        limit: at most so many messages.
        max_bytes: at most so much data, but one message at least.
    """
    found = _found(application, name)
    if found is None:
        return Stretch([], BEGINNING, is_whole=after in (None, BEGINNING), has_more=False)
    pk, last = found
    is_known = after is not None and (after == BEGINNING or after.epoch == last.epoch)
    start = after.offset if after is not None and is_known else 0
    rows = ChannelMessage.objects.filter(channel_id=pk, offset__gt=start).order_by("offset")
    stored = [StoredMessage(*row) for row in rows.values_list("offset", "event", "data")[:limit]]
    messages = _fitting(stored, max_bytes)
    end = messages[-1].offset if messages else last.offset
    first = messages[0].offset if messages else end + 1
    return Stretch(
        messages,
        Position(last.epoch, end),
        is_whole=after is None or (is_known and first == start + 1),
        has_more=end < last.offset,
    )


def latest(application: str, name: str, limit: int) -> list[StoredMessage]:
    """Give the newest messages of a channel, oldest first."""
    found = _found(application, name)
    if found is None or limit <= 0:
        return []
    rows = ChannelMessage.objects.filter(channel_id=found[0]).order_by("-offset")
    newest = rows.values_list("offset", "event", "data")[:limit]
    return [StoredMessage(*row) for row in newest][::-1]


def _fitting(messages: list[StoredMessage], max_bytes: int) -> list[StoredMessage]:
    size = 0
    for count, message in enumerate(messages):
        size += len(message.data.encode("utf-8", "surrogatepass"))
        if size > max_bytes and count > 0:
            return messages[:count]
    return messages


def _found(application: str, name: str) -> tuple[int, Position] | None:
    rows = Channel.objects.filter(key=key_of(application, name))
    found = rows.values_list("pk", "epoch", "last_offset").first()
    return None if found is None else (found[0], Position(found[1], found[2]))
