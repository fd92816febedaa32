"""Whole sites: a browser POSTs a message to Django, and it comes back over the push connection.

A browser loads the page of the echo that thywill ships with, opens a WebSocket to Orbited with the
ticket it got, and sends messages with its session, CSRF token and client token, as the page's
script does. Beside it stands a POST to a view without thywill, whose answer holds the message.
"""

from __future__ import annotations

import http.cookiejar
import importlib.util
import json
import os
import platform
import re
import secrets
import shutil
import subprocess
import sys
import urllib.request
from functools import partial
from typing import Any, ClassVar, Final

from benchmarks.conversation import MESSAGE, Conversation, get, post, upgrade
from benchmarks.processes import StartError, free_ports
from benchmarks.systems.base import SERVERS, Bench, System, our_version
from benchmarks.systems.brokers import CONNECT, subscribe_frame
from benchmarks.systems.comet import ACK_PACKETS, SESSION, raw_packet
from benchmarks.workloads import WORKLOADS

SITE: Final = SERVERS / "site"
CLIENTS: Final = WORKLOADS["P32"].clients
PAGE: Final = "/thywill/init/proof_of_concept/"
SECONDS: Final = 30
CONFIGURATION: Final = re.compile(
    r'<script id="thywill-configuration" type="application/json">(.*?)</script>', re.DOTALL
)
MORBID: Final = """\
authenticator=thywill_server.push.orbited_stomp.tickets.TicketAuthenticator
advisory_destination=/queue/thywill.advisories
control_destination=/queue/thywill.control
site_logins=site
"""
ORBITED: Final = """\
[listen]
http://127.0.0.1:{http}
stomp://127.0.0.1:{stomp} {folder}/morbid.cfg
[access]
http://127.0.0.1:{web} -> 127.0.0.1:{stomp}
"""
CHANNELS: Final = ("channels", "daphne", "Django")
GUNICORN: Final = ("--workers", "1", "--worker-class", "gthread", "--threads", "4")


class Visit:
    """A page that a browser of its own has loaded.

    Attributes:
        text: of the page.
    """

    def __init__(self, url: str) -> None:
        self._cookies = http.cookiejar.CookieJar()
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(self._cookies)
        )
        with opener.open(url, timeout=SECONDS) as answer:
            self.text: str = answer.read().decode()

    @property
    def cookie(self) -> bytes:
        """Value of the header ``Cookie``."""
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in self._cookies).encode()

    @property
    def configuration(self) -> dict[str, Any]:
        """What thywill has told the page."""
        found = CONFIGURATION.search(self.text)
        if found is None:
            raise StartError(f"the page has no configuration: {self.text[:100]!r}")
        configuration: dict[str, Any] = json.loads(found[1])
        return configuration


