"""Reading ``orbited.cfg``, or a mapping that holds the same words.

::

    [global]
    session.ping_interval = 30      # key = value; everything behind a # is dropped
    [listen]
    http://127.0.0.1:8001           # one address per line
    [access]
    * -> 127.0.0.1:61613            # one rule per line
    https://example.com -> 127.0.0.1:61613

A key may stand in its own section (``[session]`` ``ping_interval``) or, as it always could, in
``[global]`` with the section in front (``session.ping_interval``). What is not known is an error
that names file and line, except in ``[log]``, which older files have and nobody ever read.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from orbited.bridge_settings import WebSocketSettings
from orbited.errors import ConfigurationError
from orbited.fields import convert, fields_of, nearest, spelling, words
from orbited.protocol.access import AccessRule
from orbited.protocol.settings import SessionSettings
from orbited.settings import (
    LEVELS,
    Config,
    GlobalSettings,
    HttpSettings,
    Limits,
    Listener,
    LoggingSettings,
    ProxySettings,
    SslSettings,
    SystemSettings,
    TestSettings,
)
from orbited.transports.base import TransportSettings

__all__ = [
    "LISTEN_SCHEMES",
    "SEARCH_PATH",
    "SECTIONS",
    "find",
    "find_mistakes",
    "from_mapping",
    "from_text",
    "load",
]

#: Where a configuration is looked for when no file is named.
SEARCH_PATH = ("orbited.cfg", "/etc/orbited.cfg", "/Program Files/Orbited/etc/orbited.cfg")

#: Sections whose keys are the fields of a class.
SECTIONS: dict[str, type[Any]] = {
    "global": GlobalSettings,
    "session": SessionSettings,
    "limits": Limits,
    "transports": TransportSettings,
    "proxy": ProxySettings,
    "http": HttpSettings,
    "ssl": SslSettings,
    "logging": LoggingSettings,
    "system": SystemSettings,
    "test": TestSettings,
    "websocket": WebSocketSettings,
}

LISTEN_SCHEMES = ("http", "https", "stomp", "echo", "lineecho", "rude", "announce", "monitor")

#: Sections that are lists, or read otherwise; ``[log]`` is one of older files, and of no effect.
_OTHER_SECTIONS = ("listen", "access", "static", "loggers", "log")


class _Reader:
    """Collects entries and mistakes, and makes a ``Config``; every mistake names its place."""

    def __init__(self, path: str | None) -> None:
        self._path = path
        self._values: dict[str, dict[str, Any]] = {name: {} for name in SECTIONS}
        self._listen: list[Listener] = []
        self._access: list[AccessRule] = []
        self._static: dict[str, str] = {}
        self._loggers: dict[str, tuple[str, ...]] = {}
        self._lines: dict[tuple[str, str], int] = {}
        self.mistakes: list[ConfigurationError] = []

    def read(self, text: str) -> None:
        """Read all lines, the wrong ones too."""
        section, is_known, is_told = "", False, False
        for line, raw in enumerate(text.splitlines(), 1):
            content = raw.partition("#")[0].strip()
            if content.startswith("[") and content.endswith("]"):
                section, is_told = content[1:-1].strip(), True
                is_known = self.enter(section, line)
            elif content and is_known:
                self.add(section, content, line)
            elif content and not is_told:
                is_told = True
                self.refuse(f"expected a [section] first, got {content!r}", line)

    def refuse(self, problem: str, line: int | None) -> None:
        """Remember a mistake."""
        self.mistakes.append(ConfigurationError(problem, self._path, line))

    def enter(self, section: str, line: int | None = None) -> bool:
        """A section begins; whether there is one of that name."""
        if section in SECTIONS or section in _OTHER_SECTIONS:
            self._lines.setdefault((section, ""), line or 0)
            return True
        meant = nearest(section, (*SECTIONS, *_OTHER_SECTIONS))
        hint = f"did you mean [{meant}]?" if meant else f"there are {', '.join(SECTIONS)} and so on"
        self.refuse(f"[{section}]: there is no such section; {hint}", line)
        return False

    def add(self, section: str, text: str, line: int | None) -> None:
        """Take one line of a section."""
        try:
            if section == "listen":
                self._listen.append(_listener(text, line))
            elif section == "access":
                self._access.append(_access_rule(text))
            else:
                key, equals, value = (part.strip() for part in text.partition("="))
                if not equals or not key:
                    raise ValueError(f"[{section}]: expected key = value, got {text!r}")
                self.set(section, key, value, line)
        except ValueError as error:
            self.refuse(str(error), line)

    def set(self, section: str, key: str, value: Any, line: int | None = None) -> None:
        """Take one key of a section."""
        if section == "static":
            self._static[key] = str(value)
            self._lines[section, key.replace(".", "_")] = line or 0
        elif section == "loggers":
            self._loggers[key] = levels = words(value)
            for level in levels:
                if level not in LEVELS:
                    known = ", ".join(LEVELS)
                    self.refuse(f"[loggers] {key}: expected levels ({known}), got {level!r}", line)
        elif section in SECTIONS:
            self._set_field(section, key, value, line)

    def _set_field(self, section: str, key: str, value: Any, line: int | None) -> None:
        where = f"[{section}] {key}"
        fields = fields_of(SECTIONS[section])
        if section == "global" and key.replace(".", "_") not in fields:
            prefix, _, rest = key.partition(".")
            if prefix in SECTIONS and rest.replace(".", "_") in fields_of(SECTIONS[prefix]):
                section, key, fields = prefix, rest, fields_of(SECTIONS[prefix])
        name = key.replace(".", "_")
        field = fields.get(name)
        if field is None:
            self.refuse(f"{where}: there is no such key; {_hint(section, key)}", line)
            return
        self._lines[section, name] = line or 0
        try:
            self._values[section][name] = convert(field, value)
        except ValueError as error:
            self.refuse(f"{where}: {error}", line)

    def config(self) -> Config:
        """What was read.

        Raises:
            ConfigurationError: the first mistake.
        """
        if self.mistakes:
            raise self.mistakes[0]
        sections = {
            "global_" if name == "global" else name: cls(**self._values[name])
            for name, cls in SECTIONS.items()
        }
        return Config(
            **sections,
            listen=tuple(self._listen),
            access=tuple(self._access),
            static=MappingProxyType(self._static),
            loggers=MappingProxyType(self._loggers),
            path=self._path,
            lines=MappingProxyType(self._lines),
        )


def _hint(section: str, key: str) -> str:
    """Which key was meant, or which there are, or where one of that name is."""
    keys = _spellings(section)
    prefixed = [f"{name}.{each}" for name in SECTIONS for each in _spellings(name)]
    if meant := nearest(key, keys) or (nearest(key, prefixed) if section == "global" else None):
        return f"did you mean {meant}?"
    for name, cls in SECTIONS.items():
        if key.replace(".", "_") in fields_of(cls):
            return f"it belongs into [{name}]"
    return f"[{section}] has {', '.join(sorted(keys))}"


def _spellings(section: str) -> list[str]:
    """The keys of a section, as they are written."""
    return [spelling(field) for field in fields_of(SECTIONS[section]).values()]


def _listener(text: str, line: int | None) -> Listener:
    """One line of ``[listen]``."""
    address, *argument = text.split(None, 1)
    scheme, separator, rest = address.partition("://")
    if not separator or scheme not in LISTEN_SCHEMES:
        known = ", ".join(f"{name}://" for name in LISTEN_SCHEMES)
        raise ValueError(f"[listen]: expected one of {known}, got {text!r}")
    try:
        parts = urlsplit(f"//{rest}")
        host, port = parts.hostname or "", parts.port
    except ValueError:
        port = None
    if port is None or parts.path.strip("/"):
        example = f"{scheme}://127.0.0.1:61613"
        raise ValueError(f"[listen]: expected {example} or the like, got {text!r}")
    return Listener(scheme, host, port, argument[0].strip() if argument else "", line or 0)


def _access_rule(text: str) -> AccessRule:
    """One line of ``[access]``."""
    source, arrow, target = (part.strip() for part in text.partition("->"))
    match = re.fullmatch(r"(\[[0-9A-Fa-f:.]+\]|[^\s:\[\]]+)(?::([0-9]{1,5}))?", target)
    if not arrow or not source or match is None:
        raise ValueError(f"[access]: expected SOURCE -> HOST:PORT, got {text!r}")
    host, port = match[1].strip("[]"), int(match[2] or 80)
    if host == "*":
        raise ValueError("[access]: the destination is a host, not *")
    if not 0 < port < 65536:
        raise ValueError(f"[access]: expected a port from 1 to 65535, got {port}")
    return AccessRule(_origin(source) if "://" in source else source, host, port)


def _origin(text: str) -> str:
    """An origin as browsers write it: small letters, without the port that goes without saying."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ValueError(
            f"[access]: expected an origin as https://a.example, got {text!r}"
        ) from None
    if parts.path or parts.query or parts.fragment:
        raise ValueError(f"[access]: an origin has no path: {text!r}")
    netloc = parts.netloc.lower()
    if port is not None and (parts.scheme, port) in (("http", 80), ("https", 443)):
        netloc = netloc.rpartition(":")[0]
    return f"{parts.scheme}://{netloc}"


