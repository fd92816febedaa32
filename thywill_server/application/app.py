"""What authors import: `App`, and functions that send to clients.

An application is a package in ``thywill_apps/`` with a module ``thywill_interface.py``. The
smallest one has two functions, as in 2011::

    from thywill_server.application import send_message_to_client

    def message_from_client(uuid, raw_message):
        send_message_to_client(uuid, raw_message)

    def bootstrap_client(uuid, configuration):
        configuration.set_application_parameter("title", "Echo")
        configuration.add_application_script("echo/echo.js")

The usual one declares an `App`, with a function for each command, and channels for what many pages
share::

    from dataclasses import dataclass
    from thywill_server.application import App, publish

    app = App(title="Chat", scripts=["chat/chat.js"])

    @dataclass
    class Say:
        room: str
        text: str

    @app.channel("room:{room}", history=200)
    def may_join(client, room):                         # asked before anybody gets in
        return client.is_authenticated

    @app.on("say", channel="room:{room}", rate="5/s")   # may_join is asked before this, too
    def say(client, message: Say):
        by = client.user.username
        publish(f"room:{message.room}", "said", {"by": by, "text": message.text})
        return {"characters": len(message.text)}        # the reply to thywill.send.fn

and in the page::

    const room = thywill.channel("room:lobby");
    room.on("said", (data, meta) => { ... });

Functions may be plain, ``async``, or return a Deferred. They run in a web thread and use the ORM
freely; what they send inside a transaction waits for its commit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from thywill_server.application import publishing
from thywill_server.application.channels import (
    ChannelDeclaration,
    ChannelPattern,
    check_arguments,
)
from thywill_server.application.commands import Decoder, argument_decoder
from thywill_server.application.listing import description_problem
from thywill_server.application.rates import Rate
from thywill_server.application.state import SharedState
from thywill_server.client import NO_DATA
from thywill_server.encoding import Json

Handler = TypeVar("Handler", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Command:
    """One registered function: how to call it with a client and a message.

    Attributes:
        function: the application's.
        decode: turns a message into its second argument; None when it takes only the client.
        channel: in which channel its clients have to be allowed.
        rate: how often a client may ask for it.
        timeout_seconds: how long it is waited for; None: as the site's setting says.
        run_once: whether it runs only once for each page.
        is_slow: whether only some of its kind may run at once.
    """

    function: Callable[..., Any]
    decode: Decoder | None
    channel: ChannelPattern | None = None
    rate: Rate | None = None
    timeout_seconds: float | None = None
    run_once: bool = False
    is_slow: bool = False

    @property
    def name(self) -> str:
        """The function's name, for logs."""
        return getattr(self.function, "__qualname__", repr(self.function))

    def arguments(self, client: Any, content: Json) -> tuple[Any, ...]:
        """Give the function's arguments; raises ApplicationError for a message of wrong shape."""
        return (client,) if self.decode is None else (client, self.decode(content))