class Site(System):
    """What the sites have in common.

    Args:
        is_plain: measure the view without thywill.
    """

    kinds = frozenset({"post"})
    keeps_sessions: ClassVar = True
    start_seconds: ClassVar = 5.0
    settings: ClassVar[str] = "benchmark_settings"
    web_port = 0
    comet_port = 0
    comet_path: ClassVar[bytes] = b""
    stomp_port = 0

    def __init__(self, name: str, title: str, is_plain: bool, bench: Bench) -> None:
        self.name, self.title, self._is_plain = name, title, is_plain
        self.is_ours, self.is_yardstick = not is_plain, is_plain
        self._clients: list[tuple[bytes, ...]] = []
        super().__init__(bench)

    def version(self) -> str:
        """The revision of this repository, and Django."""
        import django

        if self._is_plain:
            return f"Django {django.__version__}, Python {platform.python_version()}"
        return f"{our_version(self.bench)}, Django {django.__version__}"

    def serve(self) -> None:
        """Start all processes; ports are known."""
        raise NotImplementedError

    def start(self) -> None:
        """A new database, the processes, and one page for each client."""
        self._folder = self.bench.work / self.name
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir()
        self.web_port, self.comet_port, self.stomp_port = free_ports(3)
        self._environment = {
            "DJANGO_SETTINGS_MODULE": self.settings,
            "PYTHONPATH": f"{SITE}:{self.bench.root}:{self.bench.beside}",
            "THYWILL_HOME": str(self._folder),
            "THYWILL_SECRET_KEY": secrets.token_urlsafe(64),
            "THYWILL_TICKET_KEY": secrets.token_urlsafe(48),
            "THYWILL_ALLOWED_HOSTS": "127.0.0.1",
            "STOMP_PORT": str(self.stomp_port),
            "ORBITED_URL": f"http://127.0.0.1:{self.comet_port}/",
        }
        migrate = [sys.executable, "-m", "django", "migrate", "--verbosity", "0"]
        done = subprocess.run(
            migrate,
            env=self._environment,
            cwd=self.bench.root,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise StartError(f"no database: {done.stderr.strip().splitlines()[-1:]}")
        self.serve()
        self.processes.wait_for(self.web_port)
        self._clients = [self._visit() for _ in range(CLIENTS)]

    def run(self, *command: object) -> None:
        """Start a module of Python with the site's environment."""
        self.processes.start(
            [sys.executable, "-m", *command], self._environment, folder=self.bench.root
        )

    def _visit(self) -> tuple[bytes, ...]:
        """What one client knows: cookies, CSRF token; uuid, token, ticket, destination."""
        url = f"http://127.0.0.1:{self.web_port}"
        if self._is_plain:
            visit = Visit(f"{url}/plain/")
            return visit.cookie, visit.text.encode()
        visit = Visit(url + PAGE)
        told = visit.configuration["bootstrap_parameters"]
        push = told["push"]
        known = [told["csrf_token"], visit.configuration["uuid"], told["client_token"]]
        known += [push["ticket"], push["destination"]]
        return visit.cookie, *(text.encode() for text in known)

    def conversation(self, kind: str) -> Conversation:
        """A WebSocket that listens, and POSTs beside it; or POSTs alone."""
        talk = Conversation().given(self._clients).role("sub")
        headers = b"Cookie: <<GV0>>\r\nX-CSRFToken: <<GV1>>\r\n"
        if self._is_plain:
            body = b'{"id": "<<SEQ>>", "message": "' + MESSAGE + b'"}'
            request = post(b"/plain/send/", body, b"application/json", headers)
            return self._publish_plainly(talk, request)
        self._listen(talk)
        body = b'{"uuid": "<<GV2>>", "token": "<<GV3>>", "id": "<<SEQ>>", "message": "'
        request = post(b"/thywill/send/", body + MESSAGE + b'"}', b"application/json", headers)
        talk.late_address(self.web_port)
        return talk.publish(request, response=True, socket="up")

    def _publish_plainly(self, talk: Conversation, request: bytes) -> Conversation:
        return talk.address(self.web_port, "http").publish(request, response=True)

    def _listen(self, talk: Conversation) -> None:
        # Requests name no port in Host, so an own origin has none either.
        is_own = self.comet_port == self.web_port
        port = b"" if is_own else b":%d" % self.web_port
        origin = b"Origin: http://127.0.0.1%b\r\n" % port
        session = self.comet_path + SESSION
        connect = CONNECT.replace(b"login:guest", b"login:<<GV2>>")
        talk.address(self.comet_port, "ws").address(self.comet_port, "http", "up").packets("raw")
        talk.acknowledge(b"<<WSF:<<AKP>>:WSF>>", packets=ACK_PACKETS)
        talk.pong(b"<<WSF:<<UPK>>04,ping:WSF>>", "down")
        talk.step(get(self.comet_path + b"/tcp", origin), capture=True, socket="up")
        talk.step(upgrade(session + b"/websocket", headers=origin), until=b"[open]")
        talk.step(raw_packet(b"127.0.0.1:%d\n" % self.stomp_port), until=b"1")
        talk.step(raw_packet(connect.replace(b"passcode:guest", b"passcode:<<GV4>>")))
        talk.step(until=b"CONNECTED")
        talk.step(raw_packet(subscribe_frame(b"<<GV5>>", receipt=b"0")), until=b"RECEIPT")


class GunicornSite(Site):
    """Django under gunicorn, Orbited with MorbidQ in a process of its own: both count."""

    def missing(self) -> str | None:
        """gunicorn, unless it can be installed."""
        if importlib.util.find_spec("gunicorn") is not None:
            return None
        return self.bench.install_beside("gunicorn")

    def version(self) -> str:
        """With gunicorn's."""
        return f"{super().version()}, gunicorn {self.bench.version_beside('gunicorn')}"

    def serve(self) -> None:
        """One worker, because it has one core, with four threads, as the how-to has them."""
        if not self._is_plain:
            ports = {"http": self.comet_port, "stomp": self.stomp_port, "web": self.web_port}
            configuration = ORBITED.format(**ports, folder=self._folder)
            (self._folder / "morbid.cfg").write_text(MORBID)
            (self._folder / "orbited.cfg").write_text(configuration)
            self.run("orbited", "--config", self._folder / "orbited.cfg")
            self.processes.wait_for(self.comet_port)
            self.processes.wait_for(self.stomp_port)
        bind = ("--bind", f"127.0.0.1:{self.web_port}")
        application = "django.core.wsgi:get_wsgi_application()"
        self.run("gunicorn", *bind, *GUNICORN, "--log-level", "warning", application)


class PlainGunicornSite(GunicornSite):
    """Django under gunicorn, with nothing of thywill installed."""

    settings: ClassVar = "plain_settings"


class OneProcessSite(Site):
    """``manage.py runthywill``: everything in one process, at one address."""

    comet_path: ClassVar = b"/orbited"

    def serve(self) -> None:
        """With its default options."""
        self.comet_port = self.web_port
        ports = ("--port", self.web_port, "--stomp-port", self.stomp_port)
        self.run("django", "runthywill", "--no-reload", *ports)


class ChannelsSite(Site):
    """Channels on Daphne with the plain site's middleware and sessions; rooms go without."""

    settings: ClassVar = "plain_settings"
    rounds_at_most = 2
    is_in_short_runs = False

    def __init__(self, bench: Bench) -> None:
        super().__init__("channels-site", "Channels, with middleware and sessions", True, bench)
        self.is_yardstick = False

    def missing(self) -> str | None:
        """Channels, unless it can be installed."""
        return self.bench.install(*CHANNELS)

    def version(self) -> str:
        """Those of its packages."""
        versions = [f"{name} {self.bench.version_of(name)}" for name in CHANNELS]
        return ", ".join([*versions, f"Python {platform.python_version()}"])

    def serve(self) -> None:
        """One process, the layer in memory."""
        options = ("-b", "127.0.0.1", "-v", "0", "--access-log", os.devnull)
        command = ("daphne", "-p", self.web_port, *options, "channels_site:application")
        self.processes.start(
            [self.bench.peers_python, "-m", *command],
            {**self._environment, "DJANGO_SETTINGS_MODULE": "channels_settings"},
            folder=self.bench.root,
        )

    def _publish_plainly(self, talk: Conversation, request: bytes) -> Conversation:
        talk.address(self.web_port, "ws").address(self.web_port, "http", "up")
        cookie = b"Cookie: <<GV0>>\r\n"
        talk.step(upgrade(b"/plain/socket/", headers=cookie), until=b"\r\n\r\n")
        return talk.publish(request, response=True, socket="up")


OURS: Final = "**thywill, {}**"

SYSTEMS: Final = [
    partial(GunicornSite, "site-gunicorn", OURS.format("gunicorn and Orbited"), False),
    partial(OneProcessSite, "site-one", OURS.format("one process"), False),
    partial(PlainGunicornSite, "plain-gunicorn", "Django alone, gunicorn", True),
    partial(OneProcessSite, "plain-one", "the view without thywill, `runthywill`", True),
    ChannelsSite,
]
