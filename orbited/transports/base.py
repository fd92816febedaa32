"""What every transport has in common.

A transport carries packets down to one browser over one HTTP response (or one WebSocket). It
belongs to a session, which opens it, gives it packets, and is told when it is gone::

    transport.open(session, now)        # starts the response
    transport.send(packets, now)        # one burst; the transport may be finished afterwards
    transport.finish()                  # ends the response properly, at a packet boundary
    session.transport_lost(transport)   # the browser is gone
    session.transport_resumed(transport)   # the socket takes bytes again

A transport adds a file with a class like this one::

    class Poll(OneShotTransport):
        name = "poll"

and a line to ``orbited.transports``.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

from twisted.internet.interfaces import IPushProducer, IReactorTime
from zope.interface import implementer

from orbited.http import COMMON_HEADERS, Exchange
from orbited.protocol.packets import DATA, TEXT, Encoder, Packet
from orbited.protocol.session import Carrier
from orbited.protocol.settings import PacketLimits, setting
from orbited.protocol.shared import SharedFrame

__all__ = ["OneShotTransport", "Session", "StreamingTransport", "Transport", "TransportSettings"]

#: The client of 2010 cannot parse more than 666 packets at once.
MAX_RESPONSE_PACKETS = 600


@dataclass(frozen=True, slots=True)
class TransportSettings:
    """Section ``[transports]``."""

    heartbeat_seconds: float = setting(
        5.0, "silence on xhrstream and htmlfile before a heartbeat; old pages give up after 6", 0.1
    )
    sse_heartbeat_seconds: float = setting(15.0, "silence on sse before a heartbeat", 0.1)
    longpoll_seconds: float = setting(30.0, "how long a long poll is held without news", 0.1)
    stream_bytes: int = setting(1 << 20, "size after which a stream is ended and reopened", 1024)
    websocket_compression: bool = setting(False, "negotiate permessage-deflate on WebSockets")


class Session(Protocol):
    """Who a transport works for."""

    @property
    def clock(self) -> IReactorTime:
        """What time-outs of the transport's own are measured with."""

    @property
    def limits(self) -> PacketLimits:
        """How much may come up in one message."""

    def transport_lost(self, transport: "Transport") -> None:
        """The browser is gone, or has ended the transport."""

    def transport_resumed(self, transport: "Transport") -> None:
        """The socket takes bytes again."""

    def reopen(self, transport: "Transport", ack: int, now: float, due: float) -> bool:
        """A poll has come again, with an acknowledgement; False when nothing was done."""

    def receive_message(self, data: bytes, has_more: bool) -> None:
        """Packets came up on the transport itself (WebSocket); more has come behind them."""


@implementer(IPushProducer)
class Transport:
    """One open way down to the browser.

    Attributes:
        is_paused: the socket is full; nothing should be sent for now.
        is_finished: nothing can be sent any more.
        gathers: it ends with what it carries, so a backlog waits for what else the turn brings.
        shared: builds a frame for many browsers; where ``write_frame`` is None, nobody uses it.
        write_frame: writes what ``shared`` has built, instead of ``send_payload``.
        is_counted: each frame that was so written has to be told to ``count``.
    """

    __slots__ = (
        "_headers",
        "_last_write",
        "_session",
        "exchange",
        "is_finished",
        "is_paused",
        "settings",
        "write_frame",
    )

    name: ClassVar[str]
    carrier: ClassVar[Carrier]
    encoder: ClassVar[Encoder]
    is_answered_at_once: ClassVar[bool] = False  # with nothing, if there is nothing
    gathers: ClassVar[bool] = False
    shared: ClassVar[SharedFrame] = SharedFrame(TEXT, bytes)
    is_counted: ClassVar[bool] = False
    write_frame: Callable[[bytes], None] | None

    def __init__(
        self, exchange: Exchange, settings: TransportSettings, headers: Sequence[tuple[str, str]]
    ) -> None:
        self.exchange = exchange
        self.settings = settings
        self.is_paused = False
        self.is_finished = False
        self.write_frame = None
        self._headers = headers
        self._last_write = 0.0

    def open(self, session: Session, now: float) -> bool:
        """Start the response.

        Returns:
            False when the request was refused instead; it has been answered then.
        """
        self._session = session
        self._last_write = now
        self.exchange.on_lost(self._lost)
        return True

    def send(self, packets: Sequence[Packet], now: float) -> None:
        """Carry one burst of packets."""
        raise NotImplementedError

    def send_payload(self, number: int, payload: bytes, now: float) -> None:
        """Carry one data packet: the hot path."""
        self.send((Packet(number, DATA, payload),), now)

    def count(self, size_bytes: int, packets: int, now: float) -> None:
        """Bytes of the response were written."""

    def packet_room(self) -> int:
        """How many packets the next burst may have."""
        return MAX_RESPONSE_PACKETS

    def finish(self) -> None:
        """End the response properly."""
        if not self.is_finished:
            self.is_finished = True
            self.exchange.finish()

    def next_deadline(self) -> float | None:
        """When ``tick`` has something to do; it may move further away without notice."""
        return None

    def tick(self, now: float) -> None:
        """Time has passed."""

    def _lost(self) -> None:
        if not self.is_finished:
            self.is_finished = True
            self._session.transport_lost(self)

    # -- IPushProducer: called by the edge when the socket is full, and when it is not ---------

    def pauseProducing(self) -> None:
        """Twisted: the socket is full."""
        self.is_paused = True

    def resumeProducing(self) -> None:
        """Twisted: the socket takes bytes again."""
        self.is_paused = False
        if not self.is_finished:
            self._session.transport_resumed(self)

    def stopProducing(self) -> None:
        """Twisted: the connection is gone; ``on_lost`` says so too."""


