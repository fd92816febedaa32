"""STOMP on the wire, and a STOMP client for Twisted.

`stompservice.protocol` needs neither Twisted nor anything else; the names below that do
are imported when they are asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stompservice.client import StompClientFactory
    from stompservice.connection import StompProtocol
    from stompservice.service import StompClientService

__all__ = ["StompClientFactory", "StompClientService", "StompProtocol"]

_HOMES = {
    "StompClientFactory": "stompservice.client",
    "StompClientService": "stompservice.service",
    "StompProtocol": "stompservice.connection",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
