"""What the page of the whiteboard is made of; what it does is in commands.py."""

from __future__ import annotations

from django.urls import reverse

from thywill_apps.commands.bounds import HEIGHT, INKS, MAX_PEN, WIDTH, bounds
from thywill_server.application import App, Client, ClientConfiguration

app = App(
    title="Whiteboard",
    description="A board that many draw on at once, by mouse, touch, pen and keyboard.",
    icon="commands/icon.svg",
    scripts=["thywill/connection.js", "commands/whiteboard.js"],
    styles=["thywill/look.css", "commands/whiteboard.css"],
    template="commands/whiteboard.html",
)


@app.bootstrap
def prepare(client: Client, configuration: ClientConfiguration) -> None:
    """Tell the page the size of the board, and who is signed in."""
    configuration.set_application_parameter(
        "board",
        {
            "width": WIDTH,
            "height": HEIGHT,
            "inks": INKS,
            "max_pen": MAX_PEN,
            "max_points": bounds().max_points,
            "max_name": bounds().max_name,
            "user": client.user.get_username() if client.is_authenticated else None,
            "sign_in": reverse("commands:sign_in"),
        },
    )
