"""The broker on Twisted: feeds ``BrokerSession``, writes what it says, keeps one timer.

The transport may be TCP or anything else with its methods, such as Orbited's link
inside the process. It tells us by ``pauseProducing`` when it is full: from then on the
session holds what comes, so what a slow reader costs is measured, and bounded, here.
"""

from __future__ import annotations

import ipaddress
import logging
import time
from collections import Counter
from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IPushProducer
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from morbid.broker import Broker
from morbid.errors import (
    DISCONNECTED,
    INTERNAL_ERROR,
    LOGIN_REFUSED,
    SESSION_EXPIRED,
    SHUTTING_DOWN,
    TOO_MANY_CONNECTIONS,
    TOO_MANY_FROM_ADDRESS,
    Refusal,
    Refused,
)
from morbid.events import Closed, Event, Failed, LoggedIn, Waiting
from morbid.gathering import GatheringWriter, Turn, can_gather
from morbid.limits import Limits
from morbid.policy import Policy
from morbid.session import BrokerSession

log = logging.getLogger(__name__)

ORDERLY: Final = {
    None,
    DISCONNECTED.code,
    LOGIN_REFUSED.code,
    SESSION_EXPIRED.code,
    SHUTTING_DOWN.code,
}
"""Reasons for closing that are nobody's misbehavior."""


@implementer(IPushProducer)
class StompProtocol(Protocol):
    """One connection. Made by ``StompFactory``."""

    factory: StompFactory
    transport: Any
    session: BrokerSession | None = None
    host: str | None = None

    _writer: GatheringWriter | None = None
    _timer: IDelayedCall | None = None
    _pending: Any = None
    _is_settling = False
    _is_reading = True

    def connectionMade(self) -> None:
        """Twisted: the connection stands."""
        transport, factory = self.transport, self.factory
        if hasattr(transport, "setTcpNoDelay"):
            transport.setTcpNoDelay(True)
        refusal = factory.admit(self)
        if refusal is not None:
            log.warning("connection of %s refused: %s", self.host, refusal.code)
            transport.write(refusal.encode())
            transport.loseConnection()
            return
        self.session = BrokerSession(
            factory.broker,
            factory.policy,
            now=factory.clock.seconds(),
            peer=self.host or "",
            wall_offset=factory.wall_offset(),
        )
        self.session.shell = self
        if can_gather(transport):
            self._writer = GatheringWriter(transport, factory.turn)
            self.session.write_to(self._writer.write)
        else:
            self.session.write_to(transport.write, getattr(transport, "member", None))
        transport.registerProducer(self, True)
        self._arm()

    def dataReceived(self, data: bytes) -> None:
        """Twisted: bytes from the peer."""
        session = self.session
        if session is None:
            return
        factory = self.factory
        turn = factory.turn
        is_outermost, turn.is_open = not turn.is_open, True
        is_settled = False
        try:
            is_settled = session.receive_data(data, factory.clock.seconds())
        except Exception:
            self._broken()
        if is_outermost:
            if turn.writers:
                turn.end()
            else:
                turn.is_open = False
        if not (is_settled and self._is_reading):
            self._settle()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Twisted: the connection is gone."""
        self.factory.left(self)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        session, self.session = self.session, None
        if session is not None:
            session.connection_lost()
            session.shell = None
            log.info("connection %d lost: %s", session.number, reason.getErrorMessage())
        self._cancel_pending()

    # The transport, as the consumer of what we produce.

    def pauseProducing(self) -> None:
        """The transport's buffer is full."""
        if self.session is not None:
            self.session.pause()

    def resumeProducing(self) -> None:
        """The transport's buffer is empty."""
        if self.session is not None:
            self.session.resume()

    def stopProducing(self) -> None:
        """The transport is gone; ``connectionLost`` follows."""

    # Between the session and the reactor.

    def wake(self) -> None:
        """The session: something happened, and not by our doing."""
        self._settle()

    def _settle(self) -> None:
        """Do what the session's events ask for, and set the timer."""
        session = self.session
        if session is None or self._is_settling:
            return
        self._is_settling = True
        try:
            while events := session.events_received():
                for event in events:
                    self._obey(session, event)
        finally:
            self._is_settling = False
        if self.session is None or session.is_closed:
            return
        if session.wants_input != self._is_reading:
            self._is_reading = not self._is_reading
            if self._is_reading:
                self.transport.resumeProducing()
            else:
                self.transport.pauseProducing()
        if session.deadline_moved:
            self._arm()

    def _obey(self, session: BrokerSession, event: Event) -> None:
        match event:
            case LoggedIn():
                log.info(
                    "connection %d: %r logged in, STOMP %s",
                    session.number,
                    event.login,
                    event.version,
                )
            case Waiting():
                self._pending = event.pending
                token = event.token
                event.pending.addCallbacks(
                    lambda answer: self._decided(token, answer),
                    lambda failure: self._failed(token, failure),
                )
            case Failed():
                log.error("security refused by raising", exc_info=event.error)
            case Closed():
                self._finish(session, event.code)

    def _decided(self, token: int, answer: object) -> None:
        if self.session is None:
            return
        try:
            self.session.decide(token, answer, self.factory.clock.seconds())
        except Exception:
            self._broken()
        self._settle()

    def _failed(self, token: int, failure: Failure) -> None:
        if self.session is not None and self.session.is_waiting_for(token):
            log.error("security refused by failing: %s", failure.getTraceback())
            self._decided(token, None)

    def _broken(self) -> None:
        """A mistake of ours must not cost more than this connection, nor be shown to it."""
        log.exception("internal error")
        if self.session is not None:
            self.session.refuse(Refused(INTERNAL_ERROR))

    def _finish(self, session: BrokerSession, code: str | None) -> None:
        """Close when everything is written; cut off a peer that does not read it."""
        level = logging.INFO if code in ORDERLY else logging.WARNING
        log.log(level, "connection %d: closing, %s", session.number, code or "disconnect")
        self._cancel_pending()
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self.factory.clock.callLater(
            self.factory.broker.limits.close_seconds, self._cut_off
        )
        if not self._is_reading:
            self.transport.resumeProducing()
        if self._writer is not None:
            self._writer.flush()
        self.transport.unregisterProducer()
        self.transport.loseConnection()

    def _cut_off(self) -> None:
        self._timer = None
        self.transport.abortConnection()

    def _cancel_pending(self) -> None:
        pending, self._pending = self._pending, None
        if hasattr(pending, "cancel"):
            pending.cancel()

    def _arm(self) -> None:
        """Keep the timer at the session's next deadline."""
        assert self.session is not None
        deadline = self.session.next_deadline()
        timer = self._timer
        if timer is not None:
            if deadline is not None and timer.getTime() <= deadline:
                return  # It finds nothing to do then, and is set anew.
            timer.cancel()
            self._timer = None
        if deadline is None:
            return
        delay = max(0.0, deadline - self.factory.clock.seconds())
        self._timer = self.factory.clock.callLater(delay, self._tick)

    def _tick(self) -> None:
        self._timer = None
        if self.session is None:
            return
        self.session.tick(self.factory.clock.seconds())
        self._settle()
        if self._timer is None and not self.session.is_closed:
            self._arm()


