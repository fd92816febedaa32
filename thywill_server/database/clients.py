"""Who is connected: every change is one UPDATE that says what must hold before it.

So several processes may read the same report, or read reports in another order, and each arrival
and each departure is still somebody's once: whoever's UPDATE changes a row has seen it happen::

    NEW --connected--> CONNECTED --disconnected--> ENDING --grace--> GONE --connected--> CONNECTED
                           ^                         |
                           +-------connected---------+      a short cut is not told

Times are aware datetimes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import DatabaseError, connections, router, transaction
from django.db.models import Q, QuerySet

from thywill_server.connections.base import Login
from thywill_server.database import members
from thywill_server.database.client_models import BrokerLease, ConnectedClient
from thywill_server.database.deadlocks import retried

BATCH: Final = 200
"""How many rows one step of a sweep takes at most."""

ATTEMPTS: Final = 5
"""How often a step is tried while other processes change the same row."""


@dataclass(frozen=True, slots=True)
class Departed:
    """A client that has gone, as its handler wants to know it."""

    uuid: str
    application: str
    user: str


class Unwanted(Exception):  # noqa: N818 - it says what the client is
    """The site has ended this client, and it came again."""


def connected(login: Login, broker: str, now: datetime) -> bool:
    """Note a connection; tells whether the client has just arrived.

    Raises:
        Unwanted: the site has ended the client; nothing was changed.
    """
    position = 2 * login.connection
    fields = {
        "application": login.application,
        "session": login.session,
        "user": login.user,
        "broker": broker,
        "position": position,
        "lease_until": None,
        "ends_at": None,
        "changed_at": now,
    }
    older = Q(broker__lt=broker) | Q(broker=broker, position__lte=position)
    return _arrived(login.client_uuid, older, fields, now)


def connected_to(application: str) -> list[str]:
    """Give the clients of an application that are connected, or were a moment ago."""
    rows = ConnectedClient.objects.filter(application=application, is_connected=True)
    return list(rows.order_by("uuid").values_list("uuid", flat=True))


@retried
def renewed(login: Login, now: datetime) -> None:
    """Note what a client's new ticket says: its user may be another one."""
    rows = ConnectedClient.objects.filter(uuid=login.client_uuid)
    rows.update(user=login.user, session=login.session, changed_at=now)


def leased(login: Login, lease_until: datetime, now: datetime) -> bool:
    """Note that a page lives, where pages say so themselves; tells whether it has just arrived.

    Raises:
        Unwanted: the site has ended the client; nothing was changed.
    """
    fields = {
        "application": login.application,
        "session": login.session,
        "user": login.user,
        "broker": "",
        "position": 0,
        "lease_until": lease_until,
        "ends_at": None,
        "changed_at": now,
    }
    return _arrived(login.client_uuid, Q(), fields, now)


@retried
def disconnected(login: Login, broker: str, now: datetime, ends_at: datetime) -> bool:
    """Note the end of a connection; the client has left at ``ends_at`` unless it comes back.

    Returns:
        whether it was this connection that kept the client connected.
    """
    position = 2 * login.connection + 1
    older = Q(broker__lt=broker) | Q(broker=broker, position__lt=position)
    rows = ConnectedClient.objects.filter(older, uuid=login.client_uuid)
    changed = {"broker": broker, "position": position, "changed_at": now}
    if rows.filter(is_connected=True).update(**changed, ends_at=ends_at):
        return True
    if not rows.filter(is_connected=False).update(**changed):
        # Told before its beginning, which must not count any more when it is told.
        _insert(login.client_uuid, {"application": login.application, **changed})
    return False


@retried
def released(client_uuid: str, ends_at: datetime) -> bool:
    """Note that a page with a lease says good-bye."""
    rows = ConnectedClient.objects.filter(uuid=client_uuid, broker="", is_connected=True)
    return rows.update(ends_at=ends_at) > 0


