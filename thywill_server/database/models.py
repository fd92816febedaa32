"""What the site keeps: channels with their history, and the state of applications and clients.

A row is found by a key made of its names, since a database may compare text without regard to case,
accents or trailing spaces, and channels must not.
"""

from __future__ import annotations

import hashlib
import secrets
from typing import ClassVar, TypeVar

from django.db import connection, models
from django.utils import timezone

MAX_APPLICATION_CHARACTERS = 100
MAX_CHANNEL_CHARACTERS = 200
MAX_EVENT_CHARACTERS = 100

_Row = TypeVar("_Row", bound=models.Model)


def key_of(*names: str) -> str:
    """Give the key of a row with these names: 64 characters, the same on every database."""
    return hashlib.sha256("\n".join(names).encode("utf-8", "surrogatepass")).hexdigest()


def lasting_row(model: type[_Row], *names: str, **fields: str) -> int:
    """Give the primary key of the row with these names, which is made if there is none.

    Looking first takes no lock. An UPDATE that meets no row would lock, in MySQL, the gap where
    another's INSERT wants to be; and an INSERT that ignores what it meets keeps a shared lock that
    two may hold while both want more. This one takes the whole lock at once.
    """
    rows = model._default_manager.filter(key=key_of(*names)).values_list("pk", flat=True)
    found: int | None = rows.first()
    if found is None:
        has_target = connection.features.supports_update_conflicts_with_target
        model._default_manager.bulk_create(
            [model(key=key_of(*names), **fields)],
            update_conflicts=True,
            update_fields=["changed_at"],
            unique_fields=["key"] if has_target else None,
        )
        found = rows.get()
    return found


def new_epoch() -> str:
    """Give a text that no other channel has, nor this one after it was deleted."""
    return secrets.token_hex(8)


class Channel(models.Model):
    """A channel that has history, since its first message.

    Whoever publishes changes ``last_offset``, which locks the row until the end of the transaction;
    so offsets are without gaps, and become visible in their order.
    """

    key = models.CharField(max_length=64, unique=True)
    application = models.CharField(max_length=MAX_APPLICATION_CHARACTERS)
    name = models.CharField(max_length=MAX_CHANNEL_CHARACTERS)
    epoch = models.CharField(max_length=32, default=new_epoch)
    last_offset = models.BigIntegerField(default=0)
    changed_at = models.DateTimeField(default=timezone.now, db_index=True)

    def __str__(self) -> str:
        return f"{self.application} {self.name}"


class ChannelMessage(models.Model):
    """One message of a channel's history; ``data`` is JSON."""

    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, related_name="messages")
    offset = models.BigIntegerField()
    event = models.CharField(max_length=MAX_EVENT_CHARACTERS)
    data = models.TextField()
    published_at = models.DateTimeField(default=timezone.now)

    class Meta:  # noqa: D106 - Django's word for what the table is like
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["channel", "offset"], name="thywill_message_offset"),
        ]
        ordering: ClassVar = ["channel", "offset"]

    def __str__(self) -> str:
        return f"{self.channel_id}@{self.offset} {self.event}"


class State(models.Model):
    """What an application remembers, for itself or for one of its clients; a JSON object.

    ``owner`` is a client's uuid, or empty for the application's own.
    """

    key = models.CharField(max_length=64, unique=True)
    application = models.CharField(max_length=MAX_APPLICATION_CHARACTERS)
    owner = models.CharField(max_length=64, blank=True)
    values = models.TextField(default="{}")
    changed_at = models.DateTimeField(default=timezone.now, db_index=True)

    def __str__(self) -> str:
        return f"{self.application} {self.owner}".rstrip()
