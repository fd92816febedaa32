"""One page in one browser, as an application sees it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from thywill_server.encoding import Json

NO_DATA: Final[Any] = type("NoData", (), {"__repr__": lambda self: "NO_DATA"})()
"""Tells ``send("hello")``, a message, from ``send("hello", None)``, an event with null as data."""

Sender = Callable[[str, Any, Any], None]
"""``(client uuid, message or event, data)``; what ``Client.send`` hands on to."""


@dataclass(slots=True)
class Client:
    """One page in one browser; a reload or a second tab is another client.

    Attributes:
        uuid: names this page load; its push destination is made from it.
        session_key: the Django session's key; shared by all tabs of one browser, and another one
            after a log-in.
        session_identity: a random text that stands for the session from its first page to its end:
            it outlives a log-in, which changes the key, and ends with a log-out.
        user: ``request.user``; anonymous visitors have Django's AnonymousUser.
        application: the name of the application that the page shows.
        transport: the transport the page asked for, or None to let it choose.
        sender: set by the application component, so that ``send`` works.
        state_source: the same, for ``state``.
        ender: the same, for ``disconnect``.
    """

    uuid: str
    session_key: str | None
    user: Any
    application: str
    transport: str | None = None
    session_identity: str | None = field(default=None, repr=False)
    sender: Sender | None = field(default=None, repr=False, compare=False)
    state_source: Callable[[], Any] | None = field(default=None, repr=False, compare=False)
    ender: Callable[[], None] | None = field(default=None, repr=False, compare=False)

    @property
    def is_authenticated(self) -> bool:
        """Whether somebody is logged in."""
        return bool(getattr(self.user, "is_authenticated", False))

    def send(self, message_or_event: Json, data: Json = NO_DATA) -> None:
        """Push to this page: ``send(message)``, or ``send(event, data)`` for a named event.

        Inside a database transaction it waits for the commit; a roll-back sends nothing.

        Raises:
            PushUnavailable: the push queue is full.
        """
        if self.sender is None:
            raise RuntimeError("this client was not given to an application yet: it cannot send")
        self.sender(self.uuid, message_or_event, data)

    def disconnect(self) -> None:
        """End this page's connection within a second, and let it in no more until it is reloaded.

        Raises:
            PushUnavailable: the push queue is full.
        """
        if self.ender is None:
            raise RuntimeError("this client was not given to an application yet: it has no ending")
        self.ender()

    @property
    def state(self) -> Any:
        """Values kept for this page, used like ``app.state``; forgotten some time after it is gone.

        See the settings ``max_state_bytes`` and ``client_state_seconds``.
        """
        if self.state_source is None:
            raise RuntimeError("this client was not given to an application yet: it has no state")
        return self.state_source()
