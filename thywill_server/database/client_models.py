"""Tables of who is connected, and who is present where."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils import timezone

from thywill_server.database.models import MAX_APPLICATION_CHARACTERS, MAX_CHANNEL_CHARACTERS


class ConnectedClient(models.Model):
    """One page load that is connected, or was a while ago.

    It is connected until a broker says that it is not, until the broker's own lease ends, or,
    where no broker speaks of connections, until the lease that the page renews ends.

    Attributes:
        session: the claim of its browser session.
        user: the user's primary key as text; empty for a visitor without a name.
        broker: who has reported it; empty where the page renews a lease itself.
        position: twice the number of its last connection there, and one more after the end of it:
            what is reported late changes nothing.
        ends_at: its connection is gone; unless it comes back, it has left at this time.
        ended_at: since when the site does not want it any more.
    """

    uuid = models.CharField(max_length=64, primary_key=True)
    application = models.CharField(max_length=MAX_APPLICATION_CHARACTERS, blank=True)
    session = models.CharField(max_length=64, blank=True, db_index=True)
    user = models.CharField(max_length=64, blank=True, db_index=True)
    broker = models.CharField(max_length=64, blank=True)
    position = models.BigIntegerField(default=0)
    is_connected = models.BooleanField(default=False)
    since = models.DateTimeField(default=timezone.now)
    lease_until = models.DateTimeField(null=True)
    ends_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    changed_at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:  # noqa: D106 - Django's word for what the table is like
        indexes: ClassVar = [
            models.Index(fields=["is_connected", "ends_at"], name="thywill_client_ends"),
            models.Index(fields=["is_connected", "broker"], name="thywill_client_broker"),
        ]

    def __str__(self) -> str:
        return f"{self.application} {self.uuid}"


class BrokerLease(models.Model):
    """A broker that reports connections, and until when it counts as alive.

    Any process that hears it prolongs the lease; when nobody does, its connections are gone.
    """

    broker = models.CharField(max_length=64, primary_key=True)
    lease_until = models.DateTimeField(default=timezone.now)
    asked_at = models.DateTimeField(default=timezone.now)
    """When it was last asked who is there."""

    def __str__(self) -> str:
        return self.broker


class Member(models.Model):
    """A client in a channel that has presence, from the time it was let join.

    Attributes:
        key: of destination and uuid.
        destination: the channel's, which brokers report.
        identity: who it is to the others: see `Presence`.
        broker: who has reported it; empty where the page itself has.
        sequence: the number of the last report that counts, at that broker.
        is_in: whether it is subscribed, or was until ``left_at``.
        left_at: since when it is not subscribed any more.
    """

    key = models.CharField(max_length=64, unique=True)
    application = models.CharField(max_length=MAX_APPLICATION_CHARACTERS)
    channel = models.CharField(max_length=MAX_CHANNEL_CHARACTERS)
    destination = models.CharField(max_length=255)
    destination_key = models.CharField(max_length=64, db_index=True)
    uuid = models.CharField(max_length=64, db_index=True)
    identity = models.CharField(max_length=100)
    broker = models.CharField(max_length=64, blank=True)
    sequence = models.BigIntegerField(default=0)
    is_in = models.BooleanField(default=False)
    since = models.DateTimeField(default=timezone.now)
    left_at = models.DateTimeField(null=True, db_index=True)
    changed_at = models.DateTimeField(default=timezone.now, db_index=True)

    def __str__(self) -> str:
        return f"{self.application} {self.channel} {self.uuid}"


class Presence(models.Model):
    """Somebody whose arrival in a channel was told: the row is made and deleted once each.

    Attributes:
        key: of destination and identity.
        identity: ``user:`` and the user's primary key, or ``visitor:`` and a name for the browser
            session that says nothing else: one somebody, however many tabs.
    """

    key = models.CharField(max_length=64, unique=True)
    destination_key = models.CharField(max_length=64, db_index=True)
    identity = models.CharField(max_length=100)
    since = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return self.identity
