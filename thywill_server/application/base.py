"""The contract of application components: what clients' messages mean.

A complete one, which knows a single application and greets::

    class Greeter(ApplicationComponent):
        def application_names(self):
            return ["greeter"]

        def receive(self, client, message):
            self.push.push(client.uuid, f"Hello, {message.content}!")
            return {"greeted": True}
"""

from __future__ import annotations

import time
from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final, cast

from thywill_server.component import Component
from thywill_server.encoding import Json
from thywill_server.errors import ApplicationError, Refusal

if TYPE_CHECKING:
    from thywill_server.client import Client
    from thywill_server.push.base import PushComponent

__all__ = [
    "PING",
    "ApplicationComponent",
    "ApplicationError",
    "ClientMessage",
    "FoundChannel",
    "Join",
    "Listing",
]

PING: Final = "thywill.ping"
"""The command that no application gets, and the event that answers it."""


@dataclass(frozen=True, slots=True)
class ClientMessage:
    """A message from a client, read but not yet understood.

    Attributes:
        id: the page's own number for it; a repeated message has the same.
        command: the handler it asks for, or None for a plain message.
        content: text, or any JSON value.
    """

    id: str | None
    command: str | None
    content: Json


@dataclass(frozen=True, slots=True)
class Join:
    """What a page asks when it joins a channel, fetches what it missed, or renews its ticket.

    Attributes:
        channel: the channel's name.
        after: epoch and offset of the last message it has, or None.
        replay: without ``after``, how many of the newest messages it wants; None: the usual.
    """

    channel: str
    after: tuple[str, int] | None = None
    replay: int | None = None


@dataclass(frozen=True, slots=True)
class FoundChannel:
    """A channel of an application, and how many messages its history keeps.

    Attributes:
        application: whose.
        name: the channel's.
        history: how many messages are kept.
        presence: whether it is noted who is there.
    """

    application: str
    name: str
    history: int
    presence: bool = False


@dataclass(frozen=True, slots=True)
class Listing:
    """What the site's index page says of one application.

    Attributes:
        name: the one in addresses.
        title: for people.
        description: one sentence, or empty.
        icon: a picture, as a path below the site's static files; None: its first letter will do.
        is_silent: whether it is another process that has left messages unanswered.
    """

    name: str
    title: str
    description: str = ""
    icon: str | None = None
    is_silent: bool = False


class ApplicationComponent(Component):
    """Runs the applications: takes each client's messages and prepares each client's page.

    Everything here is called in web threads, several at a time.
    """

    SECTION: ClassVar[str] = "application"

    @property
    def push(self) -> PushComponent:
        """The push component, for what applications send."""
        return cast("PushComponent", self.collaborators["push"])

    @property
    def publisher(self) -> Any:
        """The connection by which other processes are reached, a `Publisher`; None without one."""
        return getattr(self.collaborators.get("push"), "publisher", None)

    @abstractmethod
    def application_names(self) -> list[str]:
        """List the names under ``/thywill/init/NAME/``, in alphabetical order."""

    def listings(self) -> list[Listing]:
        """Tell of each application what the index page shows, in the order of its names."""
        return [Listing(name, name) for name in self.application_names()]

    @property
    def default_application(self) -> str | None:
        """The name that ``/thywill/init/`` serves; None when there is no application."""
        return next(iter(self.application_names()), None)

    @abstractmethod
    def receive(self, client: Client, message: ClientMessage) -> Json:
        """Handle one message of one client.

        Returns:
            the reply, built of plain JSON values, or None.

        Raises:
            ApplicationError: refused, in words for the browser.
            PushUnavailable: handled, but what it sent could not be queued.
            Exception: the application failed; the caller logs it and the browser reads
                ``application-failed`` only.
        """

    def ping(self, client: Client, content: Json) -> dict[str, Json]:
        """Push to a client what it has sent, the way the applications do; for `thywill doctor`.

        Returns:
            ``called_at`` and ``pushed_at``, in seconds since the epoch: when a function of an
            application would have been called, and when the push component had the message.
        """
        called_at = time.time()
        self.push.push(client.uuid, content, PING)
        return {"called_at": called_at, "pushed_at": time.time()}

    def find_channel(self, name: str, application: str | None = None) -> FoundChannel:
        """Find a channel by its name.

        Args:
            name: the channel's.
            application: whose; None: of whichever application has such channels.

        Raises:
            ValueError: there is none, or several applications have such channels.
        """
        raise ValueError(f'no application has a channel "{name:.80}"')

    def join(self, client: Client, request: Join) -> dict[str, Json]:
        """Let a client into a channel, or say why not.

        Returns:
            the fields of the answer, see ``documentation/reference/wire.md``.

        Raises:
            Refusal: ``unknown-channel`` or ``not-allowed``, or what the application raises.
        """
        raise Refusal("unknown-channel")

    def present(self, client: Client, channel: str) -> dict[str, Json]:
        """Tell a client who is in a channel: ``channel`` and ``presence``.

        Raises:
            Refusal: as of `join`; ``not-found``: nobody notes who is there.
        """
        raise Refusal("unknown-channel")

    def serve(self) -> None:
        """Begin with what only a process does that answers requests; once, after ``start``."""

    def client_connected(self, client: Client) -> None:
        """Note that a page has connected; outside of requests, in a thread of its own."""

    def client_disconnected(self, client: Client) -> None:
        """Note that a page has gone; likewise."""

    def leave(self, client: Client, channel: str) -> None:
        """Note that a client has left a channel."""