def from_text(text: str, path: str | None = None) -> Config:
    """Read the text of a configuration file.

    Args:
        path: named in errors.

    Raises:
        ConfigurationError: for the first mistake, with file and line.
    """
    reader = _Reader(path)
    reader.read(text)
    return reader.config()


def from_mapping(options: Mapping[str, Any]) -> Config:
    """Read a mapping of sections: to keys and values, or to lines for ``access`` and ``listen``.

    Raises:
        ConfigurationError: for the first mistake.
    """
    reader = _Reader(None)
    for section, content in options.items():
        if not reader.enter(section):
            break
        if section in ("access", "listen"):
            lines: Sequence[str] = [content] if isinstance(content, str) else content
            for text in lines:
                reader.add(section, text, None)
        elif isinstance(content, Mapping):
            for key, value in content.items():
                reader.set(section, key, value)
        else:
            raise ConfigurationError(f"[{section}]: expected keys and values, got {content!r}")
    return reader.config()


def find() -> str | None:
    """The first file of the search path that exists."""
    return next((path for path in SEARCH_PATH if Path(path).is_file()), None)


def load(path: str) -> Config:
    """Read a file.

    Raises:
        ConfigurationError: it cannot be read, or holds a mistake.
    """
    return from_text(_text_of(path), path)


def find_mistakes(path: str) -> list[ConfigurationError]:
    """Everything that is wrong with the lines of a file; none when ``load`` takes it."""
    reader = _Reader(path)
    try:
        reader.read(_text_of(path))
    except ConfigurationError as error:
        return [error]
    return reader.mistakes


def _text_of(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ConfigurationError(f"cannot read it: {error.strerror}", path) from None
    except UnicodeDecodeError:
        raise ConfigurationError("it is not UTF-8 text", path) from None
