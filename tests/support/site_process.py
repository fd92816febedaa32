"""Whole sites in processes of their own, on free ports, and pages of them without a browser."""

from __future__ import annotations

import http.cookiejar
import itertools
import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any, Self
from urllib.parse import urlsplit

from tests.support.comet_page import CometSocket, StompConnection

ROOT = Path(__file__).parents[2]
SECONDS = 60
CONFIGURATION = re.compile(
    r'<script id="thywill-configuration" type="application/json">(.*?)</script>', re.DOTALL
)

DECIDES_ON_TABLES = re.compile("INSTALLED_APPS|DATABASE|database|packages|import")

CHOOSES_TABLES = re.compile(
    "INSTALLED_APPS|packages|database|DATABASES|DEFAULT_AUTO_FIELD|from (?!settings )"
)
"""What a settings module has in it when its tables may be others than the project's."""


def environment(home: Path, **more: str) -> dict[str, str]:
    """Give the environment of a site that writes to a folder of its own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("THYWILL_")}
    kept.pop("ORBITED_URL", None)
    return {**kept, "THYWILL_HOME": str(home), "PYTHONUNBUFFERED": "1", **more}


def manage(home: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a command of ``manage.py`` to its end."""
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=environment(home, **more),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def migrate(home: Path, **more: str) -> None:
    """Prepare the database of a site, from a copy where this process has made one like it.

    Sites have the same tables where their settings choose no applications and no database; where
    they do, all that makes tables is compared, and of the settings all but numbers and paths.
    """
    database = home / "thywill.sqlite3"
    settings = home / f"{more.get('DJANGO_SETTINGS_MODULE', 'settings')}.py"
    source = settings.read_text() if settings.exists() else ""
    if not CHOOSES_TABLES.search(source):
        source = ""
    tables = tuple(
        (path.relative_to(home), path.read_bytes())
        for pattern in ("models.py", "migrations/*.py")
        for path in sorted(home.rglob(pattern))
    )
    alike = (re.sub(r"\d+", "0", source.replace(str(home), "")), tables)
    is_new = not database.exists()
    if is_new and alike in _databases:
        database.write_bytes(_databases[alike])
        return
    migrated = manage(home, "migrate", "--verbosity", "0", **more)
    assert migrated.returncode == 0, migrated.stderr
    if is_new and database.exists():
        _databases[alike] = database.read_bytes()


_databases: dict[object, bytes] = {}
_numbers = itertools.count(1)


def write_settings(folder: Path, source: str) -> dict[str, str]:
    """Write a settings module over the project's own; gives the environment that names it."""
    (folder / "variant.py").write_text(f"from settings import *\n{source}\n")
    return {"DJANGO_SETTINGS_MODULE": "variant", "PYTHONPATH": str(folder)}


