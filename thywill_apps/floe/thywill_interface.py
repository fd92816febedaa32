"""The game's half on the server: coming in, steering, names. What it means is in `world`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from random import SystemRandom
from typing import Any, Final

from thywill_apps.floe import names
from thywill_apps.floe.bounds import bounds
from thywill_apps.floe.game import Game, Page
from thywill_apps.floe.lease import Lease, played_elsewhere
from thywill_apps.floe.players import Steering
from thywill_server.application import App, ApplicationError, Client, ClientConfiguration

CHANNEL: Final = "floe"
KEY: Final = re.compile(r"[0-9a-f]{32}")
LARGEST_NUMBER: Final = 2**53 - 1

app = App(
    title="Floe",
    description="A game on ice for up to thirty: push the others into the sea, and catch fish.",
    scripts=["floe/floe.js"],
    styles=["thywill/look.css", "floe/floe.css"],
    template="floe/page.html",
)
game = Game(lambda frame: app.publish(CHANNEL, "tick", frame), bounds)
lease = Lease(lambda: app.state, lambda: bounds().lease_seconds)


@app.channel(CHANNEL)
def may_watch(client: Client) -> bool:
    """Everybody may. Nothing is kept: the next tick tells what matters."""
    return True


@dataclass
class Play:
    """A page wants to play; the key is its own, and brings its player back."""

    key: str
    name: str


@dataclass
class Steer:
    """Where a page steers, from -100 to 100 each way; it says nothing of where it is."""

    number: int
    x: int
    y: int
    dashes: int = 0
    is_resting: bool = False


@dataclass
class Rename:
    """Another name."""

    name: str


@app.on("play", rate=bounds().play_rate)
def play(client: Client, message: Play) -> dict[str, Any]:
    """Let a page in; the reply has its player's id, and everything as it is now."""
    if not KEY.fullmatch(message.key):
        raise ApplicationError("invalid-message", "key: expected 32 hexadecimal digits.")
    name = names.clean(message.name, bounds().max_name_characters)
    _take_lease()
    return game.play(Page(client.uuid, client.session_identity or client.uuid), message.key, name)


@app.on("steer", rate=bounds().steer_rate)
def steer(client: Client, message: Steer) -> None:
    """Take where a page wants to go."""
    if not 0 <= message.number <= LARGEST_NUMBER:
        raise ApplicationError("invalid-message", "number: expected one that pages count to.")
    wanted = Steering.of(message.number, message.x, message.y, message.dashes, message.is_resting)
    if not game.steer(client.uuid, wanted):
        raise _no_player()
    _take_lease(when_due=True)


@app.on("rename", rate=bounds().rename_rate)
def rename(client: Client, message: Rename) -> None:
    """Change the name of a page's player."""
    if not game.rename(client.uuid, names.clean(message.name, bounds().max_name_characters)):
        raise _no_player()


@app.on_disconnect
def sleep(client: Client) -> None:
    """Let the player of a page sleep, that has gone or has lost its connection for long."""
    game.rest(client.uuid)


@app.bootstrap
def prepare(client: Client, configuration: ClientConfiguration) -> None:
    """Tell the page the rules, and a name for those who have none yet."""
    configuration.set_application_parameter(
        "floe",
        {
            "rules": bounds().rules().for_page(),
            "name": names.suggest(SystemRandom()),
            "max_name_characters": bounds().max_name_characters,
        },
    )


def _take_lease(when_due: bool = False) -> None:
    try:
        lease.prolong() if when_due else lease.take()
    except ApplicationError:
        game.stop()  # another process has it by now
        raise


def _no_player() -> ApplicationError:
    if lease.is_elsewhere():
        return played_elsewhere()
    return ApplicationError("not-playing", "You are not on the floe any more.", status=409)
