"""``manage.py runthywill``: the whole site in one process."""

from __future__ import annotations

import gc
import logging
import math
import os
import signal
import socket
import sys
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from django.conf import settings
from django.core import checks
from django.core.management.base import BaseCommand
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections
from django.db.migrations.executor import MigrationExecutor
from django.urls import NoReverseMatch, reverse

from thywill_server import apps, reactor_bridge
from thywill_server.components import Components
from thywill_server.errors import ThywillError
from thywill_server.management import reloading
from thywill_server.service import SiteOptions, SiteService, install_reactor
from thywill_server.site import MAX_BODY_BYTES, MAX_OPEN_REQUESTS

PORTS_VARIABLE = "THYWILL_RELOADED_PORTS"
"""Tells a reloaded process which free ports the first one had."""

DRAIN_SECONDS = 10.0
DRAIN_SECONDS_DEBUG = 2.0


class Command(BaseCommand):
    """Serve Django, the comet server and the broker from one reactor and one origin."""

    help = (
        "Serves the whole site in one process: Django in threads, and what the push component "
        "brings (Orbited and a STOMP broker), from one address."
    )
    requires_system_checks = []  # handle() runs them, to say each problem in one sentence

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument(
            "--host", default="127.0.0.1", help="address to listen on (%(default)s)"
        )
        parser.add_argument(
            "--port", type=_port, default=8000, help="HTTP port, 0 for any free one (%(default)s)"
        )
        parser.add_argument(
            "--stomp-port",
            type=_port,
            help="port of the STOMP broker, 0 for any free one (the setting stomp_port)",
        )
        parser.add_argument(
            "--no-reload",
            action="store_true",
            help="do not start anew when code changes (under DEBUG it does)",
        )
        parser.add_argument(
            "--threads", type=_positive, default=10, help="Django's threads (%(default)s)"
        )
        parser.add_argument(
            "--max-body-bytes",
            type=_positive,
            default=MAX_BODY_BYTES,
            help="largest body of a request (%(default)s)",
        )
        parser.add_argument(
            "--max-open-requests",
            type=_positive,
            default=MAX_OPEN_REQUESTS,
            help="requests that may wait for Django; one more gets 503 (%(default)s)",
        )
        parser.add_argument(
            "--drain-seconds",
            type=_seconds,
            help=f"time for stopping ({DRAIN_SECONDS:g}, with DEBUG {DRAIN_SECONDS_DEBUG:g})",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Serve until a signal comes."""
        has_reload = settings.DEBUG and not options["no_reload"]
        if has_reload and not reloading.is_child():
            sys.exit(self._supervise(options))
        code_before = reloading.times_of_code() if has_reload else None
        self._check_site()
        self._check_database()
        code = self._serve(options, code_before)
        if code:
            sys.exit(code)

    def _fail(self, sentence: str) -> NoReturn:
        self.stderr.write(self.style.ERROR(f"thywill: {sentence}"))
        sys.exit(1)

    # Before it serves.

    def _check_site(self) -> None:
        """Run Django's system checks; one line for each error."""
        found = checks.run_checks()
        errors = [each for each in found if each.is_serious() and not each.is_silenced()]
        for each in found:
            if not each.is_serious() and not each.is_silenced():
                self.stderr.write(self.style.WARNING(str(each)))
        if errors:
            self._fail("\nthywill: ".join(_sentence(error) for error in errors))
        if not settings.DEBUG and not (
            settings.STATIC_ROOT and Path(settings.STATIC_ROOT).is_dir()
        ):
            self._fail('There are no static files yet: run "manage.py collectstatic" first.')

    def _check_database(self) -> None:
        """Refuse a database without tables; name migrations that are missing otherwise."""
        try:
            executor = MigrationExecutor(connections[DEFAULT_DB_ALIAS])
            plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
        except DatabaseError as error:
            self._fail(f"The database cannot be used: {str(error).strip()}.")
        finally:
            connections.close_all()
        if not plan:
            return
        if not executor.loader.applied_migrations:
            self._fail('The database has no tables yet: run "python manage.py migrate" first.')
        labels = ", ".join(sorted({migration.app_label for migration, _ in plan}))
        self.stderr.write(
            self.style.WARNING(
                f"thywill: {len(plan)} migrations are not applied ({labels}): "
                'run "python manage.py migrate".'
            )
        )

    # Serving.

    def _supervise(self, options: dict[str, Any]) -> int:
        ports = [options["port"], options["stomp_port"]]
        with suppress(OSError):  # the child says what is wrong with the address
            ports = [_free_port(options["host"]) if port == 0 else port for port in ports]
        given = ",".join("" if port is None else str(port) for port in ports)
        return reloading.supervise({PORTS_VARIABLE: given}, reloading.announce)

    def _serve(self, options: dict[str, Any], code_before: dict[Path, float] | None) -> int:
        try:
            install_reactor(apps.components().push)
        except ThywillError as error:
            self._fail(str(error))
        from twisted.internet import reactor

        ports = [options["port"], options["stomp_port"]]
        has_reload = code_before is not None
        if has_reload and PORTS_VARIABLE in os.environ:
            ports = [int(text) if text else None for text in os.environ[PORTS_VARIABLE].split(",")]
        drain_seconds = options["drain_seconds"]
        if drain_seconds is None:
            drain_seconds = DRAIN_SECONDS_DEBUG if settings.DEBUG else DRAIN_SECONDS
        site = SiteService(
            SiteOptions(
                host=options["host"],
                port=ports[0],
                stomp_port=ports[1],
                threads=options["threads"],
                max_body_bytes=options["max_body_bytes"],
                max_open_requests=options["max_open_requests"],
                drain_seconds=drain_seconds,
            ),
            reactor,
        )
        reactor_bridge.send_twisted_log()
        try:
            site.startService()
        except ThywillError as error:
            self._fail(str(error))
        ending = _Ending(reactor)
        reactor.callWhenRunning(ending.follow_signals)
        reactor.addSystemEventTrigger("before", "shutdown", site.stopService)
        reactor.callWhenRunning(self._greet, site, has_reload)
        if code_before is not None:
            reloading.watch(code_before, ending.reload)
        gc.collect()
        gc.freeze()  # what is there by now stays, and is not searched for rubbish again and again
        reactor.run()
        return ending.code

    def _greet(self, site: SiteService, has_reload: bool) -> None:
        components = apps.components()
        try:
            path = reverse("thywill:init")
        except NoReverseMatch:
            path = "/"
        application = getattr(components.application, "default_application", None)
        parts = [f"the application {application}"] if application else ["Django"]
        if hasattr(components.push, "embedding"):
            parts.append(f"push at {components.push.settings['embedded_url']}")
        if site.stomp_address is not None:
            host, port = site.stomp_address
            parts.append(f"a STOMP broker on {host}:{port}")
        reload = " It starts anew when code changes." if has_reload else ""
        index = f"    Every application: {site.url}/\n" if _has_index(components) else ""
        self.stdout.write(
            f"{site.url}{path}\n"
            f"    {', '.join(parts)}: all in this process.{reload}\n"
            f"{index}    Stop it with Ctrl-C."
        )
        self.stdout.flush()


def _has_index(components: Components) -> bool:
    try:
        is_at_root = reverse("index") == "/"
    except NoReverseMatch:
        return False
    return is_at_root and bool(components.client_interface.settings.get("index"))


class _Ending:
    """Stops the reactor, once, by a signal or because code has changed.

    The same signal a second time ends the process where it stands. (Not any second one: Ctrl-C
    comes from the terminal as SIGINT, and once more from a reloading parent as SIGTERM.)
    """

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self._is_ending = False
        self._heard: set[int] = set()
        self.code = 0

    def follow_signals(self) -> None:
        """Replace Twisted's: theirs complain when a second signal comes while the site drains."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)

    def reload(self) -> None:
        """End with the code that asks for a new process; from any thread."""
        self._reactor.callFromThread(self._end, reloading.RELOAD)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if number in self._heard:
            logging.shutdown()
            os._exit(128 + number)
        self._heard.add(number)
        self._reactor.callFromThread(self._end, 0)

    def _end(self, code: int) -> None:
        self.code = min(code, self.code) if self._is_ending else code
        if not self._is_ending:
            self._is_ending = True
            self._reactor.stop()


def _sentence(message: checks.CheckMessage) -> str:
    hint = f" ({message.hint})" if message.hint else ""
    return f"{message.msg}{hint} [{message.id}]"


def _free_port(host: str) -> int:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


def _number(text: str, is_fine: Callable[[int], bool], expected: str) -> int:
    if not text.isascii() or not text.isdigit() or not is_fine(int(text)):
        raise ArgumentTypeError(f"expected {expected}, got {text!r}")
    return int(text)


def _port(text: str) -> int:
    return _number(text, lambda number: number <= 65535, "a port from 0 to 65535")


def _positive(text: str) -> int:
    return _number(text, lambda number: number > 0, "a number from 1 on")


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds <= 3600:
        raise ArgumentTypeError(f"expected a number of seconds from 0 to 3600, got {text!r}")
    return seconds
