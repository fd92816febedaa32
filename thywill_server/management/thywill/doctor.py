"""Send one message through every hop, and say how long each takes or which one fails.

Django's settings and database, a page of the site, the broker, and for each transport of the pages
a session with Orbited, a subscription, and a message: from the page to the view, the application,
the push connection, the broker, and down again. Run it where Django runs, beside the running site:

    manage.py thywill doctor
    manage.py thywill doctor --url https://www.example.org/

It is a visitor of its own: the application hears it come and go, and never gets its messages.
It ends with status 1 when something does not work.
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any, Final
from urllib.parse import urljoin

from django.core.management.base import BaseCommand
from django.urls import NoReverseMatch, reverse

from thywill_server import apps
from thywill_server.management.diagnosis.comet import KNOWN
from thywill_server.management.diagnosis.examination import HOPS, Examination, Finding, Journey
from thywill_server.management.diagnosis.trouble import Trouble

WIDTH: Final = 20
"""Of the column with the names of hops."""


def add_arguments(parser: ArgumentParser) -> None:
    """Take where the site is, and what to try."""
    parser.add_argument(
        "--url", default="http://127.0.0.1:8000/", help="the site, as browsers see it (%(default)s)"
    )
    parser.add_argument("--application", help="the one whose page is loaded (the default one)")
    parser.add_argument(
        "--transport", action="append", choices=KNOWN, help="try only this; may be repeated"
    )
    parser.add_argument(
        "--timeout", type=float, default=5.0, help="seconds for each step (%(default)s)"
    )


def run(command: BaseCommand, options: dict[str, Any]) -> None:
    """Examine, and end with status 1 when something does not work."""

    def path_of(name: str, *arguments: str) -> str:
        try:
            return str(urljoin(options["url"], reverse(f"thywill:{name}", args=arguments)))
        except NoReverseMatch as error:
            raise Trouble(
                "thywill's addresses are not in ROOT_URLCONF",
                'Add path("thywill/", include("thywill_server.client_interface.django_site.urls"))',
            ) from error

    named = [options["application"]] if options["application"] else []
    examination = Examination(
        find_components=apps.components,
        page_url=lambda: path_of("init", *named),
        health_path=lambda: reverse("thywill:health"),
        seconds=options["timeout"],
        report=lambda finding: write_finding(command, finding),
        transports=options["transport"],
    )
    examination.run()
    for line in table_of(examination.journeys):
        command.stdout.write(line)
    for what in examination.untried:
        command.stdout.write(f"Not tried: {what}.")
    if not examination.is_well:
        sys.exit(1)
    command.stdout.write("All is well.")


def write_finding(command: BaseCommand, finding: Finding) -> None:
    """Write a line, or two with trouble."""
    hop, span = finding.hop.ljust(WIDTH), f"{finding.seconds * 1000:8.1f} ms"
    if finding.trouble is None:
        command.stdout.write(f"ok      {hop} {span}   {finding.note}")
    else:
        command.stdout.write(f"FAILED  {hop} {span}   {finding.trouble.what}")
        command.stdout.write(f"        what to do: {finding.trouble.remedy}")
    command.stdout.flush()


def table_of(journeys: list[Journey]) -> list[str]:
    """Give lines with the milliseconds of each hop, a column for each transport."""
    if not journeys:
        return []
    width = max(10, *(len(journey.transport) for journey in journeys)) + 2
    headings = "".join(journey.transport.rjust(width) for journey in journeys)
    lines = ["", f"one message, ms{'':{WIDTH - 7}}{headings}"]
    labels = {
        "view": "to the view",
        "application": "to the application",
        "push": "to the push component",
        "broker": "through the broker",
        "browser": "through Orbited",
    }
    for number, hop in enumerate(HOPS):
        cells = "".join(f"{journey.seconds[number] * 1000:{width}.1f}" for journey in journeys)
        lines.append(f"  {labels[hop]:{WIDTH + 6}}{cells}")
    cells = "".join(f"{sum(journey.seconds) * 1000:{width}.1f}" for journey in journeys)
    return [*lines, f"  {'there and back':{WIDTH + 6}}{cells}", ""]
