"""The ``orbited`` command in a process of its own, with an echo and a STOMP broker behind it."""

import os
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tests.support.ports import free_port

ROOT = Path(__file__).parents[2]


@dataclass
class OrbitedCommand:
    """A server that can be killed and started again on the same ports.

    Attributes:
        page_port: pages of this one, on 127.0.0.1, are in the access list, and nobody listens.
        other_port: a target in the access list on which nobody listens.
    """

    folder: Path
    port: int
    echo_port: int
    stomp_port: int
    other_port: int
    page_port: int
    process: subprocess.Popen[bytes] | None = None

    @classmethod
    def in_folder(cls, folder: Path) -> Self:
        """A server that is yet to be started, with its configuration written."""
        server = cls(
            folder=folder,
            port=free_port(),
            echo_port=free_port(),
            stomp_port=free_port(),
            other_port=free_port(),
            page_port=free_port(),
        )
        (folder / "orbited.cfg").write_text(server.configuration())
        return server

    def configuration(self) -> str:
        """Pages of this server, and those of one other origin, reach what runs behind it."""
        targets = (self.echo_port, self.stomp_port, self.other_port)
        lines = [
            "[listen]",
            f"http://127.0.0.1:{self.port}",
            f"echo://127.0.0.1:{self.echo_port}",
            f"stomp://127.0.0.1:{self.stomp_port}",
            "[access]",
        ]
        for source in ("*", f"http://127.0.0.1:{self.page_port}"):
            lines += [f"{source} -> 127.0.0.1:{port}" for port in targets]
        return "\n".join([*lines, ""])

    @property
    def url(self) -> str:
        """Address of the server."""
        return f"http://127.0.0.1:{self.port}/"

    def start(self) -> None:
        """Start the process and wait until it listens."""
        command = [sys.executable, "-m", "orbited", "-c", "orbited.cfg"]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        self.process = subprocess.Popen(command, cwd=self.folder, env=environment)
        self._wait_for(self.port)
        self._wait_for(self.stomp_port)

    def kill(self) -> None:
        """End it without a good-bye."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def _wait_for(self, port: int, seconds: float = 60) -> None:
        assert self.process is not None
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.02)
        status = self.process.poll()
        raise AssertionError(f"nobody listens on port {port}; the process has status {status}")
