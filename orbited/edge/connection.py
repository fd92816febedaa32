"""One connection of the edge: the shell around the core in ``orbited.edge.reader``.

Requests are answered one at a time, in order. While one is, reading goes on, since that is how a
browser that goes away is noticed; it stops once more than ``READ_AHEAD_BYTES`` have come that
cannot be looked at yet. While a browser does not take what was sent, nothing new is begun.
"""

import logging
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from twisted.internet.interfaces import IProtocol, IPushProducer, ISSLTransport, ITCPTransport
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from orbited.direct import direct_writer, is_plain, lighten, unsent_bytes
from orbited.edge.again import Again, Take, remember
from orbited.edge.answer import refusal
from orbited.edge.ending import Ending
from orbited.edge.head import Head
from orbited.edge.incoming import Incoming
from orbited.edge.reader import RequestReader, Signal, State
from orbited.errors import RequestError

if TYPE_CHECKING:
    from orbited.edge.exchange import EdgeExchange
    from orbited.edge.factory import EdgeFactory

__all__ = ["EdgeConnection"]

log = logging.getLogger(__name__)

_IDLE, _ANSWERING = State.IDLE, State.ANSWERING

#: What one read of the reactor brings; reading stops when so much waits behind a request.
READ_AHEAD_BYTES = 64 << 10


#: Two ticks are at least so far apart, whatever anybody thinks is due.
MIN_TICK_SECONDS = 0.01


