"""The board: what is drawn, who is here, and who wants it cleared; plain values, changed in place.

They are the application's global state, so each function here is called with all of it, under its
lock, by ``connection.update_global_state``::

    {"strokes": [{"number": 7, "by": 2, "name": "Ada", "ink": "blue", "width": 4,
                  "points": [600, 400, 12, -3, ...]}, ...],
     "people": {"2": {"name": "Ada", "page": UUID, "since": SECONDS}}, "votes": [2],
     "last_stroke": 7, "last_person": 2}

The points of a stroke are its first one, and then the steps from each to the next.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from typing import Any, Final

from thywill_apps.commands.bounds import HEIGHT, INKS, MAX_PEN, WIDTH, bounds
from thywill_server.application import ApplicationError

State = dict[str, Any]

CONNECT_SECONDS: Final = 60
"""After so long, somebody whose page is not connected is not here."""


def told(state: State) -> dict[str, Any]:
    """Give what a page begins with."""
    return {
        "strokes": state.get("strokes", []),
        "people": [
            {"person": int(person), "name": entry["name"]}
            for person, entry in state.get("people", {}).items()
        ],
        "votes": votes(state),
        "last_stroke": state.get("last_stroke", 0),
    }


# People.


def enter(
    state: State, name: str, page: str, now: float, connected: Collection[str]
) -> tuple[int, str]:
    """Let somebody in; who has never connected, and so is never seen to leave, is let out.

    Args:
        state: the application's.
        name: the wanted one; empty for one that is made of the number.
        page: the uuid of the page.
        now: the time in seconds.
        connected: the pages that are connected.

    Returns:
        the number of the person, and the name.

    Raises:
        ApplicationError: ``board-full``.
    """
    people = state.setdefault("people", {})
    for other, entry in list(people.items()):
        if entry["page"] not in connected and now - entry["since"] > CONNECT_SECONDS:
            leave(state, int(other))
    if len(people) >= bounds().max_people:
        raise ApplicationError("board-full", "So many draw here that you can only look on.")
    person = state["last_person"] = state.get("last_person", 0) + 1
    name = name or f"Guest {person}"
    people[str(person)] = {"name": name, "page": page, "since": round(now)}
    return person, name


def rename(state: State, person: int, name: str) -> None:
    """Give somebody another name; what was drawn before keeps the old one."""
    name_of(state, person)
    state["people"][str(person)]["name"] = name


def leave(state: State, person: int) -> bool:
    """Let somebody out; tells whether they were here."""
    if person in state.get("votes", []):
        state["votes"].remove(person)
    return state.get("people", {}).pop(str(person), None) is not None


def line_of(name: str) -> str:
    """Give a name in one line.

    Raises:
        ApplicationError: it is too long, or not printable.
    """
    line = " ".join(name.split())
    longest = bounds().max_name
    if len(line) > longest or not line.isprintable():
        sentence = f"A name is at most {longest} printable characters."
        raise ApplicationError("invalid-message", sentence)
    return line


# Strokes.


def draw(
    state: State, person: int, ink: str, width: int, points: Sequence[int]
) -> tuple[dict[str, Any], list[int]]:
    """Add a stroke.

    Returns:
        it, and the numbers of the oldest ones, which had to go for it.

    Raises:
        ApplicationError: it is none, or nobody of this number is here.
    """
    name = name_of(state, person)
    check_stroke(ink, width, points)
    number = state["last_stroke"] = state.get("last_stroke", 0) + 1
    stroke = {
        "number": number,
        "by": person,
        "name": name,
        "ink": ink,
        "width": width,
        "points": list(points),
    }
    strokes = state.setdefault("strokes", [])
    strokes.append(stroke)
    sizes = [len(json.dumps(each, separators=(",", ":"))) + 1 for each in strokes]
    gone = max(0, len(strokes) - bounds().max_strokes)
    total = sum(sizes[gone:])
    while total > bounds().max_board_bytes and gone < len(strokes) - 1:
        total -= sizes[gone]
        gone += 1
    numbers = [each["number"] for each in strokes[:gone]]
    del strokes[:gone]
    return stroke, numbers


def check_stroke(ink: str, width: int, points: Sequence[int]) -> None:
    """Raise ApplicationError for what is no stroke."""
    if ink not in INKS:
        raise ApplicationError("invalid-message", f"ink: expected one of {', '.join(INKS)}.")
    if not 1 <= width <= MAX_PEN:
        raise ApplicationError("invalid-message", f"width: expected 1 to {MAX_PEN}.")
    if len(points) % 2 or not 2 <= len(points) <= 2 * bounds().max_points:
        sentence = f"points: expected 1 to {bounds().max_points} of them, x and y in turn."
        raise ApplicationError("invalid-message", sentence)
    for x, y in corners(points):
        require_on_board(x, y)


def require_on_board(x: int, y: int) -> None:
    """Raise ApplicationError for a point outside of the board."""
    if not (0 <= x <= WIDTH and 0 <= y <= HEIGHT):
        raise ApplicationError("invalid-message", f"A point is off the board: {x}, {y}.")


def corners(points: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Give the points of a stroke, each by itself."""
    x = y = 0
    for dx, dy in zip(points[::2], points[1::2], strict=True):
        x, y = x + dx, y + dy
        yield x, y


def undo(state: State, person: int) -> int:
    """Take away somebody's last stroke; gives its number.

    Raises:
        ApplicationError: ``nothing-to-undo``.
    """
    name_of(state, person)
    strokes = state.get("strokes", [])
    for index in range(len(strokes) - 1, -1, -1):
        if strokes[index]["by"] == person:
            return int(strokes.pop(index)["number"])
    raise ApplicationError("nothing-to-undo", "Nothing of yours is on the board.")


# Clearing.


def clear(state: State) -> int:
    """Take everything away; gives the number of the last stroke there was."""
    state["strokes"], state["votes"] = [], []
    return int(state.get("last_stroke", 0))


def vote(state: State, person: int) -> bool:
    """Note that somebody wants the board cleared; tells whether most of those here do."""
    name_of(state, person)
    voters = state.setdefault("votes", [])
    if person not in voters:
        voters.append(person)
    counted = votes(state)
    return counted["for"] >= counted["needed"]


def votes(state: State) -> dict[str, int]:
    """Give how many want the board cleared, and how many it takes: more than half."""
    return {"for": len(state.get("votes", [])), "needed": len(state.get("people", {})) // 2 + 1}


def name_of(state: State, person: int) -> str:
    """Give somebody's name; raises ApplicationError, ``enter-first``, when they are not here."""
    entry = state.get("people", {}).get(str(person))
    if entry is None:
        raise ApplicationError("enter-first", "Enter the board first.")
    name: str = entry["name"]
    return name
