"""``manage.py thywill WORD``: tools for those who write applications and run a site.

Each word is a module of `thywill_server.management.thywill`, found by being there::

    '''Say hello: the first line is the help, the rest is told by ``thywill hello --help``.'''

    def add_arguments(parser): ...       # an argparse parser of its own
    def run(command, options): ...       # writes to command.stdout; raises CommandError
"""

from __future__ import annotations

import argparse
import inspect
import pkgutil
from importlib import import_module
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from thywill_server.errors import ConfigurationError
from thywill_server.management import thywill as words


class Command(BaseCommand):
    """Finds the word, and runs it."""

    help = "Tools for those who write applications and run a site."
    # A site that is set up wrongly is what some of these tools are for; the others say it in the
    # same words as soon as they ask for a component.
    requires_system_checks = ()

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Ask every word for its arguments."""
        # Not the class of Django's parsers, which cannot be made without a command of its own.
        parsers = parser.add_subparsers(
            dest="word", metavar="WORD", required=True, parser_class=argparse.ArgumentParser
        )
        for name in names():
            module = import_module(f"{words.__name__}.{name}")
            text = inspect.getdoc(module) or ""
            module.add_arguments(
                parsers.add_parser(
                    name,
                    help=text.partition("\n")[0].rstrip("."),
                    description=text,
                    formatter_class=argparse.RawDescriptionHelpFormatter,
                )
            )

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the word's module."""
        module = import_module(f"{words.__name__}.{options['word']}")
        try:
            module.run(self, options)
        except ConfigurationError as error:
            raise CommandError(str(error)) from error


def names() -> list[str]:
    """Give every word, in alphabetical order."""
    return sorted(module.name for module in pkgutil.iter_modules(words.__path__))
