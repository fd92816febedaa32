"""Rooms and what was said in them."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q


class Reading(models.TextChoices):
    """Who may read a room; to write in it, one has to be signed in as well."""

    EVERYONE = "everyone", "everyone"
    USERS = "users", "who is signed in"
    MEMBERS = "members", "its members"


class RoomQuerySet(models.QuerySet["Room"]):
    """Rooms, by who asks."""

    def readable_by(self, user: Any) -> RoomQuerySet:
        """Give the rooms that a user, or a visitor, may read."""
        if not user.is_authenticated:
            return self.filter(reading=Reading.EVERYONE)
        if user.has_perm("chat.view_room"):
            return self
        member = Room.members.through.objects.filter(user_id=user.pk).values("room_id")
        return self.filter(
            Q(reading__in=(Reading.EVERYONE, Reading.USERS)) | Q(made_by=user) | Q(pk__in=member)
        )


class Room(models.Model):
    """A room; whoever made it may read it, and so may those who see rooms in the admin."""

    name = models.CharField(max_length=60)
    slug = models.SlugField(
        max_length=80, unique=True, allow_unicode=True, help_text="Names the room in addresses."
    )
    topic = models.CharField(max_length=200, blank=True)
    reading = models.CharField(
        "may be read by", max_length=10, choices=Reading.choices, default=Reading.EVERYONE
    )
    members = models.ManyToManyField(
        settings.AUTH_USER_MODEL,
        blank=True,
        related_name="+",
        help_text='Who may read it, where only "its members" may.',
    )
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    made_at = models.DateTimeField(auto_now_add=True)
    last_number = models.PositiveBigIntegerField(default=0, editable=False)

    objects = RoomQuerySet.as_manager()

    class Meta:
        """By name, as people look for them."""

        ordering = ("name", "pk")

    def __str__(self) -> str:
        return self.name


class Message(models.Model):
    """One message; its number counts the messages of its room, in the order in which all see them.

    The name of the author stays with the message, whatever becomes of the account.
    """

    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="messages")
    number = models.PositiveBigIntegerField()
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    author_name = models.CharField(max_length=150)
    text = models.TextField()
    said_at = models.DateTimeField()

    class Meta:
        """As they were said."""

        ordering = ("room", "number")
        constraints = (models.UniqueConstraint(fields=("room", "number"), name="chat_number"),)

    def __str__(self) -> str:
        return f"{self.author_name}: {self.text[:50]}"
