"""The contract of push components: messages from the site to the browsers.

A push component takes a message in any thread, in order, and gets it to whoever listens on its
destination. A complete one, which shouts at everybody on the server's terminal::

    class Shout(PushComponent):
        def publish(self, destination, message, event=None):
            print(destination, PushMessage.of(message, event).body.decode())

        def ticket(self, client):
            return ""

        def destination_of(self, client_uuid):
            return f"shout.{client_uuid}"
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from thywill_server.component import Component
from thywill_server.encoding import Json, encode_json, encode_text
from thywill_server.errors import PushUnavailable
from thywill_server.push import destinations

if TYPE_CHECKING:
    from thywill_server.client import Client
    from thywill_server.connections.base import Reporting

__all__ = ["JSON_TYPE", "TEXT_TYPE", "PushComponent", "PushMessage", "PushUnavailable"]

TEXT_TYPE = "text/plain; charset=utf-8"
JSON_TYPE = "application/json"


@dataclass(frozen=True, slots=True)
class PushMessage:
    """A message ready for the wire: encoded once, whoever gets it.

    Attributes:
        body: the bytes that arrive.
        content_type: ``application/json`` reaches the page parsed, anything else as text.
        event: the event's name, or None for a plain message.
        headers: further headers for the wire.
    """

    body: bytes
    content_type: str
    event: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, value: PushMessage | Json, event: str | None = None) -> PushMessage:
        """Encode a value: text stays text, anything else, and any event's data, becomes JSON.

        A ready message is returned as it is, with its event replaced when one is given.

        Raises:
            TypeError: JSON has no form for the value.
            ValueError: it holds NaN or an infinity; or the event's name is empty or has control
                characters.
        """
        if event is not None and (not event or not event.isprintable()):
            raise ValueError(f"event name: expected printable text, got {event!r}")
        if isinstance(value, PushMessage):
            if event is None or event == value.event:
                return value
            return cls(value.body, value.content_type, event, value.headers)
        if isinstance(value, str) and event is None:
            return cls(encode_text(value), TEXT_TYPE)
        return cls(encode_json(value), JSON_TYPE, event)

    def wire_headers(self) -> dict[str, str]:
        """Give the headers that travel with the body: content type, event, and the further ones."""
        headers = {"content-type": self.content_type}
        if self.event is not None:
            headers["event"] = self.event
        headers.update(self.headers)
        return headers


class PushComponent(Component):
    """Gets messages from the site to the browsers.

    ``publish`` and ``push`` return at once, in any thread; two calls in one thread arrive in their
    order. They know nothing of database transactions: ``thywill_server.application`` does.
    """

    SECTION: ClassVar[str] = "push"

    def push(self, client_uuid: str, message: PushMessage | Json, event: str | None = None) -> None:
        """Send to one client. Raises what `publish` raises."""
        self.publish(self.destination_of(client_uuid), message, event)

    @abstractmethod
    def publish(
        self, destination: str, message: PushMessage | Json, event: str | None = None
    ) -> None:
        """Send to everyone who listens on a destination.

        Raises:
            PushUnavailable: at once, in the calling thread, when the queue is full.
            TypeError, ValueError: the message has no form on the wire, see `PushMessage.of`.
        """

    def flush(self, timeout_seconds: float = 5.0) -> None:
        """Wait until all that was published in this process is out of it, for a clean end.

        In any thread but a reactor's. A component that holds nothing back has nothing to do.

        Raises:
            PushUnavailable: it is not, in that time.
        """

    @property
    def reaches_other_processes(self) -> bool:
        """Whether what is published here reaches the pages that other processes serve."""
        return True

    @property
    def monitor_url(self) -> str | None:
        """Where people of this machine can watch the push server; None: nowhere."""
        return None

    @abstractmethod
    def ticket(self, client: Client) -> str:
        """Give the token that lets this client listen on its destination, for a short time."""

    @abstractmethod
    def destination_of(self, client_uuid: str) -> str:
        """Name the destination that only this client listens on."""

    def destinations_of(self, client: Client) -> list[str]:
        """Name all that a page listens on from the beginning; its own destination comes first."""
        found = [self.destination_of(client.uuid)]
        found.append(self.application_destination(client.application))
        if client.is_authenticated:
            found.append(self.user_destination(str(client.user.pk)))
        return found

    def user_destination(self, user_key: str) -> str:
        """Name the destination that all pages of a user listen on; the key is text."""
        return destinations.user_destination(user_key)

    def application_destination(self, application: str) -> str:
        """Name the destination that all pages of an application listen on."""
        return destinations.application_destination(application)

    # Channels.

    @property
    def ticket_seconds(self) -> float | None:
        """How long tickets are good; None when there are none."""
        return self.settings.get("ticket_seconds")

    def channel_destination(self, application: str, channel: str) -> str:
        """Name the destination that those in a channel listen on."""
        return destinations.channel_destination(application, channel)

    def channel_ticket(self, client: Client, destination: str) -> str:
        """Let a client listen on a channel's destination, for a short time; gives the token.

        Whether it may is the caller's to know.
        """
        return ""

    def leave(self, client: Client, destination: str) -> None:
        """Note that a page does not listen on a channel's destination any more."""

    # Connections.

    @property
    def reports_connections(self) -> bool:
        """Whether it hears of connections by itself; if not, pages say that they are there."""
        return False

    def report_to(self, reporting: Reporting | None) -> None:
        """Report connections from now on, or, with None, no more."""

    @property
    def live_broker(self) -> str | None:
        """The broker whose reports reach this process; None when there is none, or no telling."""
        return None

    def ask_who_is_there(self) -> None:
        """Have the broker report all connections."""

    def renewal_destination(self, client_uuid: str) -> str:
        """Name the destination that a client subscribes to with a new ticket; empty for none."""
        return ""

    def disconnect(self, client_uuids: Iterable[str], session: str = "") -> None:
        """End the connections of clients at once, and let them connect no more.

        Args:
            client_uuids: whose.
            session: the claim of their browser session, when it is the session that has ended.

        Raises:
            PushUnavailable: the queue is full.
        """
