"""What waits for a connection: messages in order, bounded in number and in bytes."""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import dataclass

from twisted.internet.defer import Deferred

from stompservice.connection import StompProtocol
from stompservice.errors import EncodeError, QueueFull, StompError
from stompservice.protocol.frame import Frame, encode_headers
from stompservice.protocol.session import State
from stompservice.protocol.spec import V12

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Outgoing:
    """A SEND frame, and who wants to hear of its RECEIPT."""

    frame: Frame
    receipt: Deferred[Frame] | None

    def transmit(self, protocol: StompProtocol) -> None:
        """Hand it to a connection; EncodeError when it cannot be written there."""
        if self.receipt is None:
            protocol.send_frame(self.frame)
            return
        self.frame.headers["receipt"] = protocol.session.new_id("receipt")
        protocol.send_frame(self.frame, self.receipt)


class Outbox:
    """A bounded queue, first in first out.

    Args:
        max_messages: beyond it ``put`` raises `QueueFull`.
        max_bytes: likewise, for the bodies together.
    """

    def __init__(self, max_messages: int, max_bytes: int) -> None:
        self._max_messages = max_messages
        self._max_bytes = max_bytes
        self._bytes = 0
        self._waiting: deque[Outgoing] = deque()
        self._is_flushing = False

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, outgoing: Outgoing) -> None:
        """Add a message, or raise and take nothing.

        Raises:
            QueueFull: as many messages, or bytes, wait as may.
            EncodeError: it cannot be written in any version; better said now than later.
        """
        size = len(outgoing.frame.body)
        if len(self._waiting) >= self._max_messages:
            raise QueueFull(f"{len(self._waiting)} messages wait for the broker already")
        if self._bytes + size > self._max_bytes:
            raise QueueFull(f"{self._bytes} bytes wait for the broker already")
        encode_headers(outgoing.frame.headers, V12)
        self._bytes += size
        self._waiting.append(outgoing)

    def flush(self, protocol: StompProtocol) -> None:
        """Send what waits, until the connection is full or over."""
        if self._is_flushing:
            return  # what we do here made room for more
        self._is_flushing = True
        try:
            while self._waiting and not protocol.is_full:
                if protocol.session.state is not State.CONNECTED:
                    return
                outgoing = self._get()
                try:
                    outgoing.transmit(protocol)
                except EncodeError as error:
                    log.error("a queued message cannot be sent: %s", error)
                    if outgoing.receipt is not None:
                        outgoing.receipt.errback(error)
        finally:
            self._is_flushing = False

    def give_up(self, reason: StompError) -> None:
        """Drop everything, and tell those who wait for a RECEIPT."""
        while self._waiting:
            outgoing = self._get()
            if outgoing.receipt is not None:
                outgoing.receipt.errback(reason)

    def _get(self) -> Outgoing:
        outgoing = self._waiting.popleft()
        self._bytes -= len(outgoing.frame.body)
        return outgoing
