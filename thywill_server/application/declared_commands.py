"""Commands that are plain functions in an application's ``commands.py``, found without a registry.

A package with that module needs nothing more: each function marked with `command` is served under
its name, alone and in messages of several commands (see `batch`)::

    @command(rate="20/s")
    def draw(connection, *, points: list[int], width: int = 3):     # the fields of an object
        ...

    @command
    def rename(connection, name: str):                              # the argument itself
        ...

    @command
    def who(connection):                                            # no argument
        ...

    @command(required=["text"])
    def shout(msg, response, connection):                           # the form of 2013
        response["shout"] = msg["text"].upper()

Only marked functions can be called by pages: what else is in the module stays its own.
"""

from __future__ import annotations

import copy
import inspect
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from functools import update_wrapper
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final, TypeVar, overload

from thywill_server.application.batch import Asked, asked_for, asking
from thywill_server.application.channels import ChannelPattern
from thywill_server.application.commands import (
    ROOT,
    Decoder,
    InvalidMessage,
    argument_decoder,
    fields_decoder,
)
from thywill_server.application.connection import (
    Connection,
    client_states,
    forget,
    only_once,
)
from thywill_server.application.rates import Rate
from thywill_server.client import Client
from thywill_server.encoding import Json
from thywill_server.errors import TooManyRequests

if TYPE_CHECKING:
    from thywill_server.application.app import App, Command

Function = TypeVar("Function", bound=Callable[..., Any])

MODULE: Final = "commands"
"""The module of an application's package that is looked at."""

DEFAULT: Final = "default"
"""The command that answers names which no other one has."""

SLOW_RETRY_SECONDS: Final = 1.0
"""After what time a slow command that found no place may be tried again."""

_MARK: Final = "__thywill_command__"
_TEARDOWN: Final = "__thywill_teardown__"


@dataclass(frozen=True, slots=True)
class Declaration:
    """What `command` says about a function; see there."""

    name: str
    decode: Decoder | None
    form: str
    required: tuple[str, ...]
    channel: ChannelPattern | None
    rate: Rate | None
    timeout_seconds: float | None
    run_once: bool
    is_slow: bool


@overload
def command(name: Function, /) -> Function: ...


@overload
def command(
    name: str | None = None,
    /,
    *,
    required: Iterable[str] = (),
    channel: str | None = None,
    rate: str | None = None,
    timeout: float | None = None,
    run_once: bool = False,
    slow: bool = False,
) -> Callable[[Function], Function]: ...


def command(
    name: Any = None,
    /,
    *,
    required: Iterable[str] = (),
    channel: str | None = None,
    rate: str | None = None,
    timeout: float | None = None,
    run_once: bool = False,
    slow: bool = False,
) -> Any:
    """Mark a function of ``commands.py`` as a command: ``@command`` or ``@command("name", ...)``.

    The function takes the connection, and then nothing; or one argument, which is what the page
    has sent; or arguments after a ``*``, which are the fields of what it has sent. Annotations are
    checked, as those of `App.on`. With three arguments it is a function of 2013: the message, the
    response so far, to be filled or to be left alone for a returned value, and the connection.

    Args:
        name: what pages call it; the function's name by default. The one called ``default``
            answers what no other one does.
        required: fields that the message must have, where annotations do not say so.
        channel: as of `App.on`.
        rate: as of `App.on`.
        timeout: as of `App.on`.
        run_once: whether it runs only once for a page; later it is refused with ``already-run``.
        slow: whether it takes long. Pages send what is slow beside what else they send, and a
            process runs at most ``max_slow_commands`` of it at once, so others never wait for it.

    Raises:
        TypeError: its arguments are none of these.
    """

    def mark(function: Function) -> Function:
        form, decode = _form_of(function)
        declaration = Declaration(
            function.__name__ if name is None else name,
            decode,
            form,
            tuple(required),
            None if channel is None else ChannelPattern(channel),
            None if rate is None else Rate.parse(rate),
            timeout,
            run_once,
            slow,
        )
        setattr(function, _MARK, declaration)
        return function

    if callable(name):
        function, name = name, None
        return mark(function)
    if isinstance(required, str):
        raise TypeError('@command: required is a list of fields, such as required=["text"]')
    if name is not None and (not isinstance(name, str) or not name):
        raise TypeError(f"@command: expected a command's name, got {name!r}")
    if timeout is not None and not 0 < timeout <= 3600:
        raise ValueError(f"@command: timeout: expected seconds, got {timeout!r}")
    return mark


def teardown(function: Function) -> Function:
    """Mark a function of ``commands.py`` that is called when a page has gone.

    It takes the connection and the state that commands have kept for it, a dict by command, which
    is dropped afterwards. It is called as those of `App.on_disconnect` are.
    """
    setattr(function, _TEARDOWN, True)
    return function


