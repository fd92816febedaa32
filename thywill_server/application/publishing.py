"""Sending and publishing: the same functions for a handler, a view, a shell, a task queue.

==================================  ===============================================================
``client.send``, ``to_client``      one page
``to_subset``                       some pages
``to_user``                         every page of a user
``broadcast``                       every page of an application
``publish``                         every page in a channel, and its history
==================================  ===============================================================

What a handler does concerns its own application. Anywhere else the application is found by the
channel's name, or is the only one of the site, or is named by ``application=``.

The database is imported by those who need it: ``settings.py`` comes past here, before Django is
ready for models.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from thywill_server.application.channels import check_event, check_name
from thywill_server.application.outbox import in_transaction, running_call, when_committed
from thywill_server.client import NO_DATA, Client
from thywill_server.encoding import Json
from thywill_server.errors import PushUnavailable
from thywill_server.push.base import JSON_TYPE, PushMessage

if TYPE_CHECKING:
    from thywill_server.application.base import ApplicationComponent, FoundChannel
    from thywill_server.database.history import Position
    from thywill_server.push.base import PushComponent

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ChannelEvent:
    """One message of a channel's history."""

    offset: int
    event: str
    data: Json


def to_client(client_uuid: str | Client, message_or_event: Json, data: Json = NO_DATA) -> None:
    """Push to one page, from anywhere: a handler, a view, a shell, a task queue.

    ``to_client(uuid, message)`` sends text or any JSON value; ``to_client(uuid, event, data)``
    sends a named event. Inside a database transaction it waits for the commit; a roll-back sends
    nothing.

    Raises:
        PushUnavailable: the push queue is full.
        TypeError, ValueError: JSON has no form for the value.
    """
    send_through(push_of_site(), _uuid(client_uuid), message_or_event, data)


def send_message_to_client(client_uuid: str, message: Json) -> None:
    """Push a message to one client, in the spelling of 2011; the same as `to_client`."""
    to_client(client_uuid, message)


def to_subset(
    clients: Iterable[str | Client],
    message_or_event: Json,
    data: Json = NO_DATA,
    *,
    except_: str | Client | Iterable[str | Client] = (),
) -> None:
    """Push to several pages, each once; like `to_client`.

    Args:
        clients: uuids, or clients.
        message_or_event: a message, or an event's name.
        data: the event's.
        except_: one or several to leave out, such as the client that caused it.
    """
    left_out = [except_] if isinstance(except_, (str, Client)) else except_
    wanted = dict.fromkeys(map(_uuid, clients))
    for client_uuid in map(_uuid, left_out):
        wanted.pop(client_uuid, None)
    push, message = push_of_site(), message_of(message_or_event, data)

    def send() -> None:
        for client_uuid in wanted:
            hand_over(push, push.destination_of(client_uuid), message)

    when_committed(send)


def to_user(user: Any, message_or_event: Json, data: Json = NO_DATA) -> None:
    """Push to every page of a user, in every application; like `to_client`.

    Args:
        user: a user of Django, or its primary key.
        message_or_event: a message, or an event's name.
        data: the event's.

    Raises:
        ValueError: the user is anonymous, or not saved yet.
    """
    key = getattr(user, "pk", user)
    if key is None:
        raise ValueError(f"to_user: expected a user with a primary key, got {user!r}")
    push, message = push_of_site(), message_of(message_or_event, data)
    when_committed(lambda: hand_over(push, push.user_destination(str(key)), message))


def broadcast(
    message_or_event: Json, data: Json = NO_DATA, *, application: str | None = None
) -> None:
    """Push to every page of an application; like `to_client`.

    Args:
        message_or_event: a message, or an event's name.
        data: the event's.
        application: which; in a handler its own by default, elsewhere the only one of the site.

    Raises:
        ValueError: the site has several applications, or none of this name.
    """
    wanted = application_named(application, "broadcast")
    push, message = push_of_site(), message_of(message_or_event, data)
    when_committed(lambda: hand_over(push, push.application_destination(wanted), message))


def publish(channel: str, event: str, data: Json = None, *, application: str | None = None) -> None:
    """Publish an event to a channel, from anywhere.

    Inside a database transaction it waits for the commit; a roll-back publishes nothing. In a
    channel with history the event is stored in that very transaction, and whoever is away finds it
    there later, even when nothing can be pushed at the moment.

    In an ``async`` handler it is published when the handler is done; ``await apublish(...)``
    publishes at once.

    Args:
        channel: its name, such as ``room:lobby``.
        event: the event's name.
        data: any JSON value.
        application: whose channel; found by its name when not given.

    Raises:
        ValueError: the name of the channel or of the event is none, or no application has such a
            channel.
        TypeError: JSON has no form for the data.
        PushUnavailable: the channel has no history, and the push queue is full.
    """
    check_event(event)
    found = found_channel(channel, application)
    push = push_of_site()
    destination = push.channel_destination(found.application, found.name)
    body = PushMessage.of(data, event=event).body
    if not found.history:
        message = _channel_message(found, event, body)
        when_committed(lambda: hand_over(push, destination, message))
        return

    def store() -> None:
        from thywill_server.database.history import append

        position = append(found.application, found.name, event, body.decode(), found.history)
        message = _channel_message(found, event, body, position)
        when_committed(lambda: _push_stored(push, destination, message))

    in_transaction(store)


