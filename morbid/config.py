"""The configuration file: lines ``option=value``.

::

    # morbid.cfg
    port=61613
    authenticator=thywill_server.push.orbited_stomp.tickets.TicketAuthenticator
    authenticator.key_file=.thywill/ticket.key
    max_body_bytes=65536

Blank lines and lines that begin with ``#`` are passed over. Relative paths are meant from
the folder of the file. Whatever is wrong ends in a ``ConfigurationError`` that names
the file and the line.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Final

from morbid.errors import ConfigurationError
from morbid.limits import Limits

DEFAULT_PORT: Final = 61613
DEFAULT_INTERFACE: Final = "127.0.0.1"

OPTIONS: Final = {
    "port": f"TCP port to listen on (default: {DEFAULT_PORT})",
    "interface": f"address to listen on; empty for all (default: {DEFAULT_INTERFACE}, so that "
    "only programs on this machine can connect)",
    "verbose": "log every connection: yes or no (default: no)",
    "authenticator": "class that decides who comes in, by dotted path; authenticator.NAME=VALUE "
    "is handed to it (default: everybody comes in)",
    "authorizer": "class that decides what they may do, by dotted path; authorizer.NAME=VALUE is "
    "handed to it (default: the authenticator if it can, else everything is allowed)",
    "password_file": "file with lines NAME:HASH:GROUP,GROUP (morbid --hash-password makes one), "
    "as authenticator",
    "rights_file": "file with lines GROUP RIGHTS DESTINATION, as authorizer",
    "auth": "security module of MorbidQ 0.8, a Python file with a class Parms",
    "restq": "URL of a RestQ service, which sees and may refuse or change each message",
    "restq_seconds": "how long a RestQ callback may take; then it has refused (default: 5)",
    "advisory_destination": "where to tell the site who connects, subscribes, unsubscribes and "
    "disconnects (default: nowhere)",
    "control_destination": "where the site may SEND disconnect-login or disconnect-session "
    "(default: nowhere)",
    "site_logins": "logins that may use the two, separated by commas (default: none)",
}
"""What can be set beside the limits (see ``morbid.limits``), and what it means."""

PREFIXES: Final = ("authenticator.", "authorizer.")


@dataclass(frozen=True, slots=True)
class Configuration:
    """Options as text, and where they come from.

    Attributes:
        options: by name.
        directory: what relative paths are relative to.
        places: ``FILE:LINE`` of each option, where there is a file.
    """

    options: Mapping[str, str] = field(default_factory=dict)
    directory: Path = field(default_factory=Path.cwd)
    places: Mapping[str, str] = field(default_factory=dict)

    def error(self, option: str, problem: str) -> ConfigurationError:
        """Build an error that says where the option is."""
        place = self.places.get(option)
        return ConfigurationError(f"{place}: {problem}" if place else problem)

    def overridden(self, given: Mapping[str, str]) -> Configuration:
        """The same with some options from elsewhere: relative paths in those are as usual."""
        paths = {name: str(Path(given[name]).absolute()) for name in ("auth",) if name in given}
        places = {name: place for name, place in self.places.items() if name not in given}
        return Configuration({**self.options, **given, **paths}, self.directory, places)

    def text(self, option: str, default: str = "") -> str:
        """The value of an option, or its default."""
        return self.options.get(option, default)

    def flag(self, option: str) -> bool:
        """A yes or no, no by default."""
        word = self.text(option, "no").lower()
        if word in {"1", "yes", "true", "on"}:
            return True
        if word in {"0", "no", "false", "off", ""}:
            return False
        raise self.error(option, f"{option}: expected yes or no, got {word!r}")

    def number(self, option: str, default: float, at_least: float, at_most: float) -> float:
        """A number within bounds."""
        text = self.text(option, str(default))
        try:
            value = float(text)
        except ValueError:
            value = at_least - 1
        if not at_least <= value <= at_most:
            raise self.error(
                option, f"{option}: expected a number from {at_least} to {at_most}, got {text!r}"
            )
        return value

    def port(self) -> int:
        """Where to listen; 0 is a free one."""
        return int(self.number("port", DEFAULT_PORT, 0, 65_535))

    def path(self, option: str) -> Path:
        """A file that an option names."""
        return self.directory / Path(self.text(option)).expanduser()

    def group(self, prefix: str) -> dict[str, str]:
        """The options that begin with a prefix, without it."""
        return {
            name.removeprefix(prefix): value
            for name, value in self.options.items()
            if name.startswith(prefix)
        }

    def limits(self) -> Limits:
        """All bounds; what is not set has its default."""
        for bound in fields(Limits):
            if bound.name in self.options:
                try:
                    Limits.from_options({bound.name: self.options[bound.name]})
                except ConfigurationError as error:
                    raise self.error(bound.name, str(error)) from None
        return Limits.from_options(self.options)

    def site_logins(self) -> frozenset[str]:
        """Who the site itself is."""
        names = (name.strip() for name in self.text("site_logins").split(","))
        return frozenset(name for name in names if name)


def read_configuration(
    source: str | os.PathLike[str] | Mapping[str, str] | None = None,
) -> Configuration:
    """Read a file, or take a mapping with the same options, or nothing at all.

    Raises:
        ConfigurationError: the file cannot be read, a line is wrong, an option unknown.
    """
    if source is None:
        return Configuration()
    if isinstance(source, Mapping):
        configuration = Configuration({name: str(value) for name, value in source.items()})
    else:
        configuration = _read_file(Path(source))
    for name in configuration.options:
        _check_known(configuration, name)
    return configuration


def _read_file(path: Path) -> Configuration:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8"
        raise ConfigurationError(f"cannot read the configuration {path}: {reason}") from None
    options: dict[str, str] = {}
    places: dict[str, str] = {}
    for number, raw_line in enumerate(lines, start=1):
        line = raw_line.strip()
        if not line or line.startswith("#"):
            continue
        name, equals, value = (part.strip() for part in line.partition("="))
        place = f"{path}:{number}"
        if not equals or not name:
            raise ConfigurationError(f"{place}: expected option=value, got {line!r}")
        if name in options:
            raise ConfigurationError(f"{place}: {name} was set before, in {places[name]}")
        options[name], places[name] = value, place
    return Configuration(options, path.absolute().parent, places)


def _check_known(configuration: Configuration, name: str) -> None:
    known = [*OPTIONS, *(bound.name for bound in fields(Limits))]
    if name in known or name.startswith(PREFIXES):
        return
    close = difflib.get_close_matches(name, known, n=1)
    hint = f", did you mean {close[0]}?" if close else ""
    raise configuration.error(name, f"there is no option {name!r}{hint}")
