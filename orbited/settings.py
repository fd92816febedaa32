"""Everything that may be configured, section by section; ``orbited.config`` fills it.

Each class is a section of ``orbited.cfg`` and each field a key, with its default and a sentence.
Sizes are in bytes, times in seconds.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple

from orbited.bridge_settings import WebSocketSettings
from orbited.protocol.access import AccessRule
from orbited.protocol.settings import PacketLimits, SessionSettings, setting
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


def _nothing() -> Mapping[str, Any]:
    """An empty mapping that stays empty."""
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Limits(PacketLimits):
    """Section ``[limits]``: what one process, one address and one request may use."""

    sessions: int = setting(20_000, "most sessions; 503 beyond", 1)
    sessions_per_address: int = setting(2_000, "most sessions of one address; 429 beyond", 1)
    held_post_bytes: int = setting(
        64 << 10, "upstream bytes waiting for a handshake; closed with 102 beyond", 512
    )
    post_hold_seconds: float = setting(
        15.0, "how long the answer to a POST is held while the back end is slow", 0.1
    )
    header_seconds: float = setting(20.0, "time for the head of a request; cut beyond", 0.1)
    keep_alive_seconds: float = setting(75.0, "idle time of a connection; closed beyond", 0.1)
    header_bytes: int = setting(16 << 10, "largest head of a request; 400 beyond", 512)
    drain_seconds: float = setting(5.0, "longest time that stopping waits for browsers", 0)
    retry_after: int = setting(5, "seconds named in Retry-After", 1)


@dataclass(frozen=True, slots=True)
class GlobalSettings:
    """Section ``[global]``."""

    reactor: str = setting("", "name of a Twisted reactor: epoll, poll, select, kqueue, asyncio")
    user: str = setting("", "account to change to when started as root")
    group: str = setting("", "group to change to; the user's own by default")
    proxy_enabled: bool = setting(True, "mount /tcp")


@dataclass(frozen=True, slots=True)
class ProxySettings:
    """Section ``[proxy]``."""

    connect_seconds: float = setting(10.0, "time for the back end to answer; then 104", 0.01)


@dataclass(frozen=True, slots=True)
class HttpSettings:
    """Section ``[http]``."""

    trusted_proxies: tuple[str, ...] = setting(
        (), "addresses whose X-Forwarded-For and X-Forwarded-Proto are believed"
    )
    access_log: bool = setting(False, "write a line for each request, without keys")


@dataclass(frozen=True, slots=True)
class SslSettings:
    """Section ``[ssl]``."""

    key: str = setting("", "PEM file with the private key")
    crt: str = setting("", "PEM file with the certificate, intermediate ones behind it")
    minimum_version: str = setting("1.2", "lowest TLS version: 1.2 or 1.3")


@dataclass(frozen=True, slots=True)
class SystemSettings:
    """Section ``[system]``."""

    allow: tuple[str, ...] = setting(
        ("127.0.0.1", "::1"), "addresses that may see /system; * for everybody"
    )


@dataclass(frozen=True, slots=True)
class TestSettings:
    """Section ``[test]``."""

    __test__ = False

    stompdispatcher_enabled: bool = setting(False, "allow /system/test/stomp")


@dataclass(frozen=True, slots=True)
class LoggingSettings:
    """Section ``[logging]``: for each level where it goes, a list of SCREEN, STDERR, or files."""

    debug: tuple[str, ...] = setting(("SCREEN",), "where DEBUG lines go")
    info: tuple[str, ...] = setting(("SCREEN",), "where INFO lines go")
    access: tuple[str, ...] = setting(("SCREEN",), "where ACCESS lines go")
    warn: tuple[str, ...] = setting(("SCREEN",), "where WARN lines go")
    error: tuple[str, ...] = setting(("SCREEN",), "where ERROR lines go")
    enabled_default: tuple[str, ...] = setting(
        ("info", "access", "warn", "error"), "levels written by default"
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