@implementer(IProtocol, IPushProducer)
class EdgeConnection(Ending):
    """One browser's connection; no ``Protocol`` of Twisted's, which has a dict for each.

    Attributes:
        keeps_alive: another request may follow the one that is answered.
        address: of the peer; "" when it has none.
        host: address of this end, once somebody has asked for it.
        write: sends bytes, at once where that is possible.
    """

    __slots__ = (
        "_again",
        "_asked_once",
        "_full_until",
        "_head",
        "_heir",
        "_incoming",
        "_is_full",
        "_is_reading",
        "_is_serving",
        "_producer",
        "_reader",
        "_timer_at",
        "address",
        "host",
        "keeps_alive",
        "scheme",
        "write",
    )

    write: Callable[[bytes], None]

    def __init__(self, factory: "EdgeFactory") -> None:
        super().__init__(factory)
        self._reader = RequestReader(
            factory.limits, factory.max_body_bytes, factory.clock.seconds()
        )
        self.address = ""
        self.host: Any = None
        self.scheme = "http"
        self.keeps_alive = True
        self._timer_at = math.inf
        self._heir: Any = None  # whom the connection was handed over to, where we stay between
        self._incoming: Incoming | None = None
        self._head: Head | None = None
        self._again: tuple[Again, ...] = ()  # at most one for each method, the last first
        self._asked_once: tuple[bytes, ...] = ()  # paths that may come again, at most two
        self._producer: IPushProducer | None = None
        self._is_serving = False
        self._is_full = False  # the transport wants to be written to no more for now
        self._is_reading = True
        self._full_until = 0.0

    # -- Twisted calls these ----------------------------------------------------------------------

    def makeConnection(self, transport: Any) -> None:
        """Somebody connected."""
        self.transport = transport
        self.connectionMade()

    def connectionMade(self) -> None:
        """There is a transport."""
        transport, factory = self.transport, self.factory
        self.address = getattr(transport.getPeer(), "host", "")
        if ISSLTransport.providedBy(transport):
            self.scheme = "https"
        if ITCPTransport.providedBy(transport):
            transport.setTcpNoDelay(True)
        self.write = direct_writer(transport)
        lighten(transport)
        transport.registerProducer(self, True)
        factory.connections.add(self)
        self._watch()

    def dataReceived(self, data: bytes) -> None:
        """Bytes came."""
        if self._is_closing:
            if self._heir is not None:
                self._heir.dataReceived(data)
            return
        reader = self._reader
        if not self._is_full and not self._is_serving:
            if reader.state is _IDLE:
                for again in self._again:
                    found = again.match(data)
                    if found is not None and self._serve_again(again, found[0], found[1]):
                        return
            request = reader.take_request(data)
            if request is not None:
                self._serve_whole(*request)
                return
        reader.receive_data(data, self._clock.seconds())
        if reader.state is State.ANSWERING and reader.buffered_bytes > READ_AHEAD_BYTES:
            self._pause_reading()
        self._serve()
        self._watch()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The connection is gone."""
        if self._heir is not None:
            self._heir.connectionLost(reason)
            return
        self._is_closing = True
        producer = self._producer
        self._forget()
        incoming, self._incoming = self._incoming, None
        if incoming is not None:
            self._log(incoming.status)
            incoming.lose(reason)
        if producer is not None:
            producer.stopProducing()

    def pauseProducing(self) -> None:
        """The transport has more than it wants to hold."""
        if self._is_full:
            return  # Twisted says so again with every write
        self._is_full = True
        self._unsent_before = unsent_bytes(self.transport)
        self._full_until = self._clock.seconds() + self.factory.limits.stalled_seconds
        self._watch()
        if self._producer is not None:
            self._producer.pauseProducing()

    def resumeProducing(self) -> None:
        """The transport has sent what it had."""
        self._is_full = False
        if self._producer is not None:
            self._producer.resumeProducing()
        self._serve()
        self._watch()

    def stopProducing(self) -> None:
        """The connection is gone; ``connectionLost`` says so too."""

    # -- whoever answers calls these --------------------------------------------------------------

    def date_line(self) -> bytes:
        """The ``Date`` header of now."""
        return self.factory.dates.line(self._clock.seconds())

    def pace(self, producer: IPushProducer | None) -> None:
        """Pause ``producer`` while the transport is full; None forgets it."""
        self._producer = producer
        if producer is not None and self._is_full:
            producer.pauseProducing()

    def remember(self, exchange: "EdgeExchange", head: Head, take: Take) -> Head:
        """Know a request when it comes for the third time, in quick succession.

        Returns:
            What is left of its head.
        """
        if head.path not in self._asked_once:
            self._asked_once = (head.path, *self._asked_once[:1])
            return head
        factory = self.factory
        again = remember(exchange, head, take, factory.limits, factory.max_body_bytes(head.path))
        if again is None:
            return head
        # It holds the bytes of the headers; whoever reads them need not.
        self._asked_once = tuple([path for path in self._asked_once if path != head.path])
        self._reader.forget_headers_of(head)
        self._head = again.head = head = self._without_headers(head)
        others = [other for other in self._again if other.head.method != head.method]
        self._again = (again, *others)
        return head

    def forget_headers(self) -> Head | None:
        """What the last request said is not kept while a stream lasts, or nothing is asked.

        Returns:
            What is left of its head.
        """
        self._again = self._asked_once = ()
        self._reader.forget_headers()
        if self._head is not None:
            self._head = self._without_headers(self._head)
        return self._head

    def _without_headers(self, head: Head) -> Head:
        """What the access log is to say of a request, or not even that."""
        if self.factory.has_access_log:
            head.forget_headers()
            return head
        return head.bare()

    def answered(self, incoming: Incoming, now: float | None = None) -> None:
        """The answer is written; go on with the next request, or close."""
        self._incoming = self._producer = None
        if self.factory.has_access_log:
            self._log(incoming.status)
        if not self.keeps_alive:
            self.close()
            return
        reader: Any = self._reader
        if now is None:
            now = self._clock.seconds()
        has_more = False
        if reader._buffer:
            has_more = reader.answered(now)
        else:  # as that would
            reader.state = _IDLE
            reader.deadline = now + self.factory.limits.keep_alive_seconds
        if not self._is_reading:
            self._is_reading = True
            cast(Any, self.transport).resumeProducing()
        if not self._is_serving:
            if has_more:
                self._serve()
                self._watch()
            elif reader.deadline < self._timer_at:
                self._watch()

    def hand_over(self, response: bytes, protocol: Any) -> None:
        """Send ``response``; from here on the connection is ``protocol``'s."""
        transport = cast(Any, self.transport)
        self._is_closing = True
        self._forget()
        incoming, self._incoming = self._incoming, None
        if incoming is not None:
            self._log(incoming.status)
        rest = self._reader.take_rest()
        transport.unregisterProducer()
        self.write(response)
        self._head = None
        del self._reader, self.write  # of no use, and the connection may last for days
        if is_plain(transport):
            transport.protocol = protocol
        else:  # below TLS, or in a test, it is not known who holds us
            self._heir = protocol
        protocol.makeConnection(transport)
        if rest:
            # Whoever asked for this is still at it. The reactor reads nothing before this call.
            self._clock.callLater(0, self._deliver, protocol, rest)
        if not self._is_reading:
            transport.resumeProducing()

    def close_when_idle(self) -> None:
        """The server stops: what is being answered is answered, and nothing more."""
        self.keeps_alive = False
        if self._incoming is None and self._reader.state in (State.IDLE, State.HEAD):
            self.close()

    # -- requests ---------------------------------------------------------------------------------

    def _serve(self) -> None:
        """Act on what the core has read; answers given meanwhile make it read more."""
        if self._is_serving:
            return
        self._is_serving = True
        reader = self._reader
        try:
            while not self._is_full and not self._is_closing:
                events = reader.events_received()
                if not events:
                    break
                for event in events:
                    if type(event) is bytes:
                        cast(Incoming, self._incoming).receive_body(event)
                    elif type(event) is Head:
                        self._begin(event)
                    elif event is Signal.END:
                        self._complete()
                    elif event is Signal.IDLE:
                        self._end_idle()
                    else:
                        self._refuse(cast(RequestError, event))
            go_ahead = reader.data_to_send()
            if go_ahead and not self._is_closing:
                self.write(go_ahead)
        finally:
            self._is_serving = False

    def _serve_whole(self, head: Head, body: bytes) -> None:
        """Answer a request that came in one piece; the same as ``_serve``, without events."""
        self._is_serving = True
        try:
            self._begin(head)
            if body:
                cast(Incoming, self._incoming).receive_body(body)
            self._complete()
        finally:
            self._is_serving = False
        self._watch()

    def _serve_again(self, again: Again, ack: int, body: bytes) -> bool:
        """Have a request answered that is known, in the way that it was answered before.

        Returns:
            False when nothing was done.
        """
        reader = self._reader
        if self.factory.is_stopping:
            return False
        reader.state = _ANSWERING
        exchange = again.exchange
        exchange.renew(self, body)
        self._incoming, self._head = exchange, again.head
        self.keeps_alive = True
        try:
            if again.take(ack, body, self._clock.seconds()):
                return True
        except Exception:
            log.exception("a request failed")
            exchange.fail()
            return True
        self._incoming = None
        exchange.withdraw()
        reader.state = _IDLE
        return False

    def _begin(self, head: Head) -> None:
        self._head = head
        self.keeps_alive = head.keeps_alive and not self.factory.is_stopping
        self._incoming = self.factory.begin(self, head)

    def _complete(self) -> None:
        incoming = self._incoming
        assert incoming is not None
        try:
            incoming.complete()
        except Exception:
            log.exception("a request failed")
            incoming.fail()

    def _refuse(self, error: RequestError) -> None:
        """Answer what is no request, or none that is taken, and close soon.

        Reading goes on for a while: a connection that is closed with something unread is reset,
        and the browser would not get to see the answer.
        """
        incoming, self._incoming = self._incoming, None
        if incoming is not None:
            incoming.lose(Failure(error))  # type: ignore[no-untyped-call]
        path = self._head.path if incoming is not None and self._head is not None else None
        content_type, body = self.factory.refusal(error, path)
        self.write(refusal(error.status, self.date_line(), content_type, body))
        self.factory.log_refusal(self.address, error)
        self._linger()

    def _deliver(self, protocol: Any, data: bytes) -> None:
        if cast(Any, self.transport).connected:
            protocol.dataReceived(data)

    # -- time -------------------------------------------------------------------------------------

    def _watch(self, minimum: float = 0.0) -> None:
        """Have ``tick`` called no later than the next deadline; it may find nothing to do."""
        if self._is_closing:
            return
        deadline = self._full_until if self._is_full else self._reader.next_deadline()
        if deadline is not None and deadline < self._timer_at:
            if minimum:
                deadline = max(deadline, self._clock.seconds() + minimum)
            self._timer_at = deadline
            self.factory.wheel.set(self, deadline)

    def tick(self) -> None:
        """The wheel: something falls due, or did until it was put off."""
        self._timer_at = math.inf
        if self._end is not None:
            super().tick()
            return
        now = self._clock.seconds()
        if not self._is_full:
            self._reader.tick(now)
            if self._reader.state is State.IDLE:
                self.forget_headers()
            self._serve()
        elif now >= self._full_until:
            if not self._takes_something():
                self.abort()
                return
            self._full_until = now + self.factory.limits.stalled_seconds
        self._watch(MIN_TICK_SECONDS)

    # -- helpers ----------------------------------------------------------------------------------

    def _pause_reading(self) -> None:
        if self._is_reading:
            self._is_reading = False
            cast(Any, self.transport).pauseProducing()

    def _forget(self) -> None:
        self.factory.connections.discard(self)
        self._again = ()
        self.factory.wheel.cancel(self)
        self._end = self._producer = None

    def _log(self, status: int) -> None:
        if self.factory.has_access_log and self._head is not None:
            self.factory.log_request(self.address, self._head, status)
