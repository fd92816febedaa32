"""From an application package to its `App`: imports the package, in either of its forms."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from thywill_server.application import declared_commands
from thywill_server.application.app import App
from thywill_server.application.packages import (
    INTERFACE_MODULES,
    application_packages,
    folders_of,
)
from thywill_server.application.remote import RemoteApplication
from thywill_server.client import Client
from thywill_server.client_configuration import ClientConfiguration
from thywill_server.component import Problem
from thywill_server.components import import_reason
from thywill_server.encoding import Json, encode_json

HOW_TO = "write thywill_interface.py with app = App(...), or with message_from_client(uuid, text)"


class InterfaceError(Exception):
    """An application package cannot be used; the text follows the name of a setting.

    Attributes:
        check_id: the id that the system check gives it.
    """

    def __init__(self, sentence: str, check_id: str) -> None:
        super().__init__(sentence)
        self.check_id = check_id


@dataclass(frozen=True, slots=True)
class Application:
    """One application: its name in addresses, its package, and what it does."""

    name: str
    package: str
    app: App
    is_remote: bool = False


MakeRemote = Callable[[str, RemoteApplication], App]
"""Makes of a package's name and declaration an `App` whose functions ask another process."""


def load_applications(
    names: list[str], where: str, max_state_bytes: int, make_remote: MakeRemote
) -> tuple[dict[str, Application], list[str]]:
    """Import all applications.

    Args:
        names: packages, or folders of packages.
        where: the setting, as sentences name it.
        max_state_bytes: what each application's state may take.
        make_remote: for packages that are the site's half of an application in another process.

    Returns:
        them by name, and a `Problem` for each that cannot be used.
    """
    found: dict[str, Application] = {}
    problems: list[str] = []
    packages = application_packages(names)
    if not packages:
        listed = ", ".join(f'"{name}"' for name in names) or "an empty list"
        sentence = f"{where}: no application package in {listed}; {HOW_TO}"
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
            application = load_application(package, make_remote)
        except InterfaceError as error:
            problems.append(Problem(f"{where}: {error}", error.check_id))
            continue
        application.app.serve_as(application.name, max_state_bytes)
        other = found.setdefault(application.name, application)
        if other is not application:
            sentence = (
                f'{where}: "{other.package}" and "{package}" are both called "{application.name}"'
            )
            problems.append(Problem(sentence, "thywill.E008"))
    return found, problems


def load_application(package: str, make_remote: MakeRemote) -> Application:
    """Import an application package and give its application.

    Raises:
        InterfaceError: it cannot be imported, or holds no application.
    """
    module = _interface_module(package)
    app = getattr(module, "app", None)
    if isinstance(app, ModuleType):
        app = getattr(app, "app", None)
    name = package.rpartition(".")[2]
    if isinstance(app, RemoteApplication):
        wrong = app.problems()
        if wrong:
            sentence = f'"{package}": RemoteApplication: {"; ".join(wrong)}'
            raise InterfaceError(sentence, "thywill.E008")
        return Application(name, package, make_remote(name, app), is_remote=True)
    if not isinstance(app, App):
        receive = getattr(module, "message_from_client", None)
        if not callable(receive):
            raise InterfaceError(f'"{package}" holds no application; {HOW_TO}', "thywill.E008")
        app = _app_of_functions(module, receive)
    _add_declared_commands(app, package)
    return Application(name, package, app)


def _add_declared_commands(app: App, package: str) -> None:
    """Serve what the package's ``commands.py`` has marked, where there is one."""
    name = f"{package}.{declared_commands.MODULE}"
    file = f"{declared_commands.MODULE}.py"
    if not any((folder / file).is_file() for folder in folders_of(package)):
        return
    module = _imported(name)
    try:
        declared_commands.register_commands(app, module)
    except ValueError as error:
        raise InterfaceError(f'"{name}": {error}', "thywill.E008") from error


def _interface_module(package: str) -> ModuleType:
    folders = folders_of(package)
    inner = next(
        (
            f"{package}.{name}"
            for name in INTERFACE_MODULES
            if any((folder / f"{name}.py").is_file() for folder in folders)
        ),
        package,
    )
    return _imported(inner)


def _imported(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except Exception as error:
        sentence = f'cannot import "{name}" ({import_reason(error)})'
        raise InterfaceError(sentence, "thywill.E007") from error


def _app_of_functions(module: ModuleType, receive: Callable[..., Any]) -> App:
    """Make an App of the module functions of 2011, in either spelling."""
    app = App()

    @app.on_message
    def message_from_client(client: Client, message: Any) -> Any:
        return receive(client.uuid, _raw(message))

    # Errors name the author's function, not this one.
    message_from_client.__qualname__ = f"{module.__name__}.message_from_client"
    prepare = getattr(module, "bootstrap_client", None) or getattr(
        module, "_bootstrap_client", None
    )
    if callable(prepare) and not inspect.isclass(prepare):

        @app.bootstrap
        def bootstrap_client(client: Client, configuration: ClientConfiguration) -> Any:
            return prepare(client.uuid, configuration)

        bootstrap_client.__qualname__ = f"{module.__name__}.bootstrap_client"
    return app


def _raw(content: Json) -> str:
    """Give a message as the text that such a function expects."""
    return content if isinstance(content, str) else encode_json(content).decode()
