"""The site's half: a page, a channel, and where the rest is."""

import sys
from pathlib import Path
from typing import Any

from django.conf import settings

from thywill_apps.ratings.bounds import bounds
from thywill_apps.ratings.destinations import CHANNEL_CONTROL, MODEL
from thywill_server.application import RemoteApplication

STOMP_PORT = 61613
"""The broker's, where the settings name none."""


def port() -> int:
    """Where `manage.py ratings` looks for the broker by itself."""
    components: Any = settings.THYWILL
    found: int = components["push"].get("stomp_port", STOMP_PORT)
    return found


def command() -> str:
    """What starts the process, in the folder that the site was started in."""
    python, here = Path(sys.executable), Path.cwd()
    shown = python.relative_to(here) if python.is_relative_to(here) else "python"
    return f"{shown} manage.py ratings"


app = RemoteApplication(
    title="Ratings",
    description="A talk is rated while it goes on: a reactive model in a process of its own.",
    icon="ratings/icon.svg",
    scripts=["thywill/connection.js", "ratings/ratings.js"],
    styles=["thywill/look.css", "ratings/ratings.css"],
    template="ratings/page.html",
    parameters={
        "command": command(),
        "port": port(),
        "max_characters": bounds().max_characters,
        "silence_seconds": bounds().alive_seconds * 3,
    },
    events=True,
    events_destination=CHANNEL_CONTROL,
    channels={MODEL: {"may_join": "everybody"}},
)
