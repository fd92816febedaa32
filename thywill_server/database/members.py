"""Who is in which channel, and whose arrival there was told.

A *member* is a page, an *identity* a person or a visitor's browser: one identity may have several
members. An identity arrives with its first member. It leaves once none has been left for a while,
so that a reload is not told::

    first member in ---> Presence row made: "join" is told, by whoever has made it
    last member out ---> grace ---> Presence row deleted: "leave", by whoever has deleted it
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import DatabaseError, transaction
from django.db.models import Q, QuerySet

from thywill_server.database.client_models import Member, Presence
from thywill_server.database.deadlocks import retried
from thywill_server.database.models import key_of, lasting_row

BATCH: Final = 200
"""How many rows one step of a sweep takes at most."""


@dataclass(frozen=True, slots=True)
class Place:
    """An identity in a channel: what is told when it comes or goes."""

    application: str
    channel: str
    destination: str
    identity: str


@retried
def expect(place: Place, uuid: str, now: datetime) -> list[tuple[str, Place]]:
    """Note that a page was let join, before it is in.

    Returns:
        what is to be told, as ("leave" or "join", where): a page that is in, and whose user has
        logged in meanwhile, is somebody else from now on.
    """
    pk = lasting_row(
        Member,
        place.destination,
        uuid,
        application=place.application,
        channel=place.channel,
        destination=place.destination,
        destination_key=key_of(place.destination),
        uuid=uuid,
        identity=place.identity,
    )
    rows = Member.objects.filter(pk=pk)
    rows.update(changed_at=now)
    (before,) = _places(rows)
    if before.identity == place.identity or not rows.filter(identity=before.identity).update(
        identity=place.identity
    ):
        return []
    told = [("leave", before)] if _tell_last(before, now) else []
    if rows.filter(is_in=True, left_at=None).exists() and _tell_first(place, now):
        told.append(("join", place))
    return told


@retried
def enter(uuid: str, destination: str, broker: str, sequence: int, now: datetime) -> Place | None:
    """Note that a page is in; gives the place whose arrival is to be told, if one is.

    Pages that were not expected are passed over: their channel has no presence.
    """
    if not Member.objects.filter(key=key_of(destination, uuid)).exists():
        return None  # to look takes no lock, and most subscriptions are of this kind
    rows = Member.objects.filter(_older(broker, sequence), key=key_of(destination, uuid))
    changed = {"broker": broker, "sequence": sequence, "is_in": True, "left_at": None}
    newly = rows.filter(is_in=False).update(**changed, since=now, changed_at=now)
    if not newly and not rows.update(**changed, changed_at=now):
        return None
    place = _places(Member.objects.filter(key=key_of(destination, uuid)))
    return place[0] if place and _tell_first(place[0], now) else None


@retried
def leave(uuid: str, destination: str, broker: str, sequence: int, now: datetime) -> bool:
    """Note that a page is not in any more; what was reported later counts more."""
    if not Member.objects.filter(key=key_of(destination, uuid)).exists():
        return False
    rows = Member.objects.filter(_older(broker, sequence), key=key_of(destination, uuid))
    left = rows.filter(is_in=True, left_at=None).update(
        broker=broker, sequence=sequence, left_at=now, changed_at=now
    )
    if not left:
        rows.update(broker=broker, sequence=sequence, changed_at=now)
    return left > 0


@retried
def leave_all(uuid: str, now: datetime, broker: str | None = None, sequence: int = 0) -> int:
    """Note that a page is nowhere any more, as of a report, or whatever was reported."""
    rows = Member.objects.filter(uuid=uuid, is_in=True, left_at=None)
    if broker is not None:
        rows = rows.filter(_older(broker, sequence))
    return rows.update(left_at=now, changed_at=now) if rows.exists() else 0


def reconcile(
    present: Iterable[tuple[str, str]],
    uuids: Iterable[str],
    broker: str,
    sequence: int,
    now: datetime,
) -> list[Place]:
    """Compare with all subscriptions that these clients have, as (uuid, destination).

    Returns:
        the places whose arrival is to be told.
    """
    rows = Member.objects.filter(_older(broker, sequence), uuid__in=list(uuids))
    there = set(present)
    arrived: list[Place] = []
    for uuid, destination, is_in, left_at in rows.values_list(
        "uuid", "destination", "is_in", "left_at"
    ):
        was_there = is_in and left_at is None
        is_there = (uuid, destination) in there
        if is_there and not was_there:
            place = enter(uuid, destination, broker, sequence, now)
            arrived += [place] if place is not None else []
        elif was_there and not is_there:
            leave(uuid, destination, broker, sequence, now)
    return arrived


def settle(now: datetime, grace_seconds: float) -> Iterator[Place]:
    """Give the places that were left for longer than the grace, each to one caller only."""
    before = now - timedelta(seconds=grace_seconds)
    left = Member.objects.filter(is_in=True, left_at__lte=before)
    for place in _places(left.order_by("left_at")[:BATCH]):
        gone = left.filter(destination_key=key_of(place.destination), identity=place.identity)
        if gone.update(is_in=False, left_at=None, changed_at=now) and _tell_last(place, now):
            yield place


def next_settling(grace_seconds: float) -> datetime | None:
    """Tell when the next grace ends, as far as is known by now."""
    rows = Member.objects.filter(is_in=True).exclude(left_at=None).order_by("left_at")
    left_at = rows.values_list("left_at", flat=True).first()
    return None if left_at is None else left_at + timedelta(seconds=grace_seconds)


def members(destination: str) -> list[tuple[str, str, datetime]]:
    """Give (uuid, identity, since) of each page in a channel, those within their grace too."""
    rows = Member.objects.filter(destination_key=key_of(destination), is_in=True)
    return list(rows.order_by("since", "uuid").values_list("uuid", "identity", "since"))


@retried
def forget(now: datetime, seconds: float) -> int:
    """Delete members that have not been in for long; gives their number."""
    old = Member.objects.filter(is_in=False, changed_at__lt=now - timedelta(seconds=seconds))
    batch = list(old.values_list("pk", flat=True)[:BATCH])
    deleted, _ = old.filter(pk__in=batch).delete()
    return deleted


def _older(broker: str, sequence: int) -> Q:
    return Q(broker__lt=broker) | Q(broker=broker, sequence__lt=sequence) | Q(sequence=0)


def _places(rows: QuerySet[Member]) -> list[Place]:
    found = rows.values_list("application", "channel", "destination", "identity")
    return list(dict.fromkeys(Place(*row) for row in found))


@retried
def _tell_first(place: Place, now: datetime) -> bool:
    key = key_of(place.destination, place.identity)
    if Presence.objects.filter(key=key).exists():
        return False
    try:
        with transaction.atomic():
            Presence.objects.create(
                key=key,
                destination_key=key_of(place.destination),
                identity=place.identity,
                since=now,
            )
    except DatabaseError:
        if not Presence.objects.filter(key=key).exists():
            raise
        return False
    return True


@retried
def _tell_last(place: Place, now: datetime) -> bool:
    """Delete the row of an identity that has no member left; tells whether it was there."""
    others = Member.objects.filter(
        destination_key=key_of(place.destination), identity=place.identity, is_in=True
    )
    if others.exists():
        return False
    key = key_of(place.destination, place.identity)
    deleted, _ = Presence.objects.filter(key=key).delete()
    # A member that came in meanwhile found the row, and told nobody: then nobody has left.
    if deleted and others.exists():
        _tell_first(place, now)
        return False
    return deleted > 0
