"""From an application package to its `App`: imports the package, in either of its forms."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from thywill_server.application.app import App
from thywill_server.application.packages import INTERFACE_MODULES, folders_of
from thywill_server.client import Client
from thywill_server.client_configuration import ClientConfiguration
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


def load_application(package: str) -> Application:
    """Import an application package and give its application.

    Raises:
        InterfaceError: it cannot be imported, or holds no application.
    """
    module = _interface_module(package)
    app = getattr(module, "app", None)
    if isinstance(app, ModuleType):
        app = getattr(app, "app", None)
    if not isinstance(app, App):
        receive = getattr(module, "message_from_client", None)
        if not callable(receive):
            raise InterfaceError(f'"{package}" holds no application; {HOW_TO}', "thywill.E008")
        app = _app_of_functions(module, receive)
    return Application(package.rpartition(".")[2], package, app)


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
    try:
        return importlib.import_module(inner)
    except Exception as error:
        sentence = f'cannot import "{inner}" ({import_reason(error)})'
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
