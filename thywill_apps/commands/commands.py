"""The commands of the whiteboard: plain functions, found since this file is commands.py."""

from __future__ import annotations

import time
from typing import Any, NoReturn

from thywill_apps.commands import board, picture
from thywill_apps.commands.bounds import bounds
from thywill_server.application import ApplicationError, Connection, command, teardown


@command(run_once=True, rate="60/10s")
def enter(connection: Connection, name: str) -> dict[str, Any]:
    """Come in, once for each page; the others hear of it."""
    wanted = connection.user.get_username() if connection.is_authenticated else name
    wanted = board.line_of(wanted[: bounds().max_name])
    connected = set(connection.everyone())
    person, called = connection.update_global_state(
        lambda state: board.enter(state, wanted, connection.client.uuid, time.time(), connected)
    )
    connection.update_connection_state(person=person)
    came = {"person": person, "name": called}
    connection.broadcast({"came": came})
    return {**came, "greeting": f"Hello {called}. What you draw, everybody sees."}


@command("board", rate="60/10s")
def look(connection: Connection) -> dict[str, Any]:
    """Give all that is on the board, and who is here: to a page that comes late, or again."""
    return board.told(connection.get_global_state())


@command(rate=bounds().draw_rate)
def draw(connection: Connection, *, points: list[int], ink: str, width: int) -> dict[str, Any]:
    """Draw a stroke; every page is sent it, and the reply is its number."""
    person = _person(connection)
    stroke, gone = connection.update_global_state(
        lambda state: board.draw(state, person, ink, width, points)
    )
    connection.broadcast({"drawn": stroke, "removed": gone} if gone else {"drawn": stroke})
    return {"number": stroke["number"], "name": stroke["name"]}


@command(rate=bounds().draw_rate)
def undo(connection: Connection) -> int:
    """Take away one's own last stroke; the reply is its number."""
    person = _person(connection)
    number = connection.update_global_state(lambda state: board.undo(state, person))
    connection.broadcast({"removed": [number]})
    return number


@command(rate="10/10s")
def clear(connection: Connection) -> dict[str, Any]:
    """Clear the board: who is signed in does, and visitors vote."""
    person = _person(connection)
    may_decide = bool(connection.is_authenticated)

    def change(state: board.State) -> tuple[int | None, dict[str, int], str]:
        name = board.name_of(state, person)
        is_agreed = board.vote(state, person)
        last = board.clear(state) if may_decide or is_agreed else None
        return last, board.votes(state), name

    last, counted, name = connection.update_global_state(change)
    if last is not None:
        connection.broadcast({"cleared": {"last_stroke": last, "name": name}, "votes": counted})
    else:
        connection.broadcast({"votes": counted})
    return {"is_cleared": last is not None, **counted}


@command(rate="10/10s")
def rename(connection: Connection, name: str) -> str:
    """Take another name, as a visitor."""
    if connection.is_authenticated:
        raise ApplicationError("not-allowed", "You are here under the name of your account.")
    person, line = _person(connection), board.line_of(name)
    if not line:
        raise ApplicationError("invalid-message", "A name is at least one character.")
    connection.update_global_state(lambda state: board.rename(state, person, line))
    connection.broadcast({"came": {"person": person, "name": line}})
    return line


@command(rate=bounds().cursor_rate)
def cursor(
    connection: Connection, *, at: tuple[int, int] | None, ink: str = "", width: int = 0
) -> None:
    """Tell everyone else where this pen is, and what it draws just now; null: it is gone.

    A page that connects in this moment may not be among them yet. Here that is no loss.
    """
    if at is not None:
        board.require_on_board(*at)
    if ink:
        board.check_stroke(ink, width, [0, 0])
    moved = {"person": _person(connection), "at": at, "ink": ink, "width": width}
    connection.send_to_subset(connection.everyone_else(), {"cursor": moved})


@command(slow=True, rate="6/m")
def export(connection: Connection) -> dict[str, Any]:
    """Give the board as SVG. A full one takes its time, and nobody waits for it."""
    strokes = board.told(connection.get_global_state())["strokes"]
    return {"svg": picture.svg_of(strokes), "strokes": len(strokes)}


@command
def default(connection: Connection, argument: Any) -> NoReturn:
    """Say what the board knows."""
    known = "board, clear, cursor, draw, enter, export, rename, undo"
    raise ApplicationError("unknown-command", f"The board knows {known}.")


@teardown
def leave(connection: Connection, state: dict[str, Any]) -> None:
    """Let somebody out whose page is gone."""
    person = state.get("enter", {}).get("person")
    if person is None:
        return

    def change(values: board.State) -> tuple[bool, dict[str, int]]:
        return board.leave(values, person), board.votes(values)

    was_here, counted = connection.update_global_state(change)
    if was_here:
        connection.broadcast({"left": person, "votes": counted})


def _person(connection: Connection) -> int:
    """Give the number that this page has got from `enter`."""
    person = connection.get_connection_state("enter").get("person")
    if person is None:
        raise ApplicationError("enter-first", "Enter the board first.")
    return int(person)
