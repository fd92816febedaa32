"""The deployment of the documentation, from its very files: only places and names are changed."""

from __future__ import annotations

import os
import re
import secrets
import shlex
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.support.mariadb import MariaDB
from tests.support.nginx import Nginx, make_certificate
from tests.support.ports import free_port
from tests.support.site_process import ROOT, Process, manage

FILES = ROOT / "documentation" / "how-to" / "deploy"

# systemd hands an open socket over as descriptor 3, and names the process that it is for.
ACTIVATE = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
os.execvp(sys.argv[2], sys.argv[2:])
"""


class Deployment:
    """A server's folders within one, with the files of the documentation in them.

    Attributes:
        url: what browsers ask.
        environment: what systemd would give both services.
    """

    def __init__(self, folder: Path, database: MariaDB) -> None:
        self.folder = folder
        self.port, plain_port, comet_port, self.stomp_port = (free_port() for _ in range(4))
        self.url = f"https://localhost:{self.port}"
        self.socket_path = folder / "s"
        make_certificate(folder)
        # A unit tells arguments apart by blanks, and where this checkout is there may be some.
        binaries, checkout = folder / "binaries", folder / "checkout"
        binaries.symlink_to(Path(sys.executable).parent)
        checkout.symlink_to(ROOT)
        self._changes = {
            "example.com ->": f"localhost:{self.port} ->",
            "example.com;": "localhost;",
            "/etc/letsencrypt/live/example.com/fullchain.pem": f"{folder}/cert.pem",
            "/etc/letsencrypt/live/example.com/privkey.pem": f"{folder}/key.pem",
            "listen 80;": f"listen 127.0.0.1:{plain_port};",
            "listen 443 ssl http2;": f"listen 127.0.0.1:{self.port} ssl http2;",
            "listen [::]:80;": "",
            "listen [::]:443 ssl http2;": "",
            "127.0.0.1:8001": f"127.0.0.1:{comet_port}",
            "127.0.0.1:61613": f"127.0.0.1:{self.stomp_port}",
            "/run/thywill.sock": str(self.socket_path),
            "/srv/thywill/.venv/bin": str(binaries),
            "/srv/thywill": str(checkout),
            "/etc/thywill": str(folder),
            "/var/lib/thywill": str(folder),
        }
        for path in FILES.iterdir():
            if path.suffix != ".md":
                (folder / path.name).write_text(self._changed(path.read_text()))
        with (folder / "settings_deploy.py").open("a") as settings:
            settings.write(f'\nTHYWILL["push"]["stomp_port"] = {self.stomp_port}\n')
        chosen = database.new_database()
        self.environment = {
            "THYWILL_SECRET_KEY": secrets.token_urlsafe(64),
            "THYWILL_TICKET_KEY": secrets.token_urlsafe(48),
            "THYWILL_ALLOWED_HOSTS": "localhost",
            **{f"THYWILL_DATABASE_{name.upper()}": str(chosen[name]) for name in chosen},
            **dict(re.findall(r"^Environment=(\w+)=(.+)$", self.unit("thywill"), re.MULTILINE)),
        }
        self.environment["PYTHONPATH"] += f":{ROOT}"

    def unit(self, name: str) -> str:
        """The text of a service's unit."""
        return (self.folder / f"{name}.service").read_text()

    def manage(self, *arguments: str) -> str:
        """Run a command of ``manage.py``; gives what it says."""
        finished = manage(self.folder, *arguments, **self.environment)
        assert finished.returncode == 0, finished.stderr
        return finished.stdout + finished.stderr

    @contextmanager
    def running(self) -> Iterator[Process]:
        """Run all of it; gives gunicorn."""
        with ExitStack() as stack:
            orbited = self._command("orbited")
            stack.enter_context(Process(orbited, self.folder, **self.environment))
            listener = stack.enter_context(socket.socket(socket.AF_UNIX))
            listener.bind(str(self.socket_path))
            listener.listen()
            os.set_inheritable(listener.fileno(), True)
            activate = [sys.executable, "-c", ACTIVATE, str(listener.fileno())]
            command = [*activate, *self._command("thywill")]
            gunicorn = Process(
                command, self.folder, pass_fds=[listener.fileno()], **self.environment
            )
            stack.enter_context(gunicorn)
            # The nginx.conf that comes with nginx knows the types of files, and includes this one.
            sites = "include /etc/nginx/mime.types;\n" + (self.folder / "nginx.conf").read_text()
            (self.folder / "nginx").mkdir()
            stack.enter_context(Nginx(self.folder / "nginx", sites, self.port))
            yield gunicorn

    def _command(self, name: str) -> list[str]:
        found = re.search(r"^ExecStart=(.+)$", self.unit(name), re.MULTILINE)
        assert found is not None
        return shlex.split(found[1])

    def _changed(self, text: str) -> str:
        for written, wanted in self._changes.items():
            text = text.replace(written, wanted)
        return text