def history(
    channel: str, limit: int | None = None, *, application: str | None = None
) -> list[ChannelEvent]:
    """Give the newest events of a channel's history, oldest first.

    Args:
        channel: its name.
        limit: at most so many; all that the channel keeps by default.
        application: as of `publish`.

    Raises:
        ValueError: as of `publish`.
    """
    from thywill_server.database.history import latest

    found = found_channel(channel, application)
    count = found.history if limit is None else min(limit, found.history)
    return [
        ChannelEvent(message.offset, message.event, json.loads(message.data))
        for message in latest(found.application, found.name, count)
    ]


async def apublish(
    channel: str, event: str, data: Json = None, *, application: str | None = None
) -> None:
    """Publish from ``async`` code, at once; otherwise as `publish`."""
    from asgiref.sync import sync_to_async

    await sync_to_async(publish)(channel, event, data, application=application)


async def ahistory(
    channel: str, limit: int | None = None, *, application: str | None = None
) -> list[ChannelEvent]:
    """Give what `history` gives, to ``async`` code."""
    from asgiref.sync import sync_to_async

    return await sync_to_async(history)(channel, limit, application=application)


def flush(timeout_seconds: float = 5.0) -> None:
    """Wait until everything that was sent or published in this process is with the broker.

    A process that ends in good order does this by itself. It is for those that do not, such as the
    children of a task queue, and for whoever wants to be sure. Not within a transaction: what waits
    for its commit is not sent yet.

    Raises:
        PushUnavailable: the broker has not confirmed it in that time.
    """
    push_of_site().flush(timeout_seconds)


def send_through(
    push: PushComponent, client_uuid: str, message_or_event: Json, data: Json = NO_DATA
) -> None:
    """Encode at once, so that mistakes show where they are made, and push after the commit."""
    message = message_of(message_or_event, data)
    when_committed(lambda: hand_over(push, push.destination_of(client_uuid), message))


def hand_over(push: PushComponent, destination: str, message: PushMessage) -> None:
    """Push a message, and tell those who listen to the signal."""
    from thywill_server import signals

    push.publish(destination, message)
    signals.tell(signals.message_published, type(push), destination=destination, message=message)


def message_of(message_or_event: Json, data: Json) -> PushMessage:
    """Encode a message, or an event with its data."""
    if data is NO_DATA:
        return PushMessage.of(message_or_event)
    return PushMessage.of(data, event=message_or_event)


def _channel_message(
    found: FoundChannel, event: str, body: bytes, position: Position | None = None
) -> PushMessage:
    headers = {"channel": found.name}
    if position is not None:
        headers |= {"epoch": position.epoch, "offset": str(position.offset)}
    return PushMessage(body, JSON_TYPE, event, headers)


def _push_stored(push: PushComponent, destination: str, message: PushMessage) -> None:
    """Push what is in the history already: who does not get it now will fetch it."""
    try:
        hand_over(push, destination, message)
    except PushUnavailable as refusal:
        log.warning("a message to %s is in its history only: %s", destination, refusal)


def application_named(application: str | None, what: str) -> str:
    """Give the application that is meant: the one named, the running handler's, the only one."""
    component, own = _component()
    names = component.application_names()
    wanted = application or own
    if wanted is None and len(names) == 1:
        wanted = names[0]
    if wanted is None or wanted not in names:
        asked = f'no application "{wanted}"' if wanted else "which application?"
        raise ValueError(f"{what}: {asked} application= is one of {', '.join(names)}")
    return wanted


def found_channel(channel: str, application: str | None) -> FoundChannel:
    """Find a channel by its name, in the application of the running handler first."""
    component, own = _component()
    name = check_name(channel)
    if application is None and own is not None:
        try:
            return component.find_channel(name, own)
        except ValueError:
            pass  # another application's, perhaps
    return component.find_channel(name, application)


def _component() -> tuple[ApplicationComponent, str | None]:
    """Give the application component, and the application that runs in this context."""
    call = running_call()
    if call is not None and call.component is not None:
        return call.component, call.application
    from thywill_server.apps import start_components

    return start_components().application, None


def push_of_site() -> PushComponent:
    """Give the push component that the running handler was called with, or the site's."""
    call = running_call()
    if call is not None:
        return call.push
    from thywill_server.apps import start_components

    return start_components().push


def _uuid(client: str | Client) -> str:
    return client.uuid if isinstance(client, Client) else client