class App:
    """One application.

    Args:
        title: the page's title, and the application parameter ``title``.
        description: one sentence for the site's index page; the first one of the package's
            docstring when it is not given.
        icon: a picture for that page, square, as a path below the site's static files; the
            package's ``static/NAME/icon.svg`` when it is not given and is there.
        scripts: ES modules, as paths below the site's static files.
        styles: stylesheets, the same.
        template: a Django template for the page's body.
    """

    def __init__(
        self,
        title: str | None = None,
        *,
        description: str | None = None,
        icon: str | None = None,
        scripts: Iterable[str] = (),
        styles: Iterable[str] = (),
        template: str | None = None,
    ) -> None:
        if isinstance(scripts, str) or isinstance(styles, str):
            raise TypeError('App: scripts and styles are lists, such as scripts=["chat/chat.js"]')
        if problem := description_problem(description):
            raise ValueError(f"App: description: {problem}")
        self.title = title
        self.description = description
        self.icon = icon
        self.scripts = tuple(scripts)
        self.styles = tuple(styles)
        self.template = template
        self.commands: dict[str, Command] = {}
        self.message_command: Command | None = None
        self.default_command: Command | None = None
        self.has_declared_commands = False
        self.bootstrap_functions: list[Callable[..., Any]] = []
        self.connect_functions: list[Callable[..., Any]] = []
        self.disconnect_functions: list[Callable[..., Any]] = []
        self.channels: list[ChannelDeclaration] = []
        self.state = SharedState(lambda: self.name, "", lambda: self._max_state_bytes)
        self._name: str | None = None
        self._max_state_bytes = 0

    def on(
        self,
        command: str,
        *,
        channel: str | None = None,
        rate: str | None = None,
        timeout: float | None = None,
    ) -> Callable[[Handler], Handler]:
        """Register a function for a command: ``thywill.send.fn("say", {...})`` in the page.

        The function takes the client and the message. Annotated with a dataclass, the message is
        read into it and a mistake is answered with the field's name; without an annotation it is
        the JSON value. A function that takes only the client gets no message. What it returns is
        the reply.

        Args:
            command: its name.
            channel: such as ``room:{room}``; the fields come from the message's fields, and only
                clients that may join this channel are let through.
            rate: how often one browser may ask, such as ``5/s``, ``30/m`` or ``100/10m``; more
                often is refused with ``too-many-requests``.
            timeout: how long an ``async`` function or a Deferred is waited for, in seconds; the
                setting ``handler_timeout_seconds`` by default.
        """
        if not isinstance(command, str) or not command:
            raise TypeError(
                f'@app.on: expected a command\'s name, as in @app.on("say"): {command!r}'
            )

        if timeout is not None and not 0 < timeout <= 3600:
            raise ValueError(f'@app.on("{command}"): timeout: expected seconds, got {timeout!r}')
        pattern = None if channel is None else ChannelPattern(channel)
        allowed = None if rate is None else Rate.parse(rate)

        def register(function: Handler) -> Handler:
            if command in self.commands:
                raise ValueError(f'@app.on("{command}"): this command has a function already')
            decode = argument_decoder(function)
            if decode is None and pattern is not None and pattern.fields:
                raise TypeError(f'@app.on("{command}"): the fields of its channel need a message')
            self.commands[command] = Command(function, decode, pattern, allowed, timeout)
            return function

        return register

    def channel(
        self,
        pattern: str,
        *,
        history: int = 0,
        snapshot: Callable[..., Any] | None = None,
        presence: bool = False,
    ) -> Callable[[Handler], Handler]:
        """Declare channels, and register the function that says who may join them.

        The function, ``may_join(client, room)`` for ``room:{room}``, takes the client and the
        pattern's fields, as text. It is asked before a page gets in, again whenever the page's
        ticket is renewed, and before each command with ``channel=``.

        Args:
            pattern: the channels' names; each field stands for text without a colon.
            history: how many messages are kept for those who were away; 0: none.
            snapshot: a function of the same arguments that gives a page what it starts from, when
                it comes for the first time or was away for too long. Where the application changes
                its data and publishes in one transaction, no message falls between the snapshot
                and what follows.
            presence: whether it is noted who is there: for `presence`, and for pages, which hear
                ``join`` and ``leave``, with a user's name.
        """
        names = ChannelPattern(pattern)
        if type(history) is not int or history < 0:
            raise ValueError(f'@app.channel("{pattern}"): history: expected 0 or more messages')
        if snapshot is not None:
            if history == 0:
                raise ValueError(
                    f'@app.channel("{pattern}"): a snapshot needs history, for the messages between'
                )
            check_arguments(snapshot, names, "the snapshot")

        def register(function: Handler) -> Handler:
            check_arguments(function, names, "the function")
            if any(declared.pattern == names for declared in self.channels):
                raise ValueError(f'@app.channel("{pattern}"): declared already')
            self.channels.append(ChannelDeclaration(names, function, history, snapshot, presence))
            return function

        return register

    @property
    def name(self) -> str:
        """The name under which the site serves it.

        Raises:
            RuntimeError: it does not serve it.
        """
        if self._name is None:
            from thywill_server.apps import components

            components().application.application_names()  # imports them all
        if self._name is None:
            raise RuntimeError("this App is the interface of no application package of the site")
        return self._name

    def serve_as(self, name: str, max_state_bytes: int) -> None:
        """Take the name and the bounds that the site gives it; the application component does."""
        self._name = name
        self._max_state_bytes = max_state_bytes

    def publish(self, channel: str, event: str, data: Json = None) -> None:
        """Publish to one of this application's channels, from anywhere; see `publish`."""
        publishing.publish(channel, event, data, application=self.name)

    def broadcast(self, message_or_event: Json, data: Json = NO_DATA) -> None:
        """Push to every page of this application, from anywhere; see `broadcast`."""
        publishing.broadcast(message_or_event, data, application=self.name)

    def on_message(self, function: Handler) -> Handler:
        """Register the function for messages without a command: ``thywill.send.fn("hello")``."""
        if self.message_command is not None:
            raise ValueError("@app.on_message: this application has such a function already")
        self.message_command = Command(function, argument_decoder(function))
        return function

    def on_connect(self, function: Handler) -> Handler:
        """Register a function for pages that have connected: ``(client)``.

        It is called outside of any request, once in all processes of the site. A connection that
        breaks and is made again within ``disconnect_grace_seconds`` is no other one.
        """
        self.connect_functions.append(function)
        return function

    def on_disconnect(self, function: Handler) -> Handler:
        """Register a function for pages that have gone: ``(client)``; as `on_connect`."""
        self.disconnect_functions.append(function)
        return function

    def bootstrap(self, function: Handler) -> Handler:
        """Register a function that prepares a page: ``(client, configuration)``.

        It is called for each page load, after title, scripts and styles are in.
        """
        self.bootstrap_functions.append(function)
        return function
