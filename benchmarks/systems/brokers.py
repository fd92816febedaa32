"""STOMP brokers over TCP: ours, and those that one would otherwise take."""

from __future__ import annotations

import os
import platform
import secrets
import shutil
import sys
import tempfile
from pathlib import Path
from typing import ClassVar, Final

from benchmarks.conversation import MESSAGE, Conversation, stomp, text_frame, upgrade
from benchmarks.processes import free_ports
from benchmarks.systems.base import System, our_version
from benchmarks.workloads import MESSAGE_BYTES

CONNECT: Final = stomp(
    b"CONNECT",
    [
        (b"accept-version", b"1.0,1.1,1.2"),
        (b"host", b"/"),
        (b"login", b"guest"),
        (b"passcode", b"guest"),
    ],
)


def destination_of(kind: str) -> bytes:
    """One for each client that waits for its own message, else one for all."""
    return b"/topic/own<<IDX>>" if kind.endswith("echo") else b"/topic/benchmark"


def send_frame(destination: bytes) -> bytes:
    """A SEND with a message."""
    headers = [
        (b"destination", destination),
        (b"content-type", b"text/plain"),
        (b"content-length", b"%d" % MESSAGE_BYTES),
    ]
    return stomp(b"SEND", headers, MESSAGE)


def subscribe_frame(destination: bytes, receipt: bytes = b"") -> bytes:
    """A SUBSCRIBE that needs no acknowledgements of messages."""
    headers = [(b"id", b"0"), (b"destination", destination), (b"ack", b"auto")]
    if receipt:
        headers.append((b"receipt", receipt))
    return stomp(b"SUBSCRIBE", headers)


class Broker(System):
    """Whatever speaks STOMP on a port."""

    kinds = frozenset({"stomp", "stompecho"})
    connect: ClassVar[bytes] = CONNECT
    port = 0

    def conversation(self, kind: str) -> Conversation:
        """Log in, subscribe, send."""
        destination = destination_of(kind)
        talk = Conversation()
        for role in ("sub", "pub"):
            talk.role(role).address(self.port).step(self.connect, until=b"CONNECTED")
            if role == "sub":
                talk.step(subscribe_frame(destination))
            talk.publish(send_frame(destination))
        return talk


class Morbid(Broker):
    """The broker of this repository, with all its checks and default settings."""

    name = "morbid"
    title = "**morbid**"
    is_ours = True

    def version(self) -> str:
        """The revision of this repository, and what is below it."""
        return our_version(self.bench)

    def start(self) -> None:
        """``python -m morbid``."""
        (self.port,) = free_ports(1)
        command = [sys.executable, "-m", "morbid", "-i", "127.0.0.1", "-p", self.port]
        self.processes.start(command, folder=self.bench.root)
        self.processes.wait_for(self.port)


class RabbitMQ(Broker):
    """Debian's package, as a private throw-away server on loopback.

    One scheduler, because it has one core, and without busy waiting, which would only burn it.
    """

    name = "rabbitmq"
    title = "RabbitMQ"
    settle_seconds: ClassVar = 2.0
    plugins: ClassVar[str] = "rabbitmq_stomp"
    web_port = 0
    _folder: Path | None = None

    def settings_for(self, web_port: int) -> str:
        """Lines that its plugin needs."""
        return ""

    def missing(self) -> str | None:
        """The package, whole or in parts."""
        if _rabbitmq_script() is None:
            return "not installed (Debian: sudo apt install rabbitmq-server)"
        return None if _epmd() else "Erlang's epmd is not installed"

    def version(self) -> str:
        """RabbitMQ's own and Erlang's."""
        script = _rabbitmq_script()
        name = script.parent.parent.name.replace("rabbitmq_server-", "") if script else "?"
        releases = sorted(Path("/usr/lib/erlang/releases").glob("[0-9]*"))
        return f"RabbitMQ {name}, Erlang {releases[-1].name if releases else '?'}"

    def start(self) -> None:
        """Everything it needs and leaves is in one folder."""
        epmd_port, amqp_port, distribution_port, self.port, self.web_port = free_ports(5)
        # Not in the work folder: Erlang's paths have to be short.
        folder = self._folder = Path(tempfile.mkdtemp(prefix="rabbitmq-"))
        (folder / "rabbitmq.conf").write_text(
            f"listeners.tcp.local = 127.0.0.1:{amqp_port}\n"
            f"stomp.listeners.tcp.1 = 127.0.0.1:{self.port}\n"
            f"{self.settings_for(self.web_port)}"
            "log.console = true\nlog.file = false\nlog.console.level = error\n"
            "vm_memory_high_watermark.absolute = 1GB\ndisk_free_limit.absolute = 10MB\n"
        )
        (folder / "plugins").write_text(f"[{self.plugins}].\n")
        (folder / "advanced.config").write_text("[].\n")
        (folder / "environment.conf").write_text("")
        settings = {
            "NODENAME": f"bench{secrets.token_hex(4)}@localhost",
            "NODE_IP_ADDRESS": "127.0.0.1",
            "NODE_PORT": amqp_port,
            "DIST_PORT": distribution_port,
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
            "SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1 +sbwt none +sbwtdcpu none +sbwtdio none"
            " -kernel inet_dist_use_interface {127,0,0,1}",
        }
        environment = {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "HOME": str(folder),  # a private Erlang cookie
            "LANG": "C.UTF-8",
            "ERL_EPMD_PORT": str(epmd_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            **{f"RABBITMQ_{name}": str(value) for name, value in settings.items()},
        }
        # The port mapper in the foreground: left alone, a daemon is started that stays behind.
        for command in ([_epmd(), "-port", epmd_port], [_rabbitmq_script()]):
            self.processes.start(command, environment, folder=folder, is_clean=True)
        self.processes.wait_for(self.port)

    def stop(self) -> None:
        """Its data are thrown away: no need to ask politely."""
        self.processes.stop(is_patient=False)
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)


