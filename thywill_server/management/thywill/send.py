"""Send a message to pages, and wait until it is on its way.

It goes to one page (CLIENT is its uuid, as `manage.py thywill clients` shows), to every page of
a user or of an application, or to a channel, where it is published as by publish(): a history
keeps it.

  manage.py thywill send 6e1a4d1e-6c4f-4a37-8f6e-0a4f5a3b2c1d hello
  manage.py thywill send --user ada --event mail --json '{"unread": 3}'
  manage.py thywill send --channel room:hall --event said --json '{"text": "hi"}'
  manage.py thywill send --everybody --application chat 'We are back at ten.'

CLIENT and MESSAGE stand side by side, options before or after them.

The page hears a message by thywill.push.onReceipt, an event of a channel by channel.on(EVENT, ...).
It ends with status 0 when the broker has the message, else with 1 and the reason.
"""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any, Final

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError

from thywill_server.application import broadcast, flush, publish, to_client, to_user
from thywill_server.apps import start_components
from thywill_server.client import NO_DATA
from thywill_server.database.client_models import ConnectedClient
from thywill_server.encoding import Json
from thywill_server.errors import PushUnavailable

CHANNEL_EVENT: Final = "message"
"""The event's name in a channel, when none is given."""


def add_arguments(parser: ArgumentParser) -> None:
    """Take the target, and what to send there."""
    parser.add_argument("client", nargs="?", metavar="CLIENT", help="the uuid of one page")
    parser.add_argument("message", metavar="MESSAGE", help="text, or JSON with --json")
    targets = parser.add_mutually_exclusive_group()
    targets.add_argument("--channel", metavar="NAME", help="publish to this channel")
    targets.add_argument("--user", metavar="NAME", help="to every page of the user of this name")
    targets.add_argument(
        "--everybody", action="store_true", help="to every page of the application"
    )
    parser.add_argument(
        "--application", metavar="NAME", help="whose channel or pages, where that is not clear"
    )
    parser.add_argument(
        "--event",
        metavar="NAME",
        help=f"send it as the data of this event (for a channel: {CHANNEL_EVENT} by default)",
    )
    parser.add_argument("--json", action="store_true", help="MESSAGE is JSON")
    parser.add_argument(
        "--timeout",
        type=float,
        default=5.0,
        metavar="SECONDS",
        help="how long to wait for the broker (default: %(default)g)",
    )


def run(command: BaseCommand, options: dict[str, Any]) -> None:
    """Send it."""
    others = [name for name in ("channel", "user", "everybody") if options[name]]
    if bool(options["client"]) == bool(others):
        raise CommandError("expected one target: CLIENT, --channel, --user or --everybody")
    if not start_components().push.reaches_other_processes:
        raise CommandError(
            "the push component keeps messages in its own process: only the site itself can send"
        )
    value = _value(options)
    send, where, is_kept = _target(options, value)
    try:
        send()
    except (ValueError, PushUnavailable) as error:
        raise CommandError(str(error)) from error
    try:
        flush(options["timeout"])
    except PushUnavailable as error:
        kept = " It is in the channel's history, and pages find it there." if is_kept else ""
        raise CommandError(f"not sent to {where}: {error}{kept}") from error
    command.stdout.write(f"Sent to {where}.")


def _value(options: dict[str, Any]) -> Json:
    if not options["json"]:
        return options["message"]
    try:
        return json.loads(options["message"])
    except ValueError as error:
        raise CommandError(f"MESSAGE is no JSON: {error}") from error


def _target(options: dict[str, Any], value: Json) -> tuple[Callable[[], None], str, bool]:
    """Give what sends, how the target is called, and whether a history keeps it."""
    event, application = options["event"], options["application"]
    if options["channel"]:
        name = options["channel"]
        try:
            found = start_components().application.find_channel(name, application)
        except ValueError as error:
            raise CommandError(str(error)) from error

        def send_to_channel() -> None:
            publish(name, event or CHANNEL_EVENT, value, application=found.application)

        return send_to_channel, f'the channel "{name}" of {found.application}', found.history > 0
    what = (value, NO_DATA) if event is None else (event, value)
    if options["user"]:
        user = _user(options["user"])
        return lambda: to_user(user, *what), f"every page of {user.get_username()}", False
    if options["everybody"]:
        where = f"every page of {application or 'the application'}"
        return lambda: broadcast(*what, application=application), where, False
    uuid = options["client"]
    is_there = ConnectedClient.objects.filter(uuid=uuid, is_connected=True).exists()
    where = f"client {uuid}" + ("" if is_there else ", which is not known to be connected")
    return lambda: to_client(uuid, *what), where, False


def _user(name: str) -> Any:
    model = get_user_model()
    found = model._default_manager.filter(**{model.USERNAME_FIELD: name}).first()
    if found is None:
        raise CommandError(f'there is no user "{name}"')
    return found
