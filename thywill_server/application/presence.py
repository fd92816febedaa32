"""Who is in a channel, and who is connected at all, for applications."""

from __future__ import annotations

from typing import TYPE_CHECKING

from thywill_server.application.publishing import (
    application_named,
    found_channel,
    push_of_site,
)

if TYPE_CHECKING:
    from thywill_server.connections.presence import ChannelPresence


def presence(channel: str, *, application: str | None = None) -> ChannelPresence:
    """Tell who is in a channel, from anywhere.

    ``presence("room:lobby").users`` gives each user once, ``.members`` each page with its ``uuid``,
    ``identity``, ``user`` and ``since``, ``.cards`` what pages may know.

    Args:
        channel: its name; declared with ``@app.channel(..., presence=True)``.
        application: as of `publish`.

    Raises:
        ValueError: there is no such channel, or nobody notes who is in it.
    """
    found = found_channel(channel, application)
    if not found.presence:
        raise ValueError(
            f'nobody notes who is in "{found.name}": declare it with @app.channel(presence=True)'
        )
    from thywill_server.connections.presence import present

    push = push_of_site()
    return present(push.channel_destination(found.application, found.name))


def connected(*, application: str | None = None) -> list[str]:
    """Give the uuids of an application's pages that are connected, in every process; as a query.

    A page that connects in this very moment may not be among them; `broadcast` reaches it.

    Args:
        application: which; in a handler its own by default, elsewhere the only one of the site.

    Raises:
        ValueError: the site has several applications, or none of this name.
    """
    from thywill_server.database.clients import connected_to

    return connected_to(application_named(application, "connected"))
