"""What pages are told when rooms change: in the page, in the admin, in a shell.

Every page listens to ``chat-rooms``, which says nothing but that the list may look different now:
what it looks like is asked for, and answered to each as it may see it. Who may not read a room any
more is put out of it at once, not when the page's ticket ends.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.db.models.signals import m2m_changed, post_delete, post_save

from thywill_apps.chat.models import Room
from thywill_server.application import disconnect, presence, publish

ROOMS = "chat-rooms"
"""The channel of those who show a list of rooms."""


def room_channel(room: int) -> str:
    """The channel of a room's messages, by primary key: a key is never given twice."""
    return f"chat:{room}"


def typing_channel(room: int) -> str:
    """The channel that tells who types."""
    return f"chat-typing:{room}"


def follow() -> None:
    """Listen to rooms and their members."""
    post_save.connect(_room_changed, sender=Room, dispatch_uid="chat.room")
    post_delete.connect(_room_changed, sender=Room, dispatch_uid="chat.room")
    m2m_changed.connect(_members_changed, sender=Room.members.through, dispatch_uid="chat.members")


def rooms_changed(*rooms: int) -> None:
    """Tell all pages, after the commit, and put out whom these rooms are closed to now."""
    publish(ROOMS, "changed")
    for room in rooms:
        transaction.on_commit(partial(_put_out, room))


def _room_changed(instance: Room, **_: Any) -> None:
    rooms_changed(instance.pk)


def _members_changed(instance: Any, action: str, reverse: bool, **_: Any) -> None:
    # From the user's side it is not said which rooms; there is no way to do it: related_name="+".
    if action.startswith("post_") and not reverse:
        rooms_changed(instance.pk)


def _put_out(room: int) -> None:
    rooms = Room.objects.filter(pk=room)
    for member in presence(room_channel(room)).members:
        if not rooms.readable_by(member.user or AnonymousUser()).exists():
            disconnect(member.uuid)