class Process:
    """A server in a process of its own; what it says on stderr goes to a file."""

    def __init__(
        self,
        arguments: list[str],
        home: Path,
        *,
        pass_fds: Sequence[int] = (),
        stdin: int | None = None,
        **more: str,
    ) -> None:
        self.home = home
        self.log_path = home / f"process-{next(_numbers)}.log"
        self._log: IO[str] = self.log_path.open("w")
        self.process = subprocess.Popen(
            arguments,
            cwd=ROOT,
            env=environment(home, **more),
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            start_new_session=True,
            pass_fds=pass_fds,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()
        if self.process.stdin is not None:
            self.process.stdin.close()
        self._log.close()

    @property
    def log(self) -> str:
        """What it has said on stderr so far."""
        return self.log_path.read_text()

    def write_line(self, line: str) -> None:
        """Write to its stdin, where it has one."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()

    def wait_for_line(self, pattern: str) -> re.Match[str]:
        """Read stdout up to a line that matches."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            found = re.search(pattern, line)
            if found:
                return found
        raise AssertionError(f"the process ended without {pattern!r}:\n{self.log}")

    def wait_for_log(self, pattern: str, since: int = 0) -> None:
        """Wait until stderr has something."""
        size = -1
        for _ in range(SECONDS * 50):
            if (now := self.log_path.stat().st_size) != size:
                size = now
                if re.search(pattern, self.log[since:]):
                    return
            try:
                self.process.wait(0.02)
            except subprocess.TimeoutExpired:
                continue
            break
        raise AssertionError(f"no {pattern!r} in:\n{self.log[since:]}")

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and give the exit code."""
        self.process.send_signal(number)
        return self.process.wait(SECONDS)


class SiteProcess(Process):
    """``manage.py runthywill`` on free ports, with a database that is ready.

    Attributes:
        url: such as ``http://127.0.0.1:40001``.
        stomp_port: the broker's; 0 without one.
    """

    def __init__(self, home: Path, *options: str, **more: str) -> None:
        migrate(home, **more)
        command = [sys.executable, "manage.py", "runthywill", "--port", "0", "--stomp-port", "0"]
        super().__init__([*command, *options], home, **more)
        self.wait_until_ready()

    def wait_until_ready(self) -> None:
        """Read the greeting."""
        self.url = self.wait_for_line(r"^(http://\S+?)/thywill/init/$")[1]
        self.greeting = self.wait_for_line(r"^ {4}.*in this process")[0]
        broker = re.search(r"STOMP broker on 127\.0\.0\.1:(\d+)", self.greeting)
        self.stomp_port = int(broker[1]) if broker else 0

    def open_page(self, path: str = "/thywill/init/") -> HttpPage:
        """Load a page in a browser of its own."""
        return HttpPage(self.url, path)


class Answer:
    """An answer by HTTP."""

    def __init__(self, response: Any) -> None:
        self.status: int = response.status
        self.headers = response.headers
        self.body: bytes = response.read()

    @property
    def json(self) -> Any:
        """The body, parsed."""
        return json.loads(self.body)


def fetch(opener: Any, url: str, body: Any = None, headers: dict[str, str] | None = None) -> Answer:
    """GET, or POST JSON; errors are answers too."""
    data = None if body is None else json.dumps(body).encode()
    given = {"Content-Type": "application/json", **(headers or {})}
    request = urllib.request.Request(url, data, given)
    try:
        with opener.open(request, timeout=SECONDS) as response:
            return Answer(response)
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error)


class HttpPage:
    """One loaded page over HTTP: what the server told it, and requests in its name.

    Args:
        url: of the site.
        path: of the page.
        beside: another page of the same browser, whose cookies it shares.
    """

    def __init__(
        self, url: str, path: str = "/thywill/init/", beside: HttpPage | None = None
    ) -> None:
        self.url = url
        self._cookies = http.cookiejar.CookieJar() if beside is None else beside._cookies
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(self._cookies)
        )
        self.answer = self.get(path)
        found = CONFIGURATION.search(self.answer.body.decode())
        assert found is not None, self.answer.body
        self.configuration = json.loads(found[1])
        self.parameters = self.configuration["bootstrap_parameters"]
        self.uuid: str = self.configuration["uuid"]
        self.push: dict[str, Any] = self.parameters["push"]

    def get(self, path: str) -> Answer:
        """GET a path of the site."""
        return fetch(self._opener, self.url + path)

    def post(self, name: str, **fields: Any) -> Answer:
        """POST to one of thywill's addresses, as the page does."""
        body = {"uuid": self.uuid, "token": self.parameters["client_token"], **fields}
        headers = {"X-CSRFToken": self.parameters["csrf_token"]}
        return fetch(self._opener, f"{self.url}/thywill/{name}/", body, headers)

    def post_unanswered(self, name: str, **fields: Any) -> socket.socket:
        """POST as the page does, and leave the answer in the socket."""
        fields = {"uuid": self.uuid, "token": self.parameters["client_token"], **fields}
        body = json.dumps(fields).encode()
        parts = urlsplit(self.url)
        head = [
            f"POST /thywill/{name}/ HTTP/1.1",
            f"Host: {parts.netloc}",
            "Connection: close",
            "Cookie: " + "; ".join(f"{cookie.name}={cookie.value}" for cookie in self._cookies),
            f"X-CSRFToken: {self.parameters['csrf_token']}",
            "Content-Type: application/json",
            f"Content-Length: {len(body)}",
        ]
        connection = socket.create_connection((parts.hostname, parts.port), timeout=SECONDS)
        connection.sendall("\r\n".join([*head, "", ""]).encode() + body)
        return connection

    def connect(self, transport: str, ticket: str | None = None) -> StompConnection:
        """Open the push connection through Orbited, without subscribing."""
        comet = self.push["orbited_url"]
        is_own = comet.startswith("/")
        socket_ = CometSocket(
            self.url + comet if is_own else comet,
            self.push["stomp_hostname"],
            self.push["stomp_port"],
            transport,
            self.url,
        )
        return StompConnection(socket_, self.push["login"], ticket or self.push["ticket"])

    def listen(self, transport: str) -> StompConnection:
        """Open the push connection and subscribe, as the page's script does."""
        connection = self.connect(transport)
        assert connection.answer.command == "CONNECTED", connection.answer
        answer = connection.subscribe(self.push["destination"])
        assert answer.command == "RECEIPT", answer
        return connection
