"""Shares a model with browsers: a STOMP client with three destinations.

What comes in goes to the handler of its client, and changes the model; what changes in the model
fires its listeners here, and goes out. Nothing else connects the two directions: a change that is
made in the desktop window reaches pages the same way as one of another page.

Each message out has a number, and the connection an ``epoch``. A page that misses a number, or
reads another epoch, asks for everything with ``hello``; so do all pages when this process has been
away, and each tells its rating again with it.
"""

from __future__ import annotations

import json
import logging
import time
import uuid
from base64 import b64encode
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from twisted.internet.defer import ensureDeferred
from twisted.internet.task import LoopingCall

from stompservice import StompClientFactory
from thywill_apps.ratings.bounds import Bounds
from thywill_apps.ratings.clients import Pace, RefusedError, WebClient
from thywill_apps.ratings.destinations import CHANNEL_CONTROL, CHANNEL_IN, CHANNEL_OUT, MODEL
from thywill_apps.ratings.model import RatedTalk
from thywill_apps.ratings.picture import Pictures
from thywill_apps.ratings.saving import SavedState

if TYPE_CHECKING:
    from stompservice.client import MessageDict
    from thywill_server.application import Broker

log = logging.getLogger(__name__)

RECONNECT_SECONDS: Final = 5
"""The longest pause between two attempts to connect."""


