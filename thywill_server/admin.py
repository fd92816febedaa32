"""The tables of thywill in Django's admin: to look at, with two things to do.

=====================  ==========================================================================
channels               their history; "clear the history" asks for ``thywill.delete_channelmessage``
connected clients      "disconnect" asks for ``thywill.change_connectedclient``
members                who is in which channel; where presence is noted
=====================  ==========================================================================

Nothing here is edited by hand: rows belong to whoever publishes and to whoever is connected.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.views.main import ChangeList
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import ngettext

from thywill_server.application import disconnect
from thywill_server.connections import people
from thywill_server.database.client_models import ConnectedClient, Member
from thywill_server.database.models import Channel, ChannelMessage
from thywill_server.errors import PushUnavailable

if TYPE_CHECKING:
    BaseAdmin = admin.ModelAdmin[Any]
else:
    BaseAdmin = admin.ModelAdmin

SHOWN_CHARACTERS = 120
"""Of a message's data in a list; all of it is on the message's own page."""


class ReadOnlyAdmin(BaseAdmin):
    """Shows rows to those who may view them."""

    list_per_page = 100
    show_full_result_count = False  # counting a long table takes its time

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody may."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody may, by hand."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody may, by hand."""
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Those with the permission; to change implies to view, as it does elsewhere."""
        meta = self.opts
        return any(
            request.user.has_perm(f"{meta.app_label}.{action}_{meta.model_name}")
            for action in ("view", "change")
        )


@admin.register(Channel)
class ChannelAdmin(ReadOnlyAdmin):
    """Channels that have history."""

    list_display = ("name", "application", "kept", "last_offset", "changed_at")
    list_filter = ("application",)
    search_fields = ("name",)
    ordering = ("-changed_at",)
    fields = ("name", "application", "epoch", "last_offset", "kept", "changed_at")
    actions = ("clear_history",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Count what is kept of each."""
        rows: QuerySet[Any] = super().get_queryset(request)
        counted: QuerySet[Any] = rows.annotate(message_count=Count("messages"))
        return counted

    @admin.display(description="messages kept", ordering="message_count")
    def kept(self, row: Any) -> str:
        """Link to them."""
        address = reverse("admin:thywill_channelmessage_changelist")
        return format_html(
            '<a href="{}?channel__id__exact={}">{}</a>', address, row.pk, row.message_count
        )

    def has_clear_permission(self, request: HttpRequest) -> bool:
        """Whether the history may be cleared."""
        return request.user.has_perm("thywill.delete_channelmessage")

    @admin.action(description="Clear the history of selected channels", permissions=["clear"])
    def clear_history(self, request: HttpRequest, rows: QuerySet[Channel]) -> HttpResponse | None:
        """Ask first, then delete the messages. Offsets go on: pages notice what they miss."""
        pks = list(rows.values_list("pk", flat=True))
        kept = ChannelMessage.objects.filter(channel__in=pks)
        if request.POST.get("confirmed") != "yes":
            context = {
                **self.admin_site.each_context(request),
                "title": "Clear the history",
                "opts": self.opts,
                "channels": rows,
                "count": kept.count(),
                "action_checkbox_name": ACTION_CHECKBOX_NAME,
            }
            return TemplateResponse(request, "admin/thywill/clear_history.html", context)
        count = kept.count()
        for row in rows:
            self.log_change(request, row, "Cleared the history.")
        kept.delete()
        sentence = ngettext("%d message was deleted.", "%d messages were deleted.", count) % count
        self.message_user(request, sentence, messages.SUCCESS)
        return None


