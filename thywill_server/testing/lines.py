"""How messages come down to a virtual browser: what the push component's script is in a page.

`StompLine` speaks STOMP through Orbited, as ``static/thywill/push/orbited_stomp.js`` does; one
connection counts as established with the last step only::

    ticket          from the page itself the first time, later from /thywill/ticket/
    CONNECT         login: the client's uuid, passcode: the ticket
    SUBSCRIBE       to the client's own destinations, the last one with a receipt
    RECEIPT         from here on nothing that is pushed is missed

`thywill_server.testing.memory_line` has the other way.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from stompservice.protocol import Frame, FrameError, FrameParser, encode
from thywill_server.testing.comet import CometSession, Place
from thywill_server.testing.errors import Refused
from thywill_server.testing.loop import Loop, Timer
from thywill_server.testing.streams import Speed

__all__ = ["FINAL", "RETRY_SECONDS", "Line", "Owner", "StompLine", "connection_ended", "parsed"]

FINAL = frozenset(
    {"unknown-client", "csrf-failed", "not-allowed", "unknown-application", "disconnected"}
)
"""Refusals that no further attempt can change."""

RETRY_SECONDS = 0.1
RENEW_SHARE = 0.7
"""When so much of a ticket's time is over, the next one is fetched."""

SUBSCRIBED = "thywill-subscribed"


