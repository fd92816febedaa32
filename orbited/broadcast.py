"""One frame to many sessions: the middle of the hot path.

What a broker in this process publishes to a topic comes here once, with the list of those who get
it. Until the end of the reactor's turn it only waits, beside further frames for the same list::

    broadcast(audience, a)                 frames: [a]
    broadcast(audience, b)                         [a, b]
    end of the turn: send()                ab is one packet for each session: numbered, framed, sent
    or anything else comes for a session:  settle()   a, b are written to each session as ever

So the outbox of a session is not touched for each message, and while many come their bytes are
joined once for all. The one rule: whatever looks at a session, or writes to it, settles first, and
a session for which there is more to think of than the number of a packet has the frames written to
it the ordinary way. What waits here is at most one packet.
"""

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from orbited.holding import holding
from orbited.protocol.events import State
from orbited.protocol.shared import SharedFrame

if TYPE_CHECKING:
    from orbited.sessionserver import SessionServer
    from orbited.sessiontransport import SessionTransport

__all__ = ["Audience", "Broadcaster"]

log = logging.getLogger(__name__)

_OPEN = State.OPEN


class Audience(Protocol):
    """Who gets a frame; it does not change.

    Attributes:
        members: the sessions.
        consumers: the service's side of each of them, whose ``send`` takes a frame while the
            session has paused it.
    """

    @property
    def members(self) -> "Sequence[Any]":
        """The sessions, as transports."""

    @property
    def consumers(self) -> Sequence[Any]:
        """The service's side of each."""


class Broadcaster:
    """What was broadcast in this turn of the reactor.

    Attributes:
        frames: what waits, for one audience.
    """

    __slots__ = ("_audience", "_most_bytes", "_server", "_size_bytes", "frames")

    def __init__(self, server: "SessionServer") -> None:
        self._server = server
        self._most_bytes = server.config.session.packet_bytes
        self._audience: Audience | None = None
        self._size_bytes = 0
        self.frames: list[bytes] = []

    def broadcast(self, audience: Audience, frame: bytes) -> None:
        """Write a frame to all sessions of an audience, soon and in order."""
        size = len(frame)
        if not size:
            return
        if self.frames:
            if audience is not self._audience or size > self._most_bytes:
                self.settle()
            elif self._size_bytes + size > self._most_bytes:
                self.send(self._server.clock.seconds())  # a packet is full
        self._audience = audience
        self._size_bytes += size
        self.frames.append(frame)
        if size > self._most_bytes:
            self.settle()
        else:
            self._server.flush_soon()

    def settle(self) -> None:
        """Write what waits to each session, the ordinary way."""
        audience, frames = self._audience, self.frames
        if audience is None:
            return
        self._forget()
        for session, consumer in zip(audience.members, audience.consumers, strict=True):
            _write(session, consumer, frames)

    def send(self, now: float) -> None:
        """Send what waits: the hot path."""
        audience, frames, size_bytes = self._audience, self.frames, self._size_bytes
        if audience is None:
            return
        self._forget()
        payload = frames[0] if len(frames) == 1 else b"".join(frames)
        shared: SharedFrame | None = None
        frame, number_before, carried = b"", 0, 0
        others: list[int] = []
        session: SessionTransport
        with holding:
            for position, session in enumerate(audience.members):
                transport = session._transport
                core = session.core
                number = 0
                if not (transport is None or transport.is_paused or session._is_producer_paused):
                    number = core.carry(payload)
                if transport is None or not number:
                    if (
                        session._is_producer_paused
                        or core.state is not _OPEN
                        or not core.outbox.send_all(frames, size_bytes)
                    ):
                        others.append(position)
                    elif transport is not None:
                        session._soon()
                    continue
                carried += 1
                try:
                    write = transport.write_frame
                    if write is None:
                        transport.send_payload(number, payload, now)
                    else:
                        if number != number_before or shared is not transport.shared:
                            number_before, shared = number, transport.shared
                            frame = shared.build(number, payload)
                        write(frame)
                        if transport.is_counted:
                            transport.count(len(frame), 1, now)
                    if transport.is_finished and transport is session._transport:
                        session._detach(now)
                except Exception:
                    log.exception("%r failed and is dropped", session)
                    session.abortConnection()
        counters = self._server.counters
        counters.packets_sent += carried
        counters.bytes_sent += carried * len(payload)
        members, consumers = audience.members, audience.consumers
        for position in others:
            _write(members[position], consumers[position], frames)

    def _forget(self) -> None:
        self._audience = None
        self._size_bytes = 0
        self.frames = []


def _write(session: "SessionTransport", consumer: Any, frames: Sequence[bytes]) -> None:
    """Write to one session; what it takes no more its service holds."""
    try:
        for frame in frames:
            if session._is_producer_paused:
                consumer.send(frame)
            else:
                session.write(frame)
    except Exception:
        log.exception("%r failed and is dropped", session)
        session.abortConnection()
