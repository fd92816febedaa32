"""STOMP for Twisted programs: the factory that they subclass.

A whole program:

.. code-block:: python

    from twisted.internet import reactor
    from stompservice import StompClientFactory

    class Printer(StompClientFactory):
        username, password = "guest", "guest"

        def recv_connected(self, msg):
            self.subscribe("/topic/news")
            self.send("/topic/news", "hello", **{"content-type": "text/plain"})

        def recv_message(self, msg):
            print(msg["headers"]["destination"], msg["body"])

    reactor.connectTCP("127.0.0.1", 61613, Printer())
    reactor.run()

``recv_connected``, ``recv_message``, ``recv_receipt`` and ``recv_error`` are called in
the reactor thread with ``{"cmd": "MESSAGE", "headers": {...}, "body": "..."}``. The
factory reconnects by itself and calls ``recv_connected`` again each time.

The protocol itself is `stompservice.connection.StompProtocol`.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.protocol import ReconnectingClientFactory
from twisted.python.failure import Failure

from stompservice.connection import MessageDict, StompProtocol
from stompservice.errors import ConnectionFailedError
from stompservice.protocol.events import Connected, Ended, Error, Event, Message, Receipt
from stompservice.protocol.frame import Frame
from stompservice.protocol.session import ClientOptions, State
from stompservice.protocol.spec import VERSIONS

if TYPE_CHECKING:
    from twisted.internet.interfaces import IAddress, IConnector

log = logging.getLogger(__name__)

__all__ = ["MessageDict", "StompClientFactory", "StompProtocol"]


class StompClientFactory(ReconnectingClientFactory):
    """What a program subclasses: it connects, reconnects, and hears ``recv_*``.

    Attributes:
        username: sent as ``login``; empty: no login is sent.
        password: sent as ``passcode``.
        virtual_host: sent as ``host``.
        heart_beat: (can send, want) in milliseconds; only brokers of 1.1 and up answer.
        versions: what to offer; a broker that knows none of this speaks 1.0.
        maxDelay: seconds between two attempts, at most.
        proto: the current `StompProtocol`, None before the first connection.
    """

    protocol = StompProtocol
    username = ""
    password = ""
    virtual_host = "/"
    heart_beat = (10_000, 10_000)
    versions = VERSIONS
    maxDelay = 60
    noisy = False
    proto: StompProtocol | None = None

    def client_options(self) -> ClientOptions:
        """How to connect; asked for each connection."""
        return ClientOptions(
            login=self.username,
            passcode=self.password,
            virtual_host=self.virtual_host,
            versions=self.versions,
            heart_beat=self.heart_beat,
        )

    def send(self, destination: str, message: bytes | str, /, **headers: object) -> Any:
        """Send a message; with ``receipt=True`` returns a Deferred of its RECEIPT."""
        return self._do("send", destination, message, **headers)

    def subscribe(self, destination: str, /, **headers: object) -> Any:
        """Subscribe, with ``ack:auto`` unless given, and return the subscription's id."""
        return self._do("subscribe", destination, **headers)

    def unsubscribe(self, subscription: str, /, **headers: object) -> Any:
        """Give up a subscription, named by its id or its destination."""
        return self._do("unsubscribe", subscription, **headers)

    def ack(self, msg: Frame | MessageDict, /, **headers: object) -> Any:
        """Acknowledge what ``recv_message`` was given."""
        return self._do("ack", msg, **headers)

    def nack(self, msg: Frame | MessageDict, /, **headers: object) -> Any:
        """Refuse what ``recv_message`` was given."""
        return self._do("nack", msg, **headers)

    def begin(self, transaction: str, /, **headers: object) -> Any:
        """Open a transaction; name it with ``transaction=`` in what belongs to it."""
        return self._do("begin", transaction, **headers)

    def commit(self, transaction: str, /, **headers: object) -> Any:
        """Let all of a transaction happen."""
        return self._do("commit", transaction, **headers)

    def abort(self, transaction: str, /, **headers: object) -> Any:
        """Let nothing of a transaction happen."""
        return self._do("abort", transaction, **headers)

    def disconnect(self) -> Deferred[None]:
        """Disconnect for good; fires when the connection is gone."""
        self.stopTrying()  # type: ignore[no-untyped-call]
        return succeed(None) if self.proto is None else self.proto.disconnect()

    def messageReceived(self, msg: MessageDict) -> None:
        """Call ``recv_`` and the command, if there is such a method."""
        receiver = getattr(self, f"recv_{msg['cmd'].lower()}", None)
        if receiver is not None:
            receiver(msg)

    # What Twisted calls.

    def startFactory(self) -> None:
        """Somebody connects us, perhaps after a disconnect()."""
        self.continueTrying = 1

    def buildProtocol(self, addr: IAddress | None) -> StompProtocol:
        """Make the protocol of a new connection; the verbs go to it from now on."""
        self.proto = self.protocol(self.client_options(), self._receive_event, self.clock)
        self.proto.factory = self
        return self.proto

    def clientConnectionLost(self, connector: IConnector, unused_reason: Failure) -> None:
        """Connect again."""
        log.info("connection to the STOMP broker lost: %s", unused_reason.getErrorMessage())
        super().clientConnectionLost(connector, unused_reason)  # type: ignore[no-untyped-call]

    def clientConnectionFailed(self, connector: IConnector, reason: Failure) -> None:
        """Try again."""
        log.info("no connection to the STOMP broker: %s", reason.getErrorMessage())
        super().clientConnectionFailed(connector, reason)  # type: ignore[no-untyped-call]

    def _receive_event(self, protocol: StompProtocol, event: Event) -> None:
        if isinstance(event, Ended):
            if event.reason is not None:
                log.warning("STOMP connection ended: %s", event.reason)
            return
        if isinstance(event, Connected):
            self.resetDelay()  # type: ignore[no-untyped-call]
        if isinstance(event, Connected | Message | Receipt | Error):
            frame = event.frame
            msg = {"cmd": frame.command, "headers": frame.headers, "body": frame.text}
            try:
                self.messageReceived(msg)
            except Exception:  # the program's mistake; the connection is not at fault
                log.exception("recv_%s failed", frame.command.lower())

    def _do(self, verb: str, *arguments: object, **headers: object) -> Any:
        if self.proto is not None and self.proto.session.state is not State.CLOSED:
            return getattr(self.proto, verb)(*arguments, **headers)
        # As ever: without a connection there is nobody to tell. A program that wants
        # its messages kept uses StompClientService.
        log.warning("no connection: dropped %s %s", verb, arguments[:1])
        if headers.get("receipt") and verb != "subscribe":
            return fail(ConnectionFailedError(f"no connection for {verb}"))
        return None
