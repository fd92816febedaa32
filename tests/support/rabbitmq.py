"""RabbitMQ with its STOMP plugin, as a private throw-away server for tests.

Everything it needs and leaves is in one temporary folder; it listens on loopback, on ports
that were free, runs as whoever runs the tests, and is gone with the ``with`` block:

.. code-block:: python

    with rabbitmq() as server:
        connect("127.0.0.1", server.stomp_port)   # guest, guest

Debian: ``apt-get install rabbitmq-server``.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.support.ports import free_port

START_SECONDS = 60.0
START_ATTEMPTS = 4
"""Between choosing a port and listening on it, another program may take it."""

STARTED = "Server startup complete"
"""What it says when all of it listens."""

TAKEN = ("already_used", "eaddrinuse", "Address already in use")


class ServerMissing(Exception):
    """RabbitMQ is not installed here."""


class PortTaken(RuntimeError):
    """Somebody took one of the ports before the server did."""


@dataclass(frozen=True)
class RabbitMQ:
    """A running server."""

    stomp_port: int
    amqp_port: int
    folder: Path


@contextlib.contextmanager
def rabbitmq(
    plugins: Sequence[str] = ("rabbitmq_stomp",), configuration: str = ""
) -> Iterator[RabbitMQ]:
    """Start a server, and stop it at the end.

    Args:
        plugins: to enable; the STOMP plugin must be among them.
        configuration: further lines of ``rabbitmq.conf``.

    Raises:
        ServerMissing: it is not installed.
    """
    server, epmd = find_server(), find_epmd()
    for attempt in range(1, START_ATTEMPTS + 1):
        with contextlib.ExitStack() as stack:
            try:
                running = stack.enter_context(started(server, epmd, plugins, configuration))
            except PortTaken:
                if attempt == START_ATTEMPTS:
                    raise
                continue
            yield running
            return


@contextlib.contextmanager
def started(
    server: str, epmd: str, plugins: Sequence[str], configuration: str
) -> Iterator[RabbitMQ]:
    """Start a server once, on ports that were free a moment ago."""
    folder = Path(tempfile.mkdtemp(prefix="rabbitmq-"))
    epmd_port, amqp_port, dist_port, stomp_port = (free_port() for _ in range(4))
    write_configuration(folder, plugins, configuration, amqp_port, stomp_port)
    environment = environment_of(folder, epmd_port, amqp_port, dist_port)
    log = folder / "server.log"
    processes: list[subprocess.Popen[bytes]] = []
    try:
        with log.open("wb") as output:
            # The port mapper as a child in the foreground: left alone, RabbitMQ starts a
            # daemon that outlives it.
            for command in (
                [epmd, "-port", str(epmd_port), "-address", "127.0.0.1"],
                [server],
            ):
                processes.append(
                    subprocess.Popen(
                        command,
                        env=environment,
                        cwd=folder,
                        stdout=output,
                        stderr=output,
                        start_new_session=True,
                    )
                )
        wait_for(stomp_port, processes[-1], log)
        yield RabbitMQ(stomp_port, amqp_port, folder)
    finally:
        for process in reversed(processes):
            kill_group(process)  # its data are thrown away: no need to ask politely
        shutil.rmtree(folder, ignore_errors=True)


def find_server() -> str:
    """The start script that does not insist on being the ``rabbitmq`` user."""
    scripts = sorted(Path("/usr/lib/rabbitmq/lib").glob("rabbitmq_server-*/sbin/rabbitmq-server"))
    found = str(scripts[-1]) if scripts else shutil.which("rabbitmq-server")
    if found is None:
        raise ServerMissing("RabbitMQ is not installed (Debian: apt-get install rabbitmq-server)")
    return found


def find_epmd() -> str:
    """Erlang's port mapper."""
    programs = sorted(Path("/usr/lib/erlang").glob("erts-*/bin/epmd"))
    found = shutil.which("epmd") or (str(programs[-1]) if programs else None)
    if found is None:
        raise ServerMissing("Erlang's epmd is not installed (Debian: it comes with erlang-base)")
    return found


def write_configuration(
    folder: Path, plugins: Sequence[str], further: str, amqp_port: int, stomp_port: int
) -> None:
    """All files that RabbitMQ would otherwise look for in ``/etc``."""
    lines = [
        f"listeners.tcp.local = 127.0.0.1:{amqp_port}",
        f"stomp.listeners.tcp.1 = 127.0.0.1:{stomp_port}",
        "loopback_users = none",
        "log.console = true",
        "log.file = false",
        "vm_memory_high_watermark.absolute = 512MB",
        "disk_free_limit.absolute = 10MB",
        further,
    ]
    (folder / "rabbitmq.conf").write_text("\n".join(lines) + "\n")
    (folder / "plugins").write_text(f"[{','.join(plugins)}].\n")
    (folder / "advanced.config").write_text("[].\n")
    (folder / "environment.conf").write_text("")


def environment_of(folder: Path, epmd_port: int, amqp_port: int, dist_port: int) -> dict[str, str]:
    """What keeps this server to itself: its folder, its ports, its Erlang cookie (in HOME)."""
    settings = {
        "NODENAME": f"test{secrets.token_hex(4)}@localhost",
        "NODE_IP_ADDRESS": "127.0.0.1",
        "NODE_PORT": amqp_port,
        "DIST_PORT": dist_port,
        "BASE": folder,
        "MNESIA_BASE": folder / "mnesia",
        "LOG_BASE": folder / "log",
        "LOGS": "-",
        "SCHEMA_DIR": folder / "schema",
        "GENERATED_CONFIG_DIR": folder / "generated",
        "PID_FILE": folder / "pid",
        "ENABLED_PLUGINS_FILE": folder / "plugins",
        "CONFIG_FILE": folder / "rabbitmq.conf",
        "ADVANCED_CONFIG_FILE": folder / "advanced.config",
        "CONF_ENV_FILE": folder / "environment.conf",
        "SERVER_ADDITIONAL_ERL_ARGS": (
            "+S 2:2 +sbwt none -kernel inet_dist_use_interface {127,0,0,1}"
        ),
    }
    return {
        "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "ERL_EPMD_PORT": str(epmd_port),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        **{f"RABBITMQ_{name}": str(value) for name, value in settings.items()},
    }


def wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until it listens by its own words, or raise with the end of the log.

    Somebody else may have taken the port: a connection alone would prove nothing.
    """
    end = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < end:
        if STARTED in log.read_text(errors="replace"):
            socket.create_connection(("127.0.0.1", port), START_SECONDS).close()
            return
        time.sleep(0.05)
    words = log.read_text(errors="replace")
    kind = PortTaken if any(word in words for word in TAKEN) else RuntimeError
    raise kind(f"RabbitMQ did not start: {words[-3000:]}")


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """End a process and all that it has started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
