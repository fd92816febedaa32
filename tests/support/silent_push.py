"""A push component that is not well and says nothing."""

from typing import Any

from thywill_server.client import Client
from thywill_server.push.base import PushComponent


class SilentPush(PushComponent):
    """Takes everything, delivers nothing."""

    def publish(self, destination: str, message: Any, event: str | None = None) -> None:
        """Drop it."""

    def ticket(self, client: Client) -> str:
        """Give a ticket that opens nothing."""
        return "ticket"

    def destination_of(self, client_uuid: str) -> str:
        """Name what nobody listens on."""
        return client_uuid

    def health(self) -> dict[str, Any]:
        """Say that it has failed, and more than strangers should hear."""
        return {"status": "failed", "reason": "on purpose"}