class TraitsWeb(StompClientFactory):
    """The process at the broker.

    Args:
        broker: where it is, and how to log in.
        saved: where the model is kept.
        bounds: of clients, messages and rates.
        reactor: IReactorTime; the global one by default.
        clock: gives seconds since the epoch.

    Attributes:
        model: the talk.
        handlers: a `WebClient` for each client, by uuid.
        saved: as given.
        on_live: called when it has connected.
    """

    maxDelay = RECONNECT_SECONDS

    def __init__(
        self,
        broker: Broker,
        saved: SavedState,
        bounds: Bounds,
        reactor: Any = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if reactor is None:
            from twisted.internet import reactor
        self.username, self.virtual_host = broker.login, broker.virtual_host
        self._broker, self.saved, self._bounds = broker, saved, bounds
        self._reactor, self._clock = reactor, clock
        self.on_live: Callable[[], object] = lambda: None
        self.handlers: dict[str, WebClient] = {}
        self._everybody = Pace(bounds.messages_a_second, 1.0, clock)
        self._guests = 0
        self._guest_names: dict[str, str] = {}
        self.model = self._load()
        self.pictures = Pictures(self.model, bounds.picture_seconds, reactor.seconds)
        self._epoch, self._number = "", 0
        self._is_connected = False
        self._changed: set[str] = set()
        self._publishing: Any = None
        self._absence: Any = None
        self._beat = LoopingCall(self._send_alive)
        self._beat.clock = reactor
        self.model.observe(self._message_added, "message_added")
        self.model.observe(lambda _: self._changes("ratings"), "connection_ratings.items")
        self.model.observe(lambda _: self._changes("topic"), "topic")

    @property
    def password(self) -> str:  # type: ignore[override]
        """A fresh ticket for each connection."""
        return self._broker.passcode()

    # From the broker.

    def recv_connected(self, msg: MessageDict) -> None:
        """Begin an epoch: every page says hello, and who does not is gone."""
        self._epoch, self._number = uuid.uuid4().hex[:12], 0
        self._is_connected = True
        for handler in self.handlers.values():
            handler.is_here = False
        self.subscribe(CHANNEL_CONTROL, ack="client-individual")
        self.subscribe(CHANNEL_IN, ack="client-individual")
        if not self._beat.running:
            self._beat.start(self._bounds.alive_seconds, now=False)
        self._send_alive()
        self._stop_timer(self._absence)
        self._absence = self._reactor.callLater(self._bounds.absent_seconds, self._forget_absent)
        self.on_live()

    def recv_message(self, msg: MessageDict) -> None:
        """Hand a message to the handler of its client, or note that one has come or gone."""
        headers = msg["headers"]
        try:
            if self._clock() * 1000 <= float(headers.get("expires", "inf")):
                request = json.loads(msg["body"])
                if headers["destination"] == CHANNEL_CONTROL:
                    self._control(request)
                else:
                    ensureDeferred(self._answer(headers, request))
        except Exception:
            log.exception("a message of the site is dropped")
        # Last of all: a message in whose middle we are killed comes again.
        # (A picture is drawn after it: one that is lost is asked for again.)
        self.ack(msg)

    def recv_error(self, msg: MessageDict) -> None:
        """Note why the broker ends the connection, as it does when it stops; we come back."""
        log.warning("the broker says: %s", msg["headers"].get("message", msg["body"])[:500])

    def clientConnectionLost(self, connector: Any, unused_reason: Any) -> None:
        """Keep the model, and come back."""
        self._is_connected = False
        super().clientConnectionLost(connector, unused_reason)

    def stop(self) -> Any:
        """Save, and disconnect; gives a Deferred."""
        if self._beat.running:
            self._beat.stop()
        self._stop_timer(self._absence)
        self._stop_timer(self._publishing)
        self._save()
        return self.disconnect()

    # To pages.

    def send_data(self, data: dict[str, Any]) -> None:
        """Tell every page that a trait has changed: ``{"trait": name, "value": value}``."""
        self._number += 1
        self._send_event("trait_change", {**data, "type": "trait_change"})

    def _send_alive(self) -> None:
        self._send_event("alive", {})

    def _send_event(self, event: str, data: dict[str, Any]) -> None:
        if not self._is_connected:
            return  # pages ask for everything when we are back
        told = {**data, "epoch": self._epoch, "number": self._number}
        headers = {"content-type": "application/json", "event": event, "channel": MODEL}
        self.send(CHANNEL_OUT, json.dumps(told), **headers)

    # What the site says.

    def _control(self, request: dict[str, Any]) -> None:
        client = request["client"]
        if request["kind"] == "connected":
            self._log_in(client)
        elif request["kind"] == "disconnected":
            self._forget(client["uuid"])

    async def _answer(self, headers: dict[str, str], request: dict[str, Any]) -> None:
        try:
            reply = {"status": "ok", "reply": await self._obey(request)}
        except RefusedError as refused:
            reply = {
                "status": "error",
                "code": refused.code,
                "message": str(refused),
                "http_status": refused.status,
            }
        except Exception as error:
            log.exception("%s failed", request.get("command"))
            reply = {"status": "failed", "message": repr(error)}
        if "reply-to" in headers:
            correlation = {"correlation-id": headers["correlation-id"]}
            self.send(headers["reply-to"], json.dumps(reply), **correlation)

    async def _obey(self, request: dict[str, Any]) -> Any:
        command, message = request["command"], request["message"]
        if command not in ("hello", "trait_change", "picture"):
            raise RefusedError("unknown-command", f"There is no command {command!r:.60}.")
        if not isinstance(message, dict):
            raise RefusedError("invalid-message", "Expected an object.")
        handler = self._log_in(request["client"])
        if command == "hello":
            return self._hello(handler, message)
        if command == "picture":
            return await self._picture(message)
        handler.setattr(str(message.get("trait")), message.get("value"), str(request["id"]))
        return None

    def _log_in(self, client: dict[str, Any]) -> WebClient:
        """Give a client its handler."""
        handler = self.handlers.get(client["uuid"])
        if handler is None:
            if len(self.handlers) >= self._bounds.max_clients:
                sentence = "As many pages take part as may; try again later."
                raise RefusedError("too-many-clients", sentence, 503)
            name = client["username"] or self._guest_name(client["session"])
            handler = self._make_handler(client["uuid"], client["session"], name)
            self._changes("clients")
        handler.is_here = True
        return handler

    def _hello(self, handler: WebClient, message: dict[str, Any]) -> dict[str, Any]:
        """Take over what a page knows of itself, and give it everything."""
        before = self.handlers.get(str(message.get("before")))
        if before is not None and before is not handler and before.session == handler.session:
            self._forget(before.id)  # the page was loaded again
        if "rating" in message:
            handler.rate(message["rating"])
        model = self.model
        return {
            "epoch": self._epoch,
            "number": self._number,
            "topic": model.topic,
            "messages": list(model.messages),
            "ratings": self._ratings(),
            "points": list(model.points),
            "messages_kept": model.messages_kept,
            "points_kept": model.points_kept,
            "clients": len(self.handlers),
            "own": {"name": handler.name, "rating": model.connection_ratings.get(handler.id)},
            "has_pictures": self.pictures.are_possible,
            "now": self._clock(),
        }

    async def _picture(self, message: dict[str, Any]) -> dict[str, Any]:
        png = await self.pictures.draw(message.get("scheme") == "dark")
        return {"png": None if png is None else b64encode(png).decode("ascii")}

    # What the model says.

    def _message_added(self, event: Any) -> None:
        self._save()
        self.send_data({"trait": "messages", "value": event.new})

    def _changes(self, what: str) -> None:
        """Publish soon, and together with what else changes until then."""
        self._changed.add(what)
        if self._publishing is None or not self._publishing.active():
            self._publishing = self._reactor.callLater(
                self._bounds.publish_seconds, self._publish_changes
            )

    def _publish_changes(self) -> None:
        self._save()
        changed, self._changed = self._changed, set()
        values: dict[str, Callable[[], Any]] = {
            "topic": lambda: self.model.topic,
            "ratings": self._ratings,
            "clients": lambda: len(self.handlers),
        }
        for name in sorted(changed):
            self.send_data({"trait": name, "value": values[name]()})

    def _ratings(self) -> dict[str, Any]:
        model = self.model
        return {
            "mean": model.mean,
            "count": len(model.connection_ratings),
            "distribution": model.distribution,
            "point": model.points[-1] if model.points else None,
        }

    # Clients.

    def _make_handler(self, client: str, session: str, name: str) -> WebClient:
        handler = WebClient(
            self._bounds,
            self._clock,
            self._everybody,
            id=client,
            session=session,
            name=name,
            model=self.model,
        )
        self.handlers[client] = handler
        return handler

    def _guest_name(self, session: str) -> str:
        """Name a visitor, the same in all tabs of a browser and when it comes again."""
        name = self._guest_names.pop(session, None)
        if name is None:
            self._guests += 1
            name = f"Guest {self._guests}"
        self._guest_names[session] = name
        for oldest in list(self._guest_names)[: -2 * self._bounds.max_clients]:
            del self._guest_names[oldest]
        return name

    def _forget(self, client: str) -> None:
        if self.handlers.pop(client, None) is not None:
            self.model.rate(client, None)
            self._changes("clients")

    def _forget_absent(self) -> None:
        for handler in list(self.handlers.values()):
            if not handler.is_here:
                self._forget(handler.id)

    # Keeping.

    def _load(self) -> RatedTalk:
        saved = self.saved.load()
        self._guests = int(saved.get("guests", 0))
        self._guest_names.update(saved.get("guest_names", {}))
        known = saved.get("clients", {})
        ratings = saved.get("ratings", {})
        model = RatedTalk(
            self._clock,
            topic=saved.get("topic", "This talk"),
            messages=saved.get("messages", []),
            connection_ratings={each: ratings[each] for each in ratings if each in known},
            points=[tuple(point) for point in saved.get("points", [])],
            messages_kept=self._bounds.messages_kept,
            points_kept=self._bounds.points_kept,
        )
        self.model = model
        for client, (session, name) in known.items():
            self._make_handler(client, session, name)
        return model

    def _save(self) -> None:
        model = self.model
        self.saved.save(
            {
                "topic": model.topic,
                "messages": list(model.messages),
                "ratings": dict(model.connection_ratings),
                "points": list(model.points),
                "guests": self._guests,
                "guest_names": self._guest_names,
                "clients": {each.id: [each.session, each.name] for each in self.handlers.values()},
            }
        )

    @staticmethod
    def _stop_timer(timer: Any) -> None:
        if timer is not None and timer.active():
            timer.cancel()