@admin.register(ChannelMessage)
class ChannelMessageAdmin(ReadOnlyAdmin):
    """The messages of the channels' histories."""

    list_display = ("offset", "channel", "event", "shortened", "published_at")
    list_filter = ("channel__application", "event")
    list_select_related = ("channel",)
    ordering = ("-published_at", "-offset")
    fields = ("channel", "offset", "event", "published_at", "whole")

    @admin.display(description="data")
    def shortened(self, row: ChannelMessage) -> str:
        """Give the beginning."""
        text = row.data
        return text if len(text) <= SHOWN_CHARACTERS else text[: SHOWN_CHARACTERS - 3] + "..."

    @admin.display(description="data")
    def whole(self, row: ChannelMessage) -> str:
        """Give all of it, in lines."""
        text = json.dumps(json.loads(row.data), indent=2, ensure_ascii=False)
        return format_html("<pre>{}</pre>", text)


def user_key(row: ConnectedClient | Member) -> str:
    """Give the primary key of a row's user as text; empty for a visitor."""
    if isinstance(row, ConnectedClient):
        return row.user
    is_user = row.identity.startswith(people.USER)
    return row.identity.removeprefix(people.USER) if is_user else ""


class NamedChangeList(ChangeList):
    """A page of a list whose rows know the names of their users, by one query."""

    def get_results(self, request: HttpRequest) -> None:
        """Add ``username`` to each row."""
        super().get_results(request)
        rows = list(self.result_list)
        users = people.users({user_key(row) for row in rows})
        for row in rows:
            user = users.get(user_key(row))
            row.username = user_key(row) if user is None else user.get_username()
        self.result_list = rows


class NamedAdmin(ReadOnlyAdmin):
    """Rows with a user."""

    @admin.display(description="user")
    def username(self, row: Any) -> str:
        """Give the user's name; the key of one that is gone."""
        if "username" not in vars(row):
            key = user_key(row)
            user = people.users({key}).get(key)
            row.username = key if user is None else user.get_username()
        return row.username or self.get_empty_value_display()

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """Use the list that finds names."""
        return NamedChangeList


@admin.register(ConnectedClient)
class ConnectedClientAdmin(NamedAdmin):
    """Pages that are connected, or were a while ago."""

    list_display = ("uuid", "application", "username", "is_connected", "since", "broker")
    list_filter = ("is_connected", "application")
    search_fields = ("uuid", "=user")
    ordering = ("-is_connected", "-since")
    fields = (
        "uuid",
        "application",
        "username",
        "is_connected",
        "since",
        "broker",
        "lease_until",
        "ends_at",
        "ended_at",
    )
    actions = ("disconnect",)

    def has_disconnect_permission(self, request: HttpRequest) -> bool:
        """Whether connections may be ended."""
        return request.user.has_perm("thywill.change_connectedclient")

    @admin.action(description="Disconnect selected clients", permissions=["disconnect"])
    def disconnect(self, request: HttpRequest, rows: QuerySet[ConnectedClient]) -> None:
        """End their connections within a second."""
        count = 0
        try:
            for row in rows:
                disconnect(row.uuid)
                self.log_change(request, row, "Disconnected.")
                count += 1
        except PushUnavailable as refusal:
            self.message_user(request, refusal.sentence, messages.ERROR)
        sentence = ngettext("%d client is ended.", "%d clients are ended.", count) % count
        self.message_user(request, sentence, messages.SUCCESS if count else messages.WARNING)


class IsIn(admin.SimpleListFilter):
    """Those who are in the channel, unless all are asked for."""

    title = "is in"
    parameter_name = "is_in"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Give the choice beside the usual one."""
        return [("all", "those who were, too")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Leave out those who have left."""
        return queryset if self.value() == "all" else queryset.filter(is_in=True, left_at=None)


@admin.register(Member)
class MemberAdmin(NamedAdmin):
    """Who is in which channel."""

    list_display = ("channel", "application", "username", "identity", "uuid", "since", "left_at")
    list_filter = (IsIn, "application")
    search_fields = ("channel", "uuid")
    ordering = ("channel", "since")
    fields: ClassVar = (
        "channel",
        "application",
        "username",
        "identity",
        "uuid",
        "since",
        "is_in",
        "left_at",
    )
