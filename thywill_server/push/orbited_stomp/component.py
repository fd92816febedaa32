"""The push component of most sites: one STOMP connection to a broker, Orbited before the browsers.

::

    publish() --> Publisher --STOMP--> broker --STOMP--> Orbited --comet--> stomp.js in the page

The page connects with its uuid as login and a ticket as passcode, and subscribes to the destination
that the ticket names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit

from thywill_server.component import Component, Problem
from thywill_server.connections.base import about, claim_of
from thywill_server.errors import ConfigurationError
from thywill_server.push import destinations
from thywill_server.push.base import TEXT_TYPE, PushComponent, PushMessage
from thywill_server.push.orbited_stomp.advisories import Advisories
from thywill_server.push.orbited_stomp.browser_modules import MODULES
from thywill_server.push.orbited_stomp.settings import SETTINGS
from thywill_server.push.orbited_stomp.ticket_key import (
    default_key_file,
    find_ticket_key,
    load_ticket_key,
)
from thywill_server.push.orbited_stomp.tickets import (
    LEEWAY_SECONDS,
    SITE_SUBJECT,
    issue_ticket,
    renewal_destination,
)

if TYPE_CHECKING:
    from stompservice.service import StompClientService
    from thywill_server.client import Client
    from thywill_server.client_configuration import ClientConfiguration
    from thywill_server.connections.base import Reporting
    from thywill_server.encoding import Json
    from thywill_server.push.orbited_stomp.publisher import Publisher
    from thywill_server.settings_table import Setting

__all__ = ["Embedding", "OrbitedStomp"]

GO = PushMessage(b"", TEXT_TYPE, None, {"thywill": "disconnected"})
"""What a page hears that shall go, from a broker that cannot end its connection."""

SITE_TICKET_SECONDS = 60
"""For the CONNECT of the site itself; the connection may stay."""


@dataclass(frozen=True, slots=True)
class Embedding:
    """What a one-process site starts for this component.

    Attributes:
        broker: dotted path of a function that gives the broker's factory; empty for none.
        broker_options: what it is called with.
        comet: dotted path of a function that gives the comet server.
        comet_options: what it is called with.
        reactor: dotted path of a function that installs Twisted's reactor, if there is none yet;
            empty for Twisted's own choice.
        url: the address that the comet server gets in the site.
        stomp_host: where the broker listens.
        stomp_port: where the broker listens; 0 for a free port.
    """

    broker: str
    broker_options: Mapping[str, str]
    comet: str
    comet_options: Mapping[str, Any]
    reactor: str
    url: str
    stomp_host: str
    stomp_port: int


class OrbitedStomp(PushComponent):
    """Pushes over a STOMP broker that Orbited exposes to browsers."""

    SETTINGS: ClassVar[Mapping[str, Setting]] = SETTINGS

    def __init__(self, settings: Mapping[str, Any], **collaborators: Component) -> None:
        super().__init__(settings, **collaborators)
        self._is_draining = False
        self._embedded_health: Callable[[], Mapping[str, Any]] | None = None

    # Settings.

    def check(self) -> list[str]:
        """Say what is wrong with the settings as a whole."""
        problems = super().check()
        if not _is_orbited_url(self.settings["orbited_url"]):
            problems.append(
                self._problem("orbited_url", 'expected a path such as "/orbited/" or a URL')
            )
        if not _is_path(self.settings["embedded_url"]):
            problems.append(self._problem("embedded_url", 'expected a path such as "/orbited/"'))
        if not self.settings["transports"]:
            problems.append(self._problem("transports", "expected at least one"))
        if not _is_host(self.settings["stomp_host"]):
            problems.append(self._problem("stomp_host", "expected a host name or an address"))
        if bool(self.settings["stomp_login"]) != bool(self.settings["stomp_passcode"]):
            name = self.setting_name("stomp_login")
            problems.append(Problem(f'{name}: expected together with "stomp_passcode"'))
        try:
            find_ticket_key(self.ticket_key_file)
        except ConfigurationError as error:
            problems.append(Problem(f"{self.setting_name('ticket_key_file')}: {error}"))
        return problems

    def _problem(self, name: str, expected: str) -> Problem:
        return Problem(f"{self.setting_name(name)}: {expected}, got {self.settings[name]!r}")

    @property
    def ticket_key_file(self) -> Path:
        """Where the key is that signs tickets, unless the environment has it."""
        return self.settings["ticket_key_file"] or default_key_file(Path.cwd())

    @cached_property
    def _key(self) -> bytes:
        return load_ticket_key(self.ticket_key_file)

    # The life of the component.

    @cached_property
    def publisher(self) -> Publisher:
        """The connection to the broker; made at the first use."""
        # Twisted takes longer to import than all the rest that most commands of manage.py need.
        from thywill_server.push.orbited_stomp.publisher import Publisher

        settings = self.settings
        own_login: str = settings["stomp_login"]
        return Publisher(
            settings["stomp_host"],
            settings["stomp_port"],
            login=own_login or SITE_SUBJECT,
            passcode=(lambda: settings["stomp_passcode"]) if own_login else self._site_ticket,
            virtual_host=settings["stomp_virtual_host"],
            heart_beat_seconds=settings["heart_beat_seconds"],
            max_queued_messages=settings["max_queued_messages"],
            max_queued_bytes=settings["max_queued_bytes"],
        )

    def start(self) -> None:
        """Find or make the key, and connect to the broker."""
        _ = self._key
        self.publisher.start()

    def drain(self) -> None:
        """Say from now on that this site is not ready for more; everything works on."""
        self._is_draining = True

    def stop(self) -> Any:
        """Send what is queued, and disconnect; gives a Deferred."""
        self._is_draining = True
        return self.publisher.stop()

    def health(self) -> dict[str, Any]:
        """Tell whether there is a connection to the broker, and how much waits for it."""
        is_well = self.publisher.is_connected and not self._is_draining
        health: dict[str, Any] = {
            "status": "ok" if is_well else "failed",
            "connected": self.publisher.is_connected,
            "draining": self._is_draining,
            "queued": self.publisher.queued,
        }
        if self._embedded_health is not None:
            health["comet"] = dict(self._embedded_health())
        return health

    @property
    def orbited_url(self) -> str:
        """Where browsers find Orbited; it ends with a slash."""
        url: str = self.settings["orbited_url"]
        return url if url.endswith("/") else url + "/"

    @property
    def monitor_url(self) -> str | None:
        """Orbited's own page."""
        return f"{self.orbited_url}system/monitor"

    # Connections.

    @property
    def reports_connections(self) -> bool:
        """Whether the broker reports them."""
        return bool(self.settings["advisory_destination"])

    @cached_property
    def advisories(self) -> Advisories:
        """What the broker reports."""
        return Advisories(
            self.settings["advisory_destination"],
            self.ask_who_is_there,
            self.settings["stomp_login"] or SITE_SUBJECT,
            self.setting_name("advisory_destination"),
        )

    def report_to(self, reporting: Reporting | None) -> None:
        """Have the broker's reports handed on, in the reactor thread."""
        if not self.reports_connections or (reporting is None and "advisories" not in vars(self)):
            return
        advisories = self.advisories

        def change(service: StompClientService) -> None:
            advisories.detach()
            advisories.report = reporting
            if reporting is not None:
                advisories.attach(service)

        self.publisher.use_service(change)

    @property
    def live_broker(self) -> str | None:
        """The broker at the other end, once it has reported something over this connection."""
        return self.advisories.live_broker if self.reports_connections else None

    def ask_who_is_there(self) -> None:
        """Have the broker report everybody."""
        self._control({"report-logins": "yes"})

    def renewal_destination(self, client_uuid: str) -> str:
        """Name the destination that a client subscribes to with a new ticket."""
        return renewal_destination(client_uuid)

    def disconnect(self, client_uuids: Iterable[str], session: str = "") -> None:
        """Have the broker end connections, and refuse the tickets that are out.

        A broker without a way to be told sends the page a message that asks it to go.
        """
        if not self.settings["control_destination"]:
            for client_uuid in client_uuids:
                self.publish(self.destination_of(client_uuid), GO)
            return
        seconds = int(self.settings["ticket_seconds"]) + LEEWAY_SECONDS + 1
        names = [("disconnect-session", session)] if session else []
        names += [("disconnect-login", client_uuid) for client_uuid in client_uuids]
        for name, value in names:
            self._control({name: value, "refuse-seconds": str(seconds)})

    def _control(self, headers: Mapping[str, str]) -> None:
        if self.settings["control_destination"]:
            self.publisher.publish(self.settings["control_destination"], b"", headers)

    # Messages.

    def publish(
        self, destination: str, message: PushMessage | Json, event: str | None = None
    ) -> None:
        """Hand a message on to the broker."""
        ready = PushMessage.of(message, event)
        self.publisher.publish(destination, ready.body, ready.wire_headers())

    def flush(self, timeout_seconds: float = 5.0) -> None:
        """Wait until the broker has confirmed what was published."""
        self.publisher.flush(timeout_seconds)

    def destination_of(self, client_uuid: str) -> str:
        """Name the destination that only this client may subscribe to."""
        return destinations.client_destination(client_uuid)

    # Pages.

    def bootstrap_client(self, client: Client, configuration: ClientConfiguration) -> None:
        """Tell a page where Orbited is, and give it a ticket."""
        url = self.orbited_url
        configuration.add_bootstrap_script(f"{url}static/Orbited.js")
        configuration.add_bootstrap_script(f"{url}static/protocols/stomp/stomp.js")
        configuration.add_bootstrap_script("thywill/push/orbited_stomp.js")
        for module in MODULES:
            configuration.add_bootstrap_module(f"{url}static/{module}")
        host, port = self.settings["stomp_host"], self.settings["stomp_port"]
        heart_beat_ms = int(self.settings["page_heart_beat_seconds"] * 1000)
        transports = [client.transport] if client.transport else self.settings["transports"]
        configuration.set_bootstrap_parameter("stomp_hostname", host)
        configuration.set_bootstrap_parameter("stomp_port", port)
        configuration.set_bootstrap_parameter(
            "push",
            {
                "component": "orbited_stomp",
                "orbited_url": url,
                "transports": transports,
                "ticket": self.ticket(client),
                "expires_in": self.settings["ticket_seconds"],
                "destination": self.destination_of(client.uuid),
                "destinations": self.destinations_of(client)[1:],
                "login": client.uuid,
                "heart_beat": [heart_beat_ms, heart_beat_ms],
                "stomp_hostname": host,
                "stomp_port": port,
            },
        )
        parts = urlsplit(url)
        if parts.netloc:
            web_socket_scheme = "wss" if parts.scheme == "https" else "ws"
            configuration.add_content_source("script-src", f"{parts.scheme}://{parts.netloc}")
            configuration.add_content_source("connect-src", f"{parts.scheme}://{parts.netloc}")
            configuration.add_content_source("connect-src", f"{web_socket_scheme}://{parts.netloc}")

    def ticket(self, client: Client) -> str:
        """Sign a ticket for what the client listens on from the beginning."""
        return self._client_ticket(client, self.destinations_of(client))

    def channel_ticket(self, client: Client, destination: str) -> str:
        """Sign a ticket for a channel; it is shown with the SUBSCRIBE to it."""
        return self._client_ticket(client, [destination])

    def _client_ticket(self, client: Client, subscribe: list[str]) -> str:
        return issue_ticket(
            self._key,
            subject=client.uuid,
            session=claim_of(client),
            about=about(client),
            subscribe=subscribe,
            seconds=self.settings["ticket_seconds"],
        )

    def _site_ticket(self) -> str:
        return issue_ticket(
            self._key, subject=SITE_SUBJECT, role="site", seconds=SITE_TICKET_SECONDS
        )

    # One process for everything.

    def embedding(self) -> Embedding:
        """Say what a one-process site has to start; called before `start`."""
        settings = self.settings
        tickets = "thywill_server.push.orbited_stomp.tickets.TicketAuthenticator"
        return Embedding(
            broker=settings["broker"],
            broker_options={
                "authenticator": tickets,
                "authenticator.key_file": str(self.ticket_key_file.absolute()),
                "advisory_destination": settings["advisory_destination"],
                "control_destination": settings["control_destination"],
                "site_logins": SITE_SUBJECT,
                **settings["broker_options"],
            },
            comet=settings["comet"],
            comet_options=settings["comet_options"],
            reactor=settings["reactor"],
            url=settings["embedded_url"],
            stomp_host=settings["stomp_host"],
            stomp_port=settings["stomp_port"],
        )

    def use_embedded(self, stomp_port: int, health: Callable[[], Mapping[str, Any]]) -> None:
        """Send pages to the comet server of this site itself; called before `start`.

        Args:
            stomp_port: where the broker listens.
            health: how the comet server is; called in web threads.
        """
        self.settings["orbited_url"] = self.settings["embedded_url"]
        self.settings["stomp_port"] = stomp_port
        self._embedded_health = health


def _is_host(host: str) -> bool:
    return bool(host) and host.isprintable() and not any(mark in host for mark in " /@[]")


def _is_path(url: str) -> bool:
    return (
        url.startswith("/")
        and url.endswith("/")
        and len(url) > 2
        and not url.startswith("//")
        and _is_printable(url)
    )


def _is_orbited_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - reading it checks it
    except ValueError:
        return False
    if not parts.scheme and not parts.netloc:
        return _is_path(url if url.endswith("/") else url + "/")
    return (
        parts.scheme in ("http", "https")
        and bool(parts.hostname)
        and not parts.username
        and not parts.query
        and not parts.fragment
        and _is_printable(url)
    )


def _is_printable(url: str) -> bool:
    return url.isascii() and url.isprintable() and not any(mark in url for mark in " \"'<>;,?#")