def register_commands(app: App, module: ModuleType) -> None:
    """Serve what a module has marked; again for the same module is nothing.

    Raises:
        ValueError: a name is taken.
    """
    members = list(dict.fromkeys(each for each in vars(module).values() if callable(each)))
    marked = [each for each in members if _MARK in getattr(each, "__dict__", ())]
    endings = [each for each in members if _TEARDOWN in getattr(each, "__dict__", ())]
    if app.has_declared_commands or not (marked or endings):
        return
    from thywill_server.application.app import Command  # which knows nothing of this module

    made: dict[str, Command] = {}
    for function in marked:
        declared: Declaration = getattr(function, _MARK)
        if declared.name in app.commands or declared.name in made:
            raise ValueError(f'"{declared.name}" has a function already')
        made[declared.name] = Command(
            _adapted(function, declared, app),
            declared.decode or (lambda content: content),
            declared.channel,
            declared.rate,
            declared.timeout_seconds,
            declared.run_once,
            declared.is_slow,
        )
    app.commands.update(made)
    app.default_command = made.get(DEFAULT)
    app.has_declared_commands = True
    for function in endings:
        app.disconnect_functions.append(_adapted_teardown(function, app))
    app.disconnect_functions.append(forget)


def answers_batches(app: App) -> bool:
    """Whether a message without a command is an object of them, ``{command: argument}``."""
    return app.has_declared_commands and app.message_command is None


def slow_commands(app: App) -> list[str]:
    """Give the commands that pages send beside what else they send."""
    return sorted(name for name, command in app.commands.items() if command.is_slow)


def _as_returned(returned: Any) -> Any:
    return returned


_UNBOUNDED: Final = nullcontext(_as_returned)


class DeclaredBounds:
    """What bounds a command while it runs; one for each process.

    Args:
        max_slow: how many that are declared slow may run at once.
    """

    def __init__(self, max_slow: int) -> None:
        self._places = threading.BoundedSemaphore(max_slow)

    def held(
        self, command: Command, client: Client, name: str | None
    ) -> AbstractContextManager[Callable[[Any], Any]]:
        """Run a command within its bounds; gives what makes its answer of what it returned.

        Args:
            command: which.
            client: who asks.
            name: by which name; None for a message without a command.

        Raises:
            TooManyRequests: it is slow, and as many as may be are running.
            ApplicationError: ``already-run``.
        """
        if name is None and not command.is_slow and asked_for() is None:
            return _UNBOUNDED
        return self._held(command, client, name)

    @contextmanager
    def _held(
        self, command: Command, client: Client, name: str | None
    ) -> Iterator[Callable[[Any], Any]]:
        with ExitStack() as stack:
            finish = stack.enter_context(asking(name))
            if command.is_slow:
                if not self._places.acquire(blocking=False):
                    raise TooManyRequests(SLOW_RETRY_SECONDS)
                stack.callback(self._places.release)
            if command.run_once and name is not None:
                stack.enter_context(only_once(client, name))
            yield finish


def _form_of(function: Callable[..., Any]) -> tuple[str, Decoder | None]:
    """Tell how a function is to be called, and give what reads its argument."""
    parameters = inspect.signature(function).parameters.values()
    named = [each for each in parameters if each.kind is each.KEYWORD_ONLY]
    placed = [
        each
        for each in parameters
        if each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD)
    ]
    name = getattr(function, "__qualname__", repr(function))
    if len(placed) == 3 and not named:
        return "original", None
    if named and len(placed) == 1:
        return "fields", fields_decoder(function)
    if len(placed) in (1, 2) and not named:
        takes_argument = len(placed) == 2
        decode = argument_decoder(function) if takes_argument else None
        return ("argument" if takes_argument else "nothing"), decode
    raise TypeError(
        f"{name}: expected (connection), (connection, argument), (connection, *, field, ...) "
        "or (msg, response, connection)"
    )


def _adapted(function: Callable[..., Any], declared: Declaration, app: App) -> Callable[..., Any]:
    """Give the function as `App.commands` has them: ``(client, message)``."""
    is_async = inspect.iscoroutinefunction(function)

    def call(client: Client, content: Any) -> Any:
        if is_async:
            # Django reads a user when somebody looks; in an event loop it would refuse to.
            _ = client.is_authenticated
        asked = asked_for() or Asked(declared.name)
        connection = Connection(client, app, asked.command)
        if declared.required:
            _require(content, declared.required)
        match declared.form:
            case "original":
                asked.response = copy.deepcopy(asked.answers)
                return function(content, asked.response, connection)
            case "fields":
                return function(connection, **content)
            case "argument":
                return function(connection, content)
        return function(connection)

    return update_wrapper(call, function)


def _require(content: Json, required: Iterable[str]) -> None:
    if not isinstance(content, dict):
        raise InvalidMessage(ROOT, "expected an object")
    for field in required:
        if field not in content:
            raise InvalidMessage(f"{ROOT}.{field}", "missing")


def _adapted_teardown(function: Callable[..., Any], app: App) -> Callable[..., Any]:
    def call(client: Client) -> Any:
        return function(Connection(client, app), client_states(client))

    return update_wrapper(call, function)
