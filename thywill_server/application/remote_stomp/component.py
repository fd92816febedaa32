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

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, ClassVar

from thywill_server.application.interfaces import Application
from thywill_server.application.local_python import LocalPython
from thywill_server.application.rates import RateLimiter
from thywill_server.application.remote_stomp.declarations import app_of, problems_of
from thywill_server.application.remote_stomp.line import Line, SiteLine, has_publisher
from thywill_server.application.remote_stomp.outgoing import listen
from thywill_server.application.remote_stomp.settings import SETTINGS
from thywill_server.application.slow_calls import SlowCalls
from thywill_server.client import Client
from thywill_server.client_configuration import ClientConfiguration
from thywill_server.component import Component, Problem
from thywill_server.settings_table import Setting


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
            app = app_of(name, told, self._asker.ask, self._asker.tell)
            app.serve_as(name, self.settings["max_state_bytes"])
            found[name] = Application(name, "", app, is_remote=True)
        return found, []

    # The life of the component.

    def start(self) -> None:
        """Connect, and listen to replies."""
        self._asker.start()

    def serve(self) -> None:
        """Begin to take what applications send by themselves."""
        if not self.settings["outgoing_destination"]:
            return
        line = self._asker.start()
        self._outgoing = listen(
            self, line, self.settings["outgoing_destination"], self.settings["max_outgoing"]
        )

    def make_line(self) -> Line:
        """Give the connection to the broker: one of its own, or the push component's."""
        return SiteLine(self.publisher, is_own=bool(self.settings["stomp_host"]))

    @cached_property
    def publisher(self) -> Any:
        """The same, for those that connect as this site does."""
        if not self.settings["stomp_host"]:
            return super().publisher
        from thywill_server.push.orbited_stomp.publisher import Publisher

        settings = self.settings
        return Publisher(
            settings["stomp_host"],
            settings["stomp_port"],
            login=settings["stomp_login"],
            passcode=lambda: str(settings["stomp_passcode"]),
            virtual_host=settings["stomp_virtual_host"],
            heart_beat_seconds=settings["heart_beat_seconds"],
            max_queued_messages=settings["max_queued_messages"],
            max_queued_bytes=settings["max_queued_bytes"],
        )

    def health(self) -> dict[str, Any]:
        """Tell whether the broker is there, and which applications do not answer."""
        is_connected, silent = self._asker.is_connected, self._asker.silent()
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
