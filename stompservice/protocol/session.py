"""The client's side of one connection, without I/O.

::

    connect()   NEW -> CONNECTING -> CONNECTED -> DISCONNECTING -> CLOSED
                         CONNECT     CONNECTED     DISCONNECT      RECEIPT

Feed it with ``receive_data``, ``receive_eof`` and ``tick``, look at ``events_received``, write what
``data_to_send`` gives, call ``tick`` again at ``next_deadline``. After an `Ended`
event nothing more is sent or read: close the connection. Time is in seconds, on any
clock that only goes forward.

What is sent while CONNECTING is kept and written when the broker has said which
version it speaks; brokers with a slow login have dropped connections over less.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from itertools import count
from typing import Final

from stompservice.errors import (
    BrokerError,
    ConnectionFailedError,
    EncodeError,
    FrameError,
    HeartBeatError,
    ProtocolError,
    QueueFull,
    StompError,
    UsageError,
)
from stompservice.protocol import commands
from stompservice.protocol.commands import Extra
from stompservice.protocol.events import (
    Connected,
    Ended,
    Error,
    Event,
    Message,
    NotSent,
    Receipt,
)
from stompservice.protocol.frame import Frame, encode
from stompservice.protocol.heartbeat import Beat, HeartBeat, negotiate, parse_heart_beat
from stompservice.protocol.parser import FrameParser, Limits
from stompservice.protocol.spec import V10, VERSIONS


class State(Enum):
    """Where a connection stands."""

    NEW = auto()
    CONNECTING = auto()
    CONNECTED = auto()
    DISCONNECTING = auto()
    CLOSED = auto()


LAST_RECEIPT: Final = "RECEIPT of DISCONNECT"
ERROR_1_0: Final = "ERROR in 1.0"
"""1.0 does not ask the broker to close after ERROR, and its brokers do not."""

_WORK: Final = ["SEND", "SUBSCRIBE", "UNSUBSCRIBE", "ACK", "NACK", "BEGIN", "COMMIT", "ABORT"]

SENDING: Final[dict[tuple[State, str], State]] = {
    (State.NEW, "CONNECT"): State.CONNECTING,
    **{(State.CONNECTING, command): State.CONNECTING for command in _WORK},
    **{(State.CONNECTED, command): State.CONNECTED for command in _WORK},
    (State.CONNECTED, "DISCONNECT"): State.DISCONNECTING,
}
RECEIVING: Final[dict[tuple[State, str], State]] = {
    (State.CONNECTING, "CONNECTED"): State.CONNECTED,
    (State.CONNECTING, "ERROR"): State.CLOSED,
    (State.CONNECTED, "MESSAGE"): State.CONNECTED,
    (State.CONNECTED, "RECEIPT"): State.CONNECTED,
    (State.CONNECTED, ERROR_1_0): State.CONNECTED,
    (State.CONNECTED, "ERROR"): State.CLOSED,
    (State.DISCONNECTING, "MESSAGE"): State.DISCONNECTING,
    (State.DISCONNECTING, "RECEIPT"): State.DISCONNECTING,
    (State.DISCONNECTING, ERROR_1_0): State.DISCONNECTING,
    (State.DISCONNECTING, "ERROR"): State.CLOSED,
    (State.DISCONNECTING, LAST_RECEIPT): State.CLOSED,
}


@dataclass(frozen=True, slots=True)
class ClientOptions:
    """How to connect.

    Attributes:
        login: with ``passcode``, who we are; empty: neither is sent.
        virtual_host: the ``host`` header; RabbitMQ reads it as a vhost.
        versions: what to offer; empty for a CONNECT of 1.0 days.
        heart_beat: what we can send and want to get, in milliseconds.
        headers: further headers of CONNECT.
        limits: of the frames that the broker may send.
        max_held_frames: sent before CONNECTED has come; more raise QueueFull.
        login_seconds: how long to wait for CONNECTED.
        disconnect_seconds: how long to wait for the receipt of DISCONNECT.
    """

    login: str = ""
    passcode: str = field(default="", repr=False)
    virtual_host: str = "/"
    versions: tuple[str, ...] = VERSIONS
    heart_beat: Beat = (0, 0)
    headers: Mapping[str, str] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    max_held_frames: int = 1_000
    login_seconds: float = 30.0
    disconnect_seconds: float = 5.0


class ClientSession:
    """One connection to a broker: what may be sent when, and what an answer means.

    Attributes:
        state: where the connection stands.
        version: as agreed; 1.0 until then.
        subscriptions: id to destination, of those not given up.
    """

    def __init__(self, options: ClientOptions | None = None) -> None:
        self.options = options or ClientOptions()
        self.state = State.NEW
        self.version = V10
        self.subscriptions: dict[str, str] = {}
        self._parser = FrameParser(self.options.limits)
        self._events: list[Event] = []
        self._outgoing: list[bytes] = []
        self._held: list[Frame] = []
        self._beat: HeartBeat | None = None
        self._deadline: float | None = None
        self._last_receipt: str | None = None
        self._numbers = count(1)

    # What the shell calls.

    def receive_data(self, data: bytes, now: float) -> None:
        """Take bytes from the broker. Never raises for its mistakes."""
        if self._beat is not None:
            self._beat.received(now)
        self._parser.receive_data(data)
        for event in self._parser.events_received():
            if isinstance(event, FrameError):
                self._end(event)
            else:
                self._receive_frame(event, now)

    def receive_eof(self) -> None:
        """The connection is gone. `Ended` follows if it has not been given."""
        if self.state is State.CLOSED:
            return
        is_farewell = self.state is State.DISCONNECTING
        self._end(None if is_farewell else ConnectionFailedError("the connection was lost"))

    def events_received(self) -> list[Event]:
        """What has happened since the last call."""
        events, self._events = self._events, []
        return events

    def data_to_send(self) -> list[bytes]:
        """What to write since the last call."""
        outgoing, self._outgoing = self._outgoing, []
        return outgoing

    def next_deadline(self) -> float | None:
        """When to call ``tick``, None for never."""
        deadlines = [self._deadline, self._beat.next_deadline() if self._beat else None]
        return min((deadline for deadline in deadlines if deadline is not None), default=None)

    def tick(self, now: float) -> None:
        """Time has passed: send a heart-beat, or find the broker dead."""
        if self._deadline is not None and now >= self._deadline:
            if self.state is State.CONNECTING:
                self._end(ConnectionFailedError("the broker did not answer CONNECT in time"))
            else:
                self._end(None)
        elif self._beat is not None:
            if self._beat.is_missed(now):
                self._end(HeartBeatError("the broker has been silent for too long"))
            elif self._beat.is_due(now):
                self._beat.sent(now)
                self._outgoing.append(b"\n")

    # What a client does. Headers may hold ``receipt``: the answer is a Receipt event.

    def connect(self, now: float) -> None:
        """Say CONNECT; the first thing to do."""
        options = self.options
        frame = commands.connect(
            login=options.login,
            passcode=options.passcode,
            virtual_host=options.virtual_host,
            versions=options.versions,
            heart_beat=options.heart_beat,
            headers=options.headers,
        )
        self.send_frame(frame)
        self._deadline = now + options.login_seconds

    def send(self, destination: str, body: bytes | str, headers: Extra = None) -> None:
        """Send a message."""
        self.send_frame(commands.send(destination, body, headers))

    def subscribe(self, destination: str, headers: Extra = None) -> str:
        """Subscribe, and return the id of the subscription: ours, or that of the headers."""
        frame = commands.subscribe(destination, self.new_id("sub"), headers)
        subscription_id = frame.headers["id"]
        if subscription_id in self.subscriptions:
            raise UsageError(f"there is a subscription with the id {subscription_id!r}")
        self.send_frame(frame)
        self.subscriptions[subscription_id] = frame.headers["destination"]
        return subscription_id

    def unsubscribe(self, subscription: str, headers: Extra = None) -> None:
        """Give up a subscription, named by its id or, as in 1.0, by its destination."""
        ids = [subscription] if subscription in self.subscriptions else self._ids_of(subscription)
        if not ids:
            raise UsageError(f"there is no subscription {subscription!r}")
        destination = self.subscriptions[ids[0]]
        self.send_frame(commands.unsubscribe(destination, ids[0], headers))
        del self.subscriptions[ids[0]]

    def ack(self, message: Frame, headers: Extra = None) -> None:
        """Acknowledge a MESSAGE (in mode ``client`` also all before it)."""
        self.send_frame(commands.acknowledge("ACK", message, self.version, headers))

    def nack(self, message: Frame, headers: Extra = None) -> None:
        """Refuse a MESSAGE; what becomes of it is the broker's choice. Not in 1.0."""
        self.send_frame(commands.acknowledge("NACK", message, self.version, headers))

    def begin(self, transaction: str, headers: Extra = None) -> None:
        """Open a transaction; name it in the ``transaction`` header of what belongs to it."""
        self.send_frame(commands.transaction("BEGIN", transaction, headers))

    def commit(self, transaction: str, headers: Extra = None) -> None:
        """Let all of a transaction happen."""
        self.send_frame(commands.transaction("COMMIT", transaction, headers))

    def abort(self, transaction: str, headers: Extra = None) -> None:
        """Let nothing of a transaction happen."""
        self.send_frame(commands.transaction("ABORT", transaction, headers))

    def disconnect(self, now: float) -> None:
        """Say DISCONNECT; `Ended` comes with its receipt, or when that takes too long."""
        if self.state in (State.DISCONNECTING, State.CLOSED):
            return
        if self.state is not State.CONNECTED:
            self._end(None)
            return
        self._last_receipt = self.new_id("bye")
        self.send_frame(commands.disconnect(self._last_receipt))
        self._deadline = now + self.options.disconnect_seconds

    def send_frame(self, frame: Frame) -> None:
        """Send any frame that has its place here.

        Raises:
            UsageError: it has none.
            EncodeError: it cannot be written in this version.
            QueueFull: too much was sent before CONNECTED has come.
        """
        state = SENDING.get((self.state, frame.command))
        if state is None:
            raise UsageError(f"{frame.command} cannot be sent while {self.state.name}")
        if self.state is State.CONNECTING:
            if len(self._held) >= self.options.max_held_frames:
                raise QueueFull(f"{len(self._held)} frames wait for CONNECTED already")
            self._held.append(frame)
        else:
            self._outgoing.append(encode(frame, self.version))
        self.state = state

    def new_id(self, kind: str) -> str:
        """A name that this session has not used yet."""
        return f"{kind}-{next(self._numbers)}"

    # What the broker does.

    def _receive_frame(self, frame: Frame, now: float) -> None:
        trigger = frame.command
        if trigger == "ERROR" and self.version == V10 and self.state is not State.CONNECTING:
            trigger = ERROR_1_0
        elif trigger == "RECEIPT" and frame.headers.get("receipt-id", "") == self._last_receipt:
            trigger = LAST_RECEIPT
        state = RECEIVING.get((self.state, trigger))
        if state is None:
            self._end(ProtocolError(f"{frame.command} has no place while {self.state.name}"))
            return
        if frame.command == "MESSAGE":
            self._events.append(Message(frame, self._subscriptions_of(frame)))
        elif frame.command == "RECEIPT":
            self._events.append(Receipt(frame, frame.headers.get("receipt-id", "")))
        elif frame.command == "ERROR":
            self._events.append(Error(frame, frame.headers.get("receipt-id")))
        else:
            self._receive_connected(frame, now)
            return
        if state is State.CLOSED:
            self._end(BrokerError(frame) if frame.command == "ERROR" else None)

    def _receive_connected(self, frame: Frame, now: float) -> None:
        version = frame.headers.get("version", V10)
        if version != V10 and version not in self.options.versions:
            self._end(ProtocolError(f"the broker chose version {version[:40]!r}, not offered"))
            return
        try:
            theirs = parse_heart_beat(frame.headers.get("heart-beat"))
        except ProtocolError as error:
            self._end(error)
            return
        beat = negotiate(self.options.heart_beat, theirs)
        self._beat = HeartBeat(beat, now)
        self._deadline = None
        self.state, self.version, self._parser.version = State.CONNECTED, version, version
        self._events.append(Connected(frame, version, beat))
        held, self._held = self._held, []
        for waiting in held:
            try:
                self.send_frame(waiting)
            except EncodeError as error:
                if waiting.command == "SUBSCRIBE":
                    self.subscriptions.pop(waiting.headers["id"], None)
                self._events.append(NotSent(waiting, error))

    def _subscriptions_of(self, message: Frame) -> tuple[str, ...]:
        subscription = message.headers.get("subscription")
        if subscription is not None:
            return (subscription,)
        return tuple(self._ids_of(message.headers.get("destination", "")))

    def _ids_of(self, destination: str) -> list[str]:
        return [name for name, where in self.subscriptions.items() if where == destination]

    def _end(self, reason: StompError | None) -> None:
        self.state = State.CLOSED
        self._deadline = self._beat = None
        self._held.clear()
        self._parser.close()
        self._events.append(Ended(reason))
