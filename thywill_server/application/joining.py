"""How a page gets into a channel, and what it is given there.

One function does it all: joining, fetching what was missed, renewing the ticket. ``may_join`` is
asked first, each time; nothing of the channel is looked at before it has said yes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from thywill_server.application.base import Join
from thywill_server.application.channels import (
    Channel,
    ChannelDeclaration,
    UnknownChannel,
    check_name,
    find_declaration,
)
from thywill_server.encoding import Json, plain
from thywill_server.errors import ApplicationError

if TYPE_CHECKING:
    from thywill_server.client import Client
    from thywill_server.database.history import Position, Stretch
    from thywill_server.push.base import PushComponent

UNLOCKED_TRIES: Final = 3
"""How often a snapshot is taken beside those who publish, before they are made to wait for it."""

Call = Callable[[Callable[..., Any], "Client", Mapping[str, str]], Any]
"""Calls a function of the application with a client and a channel's fields, and waits for it."""


def channel_of(application: str, declarations: list[ChannelDeclaration], name: str) -> Channel:
    """Find a channel that a page has named.

    Raises:
        ApplicationError: ``unknown-channel``.
    """
    try:
        found = find_declaration(declarations, check_name(name))
    except ValueError:
        found = None
    if found is None:
        raise UnknownChannel(name)
    return Channel(application, name, *found)


def require_member(client: Client, channel: Channel, call: Call) -> None:
    """Ask ``may_join``.

    Raises:
        ApplicationError: ``not-allowed``, or what the function raises.
    """
    if not call(channel.declaration.may_join, client, channel.fields):
        raise ApplicationError("not-allowed", f'You may not join "{channel.name}".')


def answer_to(
    client: Client,
    channel: Channel,
    request: Join,
    *,
    push: PushComponent,
    call: Call,
    max_messages: int,
    max_bytes: int,
) -> dict[str, Json]:
    """Give the fields of the answer to a member; see ``documentation/reference/wire.md``."""
    destination = push.channel_destination(channel.application, channel.name)
    answer: dict[str, Json] = {
        "channel": channel.name,
        "destination": destination,
        "ticket": push.channel_ticket(client, destination),
        "expires_in": push.ticket_seconds,
        "has_history": channel.history > 0,
    }
    if not channel.history:
        recovered = None if request.after is None else False
        return answer | _cursor(None, recovered)
    stretch, recovered = _missed(channel, request, max_messages, max_bytes)
    if stretch is not None and recovered is not False:
        return answer | _cursor(stretch.end, recovered) | _messages(stretch)
    if channel.declaration.snapshot is not None:
        position, snapshot = _snapshot(client, channel, call)
        return answer | _cursor(position, recovered) | {"snapshot": snapshot}
    assert stretch is not None
    return answer | _cursor(stretch.end, recovered) | _messages(stretch)


def _missed(
    channel: Channel, request: Join, max_messages: int, max_bytes: int
) -> tuple[Stretch | None, bool | None]:
    """Read what a page asks for; None for one that begins with a snapshot."""
    from thywill_server.database.history import Position, position, read

    after = None
    if request.after is not None:
        after = Position(*request.after)
    elif request.replay is not None:
        last = position(channel.application, channel.name)
        after = Position(last.epoch, max(0, last.offset - request.replay))
    elif channel.declaration.snapshot is not None:
        return None, None
    stretch = read(channel.application, channel.name, after, max_messages, max_bytes)
    return stretch, None if request.after is None else stretch.is_whole


def _snapshot(client: Client, channel: Channel, call: Call) -> tuple[Position, Json]:
    """Take a snapshot, and the position at which it was taken."""
    from django.db import transaction

    from thywill_server.database.history import lock, position

    function = channel.declaration.snapshot
    assert function is not None
    before = position(channel.application, channel.name)
    for _ in range(UNLOCKED_TRIES):
        snapshot = plain(call(function, client, channel.fields))
        after = position(channel.application, channel.name)
        if after == before:
            return after, snapshot
        before = after
    with transaction.atomic():
        before = lock(channel.application, channel.name)
        return before, plain(call(function, client, channel.fields))


def _cursor(end: Position | None, recovered: bool | None) -> dict[str, Json]:
    return {
        "epoch": None if end is None else end.epoch,
        "offset": None if end is None else end.offset,
        "recovered": recovered,
        "messages": [],
        "more": False,
    }


def _messages(stretch: Stretch) -> dict[str, Json]:
    epoch = stretch.end.epoch
    messages = [
        {
            "offset": message.offset,
            "event": message.event,
            "data": json.loads(message.data),
            "id": f"{epoch}-{message.offset}",
        }
        for message in stretch.messages
    ]
    return {"messages": messages, "more": stretch.has_more}
