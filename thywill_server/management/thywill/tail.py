"""Show what is published to a channel, as it comes, until Ctrl-C.

It begins with the newest messages of the channel's history. Each message is one line: when it was
published, its offset, the event, and its data as JSON.

    manage.py thywill tail room:lobby
    manage.py thywill tail room:lobby --lines 100 --no-follow
"""

from __future__ import annotations

import queue
import sys
import threading
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final, cast

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from thywill_server import apps
from thywill_server.application.base import FoundChannel
from thywill_server.application.channels import check_name
from thywill_server.database.models import Channel, ChannelMessage, key_of

LOOK_SECONDS: Final = 2.0
"""How often the history is looked at even when nothing is heard: the broker may be away."""

MAX_WAITING: Final = 10_000
"""How many messages may wait for a slow terminal; what comes then is not shown."""

Heard = tuple[str, str]
"""Event and data of a message that was pushed."""


def add_arguments(parser: ArgumentParser) -> None:
    """Take the channel, and how much of it."""
    parser.add_argument("channel", help="such as room:lobby")
    parser.add_argument("--application", help="whose channel; needed when several have such ones")
    parser.add_argument(
        "-n", "--lines", type=int, default=10, help="how many messages of the history (default: 10)"
    )
    parser.add_argument(
        "--no-follow", action="store_true", help="end after the history; do not wait for more"
    )


def run(command: BaseCommand, options: dict[str, Any]) -> None:
    """Write the messages."""
    components = apps.components()
    try:
        name = check_name(options["channel"])
        found = components.application.find_channel(name, options["application"])
    except ValueError as error:
        raise CommandError(str(error)) from error
    try:
        if options["no_follow"]:
            show_history(command, found, options["lines"])
        else:
            follow(command, found, options["lines"])
    except KeyboardInterrupt:
        command.stdout.write("")
    except BrokenPipeError:
        sys.stderr.close()  # as `| head` does; Python would complain about it at its end


def follow(command: BaseCommand, found: FoundChannel, lines: int) -> None:
    """Show the history and then what comes."""
    with listening(command, found) as heard:
        cursor = show_history(command, found, lines)
        while True:
            try:
                message = heard.get(timeout=LOOK_SECONDS)
            except queue.Empty:
                message = None
            if found.history:
                # What is heard says only that there is more: the table has it whole and in order.
                cursor = show_new(command, found, cursor)
            elif message is not None:
                write(command, timezone.now(), None, *message)


@contextmanager
def listening(command: BaseCommand, found: FoundChannel) -> Iterator[queue.Queue[Heard]]:
    """Subscribe to the channel, with the site's own login."""
    heard: queue.Queue[Heard] = queue.Queue(MAX_WAITING)
    components = apps.start_components()
    push = cast("Any", components.push)
    if not hasattr(push, "publisher"):
        if not found.history:
            raise CommandError(
                f"{type(push).__name__} pushes within the site's own process, and "
                f'"{found.name}" has no history: there is nothing to be heard here'
            )
        yield heard
        return

    def receive(frame: Any) -> None:
        try:
            heard.put_nowait((frame.headers.get("event", "-"), frame.text))
        except queue.Full:
            pass

    destination = push.channel_destination(found.application, found.name)
    is_heard = threading.Event()
    push.publisher.use_service(subscribing(destination, receive, is_heard))
    if not is_heard.wait(LOOK_SECONDS):
        settings = push.settings
        where = f"{settings['stomp_host']}:{settings['stomp_port']}"
        meanwhile = "; its history is looked at meanwhile" if found.history else ""
        sys.stderr.write(f"no broker answers at {where}; it is tried on{meanwhile}\n")
    if not found.history:
        while not is_heard.wait(LOOK_SECONDS):
            pass
        command.stdout.write(f"{found.name} has no history: from now on")
        command.stdout.flush()
    yield heard


def subscribing(
    destination: str, receive: Callable[[Any], None], is_heard: threading.Event
) -> Callable[[Any], None]:
    """Give a function that subscribes; it is called in the reactor thread."""

    def subscribe(service: Any) -> None:
        service.subscribe(destination, receive)
        service.whenConnected().addCallback(lambda _: is_heard.set())

    return subscribe


def show_history(command: BaseCommand, found: FoundChannel, lines: int) -> tuple[str, int]:
    """Write the newest messages; gives the epoch and the offset that they end with."""
    row = Channel.objects.filter(key=key_of(found.application, found.name)).first()
    if row is None:
        return "", 0
    newest = ChannelMessage.objects.filter(channel=row).order_by("-offset")[: max(0, lines)]
    for message in list(newest)[::-1]:
        write(command, message.published_at, message.offset, message.event, message.data)
    return row.epoch, row.last_offset


def show_new(command: BaseCommand, found: FoundChannel, cursor: tuple[str, int]) -> tuple[str, int]:
    """Write what has come since; gives the new position."""
    row = Channel.objects.filter(key=key_of(found.application, found.name)).first()
    if row is None:
        return "", 0
    epoch, offset = cursor
    after = offset if epoch == row.epoch else 0  # deleted and begun anew
    for message in ChannelMessage.objects.filter(channel=row, offset__gt=after).order_by("offset"):
        write(command, message.published_at, message.offset, message.event, message.data)
        after = message.offset
    return row.epoch, after


def write(command: BaseCommand, at: datetime, offset: int | None, event: str, data: str) -> None:
    """Write one line, at once."""
    number = "-" if offset is None else f"#{offset}"
    shown = "".join(mark if mark.isprintable() else repr(mark)[1:-1] for mark in f"{event}  {data}")
    command.stdout.write(f"{timezone.localtime(at):%H:%M:%S}  {number:>6}  {shown}")
    command.stdout.flush()
