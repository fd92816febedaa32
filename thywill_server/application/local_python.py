"""Applications that are Python packages in this process: drop a package in, and it is served."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from thywill_server.application.app import Command
from thywill_server.application.base import (
    ApplicationComponent,
    ClientMessage,
    FoundChannel,
    Join,
)
from thywill_server.application.channels import find_declaration
from thywill_server.application.ending import disconnect
from thywill_server.application.interfaces import (
    HOW_TO,
    Application,
    InterfaceError,
    load_application,
)
from thywill_server.application.joining import answer_to, channel_of, require_member
from thywill_server.application.outbox import handling
from thywill_server.application.packages import application_packages, folders_of
from thywill_server.application.publishing import send_through
from thywill_server.application.rates import RateLimiter
from thywill_server.application.state import SharedState
from thywill_server.application.waiting import result_of
from thywill_server.client import Client
from thywill_server.client_configuration import ClientConfiguration
from thywill_server.component import Component, Problem
from thywill_server.encoding import Json, plain
from thywill_server.errors import ApplicationError, ConfigurationError, TooManyRequests
from thywill_server.settings_table import Setting, did_you_mean

log = logging.getLogger(__name__)


class LocalPython(ApplicationComponent):
    """Runs application packages in the web threads of this process."""

    SETTINGS: ClassVar[Mapping[str, Setting]] = {
        "packages": Setting(
            kind="names",
            help="The application packages: a folder of them, such as thywill_apps, or a list.",
            default="thywill_apps",
        ),
        "default": Setting(
            kind="str",
            help="The application at /thywill/init/; the first in the alphabet when not given.",
        ),
        "handler_timeout_seconds": Setting(
            kind="float",
            help="How long an async function or a Deferred is waited for, in seconds; it is then "
            "cancelled and the browser reads application-failed.",
            default=30.0,
            minimum=0.001,
            maximum=3600,
        ),
        "slow_handler_seconds": Setting(
            kind="float",
            help="A function that takes longer is named in the log, as a warning.",
            default=1.0,
            minimum=0.001,
            maximum=3600,
        ),
        "max_rate_keys": Setting(
            kind="int",
            help="For how many browsers and commands with rate= this process counts; the one that "
            "was silent for longest is forgotten first.",
            default=10_000,
            minimum=1,
        ),
        "max_join_messages": Setting(
            kind="int",
            help="How many messages of a channel's history one answer holds; the page asks for "
            "the rest.",
            default=200,
            minimum=1,
        ),
        "max_join_bytes": Setting(
            kind="int",
            help="How much data of messages one such answer holds, but for a single message.",
            default=262_144,
            minimum=1_024,
        ),
        "max_state_bytes": Setting(
            kind="int",
            help="How large app.state, and the state of each client, may be, as JSON.",
            default=65_536,
            minimum=1_024,
        ),
    }

    _applications: dict[str, Application] | None = None

    def __init__(self, settings: Mapping[str, Any], **collaborators: Component) -> None:
        super().__init__(settings, **collaborators)
        self._limiter = RateLimiter(self.settings["max_rate_keys"])

    def application_names(self) -> list[str]:
        """List the applications, in alphabetical order."""
        return sorted(self.applications)

    @property
    def default_application(self) -> str | None:
        """The application of the setting ``default``, or else the first."""
        default: str | None = self.settings["default"]
        return default if default is not None else super().default_application

    @property
    def applications(self) -> dict[str, Application]:
        """The applications by name, imported at the first use.

        Raises:
            ConfigurationError: one cannot be imported.
        """
        if self._applications is None:
            found, problems = self._load()
            if problems:
                raise ConfigurationError(*problems)
            self._applications = found
        return self._applications

    def check(self) -> list[str]:
        """Import every application, and look for the default one."""
        problems = super().check()
        if problems:
            return problems
        applications, problems = self._load()
        default = self.settings["default"]
        # While one is broken, the default may be just that one.
        if not problems and default is not None and default not in applications:
            hint = did_you_mean(default, dict(applications)) or (
                f"; there are {', '.join(sorted(applications))}"
            )
            sentence = f'{self.setting_name("default")}: no application "{default}"{hint}'
            problems.append(Problem(sentence, "thywill.E009"))
        return problems

    def health(self) -> dict[str, Any]:
        """Count the applications."""
        return {"status": "ok", "applications": len(self.applications)}

    def bootstrap_client(self, client: Client, configuration: ClientConfiguration) -> None:
        """Add what the client's application declares, then let it add more."""
        application = self._application_of(client)
        app = application.app
        configuration.set_bootstrap_parameter("application_package", application.package)
        if app.title is not None:
            configuration.set_application_parameter("title", app.title)
        if app.template is not None:
            configuration.set_application_template(app.template)
        for script in app.scripts:
            configuration.add_application_script(script)
        for stylesheet in app.styles:
            configuration.add_application_stylesheet(stylesheet)
        self._equip(client)
        configuration.channel_joiner = lambda name, replay: self._join(
            client, Join(name, replay=replay)
        )
        for function in app.bootstrap_functions:
            with handling(self.push, self, application.name):
                self._call(function, (client, configuration))

    def receive(self, client: Client, message: ClientMessage) -> Json:
        """Give the message to the application's function for it, and its result as the reply."""
        application = self._application_of(client)
        command = self._command_for(application, message)
        if command.rate is not None:
            browser = client.session_identity or client.uuid
            key = (application.name, message.command, browser)
            seconds = self._limiter.take(key, command.rate)
            if seconds > 0:
                raise TooManyRequests(seconds)
        arguments = command.arguments(client, message.content)
        self._equip(client)
        with handling(self.push, self, application.name):
            if command.channel is not None:
                name = command.channel.name_of(arguments[-1])
                channel = channel_of(application.name, application.app.channels, name)
                require_member(client, channel, self._ask)
            reply = self._call(command.function, arguments, command.timeout_seconds)
        try:
            return plain(reply)
        except (TypeError, ValueError) as error:
            raise TypeError(f"{command.name}: its reply cannot be sent ({error})") from error

    # Channels.

    def find_channel(self, name: str, application: str | None = None) -> FoundChannel:
        """Find a channel by its name, in one application or in all."""
        names = self.application_names() if application is None else [application]
        if application is not None and application not in self.applications:
            raise ValueError(f'there is no application "{application}"')
        found = [
            FoundChannel(each, name, declaration[0].history, declaration[0].presence)
            for each in names
            if (declaration := find_declaration(self.applications[each].app.channels, name))
        ]
        if len(found) == 1:
            return found[0]
        if found:
            listed = ", ".join(channel.application for channel in found)
            raise ValueError(f'"{name}" may be a channel of {listed}: say application=')
        whose = f'application "{application}" has' if application else "no application has"
        negation = "no channel" if application else "a channel"
        raise ValueError(f'{whose} {negation} "{name}": declare it with @app.channel')

    def join(self, client: Client, request: Join) -> dict[str, Json]:
        """Let a client into a channel of its application."""
        self._equip(client)
        with handling(self.push, self, client.application):
            return self._join(client, request)

    def _join(self, client: Client, request: Join) -> dict[str, Json]:
        application = self._application_of(client)
        channel = channel_of(application.name, application.app.channels, request.channel)
        require_member(client, channel, self._ask)
        if channel.declaration.presence:
            from thywill_server.apps import connections
            from thywill_server.connections.presence import let_in

            let_in(connections(), self.push, client, application.name, channel.name)
        return answer_to(
            client,
            channel,
            request,
            push=self.push,
            call=self._ask,
            max_messages=self.settings["max_join_messages"],
            max_bytes=self.settings["max_join_bytes"],
        )

    def leave(self, client: Client, channel: str) -> None:
        """Tell the push component that a page is not in a channel any more."""
        self.push.leave(client, self.push.channel_destination(client.application, channel))
        application = self._application_of(client)
        found = find_declaration(application.app.channels, channel)
        if found is not None and found[0].presence:
            from thywill_server.apps import connections
            from thywill_server.connections.presence import let_out

            let_out(connections(), self.push, client, application.name, channel)

    def present(self, client: Client, channel: str) -> dict[str, Json]:
        """Tell a client who is in a channel that it may join."""
        application = self._application_of(client)
        self._equip(client)
        with handling(self.push, self, application.name):
            found = channel_of(application.name, application.app.channels, channel)
            require_member(client, found, self._ask)
        if not found.declaration.presence:
            raise ApplicationError("not-found", f'Nobody notes who is in "{found.name}".')
        from thywill_server.connections.presence import present

        cards = present(self.push.channel_destination(application.name, found.name)).cards
        return {"channel": found.name, "presence": plain(cards)}

    # Coming and going.

    def client_connected(self, client: Client) -> None:
        """Call what the application has registered for pages that have connected."""
        self._call_each(client, "connect_functions")

    def client_disconnected(self, client: Client) -> None:
        """Call what the application has registered for pages that have gone."""
        self._call_each(client, "disconnect_functions")

    def _call_each(self, client: Client, functions: str) -> None:
        application = self.applications.get(client.application)
        if application is None:
            return  # it was taken out of the site while the page was open
        self._equip(client)
        for function in getattr(application.app, functions):
            try:
                with handling(self.push, self, application.name):
                    self._call(function, (client,))
            except Exception:
                name = getattr(function, "__qualname__", repr(function))
                log.exception("%s.%s failed for client %s", function.__module__, name, client.uuid)

    # Calling applications.

    def _equip(self, client: Client) -> None:
        client.sender = self._send
        client.ender = lambda: disconnect(client)
        client.state_source = lambda: SharedState(
            lambda: client.application, client.uuid, lambda: self.settings["max_state_bytes"]
        )

    def _ask(self, function: Callable[..., Any], client: Client, fields: Mapping[str, str]) -> Any:
        """Call a function that belongs to a channel."""
        return self._call(function, (client,), fields=fields)

    def _call(
        self,
        function: Callable[..., Any],
        arguments: tuple[Any, ...],
        timeout_seconds: float | None = None,
        fields: Mapping[str, str] | None = None,
    ) -> Any:
        """Call a function of an application, and wait for its result."""
        begun = time.monotonic()
        try:
            seconds = timeout_seconds or self.settings["handler_timeout_seconds"]
            return result_of(function, arguments, seconds, fields)
        finally:
            taken = time.monotonic() - begun
            if taken > self.settings["slow_handler_seconds"]:
                name = getattr(function, "__qualname__", repr(function))
                log.warning("%s.%s took %.1f s", function.__module__, name, taken)

    def _send(self, client_uuid: str, message_or_event: Json, data: Json) -> None:
        send_through(self.push, client_uuid, message_or_event, data)

    def _application_of(self, client: Client) -> Application:
        application = self.applications.get(client.application)
        if application is None:
            raise ApplicationError("unknown-application")
        return application

    def _command_for(self, application: Application, message: ClientMessage) -> Command:
        app = application.app
        if message.command is None:
            if app.message_command is None:
                sentence = f'The application "{application.name}" takes commands only.'
                raise ApplicationError("unknown-command", sentence)
            return app.message_command
        command = app.commands.get(message.command)
        if command is None:
            sentence = (
                f'The application "{application.name}" has no command "{message.command:.60}".'
            )
            raise ApplicationError("unknown-command", sentence)
        return command

    def _load(self) -> tuple[dict[str, Application], list[str]]:
        where = self.setting_name("packages")
        found: dict[str, Application] = {}
        problems: list[str] = []
        packages = application_packages(self.settings["packages"])
        if not packages:
            names = ", ".join(f'"{name}"' for name in self.settings["packages"]) or "an empty list"
            sentence = f"{where}: no application package in {names}; {HOW_TO}"
            problems.append(Problem(sentence, "thywill.E008"))
        for package in packages:
            if not folders_of(package):
                sentence = f'{where}: there is no package "{package}"'
                problems.append(Problem(sentence, "thywill.E008"))
                continue
            if not all(part.isidentifier() for part in package.split(".")):
                sentence = f'{where}: "{package}" is no name for a package; use letters and _'
                problems.append(Problem(sentence, "thywill.E008"))
                continue
            try:
                application = load_application(package)
            except InterfaceError as error:
                problems.append(Problem(f"{where}: {error}", error.check_id))
                continue
            application.app.serve_as(application.name, self.settings["max_state_bytes"])
            other = found.setdefault(application.name, application)
            if other is not application:
                sentence = (
                    f'{where}: "{other.package}" and "{package}" are both called '
                    f'"{application.name}"'
                )
                problems.append(Problem(sentence, "thywill.E008"))
        return found, problems
