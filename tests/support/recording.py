"""Components that do the least their contract allows, for tests of the parts around them.

They are imported by dotted path, as in ``settings.py``: ``tests.support.recording.RecordingPush``.
"""

from __future__ import annotations

from typing import Any

from thywill_server.client import Client
from thywill_server.client_interface.base import ClientInterfaceComponent
from thywill_server.database.base import DatabaseComponent
from thywill_server.encoding import Json
from thywill_server.errors import PushUnavailable
from thywill_server.log.base import LogComponent
from thywill_server.push.base import PushComponent, PushMessage


class RecordingPush(PushComponent):
    """Remembers what was published, in order; refuses it when ``is_full``."""

    def __init__(self, settings: Any, **collaborators: Any) -> None:
        super().__init__(settings, **collaborators)
        self.published: list[tuple[str, PushMessage]] = []
        self.is_full = False

    def publish(
        self, destination: str, message: PushMessage | Json, event: str | None = None
    ) -> None:
        """Remember one message."""
        if self.is_full:
            raise PushUnavailable
        self.published.append((destination, PushMessage.of(message, event)))

    def ticket(self, client: Client) -> str:
        """Give something that is no secret."""
        return f"ticket of {client.uuid}"

    def destination_of(self, client_uuid: str) -> str:
        """Name a client's destination."""
        return f"to {client_uuid}"

    @property
    def bodies(self) -> list[bytes]:
        """What was published, bodies only."""
        return [message.body for _, message in self.published]


class NullLog(LogComponent):
    """Writes nothing."""

    def handler_config(self) -> dict[str, Any]:
        """Give a handler that drops every record."""
        return {"class": "logging.NullHandler"}


class MemoryDatabase(DatabaseComponent):
    """Forgets everything."""

    def django_database(self) -> dict[str, Any]:
        """Give SQLite in memory."""
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}


class PlainInterface(ClientInterfaceComponent):
    """Adds nothing of its own."""


RECORDING: dict[str, dict[str, Any]] = {
    "application": {"component": "thywill_server.application.local_python.LocalPython"},
    "client_interface": {"component": "tests.support.recording.PlainInterface"},
    "database": {"component": "tests.support.recording.MemoryDatabase"},
    "log": {"component": "tests.support.recording.NullLog"},
    "push": {"component": "tests.support.recording.RecordingPush"},
}
"""A whole ``THYWILL`` of these; the application's ``packages`` are the test's."""
