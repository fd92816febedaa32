"""One message through every hop of a site, each looked at by itself before that.

::

    settings -> database -> page -> broker -> each transport: session, handshake, login, SUBSCRIBE
                                          -> each transport: one message

What depends on a hop that does not work is not tried.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urljoin

from thywill_server.application.base import PING
from thywill_server.components import Components
from thywill_server.errors import ConfigurationError
from thywill_server.management.diagnosis.comet import KNOWN, CometSession
from thywill_server.management.diagnosis.page import Page
from thywill_server.management.diagnosis.stomp import StompSession, TcpWire
from thywill_server.management.diagnosis.trouble import Trouble

HOPS: Final = ("view", "application", "push", "broker", "browser")
"""The parts of a message's way, in order; each ends where its name says."""


@dataclass(slots=True)
class Finding:
    """What was found of one hop.

    Attributes:
        hop: its name.
        seconds: how long it took.
        note: one clause about it, when it works.
        trouble: why it does not.
    """

    hop: str
    seconds: float
    note: str = ""
    trouble: Trouble | None = None


@dataclass(slots=True)
class Journey:
    """One message's way: the transport, and the seconds of each of `HOPS`."""

    transport: str
    seconds: list[float]


@dataclass(slots=True)
class Examination:
    """Looks at a site.

    Args:
        find_components: builds the components from the settings.
        page_url: of the page to load.
        health_path: of the site's health.
        seconds: how long each step may take.
        report: hears each finding as soon as it is there.
        transports: which to try; those that the page is told by default.
    """

    find_components: Callable[[], Components]
    page_url: Callable[[], str]
    health_path: Callable[[], str]
    seconds: float
    report: Callable[[Finding], None]
    transports: list[str] | None = None
    journeys: list[Journey] = field(default_factory=list)
    untried: list[str] = field(default_factory=list)
    is_well: bool = True

    def run(self) -> None:
        """Look at everything."""
        components = self._step("settings", self._look_at_settings)
        if components is None:
            return
        has_database = self._step("database", look_at_database) is not None
        page = self._step("page", self._load_page) if has_database else None
        if page is None:
            return
        told = page.told.get("push", {})
        if told.get("component") == "in_memory":
            self._step("message", lambda: self._send_in_memory(page))
            return
        if "orbited_url" not in told:
            self.untried.append(f"push by {type(components.push).__name__} is not known here")
            return
        with ExitStack() as stack:
            broker = self._step("broker", lambda: self._log_in(components.push, page))
            if broker is None:
                return
            stack.enter_context(closing(broker))
            for transport in self.transports or told["transports"]:
                if transport in KNOWN:
                    self._try_transport(transport, page, broker)
                else:
                    self.untried.append(f"{transport} can be tried in a browser only")

    def _step(self, hop: str, look: Callable[[], tuple[Any, str]]) -> Any:
        started = time.perf_counter()
        try:
            result, note = look()
        except Trouble as trouble:
            self.is_well = False
            self.report(Finding(hop, time.perf_counter() - started, trouble=trouble))
            return None
        self.report(Finding(hop, time.perf_counter() - started, note))
        return result

    # One hop each: what the next ones need of it, and what there is to say of it.

    def _look_at_settings(self) -> tuple[Components, str]:
        try:
            components = self.find_components()
        except ConfigurationError as error:
            raise Trouble(
                "; ".join(error.problems), "Correct settings.py; manage.py check says the same."
            ) from error
        push = components.push
        return components, f"five components; push is {type(push).__name__}"

    def _load_page(self) -> tuple[Page, str]:
        page = Page(self.page_url(), self.seconds)
        return page, f"{page.url} shows {page.told['application']}"

    def _log_in(self, push: Any, page: Page) -> tuple[StompSession, str]:
        told = page.told["push"]
        host, port = told["stomp_hostname"], told["stomp_port"]
        login, passcode = site_login(push)
        wire = TcpWire(host, port, self.seconds)
        virtual_host = push.settings["stomp_virtual_host"]

        def refused(words: str) -> Trouble:
            remedy = (
                "Correct stomp_login and stomp_passcode of the push component."
                if push.settings["stomp_login"]
                else "Its ticket key is another one, or its clock is: give both the same "
                f"THYWILL_TICKET_KEY, or the same file; here it is {key_place(push)}."
            )
            return Trouble(f"the broker at {host}:{port} refuses this site ({words})", remedy)

        session = StompSession(wire, login, passcode, virtual_host, refused)
        try:
            session.subscribe(told["destination"])
        except Trouble:
            session.close()
            raise
        return session, f"{session.server} at {host}:{port}"

    def _try_transport(self, transport: str, page: Page, broker: StompSession) -> None:
        with self._subscribed(transport, page) as session:
            if session is not None:
                journey = self._step(
                    f"message, {transport}", lambda: self._send(transport, page, broker, session)
                )
                if journey is not None:
                    self.journeys.append(journey)

    @contextmanager
    def _subscribed(self, transport: str, page: Page) -> Iterator[StompSession | None]:
        session = self._step(transport, lambda: self._connect(transport, page))
        try:
            yield session
        finally:
            if session is not None:
                session.close()

    def _connect(self, transport: str, page: Page) -> tuple[StompSession, str]:
        told = page.told["push"]
        url = urljoin(page.origin + "/", told["orbited_url"])
        back_end = (told["stomp_hostname"], told["stomp_port"])

        def refused(words: str) -> Trouble:
            return Trouble(
                f"the broker refuses the page's ticket ({words})",
                "Django signs tickets with another key than the one that the broker checks them "
                "with, or a clock is wrong: give both the same THYWILL_TICKET_KEY.",
            )

        wire = CometSession(url, page.origin, transport, back_end, self.seconds)
        try:
            session = StompSession(wire, told["login"], told["ticket"], "/", refused)
            session.subscribe(told["destination"])
        except Trouble:
            wire.close()
            raise
        return session, f"a session with Orbited at {url}, subscribed with a ticket"

    def _send(
        self, transport: str, page: Page, broker: StompSession, session: StompSession
    ) -> tuple[Journey, str]:
        token = secrets.token_hex(8)
        with ThreadPoolExecutor(2) as threads:
            at_broker = threads.submit(arrival, broker, token)
            at_browser = threads.submit(arrival, session, token)
            sent_at = time.time()
            moments = self._post(page, token)
            answered_at = time.time()
            self._require_arrival(at_broker, page)
            times = aligned(sent_at, answered_at, moments)
            times += [at_broker.result(), at_browser.result()]
        spans = [
            max(0.0, end - begin) for begin, end in zip([sent_at, *times], times, strict=False)
        ]
        return Journey(transport, spans), "there and back"

    def _require_arrival(self, at_broker: Future[float], page: Page) -> None:
        try:
            at_broker.result()
        except Trouble as trouble:
            push = page.health(self.health_path()).get("push", {})
            state = f"; its health says {push}" if push else ""
            raise Trouble(
                f"the site has taken the message, and the broker has not passed it on{state}",
                "Django has no connection to this broker, or one to another: its log says more; "
                "restart Django after a changed stomp_host, stomp_port or ticket key.",
            ) from trouble

    def _post(self, page: Page, token: str) -> dict[str, float]:
        path = page.told["send_path"]
        status, answer = page.post(path, id=token, command=PING, message=token)
        if status == 200:
            reply: dict[str, float] = answer["reply"]
            return reply
        said = f"{path} answers {status}, {answer.get('code')}: {answer.get('message')}"
        remedies = {
            "csrf-failed": "Cookies or the Referer get lost on the way, or CSRF_TRUSTED_ORIGINS "
            "does not name this origin.",
            "unknown-command": "Its application component is not of this version of thywill.",
            "unknown-client": "The session does not last from one request to the next: look at "
            "SESSION_ENGINE and SESSION_COOKIE_SECURE; several processes need one SECRET_KEY.",
            "push-unavailable": "Django's queue is full: the broker is away or slow.",
        }
        usual = "The site's own log says what went wrong."
        raise Trouble(said, remedies.get(str(answer.get("code")), usual))

    def _send_in_memory(self, page: Page) -> tuple[bool, str]:
        token = secrets.token_hex(8)
        sent_at = time.time()
        moments = self._post(page, token)
        times = aligned(sent_at, time.time(), moments)
        status, answer = page.post(page.told["push_path"], after=0, wait=True)
        bodies = [message.get("body") for message in answer.get("messages", [])]
        if status != 200 or f'"{token}"' not in bodies:
            raise Trouble(
                f"the message did not come back ({status})",
                "Push in memory needs one process for the whole site: with several workers the "
                "page asks another one. Choose the push component orbited_stomp for those.",
            )
        times += [times[-1], time.time()]
        spans = [
            max(0.0, end - begin) for begin, end in zip([sent_at, *times], times, strict=False)
        ]
        self.journeys.append(Journey("in memory", spans))
        return True, "there and back"