class OneShotTransport(Transport):
    """A response that ends with the first packets it carries."""

    __slots__ = ()

    carrier = Carrier(is_atomic=True)
    encoder = TEXT

    def send(self, packets: Sequence[Packet], now: float) -> None:
        """Answer with these packets."""
        self.is_finished = True
        self.exchange.reply(200, self.encoder.encode(packets), self._headers)

    def send_payload(self, number: int, payload: bytes, now: float) -> None:
        """Answer with one data packet."""
        self.is_finished = True
        self.exchange.reply_packet(self.shared, number, payload, self._headers, now)

    def finish(self) -> None:
        """Answer with nothing."""
        if not self.is_finished:
            self.send((), 0.0)


class StreamingTransport(Transport):
    """A response that stays open, with heartbeats while nothing else is sent."""

    __slots__ = ("_bytes_left", "_packets_left")

    carrier = Carrier(is_atomic=False)
    is_counted = True
    has_shared_chunks: ClassVar[bool] = False  # whether a frame is a packet, and no more
    content_type: ClassVar[str]
    prelude: ClassVar[bytes]
    heartbeat: ClassVar[bytes]

    def open(self, session: Session, now: float) -> bool:
        """Start the stream."""
        super().open(session, now)
        self._bytes_left = self.settings.stream_bytes
        self._packets_left = MAX_RESPONSE_PACKETS
        headers = [("Content-Type", self.response_type()), *COMMON_HEADERS, *self._headers]
        self.exchange.start(200, headers)
        self.exchange.register_producer(self)
        self.exchange.write(self.prelude)  # and the head: the page knows that the stream is open
        if self.has_shared_chunks:
            self.write_frame = self.exchange.chunk_writer()
        return True

    def response_type(self) -> str:
        """The MIME type of the answer."""
        return self.content_type

    def frame(self, packets: Sequence[Packet]) -> bytes:
        """One burst as it stands in the body."""
        return self.encoder.encode(packets)

    def send(self, packets: Sequence[Packet], now: float) -> None:
        """Write one burst; a stream that has grown too long ends here and is opened anew."""
        data = self.frame(packets)
        self.exchange.write(data)
        self.count(len(data), len(packets), now)

    def send_payload(self, number: int, payload: bytes, now: float) -> None:
        """Write one data packet."""
        write = self.write_frame
        if write is None:
            self.send((Packet(number, DATA, payload),), now)
            return
        data = self.shared.build(number, payload)
        write(data)
        self.count(len(data), 1, now)

    def count(self, size_bytes: int, packets: int, now: float) -> None:
        """Bytes of the response were written; one that has grown too long ends here."""
        self._last_write = now
        self._bytes_left -= size_bytes
        self._packets_left -= packets
        if self._bytes_left < 0 or self._packets_left <= 0:
            self.finish()

    def packet_room(self) -> int:
        """What is left of this response's packets."""
        return self._packets_left

    def heartbeat_seconds(self) -> float:
        """The longest silence."""
        return self.settings.heartbeat_seconds

    def next_deadline(self) -> float | None:
        """When a heartbeat falls due."""
        return self._last_write + self.heartbeat_seconds()

    def tick(self, now: float) -> None:
        """Send a heartbeat when nothing else was written for long enough."""
        if now >= self._last_write + self.heartbeat_seconds():
            self._last_write = now
            if not self.is_paused:  # else bytes are on their way, and say the same
                self.exchange.write(self.heartbeat_bytes())

    def heartbeat_bytes(self) -> bytes:
        """What tells the browser that the stream is alive."""
        return self.heartbeat
