"""The list of rooms as somebody may see it, and making one."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, transaction
from django.utils.text import slugify

from thywill_apps.chat.bounds import bounds
from thywill_apps.chat.models import Reading, Room
from thywill_server.application import ApplicationError


def listed(user: Any) -> list[dict[str, Any]]:
    """What a page is told of the rooms that somebody may read."""
    return [_card(room) for room in Room.objects.readable_by(user)]


def is_readable(user: Any, room: str) -> bool:
    """Whether somebody may read the room with this primary key, given as text."""
    if not room.isascii() or not room.isdecimal() or len(room) > 18:
        return False
    return Room.objects.readable_by(user).filter(pk=int(room)).exists()


def make(user: Any, name: str, reading: str, topic: str = "") -> dict[str, Any]:
    """Make a room of a user's own.

    Raises:
        ApplicationError: there are enough rooms, the name is taken, or it is none.
    """
    name, topic = _line(name, 60, "The name of a room"), _line(topic, 200, "A topic", may_lack=True)
    slug = slugify(name, allow_unicode=True)[:80]
    if not slug:
        raise ApplicationError("invalid-message", "A room's name needs a letter or a digit.")
    if reading not in (Reading.EVERYONE, Reading.USERS):
        raise ApplicationError("invalid-message", "reading: expected everyone or users.")
    if Room.objects.filter(made_by=user).count() >= bounds().max_rooms_each:
        raise ApplicationError(
            "too-many-rooms", f"You have {bounds().max_rooms_each} rooms: that is all there are."
        )
    if Room.objects.count() >= bounds().max_rooms:
        raise ApplicationError("too-many-rooms", "There are as many rooms as this site may have.")
    try:
        with transaction.atomic():
            room = Room.objects.create(
                name=name, slug=slug, topic=topic, reading=reading, made_by=user
            )
    except IntegrityError:
        raise ApplicationError("name-taken", f'There is a room "{name}" already.') from None
    return _card(room)


def _card(room: Room) -> dict[str, Any]:
    return {
        "id": str(room.pk),
        "slug": room.slug,
        "name": room.name,
        "topic": room.topic,
        "is_public": room.reading == Reading.EVERYONE,
    }


def _line(text: str, max_characters: int, what: str, may_lack: bool = False) -> str:
    line = " ".join(text.split())
    if not line.isprintable() or len(line) > max_characters or not (line or may_lack):
        raise ApplicationError(
            "invalid-message", f"{what} is 1 to {max_characters} printable characters."
        )
    return line
