"""``manage.py ratings``: the process that the ratings are in."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from thywill_apps.ratings.bounds import bounds
from thywill_server.application import broker

if TYPE_CHECKING:
    from thywill_apps.ratings.traits_web import TraitsWeb

INSTALL = '{name} is not installed here: pip install "thywill[{extra}]", or in this folder: {here}'


class Command(BaseCommand):
    """Run the model, at the broker of the site."""

    help = (
        "Runs the model of the ratings: it takes what pages say from the site's broker, and tells "
        "them what changes. The site (./run) and this process may be started in any order, and "
        "each may end and come back while pages stay open: nothing that a page has seen is lost."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--host", help="the broker's host (that of the push component)")
        parser.add_argument(
            "--port", type=int, help="the broker's STOMP port (that of the push component)"
        )
        parser.add_argument("--topic", help="what is rated; kept for the next time")
        parser.add_argument(
            "--state",
            type=Path,
            help="the file that the ratings are kept in (ratings.json in "
            "the folder of THYWILL_HOME)",
        )
        parser.add_argument(
            "--window", action="store_true", help="show the model in a window on this desktop"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until a signal comes, or the window is closed."""
        try:
            import traits.api  # noqa: F401
        except ImportError:
            raise CommandError(_missing("Traits", "ratings")) from None
        if options["window"]:
            self._choose_window()
        from thywill_apps.ratings.saving import Busy, SavedState
        from thywill_apps.ratings.traits_web import TraitsWeb

        site = broker()
        components: Any = settings.THYWILL
        if components["application"].get("stomp_host"):
            raise CommandError(
                'THYWILL["application"]["stomp_host"]: the ratings tell pages what changes over '
                "the broker that pages are at, and here applications have another one"
            )
        site = replace(site, host=options["host"] or site.host, port=options["port"] or site.port)
        path = options["state"] or _home() / "ratings.json"
        try:
            saved = SavedState(path)
        except Busy:
            raise CommandError(f"another process has the ratings of {path} already") from None
        except OSError as error:
            raise CommandError(f"{path} cannot be written: {error}") from None
        factory = TraitsWeb(site, saved, bounds())
        topic = " ".join((options["topic"] or "").split())[: bounds().max_characters]
        if topic:
            factory.model.topic = topic
        factory.on_live = lambda: self._say(
            f"ratings: live at the broker {site.host}:{site.port}; Ctrl-C stops them."
        )
        self._run(factory, site.host, site.port, options["window"])

    def _run(self, factory: TraitsWeb, host: str, port: int, has_window: bool) -> None:
        from twisted.internet import reactor

        running: Any = reactor
        if has_window:
            from thywill_apps.ratings.window import open_window

            open_window(factory.model, running.stop)
        running.addSystemEventTrigger("before", "shutdown", factory.stop)
        running.connectTCP(host, port, factory, timeout=10)
        self._say(f"ratings: connecting to the broker {host}:{port}")
        running.run()

    def _choose_window(self) -> None:
        from thywill_apps.ratings.window import install_reactor

        try:
            install_reactor()
        except ImportError as error:
            if error.name and "." not in error.name:
                raise CommandError(_missing(f"{error.name} (for --window)", "desktop")) from None
            raise CommandError(f"Qt cannot be used here: {error}") from None

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()


def _home() -> Path:
    found = getattr(settings, "HOME", None) or os.environ.get("THYWILL_HOME") or ".thywill"
    return Path(found)


def _missing(name: str, extra: str) -> str:
    here = f"{sys.executable} -m pip install -e '.[{extra}]'"
    return INSTALL.format(name=name, extra=extra, here=here)
