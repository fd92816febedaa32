"""Groups, and what they may do where.

A file of lines ``GROUP RIGHTS DESTINATION``::

    # group     rights   destination
    site        crw      *
    everybody   r        /topic/news
    everybody   crw      /queue/home/{login}/*

RIGHTS are letters: ``c`` create (be the first to use a destination), ``r`` read
(SUBSCRIBE), ``w`` write (SEND). A ``*`` at the end of DESTINATION stands for anything that
follows, ``{login}`` for one's own name, the group ``everybody`` for all who were let in.
What no line allows is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from morbid.errors import ConfigurationError
from morbid.mqsecurity import Operation
from morbid.passwords import read_lines

EVERYBODY: Final = "everybody"
LETTERS: Final[dict[str, str]] = {"create": "c", "subscribe": "r", "send": "w"}


@dataclass(frozen=True, slots=True)
class Right:
    """One line of the file."""

    group: str
    letters: str
    destination: str

    def covers(self, login: str, destination: str) -> bool:
        """Whether it speaks of this destination, for this login."""
        meant = self.destination.removesuffix("*")
        if "{login}" in meant:
            # "/queue/home/{login}/*" must not lead to somebody else's home.
            if not login or "/" in login:
                return False
            meant = meant.replace("{login}", login)
        if self.destination.endswith("*"):
            return destination.startswith(meant)
        return destination == meant


class GroupRights:
    """An authorizer that goes by the groups of an identity."""

    def __init__(self, rights: Iterable[Right]) -> None:
        self._by_group: dict[str, list[Right]] = {}
        for right in rights:
            self._by_group.setdefault(right.group, []).append(right)

    @classmethod
    def read(cls, path: Path) -> GroupRights:
        """Read a file.

        Raises:
            ConfigurationError: it cannot be read, or a line is wrong.
        """
        rights = []
        for place, line in read_lines(path):
            words = line.split()
            if len(words) != 3 or not set(words[1]) <= set(LETTERS.values()):
                raise ConfigurationError(
                    f"{place}: expected GROUP RIGHTS DESTINATION with rights out of c, r, w, "
                    f"got {line!r}"
                )
            if "{login}*" in words[2]:
                raise ConfigurationError(
                    f"{place}: {{login}}* also means longer names that begin with it; "
                    "expected something between the two, such as {login}/*"
                )
            rights.append(Right(*words))
        return cls(rights)

    def authorize(
        self, identity: Any, operation: Operation, destination: str, headers: Mapping[str, str]
    ) -> bool:
        """Look for a line that allows it."""
        letter = LETTERS[operation]
        return any(
            letter in right.letters and right.covers(identity.name, destination)
            for group in (EVERYBODY, *getattr(identity, "groups", ()))
            for right in self._by_group.get(group, ())
        )
