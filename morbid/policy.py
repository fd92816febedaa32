"""What a site has decided for all connections of its broker, and the site's own doors.

*Advisories* tell the site what happens: a message to ``advisory_destination`` whenever a
login connects, subscribes, unsubscribes or disconnects. The header ``event`` says
which; the body is JSON with ``event``, ``login``, ``session`` (the claim of its identity),
``connection`` (a number), ``about`` (what the identity says besides, if it does) and, where it
applies, ``destination``. A disconnection ends its subscriptions without a word about each.
``broker`` and ``sequence`` put them in order, whoever reads them: a broker that starts later has
the greater text, and each advisory of a broker the next number.

The *control path* lets the site end connections: SEND to ``control_destination`` with
a header ``disconnect-login`` or ``disconnect-session``; with ``refuse-seconds`` too, that login
or session is not let in again for so long. A header ``report-logins`` asks who is there: the
answer comes as advisories ``logins``, each with all logins between two names. A receipt
confirms either.

Both are for the logins in ``site_logins`` alone, and off by default.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from morbid.broker import Broker
from morbid.errors import BAD_HEADER, READ_REFUSED, WRITE_REFUSED, Refused
from morbid.mqsecurity import Security

DISCONNECT_LOGIN = "disconnect-login"
DISCONNECT_SESSION = "disconnect-session"
REFUSE_SECONDS = "refuse-seconds"
REPORT_LOGINS = "report-logins"

MAX_REFUSE_SECONDS = 31 * 24 * 3600.0
REPORT_SIZE = 500
"""How many logins, with their subscriptions, one advisory reports; a login is never cut in two."""


@dataclass(frozen=True, slots=True)
class Policy:
    """The decisions.

    Attributes:
        security: who may do what.
        advisory_destination: where advisories go; empty for none.
        control_destination: where the site sends its commands; empty for none.
        site_logins: who may read the one and write to the other.
    """

    security: Security = field(default_factory=Security)
    advisory_destination: str = ""
    control_destination: str = ""
    site_logins: frozenset[str] = frozenset()

    def check_subscribe(self, login: str, destination: str) -> None:
        """Keep everybody but the site from its own destinations. Raises ``Refused``."""
        if destination == self.advisory_destination and login not in self.site_logins:
            raise Refused(READ_REFUSED)
        if destination == self.control_destination:
            raise Refused(READ_REFUSED)

    def asks_nobody(self, identity: object) -> bool:
        """Whether nobody is to be asked about what this identity sends, but to the site's own."""
        security = self.security
        return security.reviewer is None and (
            security.authorizer is None or getattr(identity, "may_send_anywhere", False) is True
        )

    def lets_send(self, identity: object, destination: str) -> bool:
        """Whether nobody is to be asked about a SEND of this identity to this destination."""
        return (
            self.asks_nobody(identity)
            and destination != self.advisory_destination
            and destination != self.control_destination
        )

    def is_control(self, login: str, destination: str) -> bool:
        """Whether a SEND to this is a command of the site.

        Raises:
            Refused: it would be, but this is not the site; or it goes to the advisories.
        """
        if destination == self.advisory_destination:
            raise Refused(WRITE_REFUSED)
        if destination != self.control_destination:
            return False
        if login not in self.site_logins:
            raise Refused(WRITE_REFUSED)
        return True

    def control(self, broker: Broker, headers: Mapping[str, str], now: float) -> int:
        """Obey a command of the site; returns how many connections it ended.

        Args:
            broker: whose connections.
            headers: of the SEND.
            now: seconds on the sessions' clock.
        """
        if REPORT_LOGINS in headers:
            self._report(broker)
            return 0
        login, session = headers.get(DISCONNECT_LOGIN), headers.get(DISCONNECT_SESSION)
        if not login and not session:
            raise Refused(BAD_HEADER, f"{DISCONNECT_LOGIN} or {DISCONNECT_SESSION}")
        if REFUSE_SECONDS in headers:
            until = now + _seconds(headers[REFUSE_SECONDS])
            broker.refuse_until(until, login=login, session=session)
        return broker.disconnect(login=login or None, session=session or None)

    def advise(self, broker: Broker, event: str, told: Mapping[str, object]) -> None:
        """Tell the site what has happened; a full queue drops it (and counts it)."""
        if not self.advisory_destination:
            return
        broker.advisory_count += 1
        place = {"broker": broker.boot_id, "sequence": broker.advisory_count}
        body = json.dumps({"event": event, **told, **place}).encode("ascii")
        headers = {"content-type": "application/json", "event": event}
        try:
            broker.deliver(self.advisory_destination, headers, body)
        except Refused:
            return

    def _report(self, broker: Broker) -> None:
        """Tell who is there, in the order of the names, all between ``after`` and ``until``."""
        by_name: dict[str, list[dict[str, object]]] = {}
        for each in broker.logins:
            told = {**each.account(), "destinations": each.subscribed_destinations()}
            by_name.setdefault(str(told["login"]), []).append(told)
        after: str | None = None
        for until, logins in _portions(by_name):
            scope = {
                "after": after,
                "until": until,
                "next_connection": broker.counters.connections_total + 1,
            }
            self.advise(broker, "logins", {**scope, "logins": logins})
            after = until


def _portions(
    by_name: Mapping[str, list[dict[str, object]]],
) -> Iterator[tuple[str | None, list[dict[str, object]]]]:
    """Divide the logins; each portion says up to which name it goes, the last to the end."""
    portion: list[dict[str, object]] = []
    size = 0
    for name in sorted(by_name):
        portion += by_name[name]
        size += sum(1 + len(_destinations(told)) for told in by_name[name])
        if size >= REPORT_SIZE:
            yield name, portion
            portion, size = [], 0
    yield None, portion


def _destinations(told: Mapping[str, object]) -> list[str]:
    destinations = told["destinations"]
    assert isinstance(destinations, list)
    return destinations


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= MAX_REFUSE_SECONDS:
        raise Refused(BAD_HEADER, REFUSE_SECONDS)
    return seconds
