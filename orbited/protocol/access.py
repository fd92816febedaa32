"""Which page may reach which address.

The access list is made of lines ``SOURCE -> HOST:PORT``. The destination is compared as it is
written, without name resolution: ``localhost:61613`` and ``127.0.0.1:61613`` are two entries.
SOURCE is one of

* ``*``: any page of the same origin as this server (and whatever sends no ``Origin``);
* a ``Host`` value, ``localhost:8000``: the same, for requests made under that name;
* an origin, ``https://example.com``: pages of exactly that origin.

A browser sends ``Origin`` with every request that a page of another site could make, so a page
that is neither of the same origin nor listed reaches nothing, whatever the list says.

"Same origin" rests on the name in ``Host``, and anybody may let a name of theirs point to this
machine: their page is then, to a browser, of the same origin as we are (DNS rebinding). So ``*``
counts only under names that are known: addresses, which nobody can let point elsewhere,
``localhost``, the names in the list's own sources, and those that are given as ``hosts``.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import NamedTuple

__all__ = ["AccessList", "AccessRule", "Source"]

ANYONE = "*"


class AccessRule(NamedTuple):
    """One line of the list."""

    source: str
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Source:
    """Who made a request.

    Args:
        host: the ``Host`` header, or "".
        origin: the ``Origin`` header, or None.
        scheme: ``http`` or ``https``, of the request itself.
        address: of the browser, as far as it is known.
    """

    host: str
    origin: str | None = None
    scheme: str = "http"
    address: str = ""

    @property
    def is_foreign(self) -> bool:
        """The page that made the request comes from another origin than this server's."""
        return self.origin is not None and self.origin != f"{self.scheme}://{self.host}"


class AccessList:
    """The rules, ready to be asked.

    Args:
        hosts: names of this server; ``.example.com`` for all below it too, ``*`` for any name.
    """

    def __init__(self, rules: Iterable[AccessRule] = (), hosts: Iterable[str] = ()) -> None:
        self._sources: dict[tuple[str, int], set[str]] = {}
        self._origins: set[str] = set()
        self._hosts = {"localhost", ".localhost", *(host.lower() for host in hosts)}
        for rule in rules:
            self._sources.setdefault((rule.host, rule.port), set()).add(rule.source)
            if "://" in rule.source:
                self._origins.add(rule.source)
            if rule.source != ANYONE:
                self._hosts.add(_name(rule.source.rpartition("://")[2]))

    @property
    def origins(self) -> list[str]:
        """Every origin that is named, in order."""
        return sorted(self._origins)

    def admits(self, source: Source) -> bool:
        """Whether the page may talk to this server at all."""
        return not source.is_foreign or source.origin in self._origins

    def lists_origin(self, origin: str | None) -> bool:
        """Whether the origin is named, so that its pages get CORS headers."""
        return origin in self._origins

    def allows(self, source: Source, host: str, port: int) -> bool:
        """Whether the page may be connected to that address."""
        allowed = self._sources.get((host, port))
        if not allowed:
            return False
        if source.origin is not None and source.origin in allowed:
            return True
        if source.is_foreign:
            return False
        return source.host in allowed or (ANYONE in allowed and self.knows(source.host))

    def knows(self, host: str) -> bool:
        """Whether a ``Host`` is a name of this server, so that ``*`` counts under it."""
        name = _name(host)
        if not name or ANYONE in self._hosts or name in self._hosts:
            return True
        labels = name.split(".")
        if any("." + ".".join(labels[first:]) in self._hosts for first in range(len(labels))):
            return True
        try:
            ip_address(name)
        except ValueError:
            return False
        return True


def _name(host: str) -> str:
    """A ``Host`` without its port, in small letters."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].rstrip(".").lower()
