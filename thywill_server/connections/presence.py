"""Who is in a channel: asked by applications, and kept as pages come and go."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from thywill_server.application.outbox import when_committed
from thywill_server.connections import people
from thywill_server.database import members
from thywill_server.database.members import Place

if TYPE_CHECKING:
    from thywill_server.client import Client
    from thywill_server.connections.service import ConnectionService
    from thywill_server.push.base import PushComponent


@dataclass(frozen=True, slots=True)
class PresentClient:
    """One page in a channel.

    Attributes:
        uuid: the client's.
        identity: who it is to the others: ``user:`` and a primary key, or ``visitor:`` and a name
            that the same browser has for as long as its session lasts.
        user: the user, or None.
        since: when it came in.
    """

    uuid: str
    identity: str
    user: Any
    since: datetime


@dataclass(frozen=True, slots=True)
class ChannelPresence:
    """Everybody in a channel at one moment.

    Attributes:
        members: each page, in the order in which they came.
    """

    members: tuple[PresentClient, ...]

    @property
    def users(self) -> list[Any]:
        """Each user once, in the order of their first page; visitors have none."""
        by_identity = {each.identity: each.user for each in self.members if each.user is not None}
        return list(by_identity.values())

    @property
    def identities(self) -> list[str]:
        """Each identity once, users and visitors, in the order of their first page."""
        return list(dict.fromkeys(each.identity for each in self.members))

    @property
    def cards(self) -> list[dict[str, str | None]]:
        """What pages are told of each identity: ``identity``, and the user's ``name``."""
        named = {each.identity: each.user for each in self.members}
        return [
            {"identity": identity, "name": None if user is None else user.get_username()}
            for identity, user in named.items()
        ]


def present(destination: str) -> ChannelPresence:
    """Give everybody in the channel with this destination."""
    rows = members.members(destination)
    keys = {
        identity.removeprefix(people.USER)
        for _, identity, _ in rows
        if identity.startswith(people.USER)
    }
    users = {people.USER + key: user for key, user in people.users(keys).items()}
    return ChannelPresence(
        tuple(
            PresentClient(uuid, identity, users.get(identity), since)
            for uuid, identity, since in rows
        )
    )


def let_in(
    service: ConnectionService, push: PushComponent, client: Client, application: str, channel: str
) -> None:
    """Note that a client may join; where no broker reports it, also that it has."""
    destination = push.channel_destination(application, channel)
    identity = people.identity_of(client, destination)
    place = Place(application, channel, destination, identity)
    now = timezone.now()
    told = members.expect(place, client.uuid, now)
    if not push.reports_connections:
        service.lease(client)
        arrived = members.enter(client.uuid, destination, "", 0, now)
        told += [("join", arrived)] if arrived is not None else []
    for event, where in told:
        when_committed(lambda event=event, where=where: service.tell(event, where))  # type: ignore[misc]


def let_out(
    service: ConnectionService, push: PushComponent, client: Client, application: str, channel: str
) -> None:
    """Note that a client has left, where no broker reports it."""
    if push.reports_connections:
        return
    destination = push.channel_destination(application, channel)
    if members.leave(client.uuid, destination, "", 0, timezone.now()):
        service.expect_departure()