class Owner(Protocol):
    """Who is told; the browser."""

    uuid: str

    def request(self, path: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        """POST as the page does."""

    def connected(self) -> None:
        """A new connection is there, and no channel is subscribed on it."""

    def established(self) -> None:
        """What is pushed from now on arrives."""

    def connection_lost(self) -> None:
        """It is gone, and being made again."""

    def connection_refused(self, refusal: Refused) -> None:
        """It is gone for good."""

    def deliver(self, body: str, headers: Mapping[str, str]) -> None:
        """A message has come."""


class Line(Protocol):
    """One page's push connection, which is made again whenever it breaks."""

    transport: str

    def open(self) -> None:
        """Connect."""

    def close(self) -> None:
        """Take leave, for good."""

    def cut(self, is_for_long: bool) -> None:
        """Have no network; ``is_for_long``: until the server has given the connection up."""

    def resume(self) -> None:
        """Have a network again."""

    def subscribe(self, destination: str, ticket: str, confirmed: Callable[[], object]) -> None:
        """Listen on a channel's destination."""

    def renew(self, ticket: str, confirmed: Callable[[], object]) -> None:
        """Show another ticket for a channel."""

    def unsubscribe(self, destination: str, channel: str) -> None:
        """Listen no more."""


def connection_ended() -> Refused:
    """What a page hears that the site does not want any more."""
    return Refused("disconnected", "The site has ended this connection; load the page again.", 403)


class StompLine:
    """STOMP through Orbited.

    Args:
        owner: is told.
        loop: turns while the test waits.
        place: of Orbited.
        parameters: of the page.
        transport: which one to use.
        speed: of the browser.
    """

    def __init__(
        self,
        owner: Owner,
        loop: Loop,
        place: Place,
        parameters: Mapping[str, Any],
        transport: str,
        speed: Speed,
    ) -> None:
        self._owner, self._loop, self._place, self._speed = owner, loop, place, speed
        self._ticket_path = parameters["ticket_path"]
        self._told = parameters["push"]
        self._first: dict[str, Any] | None = self._told
        self.transport = transport
        self._session: CometSession | None = None
        self._parser = FrameParser()
        self._is_wanted = self._is_shaking_hands = False
        self._is_established = False
        self._receipts: dict[str, Callable[[], object]] = {}
        self._numbers = 0
        self._timers: list[Timer] = []
        self._subscribed: set[str] = set()
        self._more: list[str] = []
        self._seconds = 0.0

    def open(self) -> None:
        """Connect, and stay connected."""
        self._is_wanted = True
        self._connect()

    def close(self) -> None:
        """Disconnect, and stay so."""
        self._is_wanted = False
        if self._session is not None:
            self._send("DISCONNECT", {})
            self._session.end()
        self._forget()

    def cut(self, is_for_long: bool) -> None:
        """Lose the network."""
        if self._session is None or is_for_long:
            if self._session is not None:
                self._session.end()  # Orbited would, once its time is over
            self._forget()
        else:
            self._session.cut()

    def resume(self) -> None:
        """Find it again."""
        if not self._is_wanted:
            return
        if self._session is None:
            self._connect()
        else:
            self._session.resume()
            if self._is_established:
                self._owner.established()

    def subscribe(self, destination: str, ticket: str, confirmed: Callable[[], object]) -> None:
        """SUBSCRIBE with the ticket, and a receipt."""
        if self._is_established:
            self._subscribed.add(destination)
            headers = {"destination": destination, "id": destination, "ticket": ticket}
            self._send("SUBSCRIBE", {**headers, "receipt": self._receipt(confirmed)})

    def renew(self, ticket: str, confirmed: Callable[[], object]) -> None:
        """Show it at the renewal destination."""
        if self._is_established:
            self._show(ticket, confirmed)

    def unsubscribe(self, destination: str, channel: str) -> None:
        """UNSUBSCRIBE."""
        if destination in self._subscribed:
            self._subscribed.discard(destination)
            self._send("UNSUBSCRIBE", {"destination": destination, "id": destination})

    # One connection.

    def _connect(self) -> None:
        try:
            told = self._first or self._owner.request(self._ticket_path, {})
            self._first = None
            self._seconds, self._more = told["expires_in"], told["destinations"]
            self._session = CometSession(
                self._loop, self._place, self.transport, self._speed, self._received, self._lost
            )
        except Refused as refusal:
            if refusal.code in FINAL:
                self._refuse(refusal)
            else:
                self._later(RETRY_SECONDS, self._connect)
            return
        except OSError:
            self._later(RETRY_SECONDS, self._connect)
            return
        self._parser = FrameParser()
        self._is_shaking_hands = True
        host, port = self._told["stomp_hostname"], self._told["stomp_port"]
        self._session.send(f"{host}:{port}\n".encode())
        self._passcode = told["ticket"]

    def _received(self, data: bytes) -> None:
        if self._is_shaking_hands:
            self._is_shaking_hands = False
            if data == b"1":
                login = {"login": self._told["login"], "passcode": self._passcode}
                self._send("CONNECT", {"accept-version": "1.2", "host": "/", **login})
            return
        self._parser.receive_data(data)
        for event in self._parser.events_received():
            if isinstance(event, FrameError):
                self._lost()
                return
            self._on_frame(event)

    def _on_frame(self, frame: Frame) -> None:
        headers = frame.headers
        if frame.command == "MESSAGE":
            if headers.get("thywill") == "disconnected":
                self._refuse(connection_ended())
            else:
                self._owner.deliver(frame.text, headers)
        elif frame.command == "RECEIPT":
            self._receipts.pop(headers.get("receipt-id", ""), lambda: None)()
        elif frame.command == "CONNECTED":
            self._subscribe_to_more()
            self._receipts[SUBSCRIBED] = self._established
            destination = self._told["destination"]
            own = {"destination": destination, "id": destination, "receipt": SUBSCRIBED}
            self._send("SUBSCRIBE", own)
        elif frame.command == "ERROR":
            if headers.get("code") == "disconnected":
                self._refuse(connection_ended())
            else:
                self._lost()

    def _subscribe_to_more(self) -> None:
        for destination in self._more:
            if destination not in self._subscribed:
                self._subscribed.add(destination)
                self._send("SUBSCRIBE", {"destination": destination, "id": destination})

    def _established(self) -> None:
        self._is_established = True
        self._renew_before()
        self._owner.connected()
        self._owner.established()

    def _renew_before(self) -> None:
        self._later(max(0.5, (self._seconds - 1) * RENEW_SHARE), self._renew)

    def _renew(self) -> None:
        if not self._is_established:
            return
        try:
            told = self._owner.request(self._ticket_path, {})
        except Refused as refusal:
            if refusal.code in FINAL:
                self._refuse(refusal)
            else:
                self._later(RETRY_SECONDS, self._renew)
            return
        self._seconds, self._more = told["expires_in"], told["destinations"]

        def renewed() -> None:
            self._subscribe_to_more()
            self._renew_before()

        self._show(told["ticket"], renewed)

    def _show(self, ticket: str, confirmed: Callable[[], object]) -> None:
        destination = f"/topic/thywill.renew.{self._owner.uuid}"
        self._numbers += 1
        id_ = f"renewal-{self._numbers}"

        def shown() -> None:
            self._send("UNSUBSCRIBE", {"destination": destination, "id": id_})
            confirmed()

        headers = {"destination": destination, "id": id_, "ticket": ticket}
        self._send("SUBSCRIBE", {**headers, "receipt": self._receipt(shown)})

    def _receipt(self, confirmed: Callable[[], object]) -> str:
        self._numbers += 1
        name = f"receipt-{self._numbers}"
        self._receipts[name] = confirmed
        return name

    def _send(self, command: str, headers: dict[str, str]) -> None:
        if self._session is not None:
            self._session.send(encode(Frame(command, headers)))

    def _later(self, seconds: float, function: Callable[[], object]) -> None:
        self._timers = [timer for timer in self._timers if timer.function is not None]
        self._timers.append(self._loop.call_later(seconds, function))

    def _lost(self) -> None:
        session = self._session
        self._forget()
        if session is not None:
            session.end()
        if self._is_wanted:
            self._owner.connection_lost()
            self._later(RETRY_SECONDS, self._connect)

    def _refuse(self, refusal: Refused) -> None:
        session = self._session
        self._is_wanted = False
        self._forget()
        if session is not None:
            session.end()
        self._owner.connection_refused(refusal)

    def _forget(self) -> None:
        self._session = None
        self._is_established = self._is_shaking_hands = False
        self._receipts.clear()
        self._subscribed.clear()
        for timer in self._timers:
            timer.cancel()
        self._timers = []


def parsed(body: str, headers: Mapping[str, str]) -> Any:
    """Give what a page reads: JSON as a value, anything else as text."""
    is_json = headers.get("content-type", "").startswith("application/json")
    return json.loads(body) if is_json else body
