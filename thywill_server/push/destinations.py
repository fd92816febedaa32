"""The names of destinations: what brokers and tickets compare letter by letter.

Letters, digits and ``-`` stand for themselves; every other byte of a name's UTF-8 is ``_`` and two
hexadecimal digits, since brokers find a meaning in dots, slashes, percent signs and stars. A name
that would become too long is ``__`` and its SHA-256: RabbitMQ takes 255 bytes for all of it.
"""

from __future__ import annotations

import hashlib
from typing import Final

PREFIX: Final = "/topic/thywill."
MAX_ENCODED_CHARACTERS: Final = 100

_PLAIN: Final = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-")


def encoded(name: str) -> str:
    """Give a name as a part of a destination; two names never give the same."""
    data = name.encode("utf-8", "surrogatepass")
    text = "".join(chr(byte) if byte in _PLAIN else f"_{byte:02X}" for byte in data)
    if len(text) <= MAX_ENCODED_CHARACTERS:
        return text
    return f"__{hashlib.sha256(data).hexdigest()}"


def client_destination(client_uuid: str) -> str:
    """Name what one page listens on."""
    return f"{PREFIX}client.{client_uuid}"


def user_destination(user_key: str) -> str:
    """Name what all pages of one user listen on."""
    return f"{PREFIX}user.{encoded(user_key)}"


def application_destination(application: str) -> str:
    """Name what all pages of one application listen on."""
    return f"{PREFIX}application.{encoded(application)}"


def channel_destination(application: str, channel: str) -> str:
    """Name what the pages in one channel listen on."""
    return f"{PREFIX}channel.{encoded(application)}.{encoded(channel)}"
