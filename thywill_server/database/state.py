"""State that processes share: a JSON object for each owner, changed under a row lock.

::

    with update("chat") as values:
        values["visitors"] = values.get("visitors", 0) + 1
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from typing import Any, Final

from django.db import transaction
from django.utils import timezone

from thywill_server.database.deadlocks import retried
from thywill_server.database.models import State, key_of, lasting_row
from thywill_server.encoding import encode_json

NOTHING: Final = "{}"
FORGET_EVERY: Final = 64
"""Of so many clients whose state begins, one cleans up after those that are gone."""


def read(application: str, owner: str = "") -> dict[str, Any]:
    """Give what is remembered; an empty dict when there is nothing."""
    rows = State.objects.filter(key=key_of(application, owner))
    text = rows.values_list("values", flat=True).first()
    values: dict[str, Any] = {} if text is None else json.loads(text)
    return values


@contextmanager
def update(
    application: str, owner: str = "", *, max_bytes: int, client_seconds: float = float("inf")
) -> Iterator[dict[str, Any]]:
    """Give what is remembered, to be changed in place; nobody else changes it meanwhile.

    It is written at the end, unless an exception comes. Within a transaction others wait for the
    end of that. Now and then, when another client's state begins, that of clients which have not
    changed theirs for long is deleted.

    Args:
        application: whose.
        owner: a client's uuid, or empty.
        max_bytes: how large it may become, as JSON.
        client_seconds: after how long the state of clients may be deleted.

    Raises:
        TypeError: JSON has no form for a value.
        ValueError: it is larger than ``max_bytes``.
    """
    with ExitStack() as ending:
        row, text = _lock(ending, application, owner)
        rows = State.objects.filter(pk=row)
        values: dict[str, Any] = json.loads(text)
        if owner and text == NOTHING and row % FORGET_EVERY == 0:
            forget_clients(client_seconds)
        yield values
        encoded = encode_json(values)
        if len(encoded) > max_bytes:
            whose = f"client {owner}" if owner else f"application {application}"
            raise ValueError(
                f"the state of {whose} would take {len(encoded)} bytes; {max_bytes} are allowed"
            )
        if encoded.decode() != text:
            rows.update(values=encoded.decode(), changed_at=timezone.now())


@retried
def _lock(ending: ExitStack, application: str, owner: str) -> tuple[int, str]:
    """Begin a transaction that ends with ``ending``; gives the locked row and its values."""
    with ExitStack() as attempt:
        attempt.enter_context(transaction.atomic())
        row = lasting_row(State, application, owner, application=application, owner=owner)
        locked = State.objects.select_for_update().filter(pk=row)
        text: str = locked.values_list("values", flat=True).get()
        ending.push(attempt.pop_all())
        return row, text


def forget_clients(older_than_seconds: float) -> int:
    """Delete the state of clients that was not changed for so long; gives how many there were."""
    if older_than_seconds == float("inf"):
        return 0
    limit = timezone.now() - timedelta(seconds=older_than_seconds)
    count, _ = State.objects.filter(changed_at__lt=limit).exclude(owner="").delete()
    return count
