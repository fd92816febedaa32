"""The site's half of an application whose functions are in another process.

A package that is served beside others, with nothing in ``thywill_interface.py`` but this::

    from thywill_server.application import RemoteApplication

    app = RemoteApplication(
        title="Hall",
        scripts=["hall/hall.js"],
        channels={"room:{room}": {"history": 100, "may_join": "everybody"}},
    )

Its pages, files and addresses are the package's. Its messages go to a queue of the site's broker,
``/queue/thywill.application.hall``; what reads them there is told in
``documentation/how-to/write-an-application-in-another-process.md``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any


class RemoteApplication:
    """What the site has to know of an application in another process.

    Args:
        title: the page's title.
        description: one line for the site's index page.
        icon: a picture for that page, as a path below the site's static files.
        scripts: ES modules, as paths below the site's static files.
        styles: stylesheets, the same.
        template: a Django template for the page's body.
        parameters: told to the page's scripts.
        bootstrap: whether the application is asked about each page.
        events: whether it is told who comes and goes.
        events_destination: where it is told; the queue of its messages when it is not given.
        channels: its channels, by pattern; each a mapping with ``history``, ``may_join``
            (``"ask"``, ``"users"`` or ``"everybody"``), ``snapshot`` and ``presence``.
    """

    def __init__(
        self,
        title: str | None = None,
        *,
        description: str | None = None,
        icon: str | None = None,
        scripts: Iterable[str] = (),
        styles: Iterable[str] = (),
        template: str | None = None,
        parameters: Mapping[str, Any] | None = None,
        bootstrap: bool = False,
        events: bool = False,
        events_destination: str | None = None,
        channels: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        if isinstance(scripts, str) or isinstance(styles, str):
            raise TypeError('RemoteApplication: scripts and styles are lists: ["hall/hall.js"]')
        given = {
            "title": title,
            "description": description,
            "icon": icon,
            "scripts": list(scripts),
            "styles": list(styles),
            "template": template,
            "parameters": dict(parameters or {}),
            "bootstrap": bootstrap,
            "events": events,
            "events_destination": events_destination,
            "channels": dict(channels or {}),
        }
        self.told = {name: value for name, value in given.items() if value is not None}

    def problems(self) -> list[str]:
        """Say what is wrong with it."""
        from thywill_server.application.remote_stomp.declarations import problems_of

        return [sentence.removeprefix('["app"]') for sentence in problems_of({"app": self.told})]


@dataclass(frozen=True, slots=True)
class Broker:
    """How a program of the site reaches its broker.

    Attributes:
        host: the broker's.
        port: the broker's STOMP port.
        login: for CONNECT.
        passcode: gives the passcode for one connection; tickets live for a minute.
        virtual_host: for CONNECT.
    """

    host: str
    port: int
    login: str
    passcode: Callable[[], str]
    virtual_host: str


def broker() -> Broker:
    """Give what a program of the site connects with, such as the process of an application.

    Whoever can read the site's settings and its ticket key may do what the site may.

    Raises:
        ImproperlyConfigured: the site has no broker.
    """
    from django.core.exceptions import ImproperlyConfigured

    from thywill_server.apps import components

    publisher = components().application.publisher
    if publisher is None:
        raise ImproperlyConfigured(
            'THYWILL["push"]: this component has no broker, so no application can be a process '
            "of its own; choose thywill_server.push.orbited_stomp.OrbitedStomp"
        )
    host, port = publisher.address
    return Broker(host, port, publisher.login, publisher.passcode, publisher.virtual_host)
