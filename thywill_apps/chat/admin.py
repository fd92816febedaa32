"""Rooms and messages in Django's admin."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from thywill_apps.chat import talk
from thywill_apps.chat.models import Message, Room

if TYPE_CHECKING:
    RoomBase: TypeAlias = admin.ModelAdmin[Room]
    MessageBase: TypeAlias = admin.ModelAdmin[Message]
else:  # only its type has a parameter
    RoomBase = MessageBase = admin.ModelAdmin


@admin.register(Room)
class RoomAdmin(RoomBase):
    """Rooms: who may read them, and how much was said."""

    list_display = ("name", "reading", "last_number", "made_by", "made_at")
    list_filter = ("reading",)
    search_fields = ("name", "topic")
    prepopulated_fields = {"slug": ("name",)}
    autocomplete_fields = ("made_by",)
    filter_horizontal = ("members",)
    readonly_fields = ("last_number", "made_at")


@admin.register(Message)
class MessageAdmin(MessageBase):
    """Messages: to be read and deleted. What was said is not changed afterwards."""

    list_display = ("room", "number", "author_name", "text", "said_at")
    list_filter = ("room",)
    search_fields = ("text", "author_name")
    date_hierarchy = "said_at"

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Messages are said on the page."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Message | None = None) -> bool:
        """Nobody puts words into the mouth of another."""
        return False

    def delete_model(self, request: HttpRequest, obj: Message) -> None:
        """Delete one, in the open pages as well."""
        talk.remove([obj])

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Message]) -> None:
        """Delete several, the same."""
        talk.remove(list(queryset))
