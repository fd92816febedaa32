"""``room:NAME`` keeps 200 messages, ``hall:NAME`` 10,000, ``short:NAME`` 8 and a snapshot.

``live:NAME`` keeps nothing, ``guarded:NAME`` neither, and it can be shut.

Nobody may join a room whose name begins with ``secret``. New pages begin in the channels that
``app.state`` lists.
"""

from dataclasses import dataclass
from typing import Any

from asgiref.sync import sync_to_async
from django.db import transaction

from thywill_server.application import (
    App,
    ApplicationError,
    Client,
    ClientConfiguration,
    apublish,
    broadcast,
    history,
    publish,
    to_user,
)

app = App(title="Rooms", scripts=["rooms/rooms.js"])
BEGINS_IN = "begins"
"""The name in ``app.state`` of the channels that every new page begins in."""


@app.channel("room:{room}", history=200)
def may_join_room(client: Client, room: str) -> bool:
    """Everybody may, but for the secret ones."""
    return not room.startswith("secret")


@app.channel("hall:{room}", history=10_000)
def may_join_hall(client: Client, room: str) -> bool:
    """Everybody may."""
    return True


@app.channel("guarded:{room}")
def may_join_guarded(client: Client, room: str) -> bool:
    """Everybody may, until it is shut."""
    return not app.state.get(f"shut {room}", False)


def total(client: Client, room: str) -> dict[str, Any]:
    """Give what was added so far."""
    return {"total": app.state.get(f"total {room}", 0)}


@app.channel("short:{room}", history=8, snapshot=total)
async def may_join_short(client: Client, room: str) -> bool:
    """Everybody may."""
    return True


@app.channel("live:{room}")
def may_join_live(client: Client, room: str) -> bool:
    """Everybody may, but for one, who hears why."""
    if room == "closed":
        raise ApplicationError("closed", "It is closed on Sundays.")
    return True


@app.bootstrap
def begin(client: Client, configuration: ClientConfiguration) -> None:
    """Join for the page, before it has asked."""
    for name in app.state.get(BEGINS_IN, []):
        configuration.join_channel(name)


@dataclass
class Say:
    """Something said in a room."""

    room: str
    text: Any
    times: int = 1


@app.on("say", channel="room:{room}")
def say(client: Client, message: Say) -> None:
    """Publish it, as often as wanted, each with its number."""
    for number in range(message.times):
        publish(f"room:{message.room}", "said", {"text": message.text, "number": number})


@app.on("call_out", channel="hall:{room}")
def call_out(client: Client, message: Say) -> None:
    """Publish several texts in the hall, one by one."""
    for text in message.text:
        publish(f"hall:{message.room}", "said", text)


@app.on("say_async", channel="room:{room}")
async def say_async(client: Client, message: Say) -> list[Any]:
    """The same in an async function: first at once, then when it is done."""
    await apublish(f"room:{message.room}", "said", {"text": message.text, "number": 0})
    publish(f"room:{message.room}", "said", {"text": message.text, "number": 1})
    return await sync_to_async(lambda: [event.data for event in history("room:" + message.room)])()


@app.on("take_back", channel="room:{room}")
def take_back(client: Client, message: Say) -> None:
    """Publish in a transaction that is rolled back, and then in one that is not."""
    with transaction.atomic():
        publish(f"room:{message.room}", "said", {"text": "never"})
        transaction.set_rollback(True)
    with transaction.atomic():
        publish(f"room:{message.room}", "said", {"text": message.text})


@app.on("refuse")
def refuse(client: Client, message: Say) -> None:
    """Publish, and refuse."""
    publish(f"room:{message.room}", "said", message.text)
    raise ApplicationError("no", "It is over.")


@app.on("refuse_async")
async def refuse_async(client: Client, message: Say) -> None:
    """The same in an async function."""
    publish(f"room:{message.room}", "said", message.text)
    raise ApplicationError("no", "It is over.")


@app.on("add")
def add(client: Client, message: Say) -> None:
    """Change the state and say so, in one transaction."""
    with app.state.update() as values:
        key = f"total {message.room}"
        values[key] = values.get(key, 0) + message.times
        publish(f"short:{message.room}", "added", message.times)


@app.on("live")
def live(client: Client, message: Say) -> None:
    """Publish where nothing is kept."""
    publish(f"live:{message.room}", "said", message.text)


@app.on("announce")
def announce(client: Client, message: Say) -> None:
    """Publish behind the guard."""
    publish(f"guarded:{message.room}", "said", {"text": message.text})


@app.on("shut")
def shut(client: Client, message: Say) -> None:
    """Let nobody in any more."""
    app.state[f"shut {message.room}"] = True


@app.on("often", rate="2/m")
def often(client: Client) -> int:
    """Count in the client's own state."""
    with client.state.update() as values:
        values["count"] = values.get("count", 0) + 1
        return int(values["count"])


@app.on("begin_in")
def begin_in(client: Client, message: list[str]) -> None:
    """Say in which channels new pages begin."""
    app.state[BEGINS_IN] = message


@app.on("all")
def all_pages(client: Client, message: Any) -> None:
    """Tell every page of this application."""
    broadcast("news", message)


@app.on("mine")
def my_pages(client: Client, message: Any) -> None:
    """Tell every page of this user."""
    to_user(client.user, "mine", message)