class RabbitMQOverWebSocket(RabbitMQ):
    """The same with its plugin for browsers: STOMP over WebSocket."""

    name = "rabbitmq-web"
    title = "RabbitMQ, STOMP over WebSocket"
    is_in_short_runs = False
    rounds_at_most = 1
    kinds = frozenset({"fan", "echo", "memory"})
    plugins: ClassVar[str] = "rabbitmq_stomp,rabbitmq_web_stomp"

    def settings_for(self, web_port: int) -> str:
        """Where browsers come in."""
        return f"web_stomp.tcp.ip = 127.0.0.1\nweb_stomp.tcp.port = {web_port}\n"

    def start(self) -> None:
        """Its second listener comes later than the first."""
        super().start()
        self.processes.wait_for(self.web_port)

    def conversation(self, kind: str) -> Conversation:
        """Subscribers come over WebSocket, the publisher by TCP."""
        destination = destination_of(kind)
        talk = Conversation().role("sub").address(self.web_port, "ws")
        talk.step(upgrade(b"/ws", b"v12.stomp"), until=b"\r\n\r\n")
        talk.step(text_frame(CONNECT), until=b"CONNECTED")
        talk.step(text_frame(subscribe_frame(destination)))
        talk.publish(text_frame(send_frame(destination)))
        talk.role("pub").address(self.port).step(CONNECT, until=b"CONNECTED")
        return talk.publish(send_frame(destination))


class CoilMQ(Broker):
    """The broker on PyPI that is written in Python, with its default settings."""

    name = "coilmq"
    title = "CoilMQ"
    connect: ClassVar = stomp(b"CONNECT", [(b"login", b"guest"), (b"passcode", b"guest")])

    def missing(self) -> str | None:
        """Only when it cannot be installed."""
        return self.bench.install("CoilMQ")

    def version(self) -> str:
        """CoilMQ's own."""
        return f"CoilMQ {self.bench.version_of('CoilMQ')}, Python {platform.python_version()}"

    def start(self) -> None:
        """Its own start-up module."""
        (self.port,) = free_ports(1)
        python = self.bench.peers_python
        self.processes.start([python, "-m", "coilmq.start", "-b", "127.0.0.1", "-p", self.port])
        self.processes.wait_for(self.port)


class ActiveMQ(Broker):
    """Debian's package, without persistence, advisories and JMX."""

    name = "activemq"
    title = "ActiveMQ"
    is_in_short_runs = False
    home: ClassVar = Path("/usr/share/activemq")

    def missing(self) -> str | None:
        """The package, or Java."""
        if not (self.home / "bin" / "activemq.jar").exists() or not shutil.which("java"):
            return "not installed (Debian 12: sudo apt install activemq)"
        return None

    def version(self) -> str:
        """ActiveMQ's, by the name of a library of it."""
        names = sorted(path.stem for path in self.home.glob("lib/activemq-broker-*.jar"))
        return names[-1].replace("activemq-broker-", "ActiveMQ ") if names else "ActiveMQ"

    def start(self) -> None:
        """One STOMP listener and nothing else."""
        (self.port,) = free_ports(1)
        folder = self.bench.work / "activemq"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        beans = "http://www.springframework.org/schema/beans"
        core = "http://activemq.apache.org/schema/core"
        (folder / "activemq.xml").write_text(
            f'<beans xmlns="{beans}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
            f' xsi:schemaLocation="{beans} {beans}/spring-beans.xsd'
            f' {core} {core}/activemq-core.xsd">'
            f'<broker xmlns="{core}" brokerName="bench" persistent="false" useJmx="false"'
            f' advisorySupport="false" dataDirectory="{folder}"><transportConnectors>'
            f'<transportConnector name="stomp" uri="stomp+nio://127.0.0.1:{self.port}"/>'
            "</transportConnectors></broker></beans>"
        )
        properties = {"home": self.home, "base": folder, "conf": folder, "data": folder}
        options = [f"-Dactivemq.{name}={value}" for name, value in properties.items()]
        jar = self.home / "bin" / "activemq.jar"
        arguments = ["-jar", jar, "start", f"xbean:file:{folder}/activemq.xml"]
        self.processes.start(["java", "-Xms512m", "-Xmx1g", *options, *arguments])
        self.processes.wait_for(self.port)


def _rabbitmq_script() -> Path | None:
    """The start script that does not insist on being the ``rabbitmq`` user."""
    scripts = sorted(Path("/usr/lib/rabbitmq/lib").glob("rabbitmq_server-*/sbin/rabbitmq-server"))
    return scripts[-1] if scripts else None


def _epmd() -> Path | None:
    programs = sorted(Path("/usr/lib/erlang").glob("erts-*/bin/epmd"))
    return programs[-1] if programs else None


SYSTEMS: Final = [Morbid, RabbitMQ, RabbitMQOverWebSocket, CoilMQ, ActiveMQ]
