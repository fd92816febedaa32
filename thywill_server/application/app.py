"""What authors import: `App`, and functions that send to clients.

An application is a package in ``thywill_apps/`` with a module ``thywill_interface.py``. The
smallest one has two functions, as in 2011::

    from thywill_server.application import send_message_to_client

    def message_from_client(uuid, raw_message):
        send_message_to_client(uuid, raw_message)

    def bootstrap_client(uuid, configuration):
        configuration.set_application_parameter("title", "Echo")
        configuration.add_application_script("echo/echo.js")

The usual one declares an `App`, with a function for each command::

    from dataclasses import dataclass
    from thywill_server.application import App

    app = App(title="Echo", scripts=["echo/echo.js"])

    @dataclass
    class Say:
        text: str

    @app.on("say")
    def say(client, message: Say):
        client.send("said", {"text": message.text})
        return {"characters": len(message.text)}      # the reply to thywill.send.fn

Functions may be plain, ``async``, or return a Deferred. They run in a web thread and use the ORM
freely; what they send inside a transaction waits for its commit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from thywill_server.application.commands import Decoder, argument_decoder
from thywill_server.application.outbox import push_of_running_handler, when_committed
from thywill_server.client import NO_DATA
from thywill_server.encoding import Json
from thywill_server.push.base import PushMessage

if TYPE_CHECKING:
    from thywill_server.push.base import PushComponent

Handler = TypeVar("Handler", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Command:
    """One registered function: how to call it with a client and a message."""

    function: Callable[..., Any]
    decode: Decoder | None

    def arguments(self, client: Any, content: Json) -> tuple[Any, ...]:
        """Give the function's arguments; raises ApplicationError for a message of wrong shape."""
        return (client,) if self.decode is None else (client, self.decode(content))


class App:
    """One application.

    Args:
        title: the page's title, and the application parameter ``title``.
        scripts: ES modules, as paths below the site's static files.
        styles: stylesheets, the same.
        template: a Django template for the page's body.
    """

    def __init__(
        self,
        title: str | None = None,
        *,
        scripts: Iterable[str] = (),
        styles: Iterable[str] = (),
        template: str | None = None,
    ) -> None:
        if isinstance(scripts, str) or isinstance(styles, str):
            raise TypeError('App: scripts and styles are lists, such as scripts=["chat/chat.js"]')
        self.title = title
        self.scripts = tuple(scripts)
        self.styles = tuple(styles)
        self.template = template
        self.commands: dict[str, Command] = {}
        self.message_command: Command | None = None
        self.bootstrap_functions: list[Callable[..., Any]] = []

    def on(self, command: str) -> Callable[[Handler], Handler]:
        """Register a function for a command: ``thywill.send.fn("say", {...})`` in the page.

        The function takes the client and the message. Annotated with a dataclass, the message is
        read into it and a mistake is answered with the field's name; without an annotation it is
        the JSON value. A function that takes only the client gets no message. What it returns is
        the reply.
        """
        if not isinstance(command, str) or not command:
            raise TypeError(
                f'@app.on: expected a command\'s name, as in @app.on("say"): {command!r}'
            )

        def register(function: Handler) -> Handler:
            if command in self.commands:
                raise ValueError(f'@app.on("{command}"): this command has a function already')
            self.commands[command] = Command(function, argument_decoder(function))
            return function

        return register

    def on_message(self, function: Handler) -> Handler:
        """Register the function for messages without a command: ``thywill.send.fn("hello")``."""
        if self.message_command is not None:
            raise ValueError("@app.on_message: this application has such a function already")
        self.message_command = Command(function, argument_decoder(function))
        return function

    def bootstrap(self, function: Handler) -> Handler:
        """Register a function that prepares a page: ``(client, configuration)``.

        It is called for each page load, after title, scripts and styles are in.
        """
        self.bootstrap_functions.append(function)
        return function


def to_client(client_uuid: str, message_or_event: Json, data: Json = NO_DATA) -> None:
    """Push to one client, from anywhere: a handler, a view, a shell, a task queue.

    ``to_client(uuid, message)`` sends text or any JSON value; ``to_client(uuid, event, data)``
    sends a named event. Inside a database transaction it waits for the commit; a roll-back sends
    nothing.

    Raises:
        PushUnavailable: the push queue is full.
        TypeError, ValueError: JSON has no form for the value.
    """
    push = push_of_running_handler()
    if push is None:
        from thywill_server.apps import start_components

        push = start_components().push
    send_through(push, client_uuid, message_or_event, data)


def send_message_to_client(client_uuid: str, message: Json) -> None:
    """Push a message to one client, in the spelling of 2011; the same as `to_client`."""
    to_client(client_uuid, message)


def send_through(
    push: PushComponent, client_uuid: str, message_or_event: Json, data: Json = NO_DATA
) -> None:
    """Encode at once, so that mistakes show where they are made, and push after the commit."""
    if data is NO_DATA:
        message = PushMessage.of(message_or_event)
    else:
        message = PushMessage.of(data, event=message_or_event)
    when_committed(lambda: push.push(client_uuid, message))
