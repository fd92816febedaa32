"""The testbed's commands; a message without a command comes back by push and as the reply."""

from collections import Counter
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied

from thywill_server.application import App, ApplicationError, Client, PushUnavailable

TITLE = "</script><script>alert(1)</script> & \u2028 <!--"

app = App(title=TITLE, scripts=["testbed/testbed.js"])
calls: Counter[str] = Counter()


@app.on_message
def echo(client: Client, message: Any) -> Any:
    """Send it back on both ways."""
    client.send(message)
    return message


@app.on("who")
def who(client: Client) -> dict[str, Any]:
    """Tell what the application sees of its client."""
    return {
        "uuid": client.uuid,
        "session_key": client.session_key,
        "session_identity": client.session_identity,
        "user": str(client.user),
        "is_authenticated": client.is_authenticated,
        "application": client.application,
    }


@app.on("who async")
async def who_async(client: Client) -> dict[str, Any]:
    """The same in an event loop, where Django refuses to read the user."""
    return who(client)


@app.on("count")
def count(client: Client, name: Any) -> int:
    """Tell how often it was called with this name."""
    calls[name] += 1
    return calls[name]


@app.on("numbers")
def numbers(client: Client, span: Any) -> None:
    """Push the numbers of a span, each a message of its own, of about a thousand bytes."""
    for number in range(*span):
        client.send(f"{number} {'.' * 1000}")


@app.on("fail")
def fail(client: Client) -> None:
    """Fail, with words that no browser may read."""
    raise ZeroDivisionError("the testbed fails on purpose")


@app.on("refuse")
def refuse(client: Client) -> None:
    """Refuse in the application's own words."""
    raise ApplicationError("too-late", "It is over.", 409)


@app.on("forbid")
def forbid(client: Client) -> None:
    """Refuse the way Django code does."""
    raise PermissionDenied("secret reason")


@app.on("unwritable")
def unwritable(client: Client) -> Any:
    """Reply with something that JSON has no form for."""
    return object()


@app.on("full")
def full(client: Client) -> None:
    """Find the push queue full."""
    calls["full"] += 1
    raise PushUnavailable()


@app.on("write")
def write(client: Client, message: Any) -> None:
    """Write a user to the database, and then fail or refuse if the message says so."""
    User.objects.create(username=message["name"])
    if message.get("then") == "fail":
        raise ZeroDivisionError("after writing")
    if message.get("then") == "refuse":
        raise ApplicationError("too-late", "It is over.")
    if message.get("then") == "forbid":
        raise PermissionDenied
