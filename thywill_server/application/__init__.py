"""What applications are written with; see `App` for the two ways to write one."""

from thywill_server.application.app import App
from thywill_server.application.connection import Connection
from thywill_server.application.declared_commands import command, teardown
from thywill_server.application.ending import disconnect
from thywill_server.application.own_settings import own_settings
from thywill_server.application.presence import connected, presence
from thywill_server.application.publishing import (
    ChannelEvent,
    ahistory,
    apublish,
    broadcast,
    flush,
    history,
    publish,
    send_message_to_client,
    to_client,
    to_subset,
    to_user,
)
from thywill_server.application.remote import Broker, RemoteApplication, broker
from thywill_server.client import Client
from thywill_server.client_configuration import ClientConfiguration
from thywill_server.errors import ApplicationError, PushUnavailable

__all__ = [
    "App",
    "ApplicationError",
    "Broker",
    "ChannelEvent",
    "Client",
    "ClientConfiguration",
    "Connection",
    "PushUnavailable",
    "RemoteApplication",
    "ahistory",
    "apublish",
    "broadcast",
    "broker",
    "command",
    "connected",
    "disconnect",
    "flush",
    "history",
    "own_settings",
    "presence",
    "publish",
    "send_message_to_client",
    "teardown",
    "to_client",
    "to_subset",
    "to_user",
]