def missing(
    after: str | None, until: str | None, present: Iterable[str], broker: str, connection: int
) -> list[Login]:
    """Give the connections that a broker does not have any more.

    Args:
        after: of the uuids from here, exclusive.
        until: up to here, inclusive.
        present: these are there.
        broker: who says it.
        connection: the number of the first connection that came after its report.
    """
    rows = ConnectedClient.objects.filter(
        is_connected=True, broker=broker, position__lt=2 * connection, ends_at=None
    )
    # A database may sort text in ways of its own, but not these: uuids have their dashes in the
    # same places, and digits come before small letters everywhere.
    rows = rows.filter(uuid__gt=after) if after is not None else rows
    rows = rows.filter(uuid__lte=until) if until is not None else rows
    there = set(present)
    found = rows.values_list("uuid", "position")
    return [Login(uuid, position // 2) for uuid, position in found if uuid not in there]


def known_positions(uuids: Iterable[str], broker: str) -> set[tuple[str, int]]:
    """Give those of these clients that are connected, with the numbers of their connections."""
    rows = ConnectedClient.objects.filter(uuid__in=list(uuids), broker=broker, is_connected=True)
    found = rows.filter(ends_at=None, ended_at=None).values_list("uuid", "position")
    return {(uuid, position // 2) for uuid, position in found}


# Leaving.


def depart(now: datetime) -> Iterator[Departed]:
    """Give everybody who has left by now, each to one caller only: short cuts that have lasted,
    leases that have ended, and clients of brokers that are gone."""
    alive = BrokerLease.objects.filter(lease_until__gt=now).values("broker")
    connected_rows = ConnectedClient.objects.filter(is_connected=True)
    for rows in (
        connected_rows.filter(ends_at__lte=now),
        connected_rows.filter(broker="", lease_until__lte=now),
        connected_rows.exclude(broker="").exclude(broker__in=alive),
    ):
        for uuid, application, user in rows.values_list("uuid", "application", "user")[:BATCH]:
            # The condition is looked at again in the UPDATE: the client may have come back.
            if _departed(rows.filter(uuid=uuid), uuid, now):
                yield Departed(uuid, application, user)


@retried
def _departed(row: QuerySet[ConnectedClient], uuid: str, now: datetime) -> bool:
    with transaction.atomic():
        changed = {"is_connected": False, "ends_at": None, "lease_until": None, "changed_at": now}
        has_left = row.update(**changed) > 0
        if has_left:
            members.leave_all(uuid, now)
    return has_left


def next_departure() -> datetime | None:
    """Tell when somebody's grace ends next, as far as is known by now."""
    rows = ConnectedClient.objects.filter(is_connected=True).exclude(ends_at=None)
    return rows.order_by("ends_at").values_list("ends_at", flat=True).first()


@retried
def prolong_broker(broker: str, lease_until: datetime, ask_before: datetime, now: datetime) -> bool:
    """Note that a broker lives.

    Returns:
        whether it is time to ask it who is there: nobody has since ``ask_before``.
    """
    rows = BrokerLease.objects.filter(broker=broker)
    if not rows.update(lease_until=lease_until):
        BrokerLease.objects.bulk_create(
            [BrokerLease(broker=broker, lease_until=lease_until, asked_at=now)],
            ignore_conflicts=True,
        )
        return False
    return rows.filter(asked_at__lt=ask_before).update(asked_at=now) > 0


@retried
def forget(now: datetime, seconds: float, ended_seconds: float) -> int:
    """Delete what is known of clients that left long ago; gives their number."""
    gone = ConnectedClient.objects.filter(is_connected=False)
    old = Q(ended_at=None, changed_at__lt=now - timedelta(seconds=seconds))
    ended = Q(ended_at__lt=now - timedelta(seconds=ended_seconds))
    batch = list(gone.filter(old | ended).values_list("uuid", flat=True)[:BATCH])
    deleted, _ = gone.filter(uuid__in=batch).delete()
    dead = BrokerLease.objects.filter(lease_until__lt=now - timedelta(seconds=seconds))
    dead.delete()
    return deleted


# Ending.


@retried
def end(now: datetime, *, uuid: str = "", session: str = "", user: str = "") -> list[str]:
    """Mark clients as unwanted: one, or all of a session, or all of a user; gives their uuids.

    Whoever is connected leaves at once; a uuid that is not known yet is marked too.
    """
    with transaction.atomic():
        if uuid:
            rows = ConnectedClient.objects.filter(uuid=uuid)
            if not rows.exists():
                _insert(uuid, {"changed_at": now})
        else:
            rows = ConnectedClient.objects.filter(session=session) if session else _of_user(user)
        uuids = list(rows.filter(ended_at=None).values_list("uuid", flat=True))
        rows.filter(uuid__in=uuids).update(ended_at=now, changed_at=now)
        rows.filter(uuid__in=uuids, is_connected=True).update(ends_at=now)
    return uuids


def is_ended(uuid: str) -> bool:
    """Tell whether the site has ended this client.

    It is asked for every message, so the query is written out: making it took longer than asking.
    """
    alias = router.db_for_read(ConnectedClient)
    with connections[alias].cursor() as cursor:
        cursor.execute(ended_query(alias) or "", [uuid])
        return cursor.fetchone() is not None


def ended_query(alias: str) -> str | None:
    """Give what `is_ended` asks, for who asks something else there too; None: it is not there.

    Args:
        alias: of a database.
    """
    if router.db_for_read(ConnectedClient) != alias:
        return None
    table = connections[alias].ops.quote_name(ConnectedClient._meta.db_table)
    return f"SELECT 1 FROM {table} WHERE uuid = %s AND ended_at IS NOT NULL"  # noqa: S608


def _of_user(user: str) -> QuerySet[ConnectedClient]:
    return ConnectedClient.objects.filter(user=user).exclude(user="")


# Steps.


@retried
def _arrived(uuid: str, older: Q, fields: dict[str, object], now: datetime) -> bool:
    for _ in range(ATTEMPTS):
        rows = ConnectedClient.objects.filter(older, uuid=uuid, ended_at=None)
        if rows.filter(is_connected=True).update(**fields):
            return False
        # With the same position and not connected, its end was told before: that row is newer.
        gone = rows.filter(is_connected=False)
        if gone.update(**fields, is_connected=True, since=now):
            return True
        if _insert(uuid, {**fields, "is_connected": True, "since": now}):
            return True
        known = ConnectedClient.objects.filter(uuid=uuid).values_list("ended_at", flat=True)
        state = list(known)
        if state and state[0] is not None:
            raise Unwanted(uuid)
        if state and not rows.exists():
            break  # something later is known already
    return False


def _insert(uuid: str, fields: dict[str, object]) -> bool:
    """Make a row, unless another process was first."""
    try:
        with transaction.atomic():
            ConnectedClient.objects.create(uuid=uuid, **fields)
    except DatabaseError:
        if not ConnectedClient.objects.filter(uuid=uuid).exists():
            raise
        return False
    return True
