r"""The broker's side of one STOMP connection. No I/O, no clock.

::

    bytes --> receive_data --> FrameParser --> COMMANDS[state][command] --> Broker
                                                    |                         |
    bytes <-- write  <--  CONNECTED, RECEIPT, ERROR <'      MESSAGE <-- send <-'

The verbs are those of every core: ``receive_data``, ``events_received``,
``data_to_send``, ``next_deadline``, ``tick``. Three things more, for a shell that wants
to be fast:

* ``write_to`` puts a transport's ``write`` in the place of the list that ``data_to_send``
  drains, and bytes pass without a stop.
* ``pause`` and ``resume`` say that the transport is full, or empty again
  (see ``morbid.outgoing``).
* ``shell.wake`` is called when something happened outside of a verb, because another connection
  or the site did it: look at ``events_received``.

When an authenticator or authorizer answers later, the session emits ``Waiting`` and reads
no further frame until ``decide`` is called: they stay, in order, in the parser.

States::

    CONNECTING --CONNECT--> DECIDING --let in--> OPEN --DISCONNECT, ERROR--> CLOSED
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum, auto
from typing import Any, Final, Protocol

from morbid import asking, commands
from morbid.broker import Broker
from morbid.deadlines import Deadlines
from morbid.errors import (
    ALREADY_CONNECTED,
    FRAME_TOO_LARGE,
    MALFORMED_FRAME,
    NOT_CONNECTED,
    SLOW_CONSUMER,
    TOO_MUCH_PENDING,
    UNKNOWN_COMMAND,
    Refused,
)
from morbid.events import Closed, Event, Failed, Waiting
from morbid.identified import Identified
from morbid.lapsing import apply_ends
from morbid.mqsecurity import Named
from morbid.policy import Policy
from morbid.transactions import Transactions
from stompservice.errors import FrameLimitError
from stompservice.protocol import V12, Frame, FrameError, FrameParser, encode
from stompservice.protocol.plain import SharedHeaders


class State(Enum):
    """Where a connection stands."""

    CONNECTING = auto()
    DECIDING = auto()
    OPEN = auto()
    CLOSED = auto()


_OPEN: Final = State.OPEN


class Shell(Protocol):
    """Who feeds a session."""

    def wake(self) -> None:
        """Something happened outside of a verb."""


Act = Callable[["BrokerSession", Frame], None]

# What a frame does, by state. What is not here is refused: see _dispatch.
COMMANDS: Final[dict[State, dict[str, Act]]] = {
    State.CONNECTING: {"CONNECT": commands.connect, "STOMP": commands.connect},
    State.OPEN: {
        "SEND": commands.send,
        "SUBSCRIBE": commands.subscribe,
        "UNSUBSCRIBE": commands.unsubscribe,
        "ACK": commands.ack,
        "NACK": commands.nack,
        "BEGIN": commands.begin,
        "COMMIT": commands.commit,
        "ABORT": commands.abort,
        "DISCONNECT": commands.disconnect,
    },
}


class BrokerSession(Identified):
    """One connection; see the module. What is public and no verb is for ``commands``.

    Attributes:
        version: of STOMP, once agreed.
        current: the frame that is being carried out, for the ``receipt-id`` of an ERROR.
    """

    __slots__ = ("_acts", "_deadlines", "_events", "_is_busy", "_now", "_parser", "_state", "_then",
                 "_token", "_transactions", "_wall_offset", "current",
                 "peer", "policy", "shell", "version")  # fmt: skip

    def __init__(
        self,
        broker: Broker,
        policy: Policy | None = None,
        *,
        now: float,
        peer: str = "",
        wall_offset: float = 0.0,
    ) -> None:
        """Begin to wait for CONNECT.

        Args:
            broker: shared by all sessions.
            policy: likewise; the default lets everybody do everything.
            now: seconds on the clock that all verbs use.
            peer: address, for the authenticator.
            wall_offset: added to that clock gives seconds since the epoch.
        """
        super().__init__(broker)
        self.policy = policy or Policy()
        self.peer = peer
        self.version = V12
        self.current: Frame | None = None
        self.shell: Shell | None = None
        self._enter(State.CONNECTING)
        self._parser = FrameParser(broker.login_limits, V12, shares_headers=True)
        self._transactions: Transactions | None = None
        self._events: list[Event] | None = None  # nearly always
        self._is_busy = False
        self._then: Callable[[Any], None] | None = None
        self._token = 0
        self._now = now
        self._wall_offset = wall_offset
        self._deadlines = Deadlines(broker.limits, now)

    # The verbs.

    def receive_data(self, data: bytes, now: float) -> bool:
        """Feed bytes. Never raises for the peer's mistakes: they end in ERROR.

        Says whether nothing has happened that the shell has to look at: nearly always so.
        """
        if self._state is _OPEN and self._then is None:
            found = self._parser.read_send(data)
            if found is not None:  # the hot path, which does what the rest of this would do
                headers, body = found
                sent, broker, deadlines = headers.memo, self.broker, self._deadlines
                if (
                    sent is not None
                    and sent.free_destination
                    and self.policy.lets_send(self.identity, sent.free_destination)
                ):
                    self._now = now
                    self._is_busy = True
                    broker.counters.bytes_in += len(data)
                    if deadlines.silent_at is not None:
                        deadlines.received(now)
                    self.current = None
                    try:
                        broker.publish(sent.free_destination, headers, body)
                    except Refused as refused:
                        self.refuse(refused)
                    self._is_busy = False
                    return not (self._events or deadlines.moved or self._state is not _OPEN)
        if self._state is State.CLOSED:
            return False
        self._now = now
        self.broker.counters.bytes_in += len(data)
        self._parser.receive_data(data)
        self._is_busy = True
        if self._then is None:
            self._deadlines.received(now)
            self._read_frames()
        self._check_pending()
        self._is_busy = False
        moved = self._deadlines.moved or self._then is not None
        return not (self._events or moved or self.is_closed)

    def events_received(self) -> list[Event]:
        """Hand out what has happened since the last call."""
        events, self._events = self._events, None
        return events or []

    def next_deadline(self) -> float | None:
        """When ``tick`` wants to be called at the latest."""
        return None if self.is_closed else self._deadlines.earliest()

    @property
    def deadline_moved(self) -> bool:
        """Whether ``next_deadline`` may be sooner than when it was last asked."""
        return self._deadlines.moved

    def tick(self, now: float) -> None:
        """Time has passed: end what took too long, send a heart-beat that is due."""
        if self.is_closed:
            return
        self._now = now
        self._is_busy = True
        if self._deadlines.beat_is_due(now) and not self.is_paused:
            self.write(b"\n")
        late = self._deadlines.passed(now)
        if late is not None:
            self.refuse(Refused(late))
        elif self._deadlines.subscriptions_have_ended(now):
            self.read_expiry()
        self._is_busy = False

    # Input.

    @property
    def wants_input(self) -> bool:
        """False while a decision is awaited and much waits behind it already."""
        return (
            self._then is None
            or self._parser.bytes_buffered < self.broker.limits.max_pending_bytes // 2
        )

    def _read_frames(self) -> None:
        """Take frames until there is none, or one has to wait for a decision."""
        parser = self._parser
        frame_ended = self._publish_sends()
        if self._then is not None or self.is_closed:
            return
        if parser.is_within_frame:
            for event in parser.events_received():
                if isinstance(event, FrameError):
                    self._refuse_bytes(event)
                    return
                frame_ended = True
                self._carry_out(event)
                if event.command == "SEND" and self._then is None and self._state is State.OPEN:
                    self._publish_sends()  # the first of many had come in two parts
                if self._then is not None or self._state is State.CLOSED:
                    return
        self.current = None
        if not parser.is_within_frame:
            self._deadlines.frame_ends()
        elif frame_ended or not self._deadlines.is_within_frame:
            self._deadlines.frame_begins(self._now)

    def _publish_sends(self) -> bool:
        """Publish what comes next while it is SEND after SEND; says whether there was one.

        The hot path, see ``stompservice.protocol.sends``. What anybody is asked about, or answered
        to, is carried out as ever.
        """
        policy, take_send, take_run = self.policy, self._parser.take_send, self._parser.take_run
        asks_nobody = policy.asks_nobody(self.identity)
        own = (policy.advisory_destination, policy.control_destination, "")
        found = False
        while (taken := take_send()) is not None:
            found = True
            headers, body = taken
            sent = headers.memo
            if sent is None or not asks_nobody or sent.free_destination in own:
                self._carry_out(Frame("SEND", headers, body))
            else:
                self._publish(sent.free_destination, headers, [body, *take_run()])
            if self._then is not None or self._state is not State.OPEN:
                break
        return found

    def _publish(self, destination: str, headers: SharedHeaders, bodies: list[bytes]) -> None:
        """Publish them together, or one after the other while we are open."""
        self.current = None
        done = self.broker.publish_run(destination, headers, bodies) if len(bodies) > 1 else 0
        for body in bodies[done:]:
            try:
                self.broker.publish(destination, headers, body)
            except Refused as refused:
                self.refuse(refused)
            if self._state is not State.OPEN:
                return

    def _carry_out(self, frame: Frame) -> None:
        """Do what a frame says, or refuse it."""
        self.current = frame
        act = self._acts.get(frame.command)
        try:
            if act is None:
                self._refuse_command(frame)
            else:
                act(self, frame)
        except Refused as refused:
            self.refuse(refused)

    def _check_pending(self) -> None:
        most = self.broker.limits.max_pending_bytes
        if self._then is not None and self._parser.bytes_buffered > most:
            self.refuse(Refused(TOO_MUCH_PENDING))

    def _refuse_bytes(self, error: FrameError) -> None:
        refusal = FRAME_TOO_LARGE if isinstance(error, FrameLimitError) else MALFORMED_FRAME
        headers = {"receipt": error.receipt} if error.receipt is not None else {}
        self.current = Frame(error.command or "", headers)
        self.refuse(Refused(refusal, str(error)))

    def _refuse_command(self, frame: Frame) -> None:
        if self._state is State.CONNECTING:
            raise Refused(NOT_CONNECTED)
        if frame.command in COMMANDS[State.CONNECTING]:
            raise Refused(ALREADY_CONNECTED)
        raise Refused(UNKNOWN_COMMAND, frame.command)

    # Decisions that may come later.

    def ask(self, answer: Any, then: Callable[[Any], None]) -> None:
        """Go on with ``then(answer)``, now or when a Deferred answer is there."""
        if not hasattr(answer, "addCallbacks"):
            then(answer)
            return
        self._then = then
        self._token += 1
        self._deadlines.decision_begins(self._now)
        self.emit(Waiting(answer, self._token))

    def decide(self, token: int, answer: object, now: float) -> None:
        """Bring the answer that ``Waiting`` announced, None for a failure."""
        if self._then is None or token != self._token:
            return  # Nobody waits for it any more.
        self._now = now
        then, self._then = self._then, None
        self._deadlines.decision_ends(now)
        self._is_busy = True
        try:
            then(answer)
        except Refused as refused:
            self.refuse(refused)
        if self._then is None and not self.is_closed:
            self._read_frames()
        self._check_pending()
        self._is_busy = False

    def is_waiting_for(self, token: int) -> bool:
        """Whether this decision is still awaited."""
        return self._then is not None and token == self._token

    def failed(self, error: BaseException) -> None:
        """Tell the shell of an authenticator or authorizer that raised."""
        self.emit(Failed(error))

    # The life of the connection.

    def _enter(self, state: State) -> None:
        self._state = state
        self._acts: dict[str, Act] = COMMANDS.get(state, {})

    @property
    def is_closed(self) -> bool:
        """Whether it is over, from either side."""
        return self._state is State.CLOSED

    def begin_deciding(self, version: str) -> None:
        """CONNECT has come, and ``version`` is agreed."""
        self._enter(State.DECIDING)
        self.version = self._parser.version = version
        self._parser.limits = self.broker.frame_limits

    def open(self, identity: Named, beats: tuple[int, int]) -> None:
        """Let the peer in, with these heart-beats (we send, we expect; ms)."""
        self._enter(State.OPEN)
        self.identity = identity
        self.broker.logins[self] = None
        self._deadlines.logged_in(*beats, self._now)
        self.read_expiry()

    def read_expiry(self) -> None:
        """Look how long the identity is good for; an authorizer may have changed it."""
        expires_at = getattr(self.identity, "expires_at", None)
        self._deadlines.expires(None if expires_at is None else expires_at - self._wall_offset)
        self._deadlines.subscriptions_end(apply_ends(self, self._wall_offset))

    def refuse(self, refused: Refused, headers: Mapping[str, str] | None = None) -> None:
        """Send an ERROR, and close unless this one is survived (see ``morbid.errors``)."""
        if self.is_closed:
            return
        more = dict(headers or {})
        if self.current is not None and "receipt" in self.current.headers:
            more["receipt-id"] = self.current.headers["receipt"]
        self.broker.counters.errors_sent += 1
        self.reply(refused.refusal.encode(self.version, refused.detail[:200], more))
        if refused.refusal.closes(self.version) or self._state is not State.OPEN:
            self.close(refused.refusal.code)

    def confirm(self, frame: Frame) -> None:
        """Send the RECEIPT that ``frame`` asks for, if it does."""
        receipt = frame.headers.get("receipt")
        if receipt is not None:
            self.reply(encode(Frame("RECEIPT", {"receipt-id": receipt}), self.version))

    def close(self, code: str | None = None) -> None:
        """End the connection from our side; what is held is written first."""
        self.flush_and_stop()
        self._leave()
        self.emit(Closed(code))

    def connection_lost(self) -> None:
        """The connection is gone; nothing can be written any more."""
        self.stop()
        self.write = self.send
        if not self.is_closed:
            self._leave()

    def too_slow(self) -> None:
        """The peer does not read, and too much waits for it."""
        self.drop_held()
        self.current = None
        self.refuse(Refused(SLOW_CONSUMER))

    def _leave(self) -> None:
        """Leave nothing behind: no subscription, no message, no transaction."""
        was_open = self._state is State.OPEN
        self._enter(State.CLOSED)
        self._then = None
        self._transactions = None
        self.current = None
        self._parser.close()
        self.broker.logins.pop(self, None)
        self.broker.unsubscribe(*self.subscriptions.by_key.values())
        if was_open:
            asking.gone(self)

    def emit(self, event: Event) -> None:
        """Keep an event for the shell, and wake it unless it is looking anyway."""
        if self._events is None:
            self._events = []
        self._events.append(event)
        if self.shell is not None and not self._is_busy:
            self.shell.wake()

    # For commands.

    @property
    def now(self) -> float:
        """The time of the verb that runs."""
        return self._now

    @property
    def transactions(self) -> Transactions:
        """Its open transactions; made when first asked for."""
        if self._transactions is None:
            self._transactions = Transactions(self.broker.limits)
        return self._transactions
