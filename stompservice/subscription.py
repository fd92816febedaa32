"""Subscriptions that outlive connections."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from itertools import count

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from stompservice.connection import StompProtocol
from stompservice.errors import EncodeError
from stompservice.protocol import commands
from stompservice.protocol.events import Message
from stompservice.protocol.frame import Frame, encode_headers
from stompservice.protocol.session import State
from stompservice.protocol.spec import V12

log = logging.getLogger(__name__)


class Subscription:
    """What `StompClientService.subscribe` returns.

    Attributes:
        id: the same over all connections.
        destination: as given.
        mode: ``auto``, ``client`` or ``client-individual``.
        headers: further headers of the SUBSCRIBE.
    """

    def __init__(
        self,
        owner: Subscriptions,
        subscription_id: str,
        destination: str,
        callback: Callable[[Frame], object],
        mode: str,
        headers: Mapping[str, object],
    ) -> None:
        self.id = subscription_id
        self.destination = destination
        self.mode = mode
        self.headers = dict(headers)
        self._owner = owner
        self._callback = callback
        # What came over this connection and is not acknowledged, oldest first. An ACK
        # of anything else is an error to the broker, and ends the connection.
        self._unacknowledged: dict[str, None] = {}

    def unsubscribe(self) -> None:
        """Give it up. What is on its way already is dropped."""
        self._owner.remove(self)

    def ack(self, frame: Frame) -> bool:
        """Acknowledge a message (in mode ``client`` also all before it).

        Returns:
            False when the message came over a connection that is gone, so that the
            broker will deliver it again, or has been acknowledged.
        """
        return self._settle("ACK", frame)

    def nack(self, frame: Frame) -> bool:
        """Refuse a message; otherwise like `ack`."""
        return self._settle("NACK", frame)

    def renewed(self) -> None:
        """A new connection: what came before cannot be acknowledged any more."""
        self._unacknowledged.clear()

    def deliver(self, frame: Frame) -> None:
        """Hand a message to the callback; what that raises is logged."""
        if self.mode != "auto":
            self._unacknowledged[_token(frame)] = None
        try:
            result = self._callback(frame)
        except Exception:  # the program's mistake; the connection is not at fault
            log.exception("the callback of %s failed", self.destination)
            return
        if isinstance(result, Deferred):
            result.addErrback(self._log_failure)

    def _settle(self, command: str, frame: Frame) -> bool:
        token = _token(frame)
        if token not in self._unacknowledged or not self._owner.acknowledge(command, frame):
            return False
        if self.mode == "client":
            for earlier in list(self._unacknowledged):
                del self._unacknowledged[earlier]
                if earlier == token:
                    break
        else:
            del self._unacknowledged[token]
        return True

    def _log_failure(self, failure: Failure) -> None:
        log.error("the callback of %s failed", self.destination, exc_info=failure.value)


class Subscriptions:
    """All subscriptions of a service, and the connection that carries them at present."""

    def __init__(self) -> None:
        self._by_id: dict[str, Subscription] = {}
        self._numbers = count(1)
        self._protocol: StompProtocol | None = None

    def add(
        self,
        destination: str,
        callback: Callable[[Frame], object],
        mode: str,
        headers: Mapping[str, object],
    ) -> Subscription:
        """Make a subscription, and send it if there is a connection."""
        subscription = Subscription(
            self, f"s{next(self._numbers)}", destination, callback, mode, headers
        )
        frame = commands.subscribe(destination, subscription.id, headers)
        encode_headers(frame.headers, V12)  # whether it can be written, while we can say so
        self._by_id[subscription.id] = subscription
        if protocol := self._connected():
            self._send(protocol, subscription, {})
        return subscription

    def renew(self, protocol: StompProtocol) -> list[Deferred[Frame]]:
        """Send all of them over a new connection, and return what waits for the RECEIPTs."""
        self._protocol = protocol
        receipts = []
        for subscription in self._by_id.values():
            subscription.renewed()
            receipt_id = protocol.session.new_id("receipt")
            receipts.append(protocol.receipt(receipt_id))
            self._send(protocol, subscription, {"receipt": receipt_id})
        return receipts

    def deliver(self, message: Message) -> None:
        """Hand a message to those that it is for; those given up get nothing."""
        for subscription_id in message.subscriptions:
            if subscription := self._by_id.get(subscription_id):
                subscription.deliver(message.frame)

    def remove(self, subscription: Subscription) -> None:
        """Give one up."""
        if self._by_id.pop(subscription.id, None) is None:
            return
        protocol = self._connected()
        if protocol is not None and subscription.id in protocol.session.subscriptions:
            protocol.unsubscribe(subscription.id)

    def acknowledge(self, command: str, frame: Frame) -> bool:
        """Send ACK or NACK for a message of the last connection, if that still stands."""
        protocol = self._connected()
        if protocol is None:
            return False
        (protocol.ack if command == "ACK" else protocol.nack)(frame)
        return True

    def _connected(self) -> StompProtocol | None:
        protocol = self._protocol
        if protocol is None or protocol.session.state is not State.CONNECTED:
            return None
        return protocol

    def _send(
        self, protocol: StompProtocol, subscription: Subscription, headers: dict[str, str]
    ) -> None:
        ours = {"id": subscription.id, "ack": subscription.mode, **headers}
        try:
            protocol.subscribe(subscription.destination, **{**subscription.headers, **ours})
        except EncodeError as error:
            log.error("cannot subscribe to %r: %s", subscription.destination, error)


def _token(frame: Frame) -> str:
    """What an ACK of this message names."""
    return frame.headers.get("ack") or frame.headers.get("message-id", "")
