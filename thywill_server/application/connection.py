"""What a command function gets of the page that asked: its state, the state of all, ways to send.

::

    @command
    def rename(connection, name: str):
        connection.update_connection_state(name=name)                  # of this page and command
        total = connection.update_global_state(_count)                 # of the application, locked
        connection.send_to_subset(connection.everyone_else(), {"renamed": name})
        return total

It is a view of the framework's own: connection state is kept in ``client.state``, global state is
``app.state``, and messages are pushed as `broadcast` and `to_subset` push them. Each access to a
state is a query; in ``async`` functions use ``sync_to_async``, as with the ORM.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, TypeVar, overload

from thywill_server.application.presence import connected
from thywill_server.application.publishing import broadcast, to_subset
from thywill_server.client import Client
from thywill_server.encoding import Json
from thywill_server.errors import ApplicationError

if TYPE_CHECKING:
    from thywill_server.application.app import App

Result = TypeVar("Result")

STATE: Final = "commands"
"""The name in ``client.state`` under which everything of this module is."""


class Truth:
    """True or false, as it is or called: ``is_authenticated`` and ``is_authenticated()``.

    The first is how Django spells it today, the second how it was spelled in 2013. A plain method
    would let everybody in where the parentheses are forgotten.
    """

    def __init__(self, is_true: bool) -> None:
        self._is_true = is_true

    def __bool__(self) -> bool:
        return self._is_true

    __call__ = __bool__

    def __eq__(self, other: object) -> bool:
        return self._is_true == (bool(other) if isinstance(other, Truth) else other)

    def __hash__(self) -> int:
        return hash(self._is_true)

    def __repr__(self) -> str:
        return repr(self._is_true)


class Connection:
    """One page, as a command function sees it; functions get it, nobody makes it.

    Attributes:
        client: the page; see `Client`.
        command: the command that was asked for; None in a teardown function.
    """

    def __init__(self, client: Client, app: App, command: str | None = None) -> None:
        self.client = client
        self.command = command
        self._app = app

    def __repr__(self) -> str:
        return f"<Connection {self.client.uuid} {self.command}>"

    @property
    def user(self) -> Any:
        """The user of the page's Django session; `AnonymousUser` for visitors."""
        return self.client.user

    @property
    def is_authenticated(self) -> Truth:
        """Whether somebody is logged in; may be called, too."""
        return Truth(self.client.is_authenticated)

    # The state of this page.

    def get_connection_state(self, of: str | None = None) -> dict[str, Json]:
        """Give what this page keeps for the running command, or for another one.

        Args:
            of: the other command. In a teardown function, which belongs to none, the default is
                all of them: a dict by command.
        """
        states = client_states(self.client)
        name = of or self.command
        found: dict[str, Json] = states if name is None else states.get(name, {})
        return found

    def update_connection_state(
        self, values: Mapping[str, Json] | None = None, /, **more: Json
    ) -> dict[str, Json]:
        """Set values for this page and the running command; gives all that it has then.

        Raises:
            RuntimeError: no command is running.
        """
        if self.command is None:
            raise RuntimeError("connection state is set by commands, and none is running")
        with self.client.state.update() as kept:
            states = kept.setdefault(STATE, {}).setdefault("states", {})
            own: dict[str, Json] = states.setdefault(self.command, {})
            own.update(values or {}, **more)
            return dict(own)

    # The state of all pages.

    def get_global_state(self) -> dict[str, Json]:
        """Give a copy of what all pages of the application share."""
        return self._app.state.as_dict()

    @overload
    def update_global_state(self, change: Callable[[dict[str, Json]], Result], /) -> Result: ...

    @overload
    def update_global_state(
        self, change: Mapping[str, Json] | None = None, /, **more: Json
    ) -> dict[str, Json]: ...

    def update_global_state(self, change: Any = None, /, **more: Json) -> Any:
        """Change what all pages share; nobody else changes it meanwhile, in no process.

        Args:
            change: values to set; or a function that is given all values, to change them in place.
            more: further values to set.

        Returns:
            what the function returns; without a function, all values.

        Raises:
            ValueError: they are larger than the setting ``max_state_bytes``; nothing was changed.
        """
        with self._app.state.update() as values:
            if callable(change):
                return change(values)
            values.update(change or {}, **more)
            return dict(values)

    # Sending.

    def send(self, message: Json) -> None:
        """Push an object of ``{name: value}`` to this page: its listeners for the names hear it."""
        self.client.send(message)

    def broadcast(self, message: Json) -> None:
        """Push to every page of the application, this one too."""
        broadcast(message, application=self._app.name)

    def send_to_subset(
        self, connections: Iterable[Connection | Client | str], message: Json
    ) -> None:
        """Push to some pages, each once: connections, clients or their uuids."""
        to_subset([_client_of(each) for each in connections], message)

    def everyone(self) -> list[str]:
        """Give the uuids of the application's pages that are connected, in every process."""
        return connected(application=self._app.name)

    def everyone_else(self) -> list[str]:
        """Give the same without this page."""
        return [uuid for uuid in self.everyone() if uuid != self.client.uuid]


def client_states(client: Client) -> dict[str, Any]:
    """Give the connection state of every command."""
    states: dict[str, Any] = client.state.get(STATE, {}).get("states", {})
    return states


@contextmanager
def only_once(client: Client, command: str) -> Iterator[None]:
    """Run a command's first call for this page; what fails may be tried again.

    Raises:
        ApplicationError: ``already-run``.
    """
    with client.state.update() as kept:
        ran = kept.setdefault(STATE, {}).setdefault("ran", [])
        if command in ran:
            raise ApplicationError("already-run")
        ran.append(command)
    try:
        yield
    except BaseException:
        with client.state.update() as kept:
            kept[STATE]["ran"].remove(command)
        raise


def forget(client: Client) -> None:
    """Drop what commands have kept for a page that is gone."""
    if STATE in client.state:
        del client.state[STATE]


def _client_of(connection: Connection | Client | str) -> Client | str:
    return connection.client if isinstance(connection, Connection) else connection
