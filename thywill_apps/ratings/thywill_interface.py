"""The site's half: a page, a channel, and where the rest is."""

from thywill_apps.ratings.bounds import bounds
from thywill_apps.ratings.destinations import CHANNEL_CONTROL, COMMAND, MODEL
from thywill_server.application import RemoteApplication

app = RemoteApplication(
    title="Ratings",
    scripts=["thywill/connection.js", "ratings/ratings.js"],
    styles=["thywill/look.css", "ratings/ratings.css"],
    template="ratings/page.html",
    parameters={
        "command": COMMAND,
        "max_characters": bounds().max_characters,
        "silence_seconds": bounds().alive_seconds * 3,
    },
    events=True,
    events_destination=CHANNEL_CONTROL,
    channels={MODEL: {"may_join": "everybody"}},
)
