"""List the clients that are connected.

One line for each page that is open somewhere: its uuid, the application it shows, its user, since
when it is connected, and who says so: the broker that reports it, or the page itself.
"""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand
from django.utils import timezone

from thywill_server.connections.people import users
from thywill_server.database.client_models import ConnectedClient

HEADINGS = ("client", "application", "user", "connected since", "told by")


def add_arguments(parser: ArgumentParser) -> None:
    """Take what narrows the list."""
    parser.add_argument("--application", help="only pages of this application")
    parser.add_argument("--user", metavar="NAME", help="only pages of the user with this name")
    parser.add_argument(
        "--limit", type=int, default=200, help="at most so many, the newest first (default: 200)"
    )


def run(command: BaseCommand, options: dict[str, Any]) -> None:
    """Write the list."""
    rows = ConnectedClient.objects.filter(is_connected=True, ends_at=None)
    if options["application"]:
        rows = rows.filter(application=options["application"])
    if options["user"]:
        model = get_user_model()
        wanted = model._default_manager.filter(**{model.USERNAME_FIELD: options["user"]})
        rows = rows.filter(user__in=[str(user.pk) for user in wanted])
    total = rows.count()
    found = list(rows.order_by("-since", "uuid")[: max(0, options["limit"])])
    named = {key: user.get_username() for key, user in users({row.user for row in found}).items()}
    lines = [
        (
            row.uuid,
            row.application,
            named.get(row.user, row.user) or "-",
            timezone.localtime(row.since).strftime("%Y-%m-%d %H:%M:%S"),
            f"broker {row.broker}" if row.broker else "the page",
        )
        for row in found
    ]
    if lines:
        for line in table([HEADINGS, *lines]):
            command.stdout.write(line)
    noun = "client is" if total == 1 else "clients are"
    shown = "" if len(found) == total else f", {len(found)} of them shown"
    command.stdout.write(f"{total} {noun} connected{shown}.")


def table(rows: list[tuple[str, ...]]) -> list[str]:
    """Give lines with the columns below each other."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
