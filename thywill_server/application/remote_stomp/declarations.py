"""From the setting ``applications`` to an `App` whose functions ask another process.

::

    "chat": {
        "title": "Chat", "scripts": ["chat/chat.js"], "styles": [], "template": None,
        "parameters": {"greeting": "hello"},
        "bootstrap": True,       # ask about each page
        "events": True,          # tell who comes and goes
        "events_destination": "/queue/...",    # somewhere else than everything else
        "channels": {
            "room:{room}": {"history": 200, "may_join": "ask", "snapshot": True, "presence": True},
            "news": {"may_join": "everybody"},    # or "users": who is logged in
        },
    }
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from thywill_server.application.app import App
from thywill_server.application.channels import ChannelPattern
from thywill_server.application.listing import description_problem
from thywill_server.client import Client
from thywill_server.client_configuration import ClientConfiguration
from thywill_server.encoding import Json, encode_json
from thywill_server.errors import Refusal
from thywill_server.settings_table import Setting, did_you_mean

log = logging.getLogger(__name__)

NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,99}")

FIELDS: Final[Mapping[str, Setting]] = {
    "title": Setting(kind="str", help="The page's title."),
    "description": Setting(kind="str", help="One line for the index page."),
    "icon": Setting(kind="str", help="A picture for that page, as a static file."),
    "scripts": Setting(kind="list", help="ES modules, as static files.", default=[]),
    "styles": Setting(kind="list", help="Stylesheets, as static files.", default=[]),
    "template": Setting(kind="str", help="A Django template for the page's body."),
    "parameters": Setting(kind="mapping", help="Told to the page's scripts.", default={}),
    "bootstrap": Setting(kind="bool", help="Whether it is asked about each page.", default=False),
    "events": Setting(kind="bool", help="Whether it is told who comes and goes.", default=False),
    "events_destination": Setting(kind="str", help="Where; by default as everything else."),
    "channels": Setting(kind="mapping", help="Its channels, by pattern.", default={}),
}

CHANNEL_FIELDS: Final[Mapping[str, Setting]] = {
    "history": Setting(kind="int", help="How many messages are kept.", default=0, minimum=0),
    "may_join": Setting(
        kind="str",
        help="Who may join.",
        default="ask",
        choices=("ask", "users", "everybody"),
    ),
    "snapshot": Setting(kind="bool", help="Whether it gives one.", default=False),
    "presence": Setting(kind="bool", help="Whether it is noted who is there.", default=False),
}


Asking = Callable[[str, str, Client, Mapping[str, Json]], Json]
"""Asks the application in the other process, and waits: ``(kind, application, client, about)``."""

Telling = Callable[[str, str, Client, str], None]
"""Tells it something, and does not wait: ``(kind, application, client, destination)``."""


def problems_of(applications: Mapping[str, Any]) -> list[str]:
    """Say what is wrong in the setting; each sentence begins with where."""
    found = []
    for name, told in applications.items():
        if not NAME.fullmatch(name):
            found.append(f'["{name}"]: expected a name of letters, digits, _ and -')
            continue
        wrong = _wrong_fields(told, FIELDS, f'["{name}"]')
        found += wrong
        if wrong:
            continue
        if problem := description_problem(told.get("description")):
            found.append(f'["{name}"]["description"]: {problem}')
        for pattern, channel in told.get("channels", {}).items():
            where = f'["{name}"]["channels"]["{pattern}"]'
            wrong = _wrong_fields(channel, CHANNEL_FIELDS, where)
            try:
                ChannelPattern(pattern)
            except ValueError as error:
                wrong.append(f"{where}: {error}")
            if not wrong and channel.get("snapshot") and not channel.get("history"):
                wrong.append(f"{where}: a snapshot needs history, for the messages between")
            found += wrong
        try:
            encode_json(told.get("parameters", {}))
        except (TypeError, ValueError) as error:
            found.append(f'["{name}"]["parameters"]: {error}')
    return found


def app_of(name: str, told: Mapping[str, Any], ask: Asking, tell: Telling) -> App:
    """Make an application of its settings, which are right."""
    app = App(
        told.get("title"),
        description=told.get("description"),
        icon=told.get("icon"),
        scripts=told.get("scripts", ()),
        styles=told.get("styles", ()),
        template=told.get("template"),
    )

    @app.bootstrap
    def bootstrap(client: Client, configuration: ClientConfiguration) -> None:
        for key, value in told.get("parameters", {}).items():
            configuration.set_application_parameter(key, value)
        if told.get("bootstrap"):
            _configure(configuration, ask("bootstrap", name, client, {}))

    _name(bootstrap, name, "bootstrap")
    if told.get("events"):
        app.on_connect(_teller("connected", name, told, tell))
        app.on_disconnect(_teller("disconnected", name, told, tell))
    for pattern, channel in told.get("channels", {}).items():
        _declare(app, name, pattern, channel, ask)
    return app


def _teller(
    kind: str, application: str, told: Mapping[str, Any], tell: Telling
) -> Callable[[Client], None]:
    destination = told.get("events_destination") or ""

    def tell_it(client: Client) -> None:
        try:
            tell(kind, application, client, destination)
        except Refusal as refusal:
            log.info("%s is not told that a page has %s: %s", application, kind, refusal)

    _name(tell_it, application, kind)
    return tell_it


def _declare(
    app: App, application: str, pattern: str, told: Mapping[str, Any], ask: Asking
) -> None:
    names = ChannelPattern(pattern)
    rule = told.get("may_join", "ask")

    def may_join(client: Client, **fields: str) -> bool:
        if rule == "everybody":
            return True
        if rule == "users":
            return client.is_authenticated
        about = {"channel": names.name_of(fields), "fields": fields}
        return ask("may_join", application, client, about) is True

    def snapshot(client: Client, **fields: str) -> Json:
        about = {"channel": names.name_of(fields), "fields": fields}
        return ask("snapshot", application, client, about)

    app.channel(
        pattern,
        history=told.get("history", 0),
        snapshot=_name(snapshot, application, "snapshot") if told.get("snapshot") else None,
        presence=told.get("presence", False),
    )(_name(may_join, application, "may_join"))


def _configure(configuration: ClientConfiguration, told: Json) -> None:
    """Add what the application has answered about a page.

    Raises:
        ValueError: it is not as it has to be.
    """
    wrong = _wrong_fields(told, _BOOTSTRAP_FIELDS, "bootstrap")
    if wrong:
        raise ValueError("; ".join(wrong))
    if told.get("title") is not None:
        configuration.set_application_parameter("title", told["title"])
    for key, value in told.get("parameters", {}).items():
        configuration.set_application_parameter(key, value)
    for script in told.get("scripts", ()):
        configuration.add_application_script(script)
    for style in told.get("styles", ()):
        configuration.add_application_stylesheet(style)
    for channel in told.get("channels", ()):
        configuration.join_channel(channel)


_BOOTSTRAP_FIELDS: Final[Mapping[str, Setting]] = {
    **{name: FIELDS[name] for name in ("title", "scripts", "styles", "parameters")},
    "channels": Setting(kind="list", help="Those that the page begins in.", default=[]),
}


def _wrong_fields(told: Any, fields: Mapping[str, Setting], where: str) -> list[str]:
    if not isinstance(told, Mapping):
        return [f"{where}: expected a mapping, got {type(told).__name__}"]
    found = [
        f"{where}: unknown {name!r:.60}{did_you_mean(name, dict(fields))}"
        for name in told
        if name not in fields
    ]
    for name, setting in fields.items():
        problem = setting.problem(told[name]) if name in told else None
        if problem is not None:
            found.append(f'{where}["{name}"]: {problem}')
    return found


def _name(function: Callable[..., Any], application: str, what: str) -> Any:
    """Let logs name what was asked, and not a function of this module."""
    function.__qualname__ = f"{application} (remote) {what}"
    return function
