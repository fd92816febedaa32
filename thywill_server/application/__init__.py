"""What applications are written with; see `App` for the two ways to write one."""

from thywill_server.application.app import App, send_message_to_client, to_client
from thywill_server.client import Client
from thywill_server.client_configuration import ClientConfiguration
from thywill_server.errors import ApplicationError, PushUnavailable

__all__ = [
    "App",
    "ApplicationError",
    "Client",
    "ClientConfiguration",
    "PushUnavailable",
    "send_message_to_client",
    "to_client",
]
