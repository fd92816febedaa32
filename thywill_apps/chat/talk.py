"""Saying something, and reading what was said.

A message is stored, counted and published in one transaction, under the lock of its room's row. So
numbers have no gaps and are given in the order in which everybody hears the messages, in several
threads and processes too: sorting by number is all that a reader has to do.
"""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from thywill_apps.chat.announcements import room_channel
from thywill_apps.chat.bounds import bounds
from thywill_apps.chat.models import Message, Room
from thywill_server.application import ApplicationError, publish

PRUNE_EVERY = 100
"""After how many messages of a room the oldest beyond `messages_kept` are deleted."""


def clean(text: str) -> str:
    """Give a text as it is stored: without what no database takes, and no space around it.

    Raises:
        ApplicationError: nothing is left, or too much.
    """
    text = text.replace("\r\n", "\n").replace("\x00", "")
    text = text.encode("utf-8", "replace").decode().strip()
    if not text:
        raise ApplicationError("invalid-message", "There is nothing to say in an empty message.")
    if len(text) > bounds().max_characters:
        raise ApplicationError(
            "invalid-message", f"A message has at most {bounds().max_characters} characters."
        )
    return text


@transaction.atomic
def say(room: int, author: Any, text: str) -> Message:
    """Store a message, and publish it.

    Raises:
        ApplicationError: the text is empty or too long, or the room is gone.
    """
    text = clean(text)
    # The update comes first: it takes the lock that orders those who speak at the same time.
    if not Room.objects.filter(pk=room).update(last_number=F("last_number") + 1):
        raise ApplicationError("not-found", "This room is gone.")
    number = Room.objects.values_list("last_number", flat=True).get(pk=room)
    message = Message.objects.create(
        room_id=room,
        number=number,
        author=author,
        author_name=author.get_username(),
        text=text,
        said_at=timezone.now(),
    )
    if number % PRUNE_EVERY == 0:
        kept_from = number - bounds().messages_kept
        Message.objects.filter(room_id=room, number__lte=kept_from).delete()
    publish(room_channel(room), "said", card(message))
    return message


def remove(messages: list[Message]) -> None:
    """Delete messages, and take them from the pages that show them."""
    with transaction.atomic():
        for message in messages:
            message.delete()
            publish(room_channel(message.room_id), "removed", {"number": message.number})


def card(message: Message) -> dict[str, Any]:
    """What a page is told of a message; ``at`` is in UTC."""
    return {
        "number": message.number,
        "by": message.author_name,
        "text": message.text,
        "at": message.said_at.isoformat(timespec="milliseconds"),
    }


def page_of(room: int, before: int | None = None) -> dict[str, Any]:
    """Give some messages, oldest first: the newest, or those before a number.

    Returns:
        ``messages``, and ``has_earlier``: whether there are any before them.
    """
    found = Message.objects.filter(room_id=room).order_by("-number")
    if before is not None:
        found = found.filter(number__lt=before)
    count = bounds().messages_at_start
    newest_first = list(found[: count + 1])
    return {
        "messages": [card(message) for message in reversed(newest_first[:count])],
        "has_earlier": len(newest_first) > count,
    }
