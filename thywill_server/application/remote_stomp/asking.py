"""Asking an application in another process, and sending what its reply says.

Both components use it: `remote_stomp` for all applications, `local_python` for the packages that
declare a `RemoteApplication`. What a message and a reply look like is told in
``documentation/how-to/write-an-application-in-another-process.md``.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any, Final

from thywill_server.application.remote_stomp.calls import Calls
from thywill_server.application.remote_stomp.line import Delivery, Line
from thywill_server.application.remote_stomp.outgoing import parsed
from thywill_server.application.remote_stomp.sending import read_sendings, send_all
from thywill_server.application.remote_stomp.settings import DESTINATION
from thywill_server.client import Client
from thywill_server.connections.base import claim_of
from thywill_server.encoding import Json, encode_json
from thywill_server.errors import ApplicationError, Refusal

log = logging.getLogger(__name__)

EVENT_SECONDS: Final = 3600.0
"""After this nobody needs to hear any more that a page has come or gone."""


class RemoteApplicationError(Exception):
    """The application in the other process has failed, or its reply is none; the text says it."""


class Asker:
    """Asks applications, in web threads, and waits for their replies.

    Args:
        make_line: gives the connection to the broker; called at the start, or at the first use.
        timeout_seconds: how long a reply is waited for.
        max_unanswered: how many messages are sent to an application without any answer.
    """

    def __init__(
        self, make_line: Callable[[], Line], timeout_seconds: float, max_unanswered: int
    ) -> None:
        self._make_line = make_line
        self._timeout_seconds = timeout_seconds
        self._calls = Calls(timeout_seconds, max_unanswered)
        self._reply_to = f"/topic/thywill.replies.{uuid.uuid4().hex}"
        self._lock = threading.Lock()
        self._line: Line | None = None
        self._is_stopped = False

    @property
    def is_connected(self) -> bool:
        """Whether it is in use, and the broker is there."""
        return self._line is not None and self._line.is_connected

    def silent(self) -> list[str]:
        """List the applications that are held to be away."""
        return self._calls.silent()

    def start(self) -> Line:
        """Connect, and listen to replies, if that is not done; gives the connection.

        Raises:
            Refusal: there is no broker to connect to.
        """
        with self._lock:
            if self._line is None:
                line = self._make_line()
                line.start()
                line.listen(self._reply_to, self._receive_reply)
                self._line = line
            return self._line

    def _line_in_use(self) -> Line:
        if self._is_stopped:
            raise Refusal("application-unavailable", "The site is stopping.")
        return self.start()

    def stop(self) -> Any:
        """Answer whoever waits, and end the connection; may give a Deferred."""
        self._is_stopped = True
        self._calls.give_up()
        with self._lock:
            line, self._line = self._line, None
        return None if line is None else line.stop()

    def ask(self, kind: str, application: str, client: Client, about: Mapping[str, Json]) -> Json:
        """Ask an application, wait, and send what its reply says; within a running call.

        Raises:
            Refusal: it refuses, or does not answer.
            RemoteApplicationError: it has failed.
        """
        self._line_in_use()
        call = self._calls.begin(application)
        try:
            headers = {"reply-to": self._reply_to, "correlation-id": call.correlation_id}
            destination = DESTINATION.format(name=application)
            told = _told(kind, application, client, about)
            self._send(destination, told, headers, self._timeout_seconds)
        except BaseException:
            self._calls.forget(call)
            raise
        reply = read_reply(self._calls.wait(application, call))
        try:
            send_all(read_sendings(reply.get("send", [])), application)
        except ValueError as error:
            sentence = f"what the reply of {application} has us send: {error}"
            raise RemoteApplicationError(sentence) from error
        if reply["status"] == "error":
            raise ApplicationError(reply["code"], reply.get("message"), reply.get("http_status"))
        return reply.get("reply")

    def tell(self, kind: str, application: str, client: Client, destination: str = "") -> None:
        """Tell an application something that needs no answer.

        Args:
            kind: what has happened.
            application: its name.
            client: to whom.
            destination: where it reads such things; empty: where it reads everything.

        Raises:
            Refusal: it has not answered for long, or there is no broker.
        """
        self._line_in_use()
        self._calls.count(application)
        told = _told(kind, application, client, {})
        self._send(destination or DESTINATION.format(name=application), told, {}, EVENT_SECONDS)

    def _send(
        self,
        destination: str,
        told: dict[str, Json],
        headers: Mapping[str, str],
        seconds: float,
    ) -> None:
        timing = {
            # For the application: there is nobody any more who waits for its reply.
            "expires": str(int((time.time() + seconds) * 1000)),
            # The same for RabbitMQ, which then drops it.
            "expiration": str(int(seconds * 1000)),
        }
        fixed = {"content-type": "application/json", "kind": str(told["kind"])}
        self._line_in_use().send(destination, encode_json(told), {**fixed, **timing, **headers})

    def _receive_reply(self, delivery: Delivery) -> None:
        correlation_id = delivery.headers.get("correlation-id", "")
        if not self._calls.answer(correlation_id, delivery.body):
            log.info("a reply has come too late, or twice")


def card_of(client: Client) -> dict[str, Json]:
    """Give what an application is told of a client; ``session`` stands for its browser session."""
    user = client.user if client.is_authenticated else None
    return {
        "uuid": client.uuid,
        "session": claim_of(client),
        "user": None if user is None else str(user.pk),
        "username": None if user is None else user.get_username(),
    }


def read_reply(body: bytes) -> dict[str, Any]:
    """Read a reply.

    Raises:
        RemoteApplicationError: the application has failed, or this is no reply.
    """
    try:
        reply = parsed(body)
    except ValueError as error:
        raise RemoteApplicationError(f"its reply: {error}") from None
    if not isinstance(reply, dict):
        raise RemoteApplicationError("its reply: expected an object of JSON")
    if reply.get("status") == "failed":
        raise RemoteApplicationError(f"it says: {reply.get('message')!s:.1000}")
    if reply.get("status") not in ("ok", "error"):
        raise RemoteApplicationError('its reply: expected the status "ok", "error" or "failed"')
    if reply["status"] == "error":
        _check_error(reply)
    return reply


def _told(
    kind: str, application: str, client: Client, about: Mapping[str, Json]
) -> dict[str, Json]:
    return {"kind": kind, "application": application, "client": card_of(client), **about}


def _check_error(reply: Mapping[str, Any]) -> None:
    code, message, status = reply.get("code"), reply.get("message"), reply.get("http_status")
    is_fine = (
        isinstance(code, str)
        and bool(code)
        and (message is None or isinstance(message, str))
        and (status is None or (type(status) is int and 400 <= status <= 599))
    )
    if not is_fine:
        raise RemoteApplicationError('its reply: an error needs a "code", and a status of 400-599')