def arrival(session: StompSession, token: str) -> float:
    """Wait for the message, and say when it came."""
    session.wait_for(f'"{token}"'.encode())
    return time.time()


def aligned(sent_at: float, answered_at: float, moments: dict[str, float]) -> list[float]:
    """Give the server's moments by this machine's clock, which may be another one."""
    times = [float(moments[name]) for name in ("received_at", "called_at", "pushed_at")]
    if sent_at <= times[0] and times[-1] <= answered_at:
        return times
    # The way there and the way back are taken to be equally long.
    shift = (sent_at + answered_at) / 2 - (times[0] + times[-1]) / 2
    return [each + shift for each in times]


def look_at_database() -> tuple[bool, str]:
    """Connect, and look for migrations that have not run."""
    from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections
    from django.db.migrations.executor import MigrationExecutor

    connection = connections[DEFAULT_DB_ALIAS]
    name = str(connection.settings_dict["NAME"])
    try:
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError as error:
        raise Trouble(
            f"no connection to the database {name} ({error})".replace("\n", " "),
            'Start it, or correct THYWILL["database"].',
        ) from error
    if missing:
        listed = ", ".join(f"{each.app_label}.{each.name}" for each, _ in missing[:3])
        more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        raise Trouble(f"{name} lacks migrations: {listed}{more}", "Run: python manage.py migrate")
    return True, f"{connection.display_name} with all migrations"


def site_login(push: Any) -> tuple[str, str]:
    """Give login and passcode of the site, as its own connection shows them."""
    from thywill_server.push.orbited_stomp.ticket_key import find_ticket_key
    from thywill_server.push.orbited_stomp.tickets import SITE_SUBJECT, issue_ticket

    if push.settings["stomp_login"]:
        return push.settings["stomp_login"], push.settings["stomp_passcode"]
    key = find_ticket_key(push.ticket_key_file)
    if key is None:
        raise Trouble(
            f"there is no ticket key yet, neither in the environment nor in {key_place(push)}",
            "The site makes it when it starts: run this in the same folder, with the same "
            "THYWILL_HOME and THYWILL_TICKET_KEY.",
        )
    return SITE_SUBJECT, issue_ticket(key, subject=SITE_SUBJECT, role="site", seconds=60)


def key_place(push: Any) -> str:
    """Say where the ticket key comes from; not what it is."""
    import os

    from thywill_server.push.orbited_stomp.ticket_key import ENVIRONMENT_VARIABLE

    if ENVIRONMENT_VARIABLE in os.environ:
        return f"the environment variable {ENVIRONMENT_VARIABLE}"
    return str(push.ticket_key_file.absolute())
