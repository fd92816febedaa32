"""Friendly names for those who have not chosen one, and what a name may be."""

from __future__ import annotations

from random import Random
from typing import Final

from thywill_server.application import ApplicationError

FIRST: Final = (
    "Brave",
    "Calm",
    "Clever",
    "Cozy",
    "Gentle",
    "Happy",
    "Jolly",
    "Lucky",
    "Merry",
    "Mighty",
    "Nimble",
    "Proud",
    "Quick",
    "Shiny",
    "Sleek",
    "Snowy",
)
SECOND: Final = (
    "Auk",
    "Bear",
    "Beluga",
    "Fox",
    "Gull",
    "Hare",
    "Lemming",
    "Loon",
    "Narwhal",
    "Orca",
    "Otter",
    "Owl",
    "Penguin",
    "Puffin",
    "Seal",
    "Tern",
    "Walrus",
)


def suggest(random: Random) -> str:
    """Give a name such as "Jolly Walrus"."""
    return f"{random.choice(FIRST)} {random.choice(SECOND)}"


def clean(name: str, max_characters: int) -> str:
    """Give a name as others read it.

    Raises:
        ApplicationError: nothing is left of it, or it is too long, or cannot be shown.
    """
    line = " ".join(name.split())
    if not line or not line.isprintable() or len(line) > max_characters:
        raise ApplicationError(
            "invalid-message", f"A name is 1 to {max_characters} printable characters."
        )
    return line
