"""What ``manage.py check --deploy`` says of settings that are fine on one's own machine only.

The ids are in `thywill_server.checks`.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Warning

from thywill_server.components import Components, load
from thywill_server.errors import ConfigurationError

LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")


def check_deployment(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Look for what is fine on one's own machine only; nothing while something is wrong."""
    try:
        components = load(getattr(settings, "THYWILL", None))
    except ConfigurationError:
        return []
    return [*_push_warnings(components), *_other_warnings(components)]


def _push_warnings(components: Components) -> Iterator[Warning]:
    push = components.push
    path = getattr(push, "ticket_key_file", None)
    if path is not None and "THYWILL_TICKET_KEY" not in os.environ and os.name == "posix":
        try:
            others = stat.S_IMODE(path.stat().st_mode) & (stat.S_IRWXG | stat.S_IRWXO)
        except OSError:
            others = 0  # it is made when the site starts, for its owner only
        if others:
            yield Warning(
                f"{push.setting_name('ticket_key_file')}: others can read {path}, and whoever has "
                "the key can listen to everything",
                hint=f"chmod 600 {path}",
                id="thywill.W001",
            )
    for where in _wildcards(push.settings.get("comet_options", {})):
        yield Warning(
            f'{push.setting_name("comet_options")}{where}: "*" stands for everybody',
            hint="Name the hosts, origins or addresses that are meant.",
            id="thywill.W002",
        )
    url = urlsplit(push.settings.get("orbited_url", ""))
    if url.scheme == "http" and url.hostname not in LOOPBACK and settings.SESSION_COOKIE_SECURE:
        yield Warning(
            f"{push.setting_name('orbited_url')}: a page that was loaded over TLS may not use "
            f"{url.geturl()}; browsers refuse it",
            hint='Serve Orbited over TLS, or by a path of this site such as "/orbited/".',
            id="thywill.W003",
        )


def _other_warnings(components: Components) -> Iterator[Warning]:
    site = components.client_interface
    if site.settings.get("health_details"):
        yield Warning(
            f"{site.setting_name('health_details')}: strangers read how the site is doing",
            hint="Leave it False, or keep /thywill/health/ to yourself in the proxy.",
            id="thywill.W004",
        )
    alias = site.settings.get("replies_cache")
    backend = settings.CACHES.get(alias, {}).get("BACKEND", "") if alias else ""
    if backend.endswith((".LocMemCache", ".DummyCache")):
        yield Warning(
            f'{site.setting_name("replies_cache")}: the cache "{alias}" is each process\'s '
            "own, and a repeated message that meets another process is handled again",
            hint="Name a cache that all processes share, such as Redis or the database.",
            id="thywill.W005",
        )
    log = components.log
    if log.settings.get("level") == "DEBUG":
        yield Warning(
            f'{log.setting_name("level")}: with "DEBUG" the log holds tickets and messages',
            hint='Use "INFO".',
            id="thywill.W006",
        )


def _wildcards(value: Any, where: str = "") -> Iterator[str]:
    """Give the place of each "*" within nested settings."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key == "*":
                yield f'{where}["*"]'
            yield from _wildcards(inner, f'{where}["{key}"]')
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from _wildcards(inner, where)
    elif value == "*":
        yield where
