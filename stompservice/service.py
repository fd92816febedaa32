"""A STOMP client that stays connected: `StompClientService`.

::

    STOPPED --start--> CONNECTING --TCP--> PREPARING --receipts--> LIVE
                         ^   |fails          |fails                  |lost
                         |   v               v                       v
                         +-- WAITING (back-off with jitter, next broker) <--+

PREPARING is: CONNECT, CONNECTED, one SUBSCRIBE with a receipt for each subscription,
and all of those receipts. Only then is what was queued sent, so that an answer to the
first message finds its subscription in place.

.. code-block:: python

    service = StompClientService([("127.0.0.1", 61613), ("127.0.0.2", 61613)])
    service.startService()
    service.subscribe("/topic/news", lambda frame: print(frame.text))
    service.send("/topic/news", "hello")

Everything here is called in the reactor thread.
"""

from __future__ import annotations

import logging
import random as random_module
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred, DeferredList, succeed

from stompservice.connection import StompProtocol
from stompservice.errors import ConnectionFailedError, QueueFull, UsageError
from stompservice.outbox import Outbox, Outgoing
from stompservice.protocol import commands
from stompservice.protocol.events import Connected, Ended, Error, Event, Message
from stompservice.protocol.frame import Frame
from stompservice.protocol.heartbeat import Beat
from stompservice.protocol.parser import Limits
from stompservice.protocol.session import ClientOptions
from stompservice.protocol.session import State as SessionState
from stompservice.protocol.spec import V10
from stompservice.reconnect import Endpoint, Reconnector, as_endpoint
from stompservice.subscription import Subscription, Subscriptions

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall

__all__ = ["QueueFull", "StompClientService", "Subscription"]

log = logging.getLogger(__name__)

_random = random_module.SystemRandom().random
"""Not that of the program, which may have seeded it and count on what comes."""


class State(Enum):
    """Where the service stands. DOWN: no connection, but an attempt is made or planned."""

    STOPPED = auto()
    DOWN = auto()
    PREPARING = auto()
    LIVE = auto()
    STOPPING = auto()


