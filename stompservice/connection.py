"""One connection to a STOMP broker, as a Twisted protocol.

No rule of STOMP is here: they are in `stompservice.protocol.session`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, cast

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IPushProducer
from twisted.internet.protocol import Protocol
from twisted.internet.tcp import Connection
from twisted.python.failure import Failure
from zope.interface import implementer

from stompservice.errors import (
    BrokerError,
    ConnectionFailedError,
    HeartBeatError,
    QueueFull,
    StompError,
)
from stompservice.protocol.events import Ended, Error, Event, NotSent, Receipt
from stompservice.protocol.frame import Frame
from stompservice.protocol.session import ClientOptions, ClientSession, State

if TYPE_CHECKING:
    from typing import Protocol as Interface

    from twisted.internet.interfaces import IDelayedCall, IReactorTime

    class Transport(Interface):
        """What we need of a transport; TCP, TLS and in-process links have it."""

        write: Callable[[bytes], object]
        loseConnection: Callable[[], object]
        abortConnection: Callable[[], object]
        registerProducer: Callable[[object, bool], object]
        unregisterProducer: Callable[[], object]


log = logging.getLogger(__name__)

MAX_UNSENT_BYTES: Final = 16_777_216
"""How much may be handed in while the broker does not read; more raises QueueFull."""

MAX_RECEIPTS: Final = 10_000
"""How many receipts may be waited for; a further frame that asks for one raises QueueFull."""

CLOSE_SECONDS: Final = 5.0
"""How long a closed connection may take to flush before it is cut."""

MessageDict = dict[str, Any]
"""What ``recv_*`` hooks get: ``{"cmd": str, "headers": {str: str}, "body": str}``."""


@implementer(IPushProducer)
class StompProtocol(Protocol):
    """One connection to a broker: bytes between a transport and a `ClientSession`.

    Every verb takes further headers as keywords. With ``receipt=True``, or a receipt id
    of your own, it returns a Deferred that fires with the RECEIPT frame, or fails with a
    `ConnectionFailedError` when the connection ends before that.

    Args:
        options: how to connect.
        on_event: called with this protocol and each event of the session. The last one
            is always `Ended`, and comes once.
        clock: the reactor unless a test says otherwise.

    Attributes:
        is_paused: whether the transport asked us to write no more for now.
        on_resume: called when ``is_full`` may have become false.
    """

    def __init__(
        self,
        options: ClientOptions | None = None,
        on_event: Callable[[StompProtocol, Event], None] | None = None,
        clock: IReactorTime | None = None,
        max_unsent_bytes: int = MAX_UNSENT_BYTES,
        max_receipts: int = MAX_RECEIPTS,
    ) -> None:
        self.session = ClientSession(options)
        self.is_paused = False
        self.on_resume: Callable[[], None] | None = None
        self._on_event = on_event
        self._clock = clock
        self._max_unsent_bytes = max_unsent_bytes
        self._max_receipts = max_receipts
        self._unsent_bytes = 0
        self._timer: IDelayedCall | None = None
        self._receipts: dict[str, Deferred[Frame]] = {}
        self._when_lost: list[Deferred[None]] = []
        self._is_working = False
        self._is_lost = self._is_cut = self._is_direct = self._is_gathering = False
        self._tcp: Transport | None = None

    # What a program calls.

    @property
    def is_full(self) -> bool:
        """Whether a well-behaved sender waits: the broker does not read, or not answer."""
        return self.is_paused or len(self._receipts) >= self._max_receipts

    def send(self, destination: str, message: bytes | str, /, **headers: object) -> Any:
        """SEND a message; ``str`` goes as UTF-8."""
        return self._do(headers, self.session.send, destination, message)

    def send_frame(self, frame: Frame, receipt: Deferred[Frame] | None = None) -> None:
        """Send a ready frame; ``receipt`` fires with the answer to its receipt header."""
        self._check_room(wants_receipt=receipt is not None)
        self.session.send_frame(frame)
        if receipt is not None:
            self.receipt(frame.headers["receipt"]).chainDeferred(receipt)
        if frame.command == "SEND":
            self._write()  # it makes nothing happen, and nothing due sooner
        else:
            self._work()

    @contextmanager
    def gathering(self) -> Iterator[None]:
        """Write all that is sent in this block in one piece, at its end."""
        was_gathering, self._is_gathering = self._is_gathering, True
        try:
            yield
        finally:
            self._is_gathering = was_gathering
            if not was_gathering:
                self._write_gathered()

    def subscribe(self, destination: str, /, **headers: object) -> str:
        """SUBSCRIBE, and return the subscription's id; ``ack`` is auto unless given."""
        self._check_room()
        subscription_id = self.session.subscribe(destination, headers)
        self._work()
        return subscription_id

    def unsubscribe(self, subscription: str, /, **headers: object) -> Any:
        """UNSUBSCRIBE, by id or by destination."""
        return self._do(headers, self.session.unsubscribe, subscription)

    def ack(self, message: Frame | MessageDict, /, **headers: object) -> Any:
        """Acknowledge a MESSAGE: the frame, or the ``msg`` of ``recv_message``."""
        return self._do(headers, self.session.ack, _frame_of(message))

    def nack(self, message: Frame | MessageDict, /, **headers: object) -> Any:
        """Refuse a MESSAGE."""
        return self._do(headers, self.session.nack, _frame_of(message))

    def begin(self, transaction: str, /, **headers: object) -> Any:
        """Open a transaction."""
        return self._do(headers, self.session.begin, transaction)

    def commit(self, transaction: str, /, **headers: object) -> Any:
        """Let all of a transaction happen."""
        return self._do(headers, self.session.commit, transaction)

    def abort(self, transaction: str, /, **headers: object) -> Any:
        """Let nothing of a transaction happen."""
        return self._do(headers, self.session.abort, transaction)

    def receipt(self, receipt_id: str) -> Deferred[Frame]:
        """Wait for the RECEIPT with this id; ask before the frame is sent."""
        waiting = self._receipts.get(receipt_id)
        if waiting is None:
            waiting = self._receipts[receipt_id] = Deferred()
        return waiting

    def disconnect(self) -> Deferred[None]:
        """Say DISCONNECT, wait for its receipt, close; fires when all is over."""
        self.session.disconnect(self._now())
        over = self.when_lost()
        self._work()
        return over

    def cut(self) -> None:
        """Close the connection at once, without a word."""
        if self._tcp is None or self._is_lost or self._is_cut:
            return
        self._is_cut = True
        self.session.receive_eof()
        self._work()
        self._cancel_timer()
        self._tcp.abortConnection()

    def when_lost(self) -> Deferred[None]:
        """Fires when the connection is gone."""
        if self._is_lost:
            return succeed(None)
        lost: Deferred[None] = Deferred()
        self._when_lost.append(lost)
        return lost

    # What Twisted calls.

    def connectionMade(self) -> None:
        """Say CONNECT."""
        self._tcp = cast("Transport", self.transport)
        set_no_delay = getattr(self.transport, "setTcpNoDelay", None)
        if set_no_delay is not None:  # else a frame waits for the acknowledgement of the last one
            set_no_delay(True)
        self._tcp.registerProducer(self, True)
        is_tcp = isinstance(self.transport, Connection)
        self._is_direct = is_tcp and not getattr(self.transport, "TLS", False)
        self.session.connect(self._now())
        self._work()

    def dataReceived(self, data: bytes) -> None:
        """Bytes from the broker."""
        self.session.receive_data(data, self._now())
        self._work()

    def connectionLost(self, reason: Failure | None = None) -> None:
        """The connection is gone."""
        self._is_lost = True
        self.session.receive_eof()
        self._work()
        self._cancel_timer()
        when_lost, self._when_lost = self._when_lost, []
        for lost in when_lost:
            lost.callback(None)

    def pauseProducing(self) -> None:
        """The broker reads slower than we write."""
        self.is_paused = True

    def resumeProducing(self) -> None:
        """What was written is on its way."""
        self.is_paused = False
        self._unsent_bytes = 0
        if self.on_resume is not None:
            self.on_resume()

    def stopProducing(self) -> None:
        """The transport is closing; ``connectionLost`` follows."""

    # Between the two.

    def _do(self, headers: dict[str, object], verb: Callable[..., None], *arguments: object) -> Any:
        receipt = headers.pop("receipt", None)
        self._check_room(wants_receipt=bool(receipt))
        if not receipt:
            verb(*arguments, headers)
            self._work()
            return None
        receipt_id = self.session.new_id("receipt") if receipt is True else str(receipt)
        verb(*arguments, {**headers, "receipt": receipt_id})
        waiting = self.receipt(receipt_id)
        self._work()
        return waiting

    def _check_room(self, *, wants_receipt: bool = False) -> None:
        if wants_receipt and len(self._receipts) >= self._max_receipts:
            raise QueueFull(f"{len(self._receipts)} receipts are waited for already")
        if self.is_paused and self._unsent_bytes >= self._max_unsent_bytes:
            raise QueueFull(f"{self._unsent_bytes} bytes wait for a broker that does not read")

    def _work(self) -> None:
        """Write what the session says, tell what happened, set the timer."""
        if self._is_working:
            self._write()
            return  # a verb was called from an event below, which goes on from here
        self._is_working = True
        try:
            self._write()
            while events := self.session.events_received():
                for event in events:
                    self._settle_receipts(event)
                    if self._on_event is not None:
                        self._on_event(self, event)
                    if isinstance(event, Ended):
                        self._close(event.reason)
                self._write()
        finally:
            self._is_working = False
        if not self._is_lost:
            self._set_timer()

    def _write(self) -> None:
        if self._is_gathering:
            return
        for data in self.session.data_to_send():
            if self.is_paused:
                self._unsent_bytes += len(data)
            if self._tcp is not None and not self._is_lost:
                self._tcp.write(data)

    def _write_gathered(self) -> None:
        """Give bytes to the kernel at once if nothing waits, and else to Twisted.

        Twisted writes in the reactor's next turn, which costs more than the write. What the
        kernel does not take goes that way; so order, back-pressure and errors are Twisted's.
        """
        tcp: Any = self._tcp
        if (
            not self._is_direct
            or self._is_lost
            or self._is_cut
            or tcp._tempDataBuffer
            or tcp.dataBuffer
            or tcp.disconnecting
            or not tcp.connected
        ):
            self._write()
            return
        data = b"".join(self.session.data_to_send())
        try:
            sent = tcp.socket.send(data)
        except OSError:
            sent = 0  # full, or broken: the reactor's own attempt finds out and reports it
        if sent < len(data):
            tcp.write(data[sent:])

    def _settle_receipts(self, event: Event) -> None:
        if isinstance(event, Receipt):
            was_full = self.is_full
            if waiting := self._receipts.pop(event.receipt_id, None):
                waiting.callback(event.frame)
            if was_full and not self.is_full and self.on_resume is not None:
                self.on_resume()
        elif isinstance(event, Error):
            if waiting := self._receipts.pop(event.receipt_id or "", None):
                waiting.errback(BrokerError(event.frame))
        elif isinstance(event, NotSent):
            if waiting := self._receipts.pop(event.frame.headers.get("receipt", ""), None):
                waiting.errback(event.error)
            else:
                log.error("not sent: %s", event.error)
        elif isinstance(event, Ended):
            receipts, self._receipts = self._receipts, {}
            reason = event.reason or ConnectionFailedError("we have disconnected")
            for waiting in receipts.values():
                waiting.errback(reason)

    def _close(self, reason: StompError | None) -> None:
        if self._is_lost or self._is_cut or self._tcp is None:
            return
        self._tcp.unregisterProducer()
        if isinstance(reason, HeartBeatError):
            self.cut()
        else:
            self._tcp.loseConnection()
            self._cancel_timer()
            self._timer = self._get_clock().callLater(CLOSE_SECONDS, self._close_at_last)

    def _close_at_last(self) -> None:
        self._timer = None
        self.cut()

    def _set_timer(self) -> None:
        if self.session.state is State.CLOSED:
            return  # the timer that is set, if any, cuts the connection
        deadline = self.session.next_deadline()
        if deadline is None:
            self._cancel_timer()
        elif self._timer is None or deadline < self._timer.getTime():
            # A later deadline is found when the timer fires: traffic moves deadlines
            # with every packet, and timers are dearer than one idle tick.
            self._cancel_timer()
            delay = max(0.0, deadline - self._now())
            self._timer = self._get_clock().callLater(delay, self._tick)

    def _tick(self) -> None:
        self._timer = None
        self.session.tick(self._now())
        self._work()

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _now(self) -> float:
        return self._get_clock().seconds()

    def _get_clock(self) -> IReactorTime:
        if self._clock is None:
            from twisted.internet import reactor

            self._clock = cast("IReactorTime", reactor)
        return self._clock


def _frame_of(message: Frame | MessageDict) -> Frame:
    if isinstance(message, Frame):
        return message
    return Frame(message["cmd"], message["headers"])
