"""What bounds a chat; a site sets others in settings.py: ``CHAT = {"messages_kept": 500}``.

A name that is none, or a value of another kind, is one sentence when the site starts.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from thywill_server.application import own_settings


@dataclass(frozen=True, slots=True)
class Bounds:
    """The settings of the chat, with their defaults.

    Attributes:
        messages_at_start: how many messages a page begins with, and gets for each "Earlier".
        messages_in_page: how many a page keeps at most; the oldest leave it, and can be had again.
        messages_missed: how many a page may miss, and still get one by one; a page that has missed
            more begins anew with the newest ones.
        messages_kept: how many a room keeps in the database; the oldest are deleted.
        max_characters: of one message.
        max_rooms: of the site; more are made in the admin only.
        max_rooms_each: that one user has made.
        say_rate: how often one browser may speak; faster ones wait, and lose nothing.
        typing_rate: how often one browser may say that somebody types.
        room_rate: how often one browser may make a room.
        may_sign_up: whether visitors may make an account for themselves; None: only under DEBUG.
    """

    messages_at_start: int = 50
    messages_in_page: int = 300
    messages_missed: int = 200
    messages_kept: int = 100_000
    max_characters: int = 2000
    max_rooms: int = 500
    max_rooms_each: int = 20
    say_rate: str = "50/5s"
    typing_rate: str = "2/s"
    room_rate: str = "5/m"
    may_sign_up: bool | None = None


@cache
def bounds() -> Bounds:
    """Give the site's bounds.

    Raises:
        ImproperlyConfigured: ``CHAT`` is wrong.
    """
    found = own_settings("CHAT", Bounds)
    if found.messages_in_page < found.messages_at_start:
        raise ImproperlyConfigured('CHAT["messages_in_page"]: expected messages_at_start or more')
    return found


def may_sign_up() -> bool:
    """Whether visitors may make an account for themselves."""
    chosen = bounds().may_sign_up
    return bool(settings.DEBUG) if chosen is None else chosen