class StompClientService(Service):
    """Keeps one connection to one of several brokers.

    Args:
        endpoints: brokers as (host, port) or endpoints; tried in turn, each new
            connection begins with the one after the last.
        login: str, or a callable asked for each connection; ``passcode`` likewise.
        virtual_host: sent as ``host``.
        heart_beat: (can send, want) in milliseconds.
        max_queued: messages that wait while there is no connection, or while the
            broker does not read; beyond it ``send`` raises `QueueFull`.
        max_queued_bytes: the same for their bodies together.
        reactor: IReactorTime and IReactorTCP; the global one by default.
        random: gives a float from 0 to 1, for the jitter.
        min_delay_seconds: the first pause after all brokers were tried.
        max_delay_seconds: the pause doubles up to this; half of it is jitter.
        connect_seconds: for the TCP connection.
        prepare_seconds: from the TCP connection to the last receipt of PREPARING.
        stop_seconds: for everything that ``stopService`` does.
        limits: of the frames that the broker may send.

    Attributes:
        on_live: called each time the service is live again, after what was queued was sent.
    """

    def __init__(
        self,
        endpoints: Sequence[Endpoint],
        login: str | Callable[[], str] = "",
        passcode: str | Callable[[], str] = "",
        virtual_host: str = "/",
        heart_beat: Beat = (10_000, 10_000),
        max_queued: int = 10_000,
        reactor: Any = None,
        *,
        max_queued_bytes: int = 67_108_864,
        random: Callable[[], float] = _random,
        min_delay_seconds: float = 0.5,
        max_delay_seconds: float = 30.0,
        connect_seconds: float = 10.0,
        prepare_seconds: float = 15.0,
        stop_seconds: float = 5.0,
        limits: Limits | None = None,
    ) -> None:
        if not endpoints:
            raise UsageError("StompClientService needs at least one broker")
        if reactor is None:
            from twisted.internet import reactor
        self._reactor = reactor
        self._login, self._passcode = login, passcode
        self._virtual_host, self._heart_beat, self._limits = (
            virtual_host,
            heart_beat,
            limits or Limits(),
        )
        self._prepare_seconds, self._stop_seconds = prepare_seconds, stop_seconds
        self._reconnector = Reconnector(
            [as_endpoint(each, reactor, connect_seconds) for each in endpoints],
            self._build_protocol,
            self._attempt_failed,
            reactor=reactor,
            random=random,
            min_delay_seconds=min_delay_seconds,
            max_delay_seconds=max_delay_seconds,
        )
        self._state = State.STOPPED
        self._is_refusing = False
        self._protocol: StompProtocol | None = None
        self._prepare_timer: IDelayedCall | None = None
        self._stop_timer: IDelayedCall | None = None
        self._outbox = Outbox(max_queued, max_queued_bytes)
        self._subscriptions = Subscriptions()
        self.on_live: Callable[[], object] | None = None
        self._when_connected: list[Deferred[StompProtocol]] = []
        self._when_stopped: list[Deferred[None]] = []

    # What a program calls.

    @property
    def is_connected(self) -> bool:
        """Whether what is sent now goes out now."""
        return self._live() is not None

    @property
    def queued(self) -> int:
        """How many messages wait for the broker."""
        return len(self._outbox)

    def whenConnected(self) -> Deferred[StompProtocol]:
        """Fires when the service is live; fails with CancelledError when it stops first."""
        if protocol := self._live():
            return succeed(protocol)
        waiting: Deferred[StompProtocol] = Deferred()
        self._when_connected.append(waiting)
        return waiting

    def send(
        self,
        destination: str,
        body: bytes | str,
        headers: Mapping[str, object] | None = None,
        receipt: bool = False,
    ) -> Deferred[Frame] | None:
        """Send a message, now or as soon as there is a connection, in the order of the calls.

        Args:
            receipt: ask the broker for a RECEIPT.

        Returns:
            With ``receipt`` a Deferred of the RECEIPT. It fails when the connection is
            lost after the message was written: nobody knows whether it arrived.

        Raises:
            QueueFull: as many messages wait as may.
            EncodeError: a header that STOMP cannot carry.
            ConnectionFailedError: the service was stopped.
        """
        if self._is_refusing:
            raise ConnectionFailedError("the STOMP client was stopped")
        frame = commands.send(destination, body, headers)
        outgoing = Outgoing(frame, Deferred() if receipt else None)
        protocol = self._live()
        if protocol is not None and not protocol.is_full and not self._outbox:
            outgoing.transmit(protocol)
        else:
            self._outbox.put(outgoing)
        return outgoing.receipt

    def gathering(self) -> AbstractContextManager[None]:
        """Write all that is sent in this block in one piece, at its end, without waiting.

        For one who has several messages, or none that follows soon: a lone ``send`` is written
        in the reactor's next turn, together with what else is sent in this one.
        """
        protocol = self._live()
        return nullcontext() if protocol is None else protocol.gathering()

    def subscribe(
        self,
        destination: str,
        callback: Callable[[Frame], object],
        ack: str = "auto",
        headers: Mapping[str, object] | None = None,
    ) -> Subscription:
        """Have each message of a destination given to ``callback``, over all reconnections.

        What the callback raises, or its Deferred fails with, is logged.
        """
        return self._subscriptions.add(destination, callback, ack, headers or {})

    # What the application calls.

    def startService(self) -> None:
        """Connect, and stay connected."""
        if self._state is not State.STOPPED:
            return
        super().startService()  # type: ignore[no-untyped-call]
        self._is_refusing = False
        self._state = State.DOWN
        self._reconnector.start()

    def stopService(self) -> Deferred[None]:
        """Send what is queued, disconnect with a receipt, close; all within ``stop_seconds``.

        When no broker can be reached, what is queued is given up at once.
        """
        if self._state is State.STOPPED:
            self._is_refusing = True
            return succeed(None)
        stopped: Deferred[None] = Deferred()
        self._when_stopped.append(stopped)
        if not self._is_refusing:
            super().stopService()  # type: ignore[no-untyped-call]
            self._is_refusing = True
            self._stop_timer = self._reactor.callLater(self._stop_seconds, self._give_up)
            self._stop_if_done()
        return stopped

    # One connection.

    def _build_protocol(self) -> StompProtocol:
        options = ClientOptions(
            login=self._login() if callable(self._login) else self._login,
            passcode=self._passcode() if callable(self._passcode) else self._passcode,
            virtual_host=self._virtual_host,
            heart_beat=self._heart_beat,
            limits=self._limits,
            login_seconds=self._prepare_seconds,
            disconnect_seconds=self._stop_seconds,
        )
        protocol = StompProtocol(options, self._receive_event, self._reactor)
        protocol.on_resume = self._flush
        self._protocol = protocol
        self._state = State.PREPARING
        self._prepare_timer = self._reactor.callLater(
            self._prepare_seconds, self._prepared_too_late, protocol
        )
        protocol.when_lost().addCallback(self._lost)
        return protocol

    def _receive_event(self, protocol: StompProtocol, event: Event) -> None:
        match event:
            case Message():
                self._subscriptions.deliver(event)
            case Connected():
                log.info("connected to the STOMP broker, version %s", event.version)
                prepared = DeferredList(self._subscriptions.renew(protocol), consumeErrors=True)
                prepared.addCallback(lambda _: self._go_live(protocol))
            case Error():
                log.warning("the STOMP broker says: %s", event.frame.headers.get("message"))
            case Ended():
                self._cancel_prepare_timer()
                if self._state in (State.PREPARING, State.LIVE):
                    self._state = State.DOWN
                if event.reason is not None:
                    log.warning("STOMP connection ended: %s", event.reason)

    def _prepared_too_late(self, protocol: StompProtocol) -> None:
        self._prepare_timer = None
        session = protocol.session
        if session.state is SessionState.CONNECTED and session.version == V10:
            # MorbidQ 0.8 and its like have never sent a RECEIPT.
            log.warning("a STOMP 1.0 broker sent no receipts; going on without")
            self._go_live(protocol)
        else:
            log.warning("the STOMP broker did not confirm our subscriptions in time")
            protocol.cut()

    def _go_live(self, protocol: StompProtocol) -> None:
        if protocol is not self._protocol or self._state is not State.PREPARING:
            return
        if protocol.session.state is not SessionState.CONNECTED:
            return
        self._cancel_prepare_timer()
        self._state = State.LIVE
        self._reconnector.succeeded()
        self._flush()
        if not self.is_connected:
            return  # flushing brought the connection, or the service, to an end
        if self.on_live is not None:
            self.on_live()
        waiting, self._when_connected = self._when_connected, []
        for each in waiting:
            each.callback(protocol)

    def _live(self) -> StompProtocol | None:
        protocol = self._protocol
        if self._state is not State.LIVE or protocol is None:
            return None
        # The session knows of the end before we are told, while an event is handled.
        return protocol if protocol.session.state is SessionState.CONNECTED else None

    def _lost(self, _: object) -> None:
        self._protocol = None
        self._cancel_prepare_timer()
        if self._state is State.STOPPING:
            self._stopped()
            return
        self._state = State.DOWN
        self._reconnector.connect_later()
        self._attempt_failed()

    def _attempt_failed(self) -> None:
        if self._is_refusing:
            self._stop_if_done()

    def _cancel_prepare_timer(self) -> None:
        if self._prepare_timer is not None:
            self._prepare_timer.cancel()
            self._prepare_timer = None

    def _flush(self) -> None:
        if protocol := self._live():
            self._outbox.flush(protocol)
        if self._is_refusing:
            self._stop_if_done()

    # The end.

    def _stop_if_done(self) -> None:
        """Say goodbye, unless there is something to send and hope to send it."""
        if self._state is State.STOPPING:
            return
        if self._outbox and not self._reconnector.is_failing:
            return
        self._state = State.STOPPING
        self._reconnector.stop()
        if self._protocol is None:
            self._stopped()
        elif self._protocol.session.state is SessionState.CONNECTED:
            self._protocol.disconnect()
        else:
            self._protocol.cut()

    def _give_up(self) -> None:
        self._stop_timer = None
        self._state = State.STOPPING
        self._reconnector.stop()
        if self._protocol is None:
            self._stopped()
        else:
            self._protocol.cut()

    def _stopped(self) -> None:
        self._state = State.STOPPED
        if self._stop_timer is not None:
            self._stop_timer.cancel()
            self._stop_timer = None
        if self._outbox:
            log.warning("stopped with %d messages not sent", len(self._outbox))
        self._outbox.give_up(ConnectionFailedError("the STOMP client was stopped"))
        when_connected, self._when_connected = self._when_connected, []
        for each in when_connected:
            each.errback(CancelledError())
        when_stopped, self._when_stopped = self._when_stopped, []
        for stopped in when_stopped:
            stopped.callback(None)
