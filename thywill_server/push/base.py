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
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from thywill_server.component import Component
from thywill_server.encoding import Json, encode_json, encode_text
from thywill_server.errors import PushUnavailable

if TYPE_CHECKING:
    from thywill_server.client import Client

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

    @abstractmethod
    def ticket(self, client: Client) -> str:
        """Give the token that lets this client listen on its destination, for a short time."""

    @abstractmethod
    def destination_of(self, client_uuid: str) -> str:
        """Name the destination that only this client listens on."""
