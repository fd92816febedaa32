"""Commands that show what commands can do; found because the file is called commands.py."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

from django.core.exceptions import PermissionDenied
from twisted.internet.defer import Deferred, succeed

from thywill_server.application import ApplicationError, Connection, command, teardown

GONE: list[tuple[str, dict[str, Any]]] = []
"""What teardown was called with: uuid and state."""

HOLD = threading.Event()


def not_a_command(connection: Connection) -> str:
    """Nothing marks it."""
    return "secret"


@command
def reply(msg: Any, response: dict[str, Any], connection: Connection) -> None:
    """The form of 2013: what is put into the response is the answer."""
    response["reply"] = {"you said": msg}
    response["also"] = sorted(response)


@command(required=["text", "times"])
def repeat(msg: dict[str, Any], response: dict[str, Any], connection: Connection) -> str:
    """The same form, with fields that it needs, and a returned answer."""
    text: str = msg["text"]
    return text * int(msg["times"])


@command
def add(connection: Connection, numbers: list[int]) -> int:
    """One argument, which is what was sent."""
    return sum(numbers)


@command("line")
def draw_line(connection: Connection, *, to: tuple[int, int], width: int = 1) -> list[int]:
    """Fields of an object, one of them with a default; under another name."""
    return [*to, width]


@command
def visits(connection: Connection) -> int:
    """Count the calls of this page."""
    count = connection.get_connection_state().get("count", 0) + 1
    connection.update_connection_state(count=count)
    return int(count)


@command
def look(connection: Connection) -> list[Any]:
    """The state of this command, and of another one."""
    return [connection.get_connection_state(), connection.get_connection_state("visits")]


@command
def total(connection: Connection) -> int:
    """Count the calls of all pages."""

    def count(values: dict[str, Any]) -> int:
        values["total"] = values.get("total", 0) + 1
        return int(values["total"])

    return connection.update_global_state(count)


@command
def motto(connection: Connection, text: str) -> Any:
    """Set a value that all pages share."""
    connection.update_global_state({"motto": text}, set_by=connection.client.uuid)
    return connection.get_global_state()["motto"]


@command
def tell(connection: Connection, *, whom: str | list[str], text: str) -> int:
    """Push to all, to everyone else, or to some."""
    if whom == "all":
        connection.broadcast({"told": text})
        return len(connection.everyone())
    uuids = connection.everyone_else() if whom == "others" else list(whom)
    connection.send_to_subset(uuids, {"told": text})
    return len(uuids)


@command
def who_am_i(connection: Connection) -> list[Any]:
    """Who is asking, in both spellings."""
    return [
        connection.user.get_username(),
        bool(connection.is_authenticated),
        connection.is_authenticated(),
    ]


@command(run_once=True)
def greet(connection: Connection, name: str) -> str:
    """Run only once for each page, but for a call that fails."""
    if not name:
        raise ApplicationError("no-name", "Who are you?")
    return f"Hello {name}"


@command
def default(connection: Connection, argument: Any) -> list[Any]:
    """Answer what no other command does."""
    return [connection.command, argument]


@command
def fail(connection: Connection, how: str) -> None:
    """Go wrong."""
    connection.update_global_state(failed=how)
    if how == "denied":
        raise PermissionDenied
    if how == "refused":
        raise ApplicationError("too-late", "It is over.")
    raise RuntimeError("a secret of the server")


@command
async def later(connection: Connection, seconds: float) -> list[Any]:
    """Wait in an event loop; the user can be read there."""
    await asyncio.sleep(seconds)
    return ["later", connection.user.get_username()]


@command
def deferred(connection: Connection) -> Deferred[str]:
    """Give a Deferred."""
    return succeed("deferred")


@command
def deferred_reply(msg: Any, response: dict[str, Any], connection: Connection) -> Deferred[None]:
    """Put an answer into the response when the Deferred fires."""
    return succeed(msg).addCallback(lambda value: response.update(deferred_reply=value))


@command
def fired_later(msg: Any, response: dict[str, Any], connection: Connection) -> Deferred[None]:
    """The same, fired by a reactor that runs, as it does in a site."""
    from twisted.internet import reactor

    running: Any = reactor
    fired: Deferred[None] = Deferred()
    fired.addCallback(lambda _: response.update(fired_later=msg))
    running.callFromThread(running.callLater, 0.01, fired.callback, None)
    return fired


@command(channel="room:{room}")
def knock(connection: Connection, *, room: str) -> str:
    """For those who may be in a room."""
    return room


@command(slow=True)
def wait(connection: Connection) -> str:
    """Block a thread until `release`, or for a while."""
    return "released" if HOLD.wait(60) else "nobody came"


@command
def release(connection: Connection) -> None:
    """Let `wait` go on."""
    HOLD.set()


@command(rate="2/h")
def seldom(connection: Connection) -> str:
    """Twice in an hour."""
    return "now"


@teardown
def goodbye(connection: Connection, state: dict[str, Any]) -> None:
    """Note who has gone."""
    GONE.append((connection.client.uuid, state))
