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

import dataclasses
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from orbited.bridge_settings import WebSocketSettings
from orbited.errors import ConfigurationError
from orbited.protocol.access import AccessRule
from orbited.protocol.settings import SessionSettings
from orbited.settings import (
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

__all__ = ["SEARCH_PATH", "find", "from_mapping", "from_text", "load"]

#: Where a configuration is looked for when no file is named.
SEARCH_PATH = ("orbited.cfg", "/etc/orbited.cfg", "/Program Files/Orbited/etc/orbited.cfg")

#: Sections whose keys are the fields of a class.
_SECTIONS: dict[str, type[Any]] = {
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

LISTEN_SCHEMES = ("http", "https", "stomp", "echo", "lineecho", "rude", "announce")

_TRUE, _FALSE = ("1", "yes", "true", "on"), ("0", "no", "false", "off")


class _Entry(NamedTuple):
    """One line that is not a section's name."""

    section: str
    text: str
    line: int | None


class _Reader:
    """Collects entries and makes a ``Config``; every mistake names its place."""

    def __init__(self, path: str | None) -> None:
        self._path = path
        self._values: dict[str, dict[str, Any]] = {name: {} for name in _SECTIONS}
        self._listen: list[Listener] = []
        self._access: list[AccessRule] = []
        self._static: dict[str, str] = {}
        self._loggers: dict[str, tuple[str, ...]] = {}

    def fail(self, problem: str, line: int | None) -> ConfigurationError:
        return ConfigurationError(problem, self._path, line)

    def add(self, entry: _Entry) -> None:
        section, text, line = entry
        if section == "listen":
            self._listen.append(self._listener(text, line))
        elif section == "access":
            self._access.append(self._access_rule(text, line))
        else:
            key, equals, value = (part.strip() for part in text.partition("="))
            if not equals or not key:
                raise self.fail(f"[{section}]: expected key = value, got {text!r}", line)
            self.set(section, key, value, line)

    def set(self, section: str, key: str, value: Any, line: int | None = None) -> None:
        if section == "static":
            self._static[key] = str(value)
        elif section == "loggers":
            self._loggers[key] = _words(value)
        elif section in _SECTIONS:
            self._set_field(section, key, value, line)
        elif section != "log":
            raise self.fail(f"[{section}]: there is no such section", line)

    def _set_field(self, section: str, key: str, value: Any, line: int | None) -> None:
        where = f"[{section}] {key}"
        fields = _fields(section)
        if section == "global" and key.replace(".", "_") not in fields:
            prefix, _, rest = key.partition(".")
            if rest and prefix in _SECTIONS:
                section, key, fields = prefix, rest, _fields(prefix)
        name = key.replace(".", "_")
        field = fields.get(name)
        if field is None:
            known = ", ".join(sorted(fields))
            raise self.fail(f"{where}: there is no such key; [{section}] has {known}", line)
        try:
            self._values[section][name] = _convert(field, value)
        except ValueError as error:
            raise self.fail(f"{where}: {error}", line) from None

    def _listener(self, text: str, line: int | None) -> Listener:
        address, *argument = text.split(None, 1)
        scheme, separator, rest = address.partition("://")
        if not separator or scheme not in LISTEN_SCHEMES:
            known = ", ".join(f"{name}://" for name in LISTEN_SCHEMES)
            raise self.fail(f"[listen]: expected one of {known}, got {text!r}", line)
        try:
            parts = urlsplit(f"//{rest}")
            host, port = parts.hostname or "", parts.port
        except ValueError:
            port = None
        if port is None or parts.path.strip("/"):
            example = f"{scheme}://127.0.0.1:61613"
            raise self.fail(f"[listen]: expected {example} or the like, got {text!r}", line)
        return Listener(scheme, host, port, argument[0].strip() if argument else "", line or 0)

    def _access_rule(self, text: str, line: int | None) -> AccessRule:
        source, arrow, target = (part.strip() for part in text.partition("->"))
        match = re.fullmatch(r"(\[[0-9A-Fa-f:.]+\]|[^\s:\[\]]+)(?::([0-9]{1,5}))?", target)
        if not arrow or not source or match is None:
            raise self.fail(f"[access]: expected SOURCE -> HOST:PORT, got {text!r}", line)
        host, port = match[1].strip("[]"), int(match[2] or 80)
        if host == "*":
            raise self.fail("[access]: the destination is a host, not *", line)
        if not 0 < port < 65536:
            raise self.fail(f"[access]: expected a port from 1 to 65535, got {port}", line)
        if "://" in source and urlsplit(source).path:
            raise self.fail(f"[access]: an origin has no path: {source!r}", line)
        return AccessRule(source, host, port)

    def config(self) -> Config:
        sections = {
            "global_" if name == "global" else name: cls(**self._values[name])
            for name, cls in _SECTIONS.items()
        }
        return Config(
            **sections,
            listen=tuple(self._listen),
            access=tuple(self._access),
            static=MappingProxyType(self._static),
            loggers=MappingProxyType(self._loggers),
        )


def _fields(section: str) -> dict[str, dataclasses.Field[Any]]:
    """The keys of a section."""
    return {field.name: field for field in dataclasses.fields(_SECTIONS[section])}


def _words(value: Any) -> tuple[str, ...]:
    """A comma list, or a list, as words."""
    parts = value.split(",") if isinstance(value, str) else value
    return tuple(word for part in parts if (word := str(part).strip()))


def _convert(field: dataclasses.Field[Any], value: Any) -> Any:
    """Make a field's value of text, or of a value that has the right type already."""
    default = field.default
    if isinstance(default, bool):
        text = str(value).lower()
        if text not in _TRUE + _FALSE:
            raise ValueError(f"expected 1 or 0, got {value!r}")
        return text in _TRUE
    if isinstance(default, tuple):
        return _words(value)
    if isinstance(default, str):
        return str(value)
    read, kind = (int, "a whole number") if isinstance(default, int) else (float, "a number")
    try:
        number = read(value)
    except (TypeError, ValueError):
        raise ValueError(f"expected {kind}, got {value!r}") from None
    minimum = field.metadata["minimum"]
    if not minimum <= number < float("inf"):
        raise ValueError(f"expected {minimum} or more, got {value!r}")
    return number


def _entries(text: str, path: str | None) -> Iterator[_Entry]:
    section = None
    for line, raw in enumerate(text.splitlines(), 1):
        content = raw.partition("#")[0].strip()
        if not content:
            continue
        if content.startswith("[") and content.endswith("]"):
            section = content[1:-1].strip()
        elif section is None:
            raise ConfigurationError(f"expected a [section] first, got {content!r}", path, line)
        else:
            yield _Entry(section, content, line)


def from_text(text: str, path: str | None = None) -> Config:
    """Read the text of a configuration file.

    Args:
        path: named in errors.

    Raises:
        ConfigurationError: for the first mistake, with file and line.
    """
    reader = _Reader(path)
    for entry in _entries(text, path):
        reader.add(entry)
    return reader.config()


def from_mapping(options: Mapping[str, Any]) -> Config:
    """Read a mapping of sections: to keys and values, or to lines for ``access`` and ``listen``.

    Raises:
        ConfigurationError: for the first mistake.
    """
    reader = _Reader(None)
    for section, content in options.items():
        if section in ("access", "listen"):
            lines: Sequence[str] = [content] if isinstance(content, str) else content
            for text in lines:
                reader.add(_Entry(section, text, None))
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
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"cannot read it: {error.strerror}", path) from None
    except UnicodeDecodeError:
        raise ConfigurationError("it is not UTF-8 text", path) from None
    return from_text(text, path)
