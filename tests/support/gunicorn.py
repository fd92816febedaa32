"""The site under gunicorn, with Orbited and its broker in a process of their own."""

from __future__ import annotations

import itertools
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from tests.support.ports import free_port
from tests.support.site_process import ROOT, SECONDS, HttpPage, Process, migrate

APPLICATION: Final = '''
"""An application whose replies tell which process gave them."""
import os
from thywill_server.application import App

app = App(title="Workers")

@app.on("pid")
def pid(client, message):
    client.send(message)
    return os.getpid()

@app.on("hold")
def hold(client, path):
    """Wait until somebody opens the other end of a pipe."""
    with open(path) as pipe:
        pipe.read()
    client.send("held")
    return "released"
'''

MORBID: Final = """\
authenticator=thywill_server.push.orbited_stomp.tickets.TicketAuthenticator
authenticator.key_file=ticket.key
advisory_destination=/queue/thywill.advisories
control_destination=/queue/thywill.control
site_logins=site
"""


class GunicornSite:
    """The set-up, on free ports, in a folder of its own; Orbited and gunicorn are started apart.

    Args:
        home: a folder of its own.
        settings: lines for the settings module.

    Attributes:
        url: of the site.
    """

    def __init__(self, home: Path, settings: str = "") -> None:
        self.home = home
        self.port, self.comet_port, self.stomp_port = free_port(), free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        package = home / "workers"
        package.mkdir()
        (package / "__init__.py").touch()
        (package / "thywill_interface.py").write_text(APPLICATION)
        (home / "under_gunicorn.py").write_text(
            "from settings import *\n"
            'INSTALLED_APPS += ["workers"]\n'
            'THYWILL["application"]["packages"] = ["thywill_apps", "workers"]\n'
            f'THYWILL["push"]["stomp_port"] = {self.stomp_port}\n{settings}\n'
        )
        (home / "morbid.cfg").write_text(MORBID)
        (home / "orbited.cfg").write_text(
            f"[listen]\nhttp://127.0.0.1:{self.comet_port}\n"
            f"stomp://127.0.0.1:{self.stomp_port} {home / 'morbid.cfg'}\n"
            f"[access]\n{self.url} -> 127.0.0.1:{self.stomp_port}\n"
        )
        self.environment = {
            "DJANGO_SETTINGS_MODULE": "under_gunicorn",
            "PYTHONPATH": f"{home}:{ROOT}",
            "ORBITED_URL": f"http://127.0.0.1:{self.comet_port}/",
        }
        migrate(home, **self.environment)

    @contextmanager
    def orbited(self) -> Iterator[Process]:
        """Run Orbited with its broker; both listen when the body is entered."""
        command = [sys.executable, "-m", "orbited", "--config", str(self.home / "orbited.cfg")]
        with Process(command, self.home, **self.environment) as process:
            while not (is_listening(self.comet_port) and is_listening(self.stomp_port)):
                assert process.process.poll() is None, process.log
            yield process

    @contextmanager
    def gunicorn(self, *options: str) -> Iterator[Process]:
        """Run gunicorn; it listens when the body is entered."""
        command = [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{self.port}", *options]
        with Process([*command, "wsgi"], self.home, **self.environment) as process:
            process.wait_for_log("Listening at")
            yield process

    def open_page(self) -> HttpPage:
        """Load the page of the application above."""
        return HttpPage(self.url, "/thywill/init/workers/")

    def pids_of(self, page: HttpPage, number: int) -> dict[int, str]:
        """Send messages until so many workers have answered.

        Returns:
            a message that each of them has handled, by process id.
        """
        heard: dict[int, str] = {}
        attempts = itertools.count()
        until = time.monotonic() + SECONDS  # one that is new takes its time to load Django
        while time.monotonic() < until:
            attempt = next(attempts)
            text = f"{id(heard)}-{attempt}"
            answer = page.post("send", command="pid", message=text, id=text)
            assert answer.status == 200, answer.body
            heard[answer.json["reply"]] = text
            if len(heard) == number:
                return heard
        raise AssertionError(f"of {next(attempts)} messages {len(heard)} workers had all")


def is_listening(port: int) -> bool:
    """Tell whether somebody takes connections."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False
