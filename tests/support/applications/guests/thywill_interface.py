"""Who comes and goes is a line of the log; ``room:NAME`` has presence."""

import logging
from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.db import transaction
from django.dispatch import receiver

from thywill_server.application import App, Client, disconnect, presence
from thywill_server.signals import client_connected, client_disconnected

log = logging.getLogger("thywill_apps.guests")

app = App(title="Guests", scripts=["guests/guests.js"])


@app.on_connect
def come(client: Client) -> None:
    """Note an arrival, and greet the page."""
    log.info("came %s as %s", client.uuid, client.user.get_username() or "a visitor")
    client.send("welcome", client.uuid)


@app.on_disconnect
def fail(client: Client) -> None:
    """Fail, which hinders nobody."""
    raise ZeroDivisionError("the guests fail on purpose")


@app.on_disconnect
async def go(client: Client) -> None:
    """Note a departure; an async function may use the database too."""
    name = await sync_to_async(client.user.get_username)()
    log.info("went %s as %s", client.uuid, name or "a visitor")


@receiver(client_connected)
@receiver(client_disconnected)
def hear(signal: Any, client: Client, **_: Any) -> None:
    """Note the signals."""
    log.info("signal %s %s", "in" if signal is client_connected else "out", client.uuid)


@app.channel("room:{room}", presence=True)
def may_join(client: Client, room: str) -> bool:
    """Let everybody in."""
    return True


@app.on("present")
def present(client: Client, room: str) -> Any:
    """Tell who is in a room."""
    found = presence(f"room:{room}")
    return {
        "uuids": sorted(each.uuid for each in found.members),
        "users": [user.get_username() for user in found.users],
        "names": [card["name"] for card in found.cards],
    }


@app.on("end me")
def end_me(client: Client) -> str:
    """End the client's own connection; the answer still comes."""
    client.disconnect()
    return "farewell"


@app.on("end")
def end(client: Client, uuid: str) -> None:
    """End another client's."""
    disconnect(uuid)


@app.on("end user")
def end_user(client: Client, name: str) -> None:
    """End all of a user's."""
    disconnect(user=User.objects.get(username=name))


@app.on("end in vain")
def end_in_vain(client: Client, uuid: str) -> None:
    """End another client's in a transaction that comes to nothing."""
    with transaction.atomic():
        disconnect(uuid)
        transaction.set_rollback(True)
