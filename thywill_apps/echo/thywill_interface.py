"""The server side of the echo, as an `App`."""

from typing import Any

from thywill_server.application import App, Client

app = App(
    title="Echo",
    description="What a page sends comes back to that page alone, with the time that it took.",
    icon="proof_of_concept/icon.svg",
    template="proof_of_concept/echo.html",
    styles=["thywill/look.css", "proof_of_concept/echo.css", "proof_of_concept/trips.css"],
    scripts=["thywill/connection.js", "proof_of_concept/echo.js"],
)


@app.on_message
def echo(client: Client, message: Any) -> None:
    """Take a message of one page, and push it back to that page."""
    client.send(message)