class StompFactory(Factory):
    """A broker to listen with, or to hand connections to.

    Attributes:
        broker: destinations and counters.
        policy: what the site has decided.
        clock: the reactor, or a test's clock.
        turn: gathers what one packet makes its connections write.
    """

    protocol: Any = StompProtocol
    noisy = False

    def __init__(
        self, broker: Broker | None = None, policy: Policy | None = None, clock: Any = None
    ) -> None:
        if clock is None:
            from twisted.internet import reactor

            clock = reactor
        self.broker = broker or new_broker()
        self.policy = policy or Policy()
        self.clock: Any = clock
        self.turn = Turn()
        self._connections: dict[StompProtocol, None] = {}
        self._from_address: Counter[str] = Counter()
        self._stopped: Deferred[None] | None = None

    def wall_offset(self) -> float:
        """What to add to the clock for seconds since the epoch."""
        return time.time() - float(self.clock.seconds())

    def admit(self, connection: StompProtocol) -> Refusal | None:
        """Count a new connection, or say why it is one too many."""
        if self._stopped is not None:
            return SHUTTING_DOWN
        limits = self.broker.limits
        if len(self._connections) >= limits.max_connections:
            return TOO_MANY_CONNECTIONS
        host = connection.host = _host(connection.transport.getPeer())
        if _is_countable(host):
            if self._from_address[host] >= limits.max_connections_per_address:
                return TOO_MANY_FROM_ADDRESS
            self._from_address[host] += 1
        self._connections[connection] = None
        return None

    def left(self, connection: StompProtocol) -> None:
        """Forget a connection that is gone."""
        if connection not in self._connections:
            return
        del self._connections[connection]
        host = connection.host or ""
        if _is_countable(host):
            self._from_address[host] -= 1
            if not self._from_address[host]:
                del self._from_address[host]
        if self._stopped is not None and not self._connections:
            self._stopped.callback(None)

    def disconnect(self, login: str | None = None, session: str | None = None) -> int:
        """End all connections of a login name, or with a session claim; say how many."""
        return self.broker.disconnect(login=login, session=session)

    def counters(self) -> dict[str, object]:
        """What there is and what has happened: numbers by name, and the depth of each queue."""
        return {"connections": len(self._connections), **self.broker.counted()}

    def shutdown(self) -> Deferred[None]:
        """Take no more connections, end those there are; fires when all are gone.

        What was written is sent first, but nobody is waited for longer than
        ``close_seconds``. Messages that wait in queues are lost: they are kept in memory.
        """
        stopped: Deferred[None] = Deferred()
        if self._stopped is not None:
            self._stopped.chainDeferred(stopped)
            return stopped
        self._stopped = stopped
        depths = self.broker.queue_depths()
        # Advisories tell of connections that end here, so their end loses nobody anything.
        depths.pop(self.policy.advisory_destination, None)
        waiting = sum(depths.values())
        if waiting:
            log.warning("%d messages in queues are lost", waiting)
        for connection in list(self._connections):
            if connection.session is not None:
                connection.session.refuse(Refused(SHUTTING_DOWN))
        if not self._connections and not stopped.called:
            stopped.callback(None)
        return stopped


def new_broker(limits: Limits | None = None) -> Broker:
    """Make a broker whose message ids differ from those of all before it."""
    return Broker(limits, boot_id=f"{time.time_ns():x}")


def _host(peer: object) -> str:
    return str(getattr(peer, "host", None) or getattr(peer, "name", None) or "")


def _is_countable(host: str) -> bool:
    """Whether an address stands for one peer: not a proxy's (loopback, in-process)."""
    try:
        return not ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return False
