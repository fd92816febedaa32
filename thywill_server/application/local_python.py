"""Applications that are Python packages in this process: drop a package in, and it is served."""

from __future__ import annotations

import inspect
import logging
import time
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from thywill_server import signals
from thywill_server.application.app import App, Command
from thywill_server.application.base import (
    PING,
    ApplicationComponent,
    ClientMessage,
    FoundChannel,
    Join,
    Listing,
)
from thywill_server.application.batch import answer_each
from thywill_server.application.channels import find_declaration
from thywill_server.application.declared_commands import (
    DeclaredBounds,
    answers_batches,
    slow_commands,
)
from thywill_server.application.ending import disconnect
from thywill_server.application.interfaces import (
    Application,
    load_applications,
)
from thywill_server.application.joining import answer_to, channel_of, require_member
from thywill_server.application.listing import listing_of
from thywill_server.application.outbox import handling
from thywill_server.application.publishing import send_through
from thywill_server.application.rates import RateLimiter
from thywill_server.application.remote import RemoteApplication
from thywill_server.application.settings import SETTINGS
from thywill_server.application.slow_calls import SlowCalls, name_of
from thywill_server.application.state import SharedState
from thywill_server.application.waiting import result_of
from thywill_server.client import Client
from thywill_server.client_configuration import ClientConfiguration
from thywill_server.component import Component, Problem
from thywill_server.encoding import Json, plain
from thywill_server.errors import (
    ApplicationError,
    ConfigurationError,
    Refusal,
    TooManyRequests,
)
from thywill_server.settings_table import Setting, did_you_mean

if TYPE_CHECKING:
    from thywill_server.application.remote_stomp.asking import Asker
    from thywill_server.application.remote_stomp.line import Line
    from thywill_server.application.remote_stomp.outgoing import Outgoing

log = logging.getLogger(__name__)


