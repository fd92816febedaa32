"""Everything that may be configured, section by section; ``orbited.config`` fills it.

Each class is a section of ``orbited.cfg`` and each field a key, with its default and a sentence.
Sizes are in bytes, times in seconds.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple

from orbited.bridge_settings import WebSocketSettings
from orbited.errors import ConfigurationError
from orbited.protocol.access import AccessRule
from orbited.protocol.addresses import Networks
from orbited.protocol.settings import RequestLimits, SessionSettings, setting
from orbited.transports.base import TransportSettings

__all__ = [
    "Config",
    "GlobalSettings",
    "HttpSettings",
    "Limits",
    "Listener",
    "LoggingSettings",
    "ProxySettings",
    "SslSettings",
    "SystemSettings",
    "TestSettings",
]


REACTORS = ("epoll", "poll", "select", "kqueue", "asyncio")
LEVELS = ("debug", "info", "access", "warn", "error")


#: What the sentence of an error is about: a section, and perhaps a key of it.
_SUBJECT = re.compile(r"\[(\w+)\](?: ([\w.]+):)?")


def _nothing() -> Mapping[Any, Any]:
    """An empty mapping that stays empty."""
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Limits(RequestLimits):
    """Section ``[limits]``: what one process, one address and one request may use."""

    sessions: int = setting(20_000, "most sessions; 503 beyond", 1)
    sessions_per_address: int = setting(2_000, "most sessions of one address; 429 beyond", 1)
    held_post_bytes: int = setting(
        64 << 10, "upstream bytes waiting for a handshake; closed with 102 beyond", 512
    )
    post_hold_seconds: float = setting(
        15.0, "how long the answer to a POST is held while the back end is slow", 0.1
    )
    unused_sessions: int = setting(
        5_000, "most sessions that no transport was opened on yet; 503 beyond", 1
    )
    drain_seconds: float = setting(
        5.0, "longest time that stopping takes; browsers are told in batches over half of it", 0
    )
    drain_batch: int = setting(100, "most sessions that are told at once when stopping", 1)
    drain_absent_seconds: float = setting(
        3.0, "time since its last word for which stopping waits for a browser that is not there", 0
    )
    retry_after: int = setting(5, "seconds named in `Retry-After` of a 429 or 503", 1)


@dataclass(frozen=True, slots=True)
class GlobalSettings:
    """Section ``[global]``."""

    reactor: str = setting(
        "", "how sockets are watched; empty for the platform's best", choices=REACTORS
    )
    user: str = setting(
        "", "account to change to when started as root, once the addresses are open"
    )
    group: str = setting("", "group to change to; empty for the user's own")
    proxy_enabled: bool = setting(True, "mount `/tcp`", key="proxy.enabled")


@dataclass(frozen=True, slots=True)
class ProxySettings:
    """Section ``[proxy]``."""

    connect_seconds: float = setting(10.0, "time for the back end to answer; then 104", 0.01)


@dataclass(frozen=True, slots=True)
class HttpSettings:
    """Section ``[http]``."""

    hosts: tuple[str, ...] = setting(
        (),
        "names of this server, for source `*`; `.example.com` for all below it, `*` for any name",
    )
    trusted_proxies: tuple[str, ...] = setting(
        Networks(),
        "addresses and networks whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed",
        read=Networks.read,
    )
    access_log: bool = setting(False, "write a line for each request, without keys")


@dataclass(frozen=True, slots=True)
class SslSettings:
    """Section ``[ssl]``: of every `https://` listener."""

    key: str = setting("", "PEM file with the private key")
    crt: str = setting("", "PEM file with the certificate; intermediate ones may stand behind it")
    chain: str = setting("", "PEM file with the intermediate certificates, if they have their own")
    minimum_version: str = setting("1.2", "lowest version of TLS", choices=("1.2", "1.3"))
    ciphers: str = setting(
        "", "list of ciphers for TLS 1.2 in the words of OpenSSL; empty for good ones"
    )
    warn_days: float = setting(
        14.0, "from so long before a certificate expires the log warns, once a day", 0
    )


@dataclass(frozen=True, slots=True)
class SystemSettings:
    """Section ``[system]``."""

    allow: tuple[str, ...] = setting(
        Networks(("127.0.0.1", "::1")),
        "addresses and networks that may see `/system`; `*` for everybody",
        read=Networks.read,
    )


@dataclass(frozen=True, slots=True)
class TestSettings:
    """Section ``[test]``."""

    __test__ = False

    stompdispatcher_enabled: bool = setting(
        False, "allow `/system/test/stomp`", key="stompdispatcher.enabled"
    )


@dataclass(frozen=True, slots=True)
class LoggingSettings:
    """Section ``[logging]``: for each level where it goes, a list of SCREEN, STDERR, or files."""

    debug: tuple[str, ...] = setting(("SCREEN",), "where DEBUG lines go")
    info: tuple[str, ...] = setting(("SCREEN",), "where INFO lines go")
    access: tuple[str, ...] = setting(("SCREEN",), "where ACCESS lines go")
    warn: tuple[str, ...] = setting(("SCREEN",), "where WARN lines go")
    error: tuple[str, ...] = setting(("SCREEN",), "where ERROR lines go")
    enabled_default: tuple[str, ...] = setting(
        ("info", "access", "warn", "error"),
        "levels that are written, where `[loggers]` says nothing else",
        key="enabled.default",
        choices=LEVELS,
    )


class Listener(NamedTuple):
    """One line of ``[listen]``: where to listen, and for what."""

    scheme: str
    host: str
    port: int
    argument: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class Config:
    """One whole configuration."""

    global_: GlobalSettings = field(default_factory=GlobalSettings)
    listen: tuple[Listener, ...] = ()
    ssl: SslSettings = field(default_factory=SslSettings)
    access: tuple[AccessRule, ...] = ()
    static: Mapping[str, str] = field(default_factory=_nothing)
    logging: LoggingSettings = field(default_factory=LoggingSettings)
    loggers: Mapping[str, tuple[str, ...]] = field(default_factory=_nothing)
    test: TestSettings = field(default_factory=TestSettings)
    session: SessionSettings = field(default_factory=SessionSettings)
    limits: Limits = field(default_factory=Limits)
    transports: TransportSettings = field(default_factory=TransportSettings)
    proxy: ProxySettings = field(default_factory=ProxySettings)
    http: HttpSettings = field(default_factory=HttpSettings)
    system: SystemSettings = field(default_factory=SystemSettings)
    websocket: WebSocketSettings = field(default_factory=WebSocketSettings)
    path: str | None = field(default=None, compare=False)
    lines: Mapping[tuple[str, str], int] = field(default_factory=_nothing, compare=False)

    def placed(self, error: ConfigurationError) -> ConfigurationError:
        """The same error, with file and line of the key that its sentence begins with."""
        if error.path is not None or self.path is None:
            return error
        line = error.line
        match = _SUBJECT.match(error.problem)
        if match is not None and line is None:
            section, key = match[1], (match[2] or "").replace(".", "_")
            line = self.lines.get((section, key)) or self.lines.get((section, ""))
        return ConfigurationError(error.problem, self.path, line)
