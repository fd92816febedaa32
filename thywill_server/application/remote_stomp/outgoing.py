"""What applications send by themselves: taken off a queue, and sent by the site.

One thread of each process that serves does it, so what one process takes is sent in order. Several
processes share the queue; what has to stay in order between two frames needs one listener, or one
frame. A message is acknowledged when it is done: a process that dies before leaves it to another,
which sends it again when the first had just sent it.
"""

from __future__ import annotations

import json
import logging
import queue
import threading
from collections.abc import Callable
from itertools import chain, repeat
from typing import TYPE_CHECKING, Final

from thywill_server.application.outbox import handling
from thywill_server.application.remote_stomp.line import Delivery, Line
from thywill_server.application.remote_stomp.sending import read_sendings, send_all
from thywill_server.encoding import Json, encode_json
from thywill_server.errors import PushUnavailable, Refusal

if TYPE_CHECKING:
    from thywill_server.application.base import ApplicationComponent

log = logging.getLogger(__name__)

PAUSES: Final = (0.1, 1.0, 5.0)
"""Seconds before another try, while the database or the push queue is away; the last is repeated.

What comes after waits with the broker.
"""

STOP_SECONDS: Final = 5.0

Send = Callable[[list[Json]], None]
Answer = Callable[[str, bytes, dict[str, str]], None]


class Outgoing:
    """Sends what comes, one after the other, in a thread of its own.

    Args:
        send: sends what one frame holds.
        answer: sends a STOMP message, to whoever wants to know how it went.
    """

    def __init__(self, send: Send, answer: Answer) -> None:
        self._send, self._answer = send, answer
        self._deliveries: queue.SimpleQueue[Delivery | None] = queue.SimpleQueue()
        self._is_stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, name="thywill-outgoing", daemon=True)

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def receive(self, delivery: Delivery) -> None:
        """Take a message; the broker's window bounds how many wait here."""
        self._deliveries.put(delivery)

    def stop(self) -> None:
        """Finish the message under way; the others stay with the broker."""
        self._is_stopping.set()
        self._deliveries.put(None)
        if self._thread.is_alive():
            self._thread.join(STOP_SECONDS)

    def _work(self) -> None:
        from django.db import close_old_connections, connections

        while (delivery := self._deliveries.get()) is not None and not self._is_stopping.is_set():
            close_old_connections()
            try:
                self._take(delivery)
            except Exception:
                log.exception("a message of the outgoing queue is dropped")
                delivery.done()
        connections.close_all()

    def _take(self, delivery: Delivery) -> None:
        try:
            self._try(delivery)
            outcome: dict[str, str] = {"status": "ok"}
        except _StoppingError:
            return  # not acknowledged: another process takes it
        except Refusal as refusal:
            log.error("nothing was sent for an application: %s", refusal)
            outcome = {"status": "error", "code": refusal.code, "message": refusal.sentence}
        except (ValueError, TypeError) as error:
            log.warning("a message of the outgoing queue cannot be sent: %s", error)
            outcome = {"status": "error", "code": "malformed-message", "message": str(error)}
        self._tell(delivery, outcome)
        delivery.done()

    def _try(self, delivery: Delivery) -> None:
        from django.db import InterfaceError, OperationalError, close_old_connections

        sendings = read_sendings(parsed(delivery.body))
        for pause in chain(PAUSES, repeat(PAUSES[-1])):
            try:
                self._send(sendings)
                return
            except (OperationalError, InterfaceError, PushUnavailable) as error:
                log.warning("sending for an application is tried again in %g s: %s", pause, error)
            close_old_connections()
            if self._is_stopping.wait(pause):
                raise _StoppingError

    def _tell(self, delivery: Delivery, outcome: dict[str, str]) -> None:
        reply_to = delivery.headers.get("reply-to")
        if not reply_to:
            return
        headers = {"content-type": "application/json"}
        if "correlation-id" in delivery.headers:
            headers["correlation-id"] = delivery.headers["correlation-id"]
        try:
            self._answer(reply_to, encode_json(outcome), headers)
        except Refusal as refusal:
            log.warning("an application is not told how its sending went: %s", refusal)


class _StoppingError(Exception):
    """The site stops, and the message is not sent yet."""


def listen(component: ApplicationComponent, line: Line, destination: str, window: int) -> Outgoing:
    """Begin to take what comes on a queue, and to send it for a component's applications.

    Args:
        component: whose channels and pages they are.
        line: to the broker.
        destination: the queue.
        window: how many messages the broker may hand over before one is done.
    """

    def send(sendings: list[Json]) -> None:
        names = component.application_names()
        with handling(component.push, component, ""):
            send_all(sendings, names[0] if len(names) == 1 else None)

    outgoing = Outgoing(send, line.send)
    outgoing.start()
    line.listen(destination, outgoing.receive, window=window)
    return outgoing


def parsed(body: bytes) -> Json:
    """Read JSON.

    Raises:
        ValueError: it is none; the text says so without showing it.
    """
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise ValueError(f"expected JSON, got {len(body)} bytes of something else") from None
