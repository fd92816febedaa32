"""What an application in another process has the site send: pushes and events for channels.

One thing to send is a JSON object. It names one target, and what goes there::

    {"channel": "room:hall", "event": "said", "data": {"text": "hi"}}
    {"client": "6e1a4d1e-...", "message": "hello"}
    {"client": "6e1a4d1e-...", "disconnect": true}
    {"user": "42", "event": "mail", "data": 3}
    {"everybody": true, "event": "news", "data": null}

``application`` says whose channel or whose pages, where that is not clear. Several, in a list, are
sent in their order and in one transaction: all of them or none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from thywill_server.application import publishing
from thywill_server.application.ending import disconnect
from thywill_server.client import NO_DATA
from thywill_server.encoding import Json

TARGETS: Final = ("channel", "client", "user", "everybody")
FIELDS: Final = frozenset({*TARGETS, "application", "event", "data", "message", "disconnect"})


def read_sendings(told: Json) -> list[Mapping[str, Any]]:
    """Give what is to be sent, checked as far as that needs no application.

    Args:
        told: an object, or a list of them.

    Raises:
        ValueError: it is something else; the text says what is wrong.
    """
    sendings = told if isinstance(told, list) else [told]
    for sending in sendings:
        _check(sending)
    return sendings


def send_all(sendings: list[Mapping[str, Any]], application: str | None) -> None:
    """Send them, within a running call, see `thywill_server.application.outbox.handling`.

    Args:
        sendings: from `read_sendings`.
        application: whose they are; None: found by the channel, or the only one.

    Raises:
        ValueError: there is no such channel or application.
        PushUnavailable: the push queue is full.
    """
    if len(sendings) <= 1:
        for sending in sendings:
            _send(sending, application)
        return
    from django.db import transaction

    with transaction.atomic():
        for sending in sendings:
            _send(sending, application)


def _check(sending: Json) -> None:
    if not isinstance(sending, dict):
        raise ValueError(f"expected an object, got {type(sending).__name__}")
    unknown = sorted(set(sending) - FIELDS)
    if unknown:
        raise ValueError(f"unknown field {unknown[0]!r:.40}")
    targets = [name for name in TARGETS if name in sending]
    if len(targets) != 1:
        raise ValueError(
            f"expected one of {', '.join(TARGETS)}, got {', '.join(targets) or 'none'}"
        )
    for name in ("channel", "client", "user", "event", "application"):
        value = sending.get(name, "x")
        if not isinstance(value, str) or not value:
            raise ValueError(f"{name}: expected text")
    if sending.get("disconnect"):
        if targets[0] not in ("client", "user"):
            raise ValueError("disconnect: expected a client or a user")
    elif ("event" in sending) == ("message" in sending):
        raise ValueError("expected an event or a message, one of them")
    elif targets[0] == "channel" and "event" not in sending:
        raise ValueError("a channel takes events: event is missing")


def _send(sending: Mapping[str, Any], application: str | None) -> None:
    application = sending.get("application", application)
    if sending.get("disconnect"):
        disconnect(sending.get("client"), user=sending.get("user"))
        return
    if "channel" in sending:
        publishing.publish(
            sending["channel"], sending["event"], sending.get("data"), application=application
        )
        return
    what = (sending.get("message"), NO_DATA)
    what = (sending.get("message"), NO_DATA)
    if "event" in sending:
        what = (sending["event"], sending.get("data"))
    if "client" in sending:
        publishing.to_client(sending["client"], *what)
    elif "user" in sending:
        publishing.to_user(sending["user"], *what)
    else:
        publishing.broadcast(*what, application=application)