class LocalPython(ApplicationComponent):
    """Runs application packages in the web threads of this process."""

    SETTINGS: ClassVar[Mapping[str, Setting]] = SETTINGS

    _applications: dict[str, Application] | None = None
    _outgoing: Outgoing | None = None

    def __init__(self, settings: Mapping[str, Any], **collaborators: Component) -> None:
        super().__init__(settings, **collaborators)
        self._limiter = RateLimiter(self.settings["max_rate_keys"])
        self._slow_calls = SlowCalls(self.settings["slow_handler_seconds"])
        self._declared = DeclaredBounds(self.settings["max_slow_commands"])

    @cached_property
    def _asker(self) -> Asker:
        """What packages ask that are the site's half of an application in another process."""
        from thywill_server.application.remote_stomp.asking import Asker

        return Asker(
            self.make_line,
            self.settings["reply_timeout_seconds"],
            self.settings["max_unanswered"],
        )

    def make_line(self) -> Line:
        """Give the connection to the broker.

        Raises:
            Refusal: there is none.
        """
        from thywill_server.application.remote_stomp.line import SiteLine

        if self.publisher is None:
            sentence = "This site has no broker, so it reaches no application in another process."
            raise Refusal("application-unavailable", sentence)
        return SiteLine(self.publisher, is_own=False)

    def serve(self) -> None:
        """Begin to take what other programs publish, if the settings say where."""
        if self.settings["outgoing_destination"]:
            from thywill_server.application.remote_stomp import line, outgoing

            self._outgoing = outgoing.listen(
                self,
                line.line_of(self.push),
                self.settings["outgoing_destination"],
                self.settings["max_outgoing"],
            )

    def stop(self) -> Any:
        """Look at slow functions no more, take nothing more from others, ask nobody."""
        self._slow_calls.stop()
        outgoing, self._outgoing = self._outgoing, None
        if outgoing is not None:
            outgoing.stop()
        return self._asker.stop() if "_asker" in self.__dict__ else None

    def application_names(self) -> list[str]:
        """List the applications, in alphabetical order."""
        return sorted(self.applications)

    def listings(self) -> list[Listing]:
        """Tell of each application what the index page shows."""
        silent = self.health().get("silent", ())
        return [listing_of(self.applications[name], silent) for name in self.application_names()]

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
        push = self.collaborators.get("push")
        if self.settings["outgoing_destination"] and push is not None:
            from thywill_server.application.remote_stomp.line import has_publisher

            if not has_publisher(push):
                where = self.setting_name("outgoing_destination")
                sentence = f"{where}: the push component has no connection to a broker"
                problems.append(Problem(sentence))
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
        """Count the applications, and list those in other processes that do not answer."""
        health: dict[str, Any] = {"status": "ok", "applications": len(self.applications)}
        if "_asker" in self.__dict__:
            health["silent"] = self._asker.silent()
        return health

    def bootstrap_client(self, client: Client, configuration: ClientConfiguration) -> None:
        """Add what the client's application declares, then let it add more."""
        application = self._application_of(client)
        app = application.app
        configuration.set_bootstrap_parameter("application_package", application.package)
        if slow := slow_commands(app):
            configuration.set_bootstrap_parameter("slow_commands", slow)
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
        if application.is_remote:
            return self._hand_over(application, client, message)
        if message.command is None and answers_batches(application.app):

            def run(name: str, argument: Json) -> Json:
                return self._run(application, client, ClientMessage(message.id, name, argument))

            return answer_each(message.content, run, self.settings["max_commands"])
        return self._run(application, client, message)

    def _run(self, application: Application, client: Client, message: ClientMessage) -> Json:
        """Run one command, bounded as it says."""
        command = self._command_for(application, message)
        if command.rate is not None:
            browser = client.session_identity or client.uuid
            key = (application.name, message.command, browser)
            seconds = self._limiter.take(key, command.rate)
            if seconds > 0:
                raise TooManyRequests(seconds)
        arguments = command.arguments(client, message.content)
        self._equip(client)
        with (
            handling(self.push, self, application.name),
            self._declared.held(command, client, message.command) as finish,
        ):
            if command.channel is not None:
                name = command.channel.name_of(arguments[-1])
                channel = channel_of(application.name, application.app.channels, name)
                require_member(client, channel, self._ask)
            reply = finish(self._call(command.function, arguments, command.timeout_seconds))
        try:
            return plain(reply)
        except (TypeError, ValueError) as error:
            raise TypeError(f"{command.name}: its reply cannot be sent ({error})") from error

    def _hand_over(self, application: Application, client: Client, message: ClientMessage) -> Json:
        """Have a message answered by the application's own process."""
        self._equip(client)
        about = {"id": message.id, "command": message.command, "message": message.content}
        with handling(self.push, self, application.name):
            return self._asker.ask("message", application.name, client, about)

    def ping(self, client: Client, content: Json) -> dict[str, Json]:
        """Push it from a function that is called as those of applications are."""
        application = self._application_of(client)
        self._equip(client)

        def echo(client: Client) -> float:
            called_at = time.time()
            client.send(PING, content)
            return called_at

        with handling(self.push, self, application.name):
            called_at = self._call(echo, (client,))
        return {"called_at": called_at, "pushed_at": time.time()}

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
        answer = answer_to(
            client,
            channel,
            request,
            push=self.push,
            call=self._ask,
            max_messages=self.settings["max_join_messages"],
            max_bytes=self.settings["max_join_bytes"],
        )
        if channel.declaration.presence:
            from thywill_server.apps import connections
            from thywill_server.connections.presence import let_in

            let_in(connections(), self.push, client, application.name, channel.name)
        return answer

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
            except Exception as error:
                what = name_of(function)
                log.exception("%s failed for client %s", what, client.uuid)
                signals.tell(
                    signals.application_failed, type(self), client=client, what=what, error=error
                )

    # Calling applications.

    def _equip(self, client: Client) -> None:
        client.sender = self._send
        client.ender = lambda: disconnect(client)
        client.state_source = lambda: SharedState(
            lambda: client.application,
            client.uuid,
            lambda: self.settings["max_state_bytes"],
            self.settings["client_state_seconds"],
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
        if inspect.iscoroutinefunction(function):
            # Django reads a user when somebody looks; in an event loop it would refuse to.
            _ = arguments[0].is_authenticated
        seconds = timeout_seconds or self.settings["handler_timeout_seconds"]
        with self._slow_calls.watching(function):
            return result_of(function, arguments, seconds, fields)

    def _send(self, client_uuid: str, message_or_event: Json, data: Json) -> None:
        send_through(self.push, client_uuid, message_or_event, data)

    def _application_of(self, client: Client) -> Application:
        application = self.applications.get(client.application)
        if application is None:
            raise ApplicationError("unknown-application")
        return application

    def _load(self) -> tuple[dict[str, Application], list[str]]:
        return load_applications(
            self.settings["packages"],
            self.setting_name("packages"),
            self.settings["max_state_bytes"],
            self._make_remote,
        )

    def _make_remote(self, name: str, declared: RemoteApplication) -> App:
        from thywill_server.application.remote_stomp.declarations import app_of

        return app_of(name, declared.told, self._asker.ask, self._asker.tell)

    def _command_for(self, application: Application, message: ClientMessage) -> Command:
        app = application.app
        if message.command is None:
            if app.message_command is None:
                sentence = f'The application "{application.name}" takes commands only.'
                raise ApplicationError("unknown-command", sentence)
            return app.message_command
        command = app.commands.get(message.command, app.default_command)
        if command is None:
            sentence = (
                f'The application "{application.name}" has no command "{message.command:.60}".'
            )
            raise ApplicationError("unknown-command", sentence)
        return command
