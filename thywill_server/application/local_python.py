"""Applications that are Python packages in this process: drop a package in, and it is served."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from thywill_server.application.app import Command, send_through
from thywill_server.application.base import ApplicationComponent, ClientMessage
from thywill_server.application.interfaces import (
    HOW_TO,
    Application,
    InterfaceError,
    load_application,
)
from thywill_server.application.outbox import handling
from thywill_server.application.packages import application_packages, folders_of
from thywill_server.application.waiting import result_of
from thywill_server.client import Client
from thywill_server.client_configuration import ClientConfiguration
from thywill_server.component import Problem
from thywill_server.encoding import Json, plain
from thywill_server.errors import ApplicationError, ConfigurationError
from thywill_server.settings_table import Setting, did_you_mean


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
    }

    _applications: dict[str, Application] | None = None

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
        client.sender = self._send
        for function in app.bootstrap_functions:
            with handling(self.push):
                result_of(function, (client, configuration), self._timeout_seconds)

    def receive(self, client: Client, message: ClientMessage) -> Json:
        """Give the message to the application's function for it, and its result as the reply."""
        command = self._command_for(self._application_of(client), message)
        arguments = command.arguments(client, message.content)
        client.sender = self._send
        with handling(self.push):
            reply = result_of(command.function, arguments, self._timeout_seconds)
        try:
            return plain(reply)
        except (TypeError, ValueError) as error:
            name = getattr(command.function, "__qualname__", repr(command.function))
            raise TypeError(f"{name}: its reply cannot be sent ({error})") from error

    @property
    def _timeout_seconds(self) -> float:
        seconds: float = self.settings["handler_timeout_seconds"]
        return seconds

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
            other = found.setdefault(application.name, application)
            if other is not application:
                sentence = (
                    f'{where}: "{other.package}" and "{package}" are both called '
                    f'"{application.name}"'
                )
                problems.append(Problem(sentence, "thywill.E008"))
        return found, problems
