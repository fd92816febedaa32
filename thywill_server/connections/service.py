"""Follows the connections of clients in one process, and tells the application.

::

    broker --> push component --report--> lane of the client --> ConnectedClient --> on_connect
    page   --> /thywill/lease/ ---------> (web thread) -------->  one row each   --> on_connect
                                          clock: what has ended by now ----------> on_disconnect

Several processes do the same; which of them calls a function is decided by the row, see
`thywill_server.database.clients`.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings as django_settings
from django.utils import timezone

from thywill_server import signals
from thywill_server.connections import people
from thywill_server.connections.base import Done, Login, Report
from thywill_server.connections.clock import Clock
from thywill_server.connections.lanes import Lanes
from thywill_server.connections.settings import SETTINGS
from thywill_server.database import clients, members
from thywill_server.database.clients import Departed, Unwanted
from thywill_server.errors import Refusal
from thywill_server.log.context import log_context
from thywill_server.push.base import PushMessage

if TYPE_CHECKING:
    from thywill_server.client import Client
    from thywill_server.components import Components
    from thywill_server.database.members import Place

log = logging.getLogger(__name__)

SWEEP_SECONDS: Final = 5.0
"""How often it is looked for what nobody has told: ended leases, and what another process left."""

ASK_SECONDS: Final = 300.0
"""How often a broker is asked who is there, by one process of all."""

FORGET_SECONDS: Final = 600.0
"""How often clients that are gone are deleted."""

KEEP_SECONDS: Final = 3600.0
"""How long clients that are gone are kept: reports that come late are recognized by them."""


class ConnectionService:
    """The connections of a site, as one process follows them.

    Args:
        components: the site's; started.
    """

    def __init__(self, components: Components) -> None:
        given = components.client_interface.settings
        self._settings = {name: given.get(name, SETTINGS[name].default) for name in SETTINGS}
        self._push, self._application = components.push, components.application
        self._lanes, self._clock = self._make_lanes(), self._make_clock()
        self._lock = threading.Lock()
        self._heard_at: dict[str, float] = {}
        self._forgotten_at = 0.0
        self._has_missed_some = False

    def _make_lanes(self) -> Any:
        """Make what works; tests have another one."""
        return Lanes(
            self._settings["connection_threads"], self._settings["max_waiting_connections"]
        )

    def _make_clock(self) -> Any:
        """Make what knows when something is due; tests have another one."""
        return Clock(self._look_after, SWEEP_SECONDS)

    def start(self) -> None:
        """Listen to what the push component reports. Nothing runs before the first report."""
        self._push.report_to(self.report)
        self._application.serve()

    def stop(self) -> None:
        """Finish what waits; from now on others have to follow."""
        self._push.report_to(None)
        self._clock.stop()
        self._lanes.stop()

    # What is told.

    def report(self, report: Report, done: Done) -> None:
        """Take a report of the push component; in any thread, at once."""
        self._clock.start()
        key = report.login.client_uuid if report.login is not None else report.until or ""

        def follow() -> None:
            try:
                self._follow(report)
            except Exception:
                # Not told again: the next one may fail as well, and a broker waits for an answer
                # to what it has told before it tells more.
                self._has_missed_some = True
                raise
            finally:
                done()

        if not self._lanes.submit(key, follow):
            log.error("too many connections come and go: a report of %s is dropped", report.kind)
            self._has_missed_some = True
            done()

    def lease(self, client: Client) -> None:
        """Note that a page says it is there; in a web thread.

        Raises:
            Refusal: ``disconnected``: the site does not want it any more.
        """
        now = timezone.now()
        until = now + timedelta(seconds=self._settings["lease_seconds"])
        login = people.login_of(client)
        try:
            has_come = clients.leased(login, until, now)
        except Unwanted:
            raise Refusal("disconnected") from None
        self._clock.start()
        if has_come:
            self._submit(login.client_uuid, lambda: self._come(login))

    def release(self, client: Client) -> None:
        """Note that a page says good-bye; in a web thread."""
        grace = self._settings["disconnect_grace_seconds"]
        now = timezone.now()
        if clients.released(client.uuid, now + timedelta(seconds=grace)):
            members.leave_all(client.uuid, now)
            self._clock.start()
            self._clock.call_within(grace)

    def notice_departures(self) -> None:
        """Look at once who has left, if anybody has been here."""
        self._clock.call_within(0)

    def expect_departure(self) -> None:
        """Look soon for somebody who has left a channel."""
        self._clock.start()
        self._clock.call_within(self._settings["presence_grace_seconds"])

    def tell(self, event: str, place: Place) -> None:
        """Tell a channel that somebody has come or gone: ``join`` or ``leave``."""
        data = people.card_of(place.identity)
        message = PushMessage.of(data, event)
        message = PushMessage(message.body, message.content_type, event, {"channel": place.channel})
        try:
            self._push.publish(place.destination, message)
        except Refusal as refusal:
            log.warning("%s of %s is not told: %s", event, place.destination, refusal)

    # In a lane.

    def _follow(self, report: Report) -> None:
        now = timezone.now()
        self._hear(report.broker, now)
        if report.kind == "logins":
            self._compare(report, now)
            return
        login = report.login
        if login is None:
            return
        if report.kind == "connected":
            return  # it counts from its subscription to its own destination on: see `_subscribed`
        if report.kind == "disconnected":
            self._disconnected(login, report, now)
        elif report.kind == "subscribed":
            self._subscribed(login, report, now)
        elif members.leave(
            login.client_uuid, report.destination, report.broker, report.sequence, now
        ):
            self._clock.call_within(self._settings["presence_grace_seconds"])

    def _connected(self, login: Login, report: Report, now: datetime) -> None:
        try:
            has_come = clients.connected(login, report.broker, now)
        except Unwanted:
            self._push.disconnect([login.client_uuid])
            return
        if has_come:
            self._come(login)
        else:
            # Whatever it was subscribed to was so over an older connection.
            members.leave_all(login.client_uuid, now, report.broker, report.sequence)

    def _disconnected(self, login: Login, report: Report, now: datetime) -> None:
        grace = self._settings["disconnect_grace_seconds"]
        ends_at = now + timedelta(seconds=grace)
        if clients.disconnected(login, report.broker, now, ends_at):
            self._clock.call_within(grace)
        if members.leave_all(login.client_uuid, now, report.broker, report.sequence):
            self._clock.call_within(self._settings["presence_grace_seconds"])

    def _subscribed(self, login: Login, report: Report, now: datetime) -> None:
        if report.destination == self._push.destination_of(login.client_uuid):
            self._connected(login, report, now)  # what is sent to it from now on arrives
            return
        if report.destination == self._push.renewal_destination(login.client_uuid):
            clients.renewed(login, now)  # a new ticket: somebody may have logged in meanwhile
            return
        place = members.enter(
            login.client_uuid, report.destination, report.broker, report.sequence, now
        )
        if place is not None:
            self.tell("join", place)

    def _compare(self, report: Report, now: datetime) -> None:
        """Mend what is known with a list of everybody who is there."""
        latest: dict[str, Login] = {}
        for login in report.logins:
            uuid = login.client_uuid
            is_listening = self._push.destination_of(uuid) in login.destinations
            if is_listening and (uuid not in latest or login.connection > latest[uuid].connection):
                latest[uuid] = login
        known = clients.known_positions(latest, report.broker)
        for uuid, login in latest.items():
            if (uuid, login.connection) not in known:
                self._connected(login, report, now)
        for login in clients.missing(
            report.after, report.until, latest, report.broker, report.next_connection
        ):
            self._disconnected(login, report, now)
        subscribed = [
            (uuid, where) for uuid, login in latest.items() for where in login.destinations
        ]
        for place in members.reconcile(subscribed, latest, report.broker, report.sequence, now):
            self.tell("join", place)
        self._clock.call_within(self._settings["presence_grace_seconds"])

    def _come(self, login: Login) -> None:
        client = people.client_of(login.client_uuid, login.application, login.user)
        self._call("on_connect", self._application.client_connected, client)
        signals.tell(signals.client_connected, type(self._application), client=client)

    def _go(self, departed: Departed) -> None:
        client = people.client_of(departed.uuid, departed.application, departed.user)
        self._call("on_disconnect", self._application.client_disconnected, client)
        signals.tell(signals.client_disconnected, type(self._application), client=client)

    def _call(self, what: str, function: Callable[[Client], None], client: Client) -> None:
        with log_context(client=client.uuid):
            try:
                function(client)
            except Exception:
                log.exception("%s of %s failed for %s", what, client.application, client.uuid)

    def _submit(self, key: str, job: Callable[[], object]) -> None:
        if not self._lanes.submit(key, job):
            log.error("too many clients come and go: nothing was called for %s", key)

    # On the clock.

    def _look_after(self) -> float | None:
        """Find out what has ended by now; gives the seconds to the next end that is known."""
        now = timezone.now()
        broker = self._push.live_broker
        if broker:
            self._hear(broker, now)
        for departed in clients.depart(now):
            self._submit(departed.uuid, lambda departed=departed: self._go(departed))  # type: ignore[misc]
        grace = self._settings["presence_grace_seconds"]
        for place in members.settle(now, grace):
            self.tell("leave", place)
        if time.monotonic() - self._forgotten_at > FORGET_SECONDS or not self._forgotten_at:
            self._forgotten_at = time.monotonic()
            clients.forget(now, KEEP_SECONDS, django_settings.SESSION_COOKIE_AGE)
            members.forget(now, KEEP_SECONDS)
        if self._has_missed_some:
            self._has_missed_some = False
            self._push.ask_who_is_there()
        due = [at for at in (clients.next_departure(), members.next_settling(grace)) if at]
        return (min(due) - timezone.now()).total_seconds() if due else None

    def _hear(self, broker: str, now: datetime) -> None:
        """Prolong the lease of a broker, in good time; before anything is noted of it."""
        lease = self._settings["broker_lease_seconds"]
        moment = time.monotonic()
        with self._lock:
            if moment - self._heard_at.get(broker, -lease) < lease / 3:
                return
        until, before = now + timedelta(seconds=lease), now - timedelta(seconds=ASK_SECONDS)
        if clients.prolong_broker(broker, until, before, now):
            self._push.ask_who_is_there()
        with self._lock:
            self._heard_at = {broker: moment}
