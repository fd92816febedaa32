"""Applications that are other processes, in any language that speaks STOMP.

::

    page --POST--> web thread --/queue/thywill.application.NAME--> application
                       ^                                               |
                       +--- /topic/thywill.replies.PROCESS <-----------+  reply, and what to send
    pages <--push-- site <--- /queue/thywill.outgoing <----------------+  whenever it likes

What a message and a reply look like is told in
``documentation/how-to/write-an-application-in-another-process.md``.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final

from thywill_server.application.base import ClientMessage
from thywill_server.application.interfaces import Application
from thywill_server.application.local_python import LocalPython
from thywill_server.application.outbox import handling
from thywill_server.application.rates import RateLimiter
from thywill_server.application.remote_stomp.calls import Calls
from thywill_server.application.remote_stomp.declarations import app_of, problems_of
from thywill_server.application.remote_stomp.line import (
    Delivery,
    Line,
    SiteLine,
    has_publisher,
    line_of,
)
from thywill_server.application.remote_stomp.outgoing import listen, parsed
from thywill_server.application.remote_stomp.sending import read_sendings, send_all
from thywill_server.application.remote_stomp.settings import DESTINATION, SETTINGS
from thywill_server.application.slow_calls import SlowCalls
from thywill_server.client import Client
from thywill_server.client_configuration import ClientConfiguration
from thywill_server.component import Component, Problem
from thywill_server.connections.base import claim_of
from thywill_server.encoding import Json, encode_json
from thywill_server.errors import ApplicationError, Refusal
from thywill_server.settings_table import Setting

log = logging.getLogger(__name__)

EVENT_SECONDS: Final = 3600.0
"""After this nobody needs to hear any more that a page has come or gone."""


class RemoteApplicationError(Exception):
    """The application in the other process has failed, or its reply is none; the text says it."""


class RemoteStomp(LocalPython):
    """Gives messages to applications in other processes.

    What pages notice is the same as of `local_python`: channels, histories and presence are kept
    here, and the application is asked where that one would call a function.
    """

    SETTINGS: ClassVar[Mapping[str, Setting]] = SETTINGS

    def __init__(self, settings: Mapping[str, Any], **collaborators: Component) -> None:
        Component.__init__(self, settings, **collaborators)
        self._limiter = RateLimiter(1)
        self._slow_calls = SlowCalls(self.settings["slow_handler_seconds"])
        self._calls = Calls(self.settings["reply_timeout_seconds"], self.settings["max_unanswered"])
        self._reply_to = f"/topic/thywill.replies.{uuid.uuid4().hex}"
        self._line: Line | None = None

    # Settings.

    def check(self) -> list[str]:
        """Say what is wrong with the settings."""
        problems = Component.check(self)
        if problems:
            return problems
        where = self.setting_name("applications")
        problems += [Problem(f"{where}{found}") for found in self._wrong_applications()]
        default = self.settings["default"]
        if default is not None and default not in self.settings["applications"]:
            sentence = f'{self.setting_name("default")}: no application "{default}"'
            problems.append(Problem(sentence, "thywill.E009"))
        push = self.collaborators.get("push")
        if not self.settings["stomp_host"] and push is not None and not has_publisher(push):
            sentence = (
                f"{self.setting_name('stomp_host')}: missing; the push component has no "
                "connection to a broker"
            )
            problems.append(Problem(sentence))
        return problems

    def _wrong_applications(self) -> list[str]:
        if not self.settings["applications"]:
            return [": expected at least one application"]
        return problems_of(self.settings["applications"])

    def _load(self) -> tuple[dict[str, Application], list[str]]:
        problems = self._wrong_applications()
        if problems:
            where = self.setting_name("applications")
            return {}, [Problem(f"{where}{problem}") for problem in problems]
        found = {}
        for name, told in self.settings["applications"].items():
            app = app_of(name, told, self._ask_application, self._tell_application)
            app.serve_as(name, self.settings["max_state_bytes"])
            found[name] = Application(name, "", app)
        return found, []

    # The life of the component.

    def start(self) -> None:
        """Connect, and listen to replies."""
        line = self._line = self.make_line()
        line.start()
        line.listen(self._reply_to, self._receive_reply)

    def serve(self) -> None:
        """Begin to take what applications send by themselves."""
        if self._line is None or not self.settings["outgoing_destination"]:
            return
        self._outgoing = listen(
            self, self._line, self.settings["outgoing_destination"], self.settings["max_outgoing"]
        )

    def stop(self) -> Any:
        """Answer whoever waits, and end the connection."""
        self._calls.give_up()
        super().stop()
        line, self._line = self._line, None
        return line.stop() if line is not None else None

    def make_line(self) -> Line:
        """Give the connection to the broker: one of its own, or the push component's."""
        if not self.settings["stomp_host"]:
            return line_of(self.push)
        from thywill_server.push.orbited_stomp.publisher import Publisher

        settings = self.settings
        own = Publisher(
            settings["stomp_host"],
            settings["stomp_port"],
            login=settings["stomp_login"],
            passcode=lambda: str(settings["stomp_passcode"]),
            virtual_host=settings["stomp_virtual_host"],
            heart_beat_seconds=settings["heart_beat_seconds"],
            max_queued_messages=settings["max_queued_messages"],
            max_queued_bytes=settings["max_queued_bytes"],
        )
        return SiteLine(own, is_own=True)

    def health(self) -> dict[str, Any]:
        """Tell whether the broker is there, and which applications do not answer."""
        is_connected = self._line is not None and self._line.is_connected
        silent = self._calls.silent()
        return {
            "status": "ok" if is_connected and not silent else "failed",
            "applications": len(self.settings["applications"]),
            "connected": is_connected,
            "silent": silent,
        }

    # Messages.

    def bootstrap_client(self, client: Client, configuration: ClientConfiguration) -> None:
        """Add what the settings say of the application, and what it says of this page."""
        super().bootstrap_client(client, configuration)
        configuration.bootstrap_parameters.pop("application_package", None)

    def receive(self, client: Client, message: ClientMessage) -> Json:
        """Hand a message to the application, and give its reply."""
        application = self._application_of(client)
        self._equip(client)
        about = {"id": message.id, "command": message.command, "message": message.content}
        with handling(self.push, self, application.name):
            return self._ask_application("message", application.name, client, about)

    def _call(
        self,
        function: Callable[..., Any],
        arguments: tuple[Any, ...],
        timeout_seconds: float | None = None,
        fields: Mapping[str, str] | None = None,
    ) -> Any:
        """Call one of our functions that ask; they wait for the reply themselves."""
        with self._slow_calls.watching(function):
            return function(*arguments, **(fields or {}))

    def _ask_application(
        self, kind: str, application: str, client: Client, about: Mapping[str, Json]
    ) -> Json:
        """Ask an application, wait, and send what its reply says; within a running call.

        Raises:
            Refusal: it refuses, or does not answer.
            RemoteApplicationError: it has failed.
        """
        call = self._calls.begin(application)
        try:
            headers = {"reply-to": self._reply_to, "correlation-id": call.correlation_id}
            seconds = self.settings["reply_timeout_seconds"]
            self._send_to(application, kind, client, about, headers, seconds)
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

    def _tell_application(self, kind: str, application: str, client: Client) -> None:
        """Tell an application something that needs no answer."""
        self._calls.count(application)
        self._send_to(application, kind, client, {}, {}, EVENT_SECONDS)

    def _send_to(
        self,
        application: str,
        kind: str,
        client: Client,
        about: Mapping[str, Json],
        headers: Mapping[str, str],
        seconds: float,
    ) -> None:
        if self._line is None:
            raise Refusal("application-unavailable", "The site is not connected to its broker.")
        told = {"kind": kind, "application": application, "client": card_of(client), **about}
        timing = {
            # For the application: there is nobody any more who waits for its reply.
            "expires": str(int((time.time() + seconds) * 1000)),
            # The same for RabbitMQ, which then drops it.
            "expiration": str(int(seconds * 1000)),
        }
        fixed = {"content-type": "application/json", "kind": kind}
        destination = DESTINATION.format(name=application)
        self._line.send(destination, encode_json(told), {**fixed, **timing, **headers})

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
