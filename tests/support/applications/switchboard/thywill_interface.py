"""What the page is: commands.py has the rest, and nothing here names it."""

from thywill_server.application import App

app = App(title="Switchboard")


@app.on("ordinary")
def ordinary(client: object, message: str) -> str:
    """A command of the other kind, which can be asked for in the same message."""
    return message.upper()


@app.channel("room:{room}")
def may_join(client: object, room: str) -> bool:
    """One room is open."""
    return room == "open"
