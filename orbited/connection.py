"""One session in the server: joins the protocol above to the transport below.

Its upper side, a transport like TCP's, is in ``orbited.sessiontransport``.
"""

import functools
import logging
from collections.abc import Sequence
from typing import cast

from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IProtocol, IPushProducer
from twisted.python.failure import Failure
from zope.interface import implementer

from orbited.http import Exchange
from orbited.postgate import PostGate, refuse
from orbited.protocol.access import Source
from orbited.protocol.packets import DATA
from orbited.protocol.session import (
    Closed,
    CometSession,
    DataReceived,
    Ended,
    Malformed,
    Refused,
    State,
)
from orbited.sessionserver import SessionServer
from orbited.sessiontransport import SessionTransport
from orbited.settings import Limits
from orbited.transports.base import Transport
from orbited.transports.websocket import WebSocket
from orbited.wheel import SLOT_SECONDS

__all__ = ["TCPConnectionResource"]

log = logging.getLogger(__name__)

#: Two ticks are at least so far apart, whatever anybody thinks is due.
MIN_TICK_SECONDS = 0.01

#: Close codes of a WebSocket: the server stops; a message was not understood.
WEBSOCKET_GOING_AWAY, WEBSOCKET_INVALID = 1001, 1007


@implementer(IPushProducer)
class TCPConnectionResource(SessionTransport):
    """One browser's socket.

    Args:
        source: who created the session; what it may reach is decided by that.

    Attributes:
        absent_since: when the last transport was lost, or the session began without one.
        slot: of the server's timer wheel, to which it belongs.
    """

    __slots__ = ("_gate", "_protocol", "absent_since", "key", "slot")

    def __init__(self, server: SessionServer, key: str, source: Source) -> None:
        self.key = key
        config = server.config
        self.absent_since = server.clock.seconds()
        core = CometSession(config.session, config.limits, self.absent_since)
        super().__init__(server, core, source)
        self._protocol: IProtocol | None = None
        self.slot = 0
        self._gate: PostGate | None = None  # until the back end is slow for the first time

    def __repr__(self) -> str:
        return f"<session of {self.source.address}>"  # never the key

    @property
    def limits(self) -> Limits:
        """Section ``[limits]``."""
        return self._server.config.limits

    @property
    def transport_name(self) -> str | None:
        """Which transport is open."""
        return self._transport.name if self._transport is not None else None

    @property
    def is_told(self) -> bool:
        """Its browser has been told, or is about to be, that the session ends."""
        return self.core.state is not State.OPEN

    def start(self, protocol: IProtocol) -> None:
        """Connect the protocol above."""
        self._protocol = protocol
        self._reschedule()
        protocol.makeConnection(self)

    # -- IPushProducer: the back end calls these when the browser sends too fast ----------------

    def pauseProducing(self) -> None:
        """Let the browser wait: answers to POSTs are held, the WebSocket is not read."""
        if self._gate is None:
            self._gate = PostGate(self.limits.post_hold_seconds)
        self._gate.close()
        if isinstance(self._transport, WebSocket):
            self._transport.pause_reading()

    def resumeProducing(self) -> None:
        """The back end can go on."""
        if isinstance(self._transport, WebSocket):
            self._transport.resume_reading()
        if self._gate is not None:
            self._gate.open()

    def stopProducing(self) -> None:
        """The back end is gone."""
        self.loseConnection()

    # -- requests of the browser ----------------------------------------------------------------

    def acknowledge(self, ack: int) -> None:
        """The browser has read everything up to that packet."""
        self.core.acknowledge(ack)
        if self.core.has_events:
            self._dispatch()

    def attach(self, transport: Transport) -> None:
        """Open a transport in place of the one there was."""
        now = self.clock.seconds()
        if not transport.open(self, now):
            return
        before, self._transport = self._transport, transport
        if before is not None:
            before.finish()
        if self._gate is not None and not self._gate.is_open:
            self.pauseProducing()
        self.core.transport_opened(transport.carrier, now)
        if transport.gathers and self.core.has_backlog:
            self._soon()
        elif not self.core.is_quiet or self._is_producer_paused:
            self.flush(now)
        if transport.is_answered_at_once:
            self._tick_transport(now)
        self._reschedule()

    def reopen(self, transport: Transport, ack: int, now: float, due: float) -> bool:
        """Do what ``acknowledge`` and ``attach`` do, for a poll that comes again. The hot path.

        Args:
            due: the transport's next deadline; the core's, a ping, is no sooner than a second.

        Returns:
            False when nothing was done, because there is more to think of.
        """
        if (
            self._transport is not None
            or self._gate is not None
            or self._is_producer_paused
            or not self.core.reopen(transport.carrier, ack, now)
        ):
            return False
        self._transport = transport
        self._server.counters.transports_opened += 1
        outbox = self.core.outbox
        if outbox.queued_bytes:
            if outbox.has_backlog:
                self._soon()
            else:
                self.flush(now)
            if self.slot and (self._is_dirty or transport.is_finished):
                return True  # what is waited for was sooner than anything from now on
        if not now < self.slot * SLOT_SECONDS <= due:
            self._reschedule()
        return True

    def post(self, exchange: Exchange, headers: Sequence[tuple[str, str]]) -> None:
        """Take what the browser sent up, and answer with these headers."""
        exchange.again(functools.partial(self._post_again, exchange, headers))
        self._take_post(exchange, headers, exchange.body)

    def _post_again(
        self,
        exchange: Exchange,
        headers: Sequence[tuple[str, str]],
        ack: int,
        body: bytes,
        now: float,
    ) -> bool:
        """Take a POST that comes again. The hot path."""
        if self.core.state is not State.OPEN:
            return False
        self.core.acknowledge(ack)  # nothing can happen by it, the session is open
        self._take_post(exchange, headers, body)
        return True

    def _take_post(
        self, exchange: Exchange, headers: Sequence[tuple[str, str]], body: bytes
    ) -> None:
        gate = self._gate
        if gate is not None and not gate.admits(len(body)):
            headers = [*headers, ("Retry-After", str(self.limits.retry_after))]
            exchange.reply(503, "The back end is too slow for this; send it again.\n", headers)
            return
        server = self._server
        now = server.clock.seconds()
        server.is_in_request = True
        try:
            objection = self._receive(body, now, False)
            if objection is not None:
                has_ended = self.core.state is State.ENDED
                refuse(exchange, objection, headers, self.limits.retry_after, has_ended=has_ended)
            elif self._gate is None:
                exchange.reply(200, b"OK", headers)
            else:
                self._gate.answer(exchange, headers, now)
                self._reschedule()
        finally:
            server.end_request(now)

    def receive_message(self, data: bytes, has_more: bool) -> None:
        """A WebSocket brought packets."""
        server = self._server
        now = server.clock.seconds()
        if not has_more:  # else what they cause is written together, at the end of the turn
            server.is_in_request = True
        try:
            objection = self._receive(data, now, True)
            if objection is not None:
                self._object(objection)
        finally:
            if not has_more:
                server.end_request(now)

    def _object(self, objection: Malformed | Refused) -> None:
        """Close a WebSocket, unless the session closes anyway."""
        if isinstance(objection, Malformed) and isinstance(self._transport, WebSocket):
            transport = self._detach()
            cast(WebSocket, transport).close(WEBSOCKET_INVALID, objection.problem[:100])

    def transport_lost(self, transport: Transport) -> None:
        """The browser is gone; the session waits for it to come back."""
        if transport is self._transport:
            self._detach()
            self._reschedule()

    def transport_resumed(self, transport: Transport) -> None:
        """The socket takes bytes again."""
        if transport is self._transport:
            self.flush(self.clock.seconds())

    def _receive(self, data: bytes, now: float, raw: bool) -> Malformed | Refused | None:
        """Apply a body; what is wrong with it is returned. What is refused is not acknowledged."""
        core, counters = self.core, self._server.counters
        counters.bodies_received += 1
        counters.bytes_received += len(data)
        payload = core.take_lone_packet(data, now, raw)
        if payload is not None:  # nearly always
            if payload:
                receiver = self.receiver
                if receiver is None or self.disconnecting:
                    self._deliver(payload)
                else:  # as _deliver
                    counters.packets_received += 1
                    try:
                        receiver.dataReceived(payload)
                    except Exception:
                        self._protocol_failed()
            if self._transport is not None and not self._is_dirty and core.has_to_send:
                self._soon()
            if core.deadline_moved:
                core.deadline_moved = False
                self._reschedule()
            return None
        core.receive_data(data, now, raw=raw)
        objection = self._dispatch()
        self._soon()
        self._reschedule()
        return objection

    # -- the end of the reactor's turn ----------------------------------------------------------

    def flush(self, now: float) -> None:
        """Hand to the transport what it may carry, and act on what has happened."""
        self._is_dirty = False
        transport, core = self._transport, self.core
        if transport is not None and not transport.is_paused:
            outbox, counters = core.outbox, self._server.counters
            payload = core.payload_to_send()
            if payload is not None:  # nearly always, and then it is all there is
                counters.packets_sent += 1
                counters.bytes_sent += len(payload)
                write = transport.write_frame
                if write is None:
                    transport.send_payload(outbox.last_id, payload, now)
                else:  # as that would
                    frame = transport.shared.build(outbox.last_id, payload)
                    write(frame)
                    if transport.is_counted:
                        transport.count(len(frame), 1, now)
                if transport.is_finished and transport is self._transport:
                    self._detach(now)
                if self._is_producer_paused:
                    self._balance()
                return
            while packets := core.data_to_send(transport.packet_room()):
                counters.packets_sent += len(packets)
                for packet in packets:
                    if packet.name is DATA and packet.data is not None:
                        counters.bytes_sent += len(packet.data)
                transport.send(packets, now)
                if transport.is_finished and transport is self._transport:
                    self._detach(now)
                    break
                if transport.is_paused or not outbox.has_more:
                    break
            if outbox.is_held:
                self._renew_transport(transport)
            if core.state is not State.OPEN:
                self._finish_transport()
        if core.has_events:
            self._dispatch()
        if self._producer is not None and (self._is_producer_paused or core.is_paused):
            self._balance()

    def _renew_transport(self, transport: Transport) -> None:
        """End a stream that may carry no more without an acknowledgement: the next brings it.

        On a WebSocket acknowledgements come by themselves.
        """
        if transport is self._transport and not transport.carrier.acknowledges:
            self._detach().finish()

    def _finish_transport(self) -> None:
        """End the transport once a closing session has nothing left for it.

        A WebSocket is kept until the browser has acknowledged the close.
        """
        transport, core = self._transport, self.core
        if (
            transport is not None
            and core.is_finished
            and (core.state is State.ENDED or not transport.carrier.acknowledges)
        ):
            self._finish(self._detach())

    def _dispatch(self) -> Malformed | Refused | None:
        """Act on the core's events; what is wrong with a body is returned."""
        objection = None
        for event in self.core.events_received():
            if isinstance(event, DataReceived):
                self._deliver(event.data)
            elif isinstance(event, Malformed | Refused):
                objection = event
            elif isinstance(event, Closed):
                self._lose_protocol(event.reason)
            elif isinstance(event, Ended):
                self._end(event.reason)
        return objection

    def _deliver(self, data: bytes) -> None:
        if self._protocol is None or self.disconnecting:  # perhaps since the packet before
            return
        self._server.counters.packets_received += 1
        try:
            self._protocol.dataReceived(data)
        except Exception:
            self._protocol_failed()

    def _protocol_failed(self) -> None:
        log.exception("%r: the protocol failed; the session is closed", self)
        self.loseConnection()

    def _lose_protocol(self, reason: str) -> None:
        log.debug("%r closed: %s", self, reason)
        self.disconnecting = True
        self._producer = None
        protocol, self._protocol, self.receiver = self._protocol, None, None
        if protocol is not None:
            error = ConnectionLost(reason) if reason == "timeout" else ConnectionDone()
            protocol.connectionLost(Failure(error))  # type: ignore[no-untyped-call]
        self.resumeProducing()
        self._reschedule()

    def _end(self, reason: str) -> None:
        log.debug("%r ended: %s", self, reason)
        self._server.wheel.cancel(self)
        transport = self._transport
        if transport is not None:
            if (last := self.core.data_to_send()) and not transport.is_finished:
                transport.send(last, self.clock.seconds())
            self._finish(self._detach())
        self._server.forget(self)

    def _finish(self, transport: Transport) -> None:
        """End a transport; a WebSocket says whether that is for the server's sake."""
        if self._server.is_draining and isinstance(transport, WebSocket):
            transport.close(WEBSOCKET_GOING_AWAY, "the server is stopping")
        else:
            transport.finish()

    # -- helpers --------------------------------------------------------------------------------

    def _detach(self, now: float | None = None) -> Transport:
        transport, self._transport = self._transport, None
        assert transport is not None
        self.absent_since = self._server.clock.seconds() if now is None else now
        self.core.transport_lost()
        return transport

    def _reschedule(self, minimum: float = 0.0) -> None:
        """Wait for the next thing that falls due."""
        core, wheel = self.core, self._server.wheel
        deadline = core.next_deadline()
        if deadline is None:
            return
        if self._gate is not None and self._gate.deadline is not None:
            deadline = min(deadline, self._gate.deadline)
        if self._transport is not None:
            due = self._transport.next_deadline()
            if due is not None and due < deadline:
                deadline = due
        if deadline < wheel.deadline(self):
            if minimum:
                deadline = max(deadline, self._server.clock.seconds() + minimum)
            wheel.set(self, deadline)

    def tick(self) -> None:
        """Something falls due, or did until it was put off."""
        try:
            self._tick()
        except Exception:
            log.exception("%r failed and is dropped", self)
            self.abortConnection()

    def _tick(self) -> None:
        now = self._server.clock.seconds()
        if self._gate is not None:
            self._gate.tick(now)
        self._tick_transport(now)
        self.core.tick(now)
        self.flush(now)
        self._reschedule(MIN_TICK_SECONDS)

    def _tick_transport(self, now: float) -> None:
        transport = self._transport
        if transport is not None:
            transport.tick(now)
            if transport.is_finished and transport is self._transport:
                self._detach()
