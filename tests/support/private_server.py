"""A database server of the tests' own: started once, on loopback, thrown away at the end."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, Final, Self

from tests.support.certificates import make
from tests.support.ports import free_port

START_SECONDS: Final = 60


class PrivateServer(ABC):
    """One server in a folder of its own; it runs while the ``with`` block does.

    Attributes:
        port: on 127.0.0.1.
        folder: all that it writes; short, since the path of a socket holds 107 bytes.
    """

    ACCOUNT: str
    """Whom the server runs as when the tests run as root, which it refuses."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="thywill-db-"))
        self.port = free_port()
        self.log_path = self.folder / "log"
        self._databases = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._write_certificate()

    def __enter__(self) -> Self:
        try:
            self.prepare()
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    @abstractmethod
    def prepare(self) -> None:
        """Make the folder of data."""

    @property
    @abstractmethod
    def command(self) -> list[str]:
        """What runs the server in the foreground."""

    @abstractmethod
    def administer(self, sql: str) -> str:
        """Run statements as its administrator; gives the fields of all rows, one on each line."""

    @abstractmethod
    def make_database(self, name: str) -> None:
        """Make an empty database that the tests' user owns."""

    @property
    @abstractmethod
    def component(self) -> str:
        """The dotted path of the component for it."""

    @property
    def authority(self) -> Path:
        """The certificate that its own, for 127.0.0.1, is signed by."""
        return self.folder / "root.crt"

    def new_database(self) -> dict[str, Any]:
        """Make an empty database; gives the settings of a component for it."""
        self._databases += 1
        name = f"thywill_{os.getpid()}_{self._databases}"
        self.make_database(name)
        return {"name": name, "user": "thywill", "password": "pass", "port": self.port}

    def start(self) -> None:
        """Start it, and wait until somebody can log in."""
        self._process = self.spawn(self.command)
        deadline = time.monotonic() + START_SECONDS
        while self._process.poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(OSError, subprocess.CalledProcessError):
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                self.administer("SELECT 1")
                return
            time.sleep(0.02)
        raise RuntimeError(f"the server did not start: {self.log[-3000:]}")

    def kill(self) -> None:
        """End it and all that it has started, without a good-bye."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def restart(self) -> None:
        """Kill it and start it again, on the same port and with the same data."""
        self.kill()
        self.start()

    def _write_certificate(self) -> None:
        root = make("a private root")
        leaf = make("a private server", root, is_authority=False)
        self.authority.write_text(root.pem)
        (self.folder / "server.pem").write_text(leaf.pem)
        key = self.folder / "server.key"
        key.write_text(leaf.key_pem())
        key.chmod(0o600)
        if os.geteuid() == 0:
            for path in (self.folder, key):
                shutil.chown(path, self.ACCOUNT, self.ACCOUNT)
            self.folder.chmod(0o755)

    @property
    def log(self) -> str:
        """What it has said so far."""
        return self.log_path.read_text(errors="replace")

    def spawn(self, command: list[str]) -> subprocess.Popen[bytes]:
        """Start a program as an account that the server accepts."""
        with self.log_path.open("ab") as log:
            return subprocess.Popen(
                command,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                user=self.ACCOUNT if os.geteuid() == 0 else None,
                group=self.ACCOUNT if os.geteuid() == 0 else None,
            )

    def run(self, command: list[str]) -> None:
        """Run a program to its end, as that account."""
        status = self.spawn(command).wait(START_SECONDS)
        if status:
            raise RuntimeError(f"{command[0]} ended with {status}: {self.log[-3000:]}")
