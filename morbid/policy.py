"""What a site has decided for all connections of its broker, and the site's own doors.

*Advisories* tell the site what happens: a message to ``advisory_destination`` whenever a
login connects, subscribes, unsubscribes or disconnects. The header ``event`` says
which; the body is JSON with ``event``, ``login``, ``session`` (the claim of its identity),
``connection`` (a number) and, where it applies, ``destination``. A disconnection
ends its subscriptions without a word about each.

The *control path* lets the site end connections: SEND to ``control_destination`` with
a header ``disconnect-login`` or ``disconnect-session``. A receipt confirms it.

Both are for the logins in ``site_logins`` alone, and off by default.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from morbid.broker import Broker
from morbid.errors import BAD_HEADER, READ_REFUSED, WRITE_REFUSED, Refused
from morbid.mqsecurity import Security

DISCONNECT_LOGIN = "disconnect-login"
DISCONNECT_SESSION = "disconnect-session"


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

    def control(self, broker: Broker, headers: Mapping[str, str]) -> int:
        """Obey a command of the site; returns how many connections it ended."""
        login, session = headers.get(DISCONNECT_LOGIN), headers.get(DISCONNECT_SESSION)
        if not login and not session:
            raise Refused(BAD_HEADER, f"{DISCONNECT_LOGIN} or {DISCONNECT_SESSION}")
        return broker.disconnect(login=login or None, session=session or None)

    def advise(
        self,
        broker: Broker,
        event: str,
        *,
        login: str,
        session: str | None,
        connection: int,
        destination: str | None = None,
    ) -> None:
        """Tell the site what has happened; a full queue drops it (and counts it)."""
        if not self.advisory_destination:
            return
        told: dict[str, object] = {
            "event": event,
            "login": login,
            "session": session,
            "connection": connection,
        }
        if destination is not None:
            told["destination"] = destination
        headers = {"content-type": "application/json", "event": event}
        try:
            broker.deliver(self.advisory_destination, headers, json.dumps(told).encode("ascii"))
        except Refused:
            return
