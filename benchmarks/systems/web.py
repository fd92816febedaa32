"""Servers that push to browsers over WebSocket: what one would otherwise take.

Most of them run a small application of ours with rooms (``servers/``), one worker, without
compression, with the fastest parts that they offer.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
from functools import partial
from pathlib import Path
from typing import ClassVar, Final

from benchmarks.conversation import MESSAGE, Conversation, post, text_frame, upgrade
from benchmarks.processes import free_ports
from benchmarks.systems.base import SERVERS, Bench, System, output_of, run_quietly

UVICORN: Final = ("uvicorn", "uvloop", "httptools", "websockets")
UVICORN_OPTIONS: Final = (
    *("--log-level", "warning", "--loop", "uvloop", "--http", "httptools"),
    *("--ws", "websockets-sansio", "--ws-per-message-deflate", "false"),
)


REDIS_LIBRARIES: Final = ("libjemalloc2", "liblzf1", "libatomic1")
"""What Redis needs that a small Debian does not have."""


def room_of(kind: str) -> bytes:
    """One for each client that waits for its own message, else one for all."""
    return b"all" if kind in ("fan", "growth", "memory") else b"own<<IDX>>"


class Rooms(System):
    """A server with /ws/ROOM, /pub/ROOM and perhaps POST /send/ROOM."""

    port = 0
    packages: ClassVar[tuple[str, ...]] = ()

    def missing(self) -> str | None:
        """Packages that cannot be installed."""
        return self.bench.install(*self.packages) if self.packages else None

    def version(self) -> str:
        """Those of the packages."""
        names = [name for name in self.packages if name not in ("httptools", "websockets")]
        versions = [f"{name} {self.bench.version_of(name)}" for name in names]
        return ", ".join([*versions, f"Python {platform.python_version()}"])

    def conversation(self, kind: str) -> Conversation:
        """Two WebSockets, or a POST and a WebSocket."""
        room = room_of(kind)
        talk = Conversation().role("sub").address(self.port, "ws")
        talk.step(upgrade(b"/ws/" + room), until=b"\r\n\r\n")
        if kind == "post":
            talk.address(self.port, "http", "up")
            talk.publish(post(b"/send/" + room, MESSAGE), response=True, socket="up")
        else:
            talk.publish(text_frame(MESSAGE))
        talk.role("pub").address(self.port, "ws")
        talk.step(upgrade(b"/pub/" + room), until=b"\r\n\r\n")
        return talk.publish(text_frame(MESSAGE))

    def run_python(self, *command: object, **environment: str) -> None:
        """Start a module of the peers' environment, and wait until it listens."""
        variables = {"PYTHONPATH": str(SERVERS), **environment}
        self.processes.start([self.bench.peers_python, "-m", *command], variables)
        self.processes.wait_for(self.port)


class StarletteRooms(Rooms):
    """Starlette on uvicorn."""

    name = "starlette"
    title = "Starlette on uvicorn"
    kinds = frozenset({"fan", "growth", "echo", "memory", "post"})
    packages: ClassVar = ("starlette", *UVICORN)

    def start(self) -> None:
        """One worker."""
        (self.port,) = free_ports(1)
        self.run_python("uvicorn", "--port", self.port, *UVICORN_OPTIONS, "starlette_app:app")


class ChannelsRooms(Rooms):
    """Django Channels on Daphne, with a layer in memory or in Redis."""

    kinds = frozenset({"fan", "echo", "memory", "post"})
    packages: ClassVar = ("channels", "daphne", "channels_redis", "Django")

    def __init__(self, layer: str, title: str, bench: Bench) -> None:
        self.name = f"channels-{layer}"
        self.title = title
        self._layer = layer
        self.is_in_short_runs = layer == "memory"
        self.rounds_at_most = 2 if layer == "memory" else 1
        super().__init__(bench)

    def missing(self) -> str | None:
        """Redis, where it is needed."""
        if self._layer != "memory" and shutil.which("redis-server") is None:
            reason = self.bench.unpack("redis-tools", *REDIS_LIBRARIES)
            if reason is not None:
                return f"Redis {reason}"
        return super().missing()

    def version(self) -> str:
        """Those of the packages, and Redis."""
        names = ["channels", "daphne", "Django"]
        if self._layer != "memory":
            names.append("channels_redis")
        versions = [f"{name} {self.bench.version_of(name)}" for name in names]
        if self._layer != "memory":
            said = output_of([self._redis(), "--version"], self._libraries())
            versions.append("Redis " + (re.findall(r"v=(\S+)", said) or ["?"])[0])
        return ", ".join([*versions, f"Python {platform.python_version()}"])

    def _redis(self) -> str:
        # In Debian's package, redis-server is this program under another name.
        return shutil.which("redis-server") or str(self.bench.work / "redis-server")

    def _libraries(self) -> dict[str, str]:
        folders = sorted(self.bench.debian.glob("usr/lib/*-linux-gnu"))
        return {"LD_LIBRARY_PATH": ":".join(map(str, folders))} if folders else {}

    def start(self) -> None:
        """Redis counts as well."""
        self.port, redis_port = free_ports(2)
        if self._layer != "memory":
            if shutil.which("redis-server") is None:
                shutil.copy2(self.bench.debian / "usr/bin/redis-check-rdb", self._redis())
            options = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
            self.processes.start([self._redis(), "--port", redis_port, *options], self._libraries())
            self.processes.wait_for(redis_port)
        options = ["-b", "127.0.0.1", "-v", "0", "--access-log", os.devnull]
        self.run_python(
            *("daphne", "-p", self.port, *options, "channels_app:application"),
            LAYER=self._layer,
            REDIS_PORT=str(redis_port),
        )


class NodeRooms(Rooms):
    """Node with the packages ws or socket.io, from npm."""

    kinds = frozenset({"fan", "echo", "memory"})

    def __init__(self, way: str, package: str, title: str, bench: Bench) -> None:
        self.name = f"node-{way}"
        self.title = title
        self._way, self._package = way, package
        self.is_in_short_runs = way == "ws"
        self._node = ["node"]
        self._modules = bench.work / "node" / "node_modules"
        super().__init__(bench)

    def missing(self) -> str | None:
        """Node, or the package."""
        commands = self.bench.node()
        if commands is None:
            return (
                "Node is not there, nor can it be installed (Debian: sudo apt install nodejs npm)"
            )
        self._node, npm = commands
        if not (self._modules / self._package).exists():
            self._modules.mkdir(parents=True, exist_ok=True)
            command = [*npm, "install", "--no-audit", "--no-fund", "--silent", self._package]
            run_quietly(command, self.bench.log, self._modules.parent)
        is_there = (self._modules / self._package).exists()
        return None if is_there else f"npm could not install {self._package}"

    def version(self) -> str:
        """The package's and Node's."""
        code = f"console.log(require('{self._package}/package.json').version)"
        version = output_of([*self._node, "-e", code], {"NODE_PATH": str(self._modules)})
        return f"{self._package} {version}, Node {output_of([*self._node, '--version'])}"

    def start(self) -> None:
        """One process."""
        (self.port,) = free_ports(1)
        environment = {"NODE_PATH": str(self._modules)}
        command = [*self._node, SERVERS / "node_server.js", self.port, self._way]
        self.processes.start(command, environment)
        self.processes.wait_for(self.port)

    def conversation(self, kind: str) -> Conversation:
        """ws has the addresses of all others, Socket.IO a protocol of its own."""
        if self._way == "socketio":
            return socketio_conversation(self.port, kind)
        return super().conversation(kind)


class PythonSocketIO(Rooms):
    """python-socketio on uvicorn."""

    name = "socketio-python"
    title = "python-socketio on uvicorn"
    rounds_at_most = 1
    is_in_short_runs = False
    kinds = frozenset({"fan", "echo", "memory"})
    packages: ClassVar = ("python-socketio", *UVICORN)

    def start(self) -> None:
        """One worker."""
        (self.port,) = free_ports(1)
        self.run_python("uvicorn", "--port", self.port, *UVICORN_OPTIONS, "socketio_app:app")

    def conversation(self, kind: str) -> Conversation:
        """Socket.IO's own."""
        return socketio_conversation(self.port, kind)


def socketio_conversation(port: int, kind: str) -> Conversation:
    """Engine.IO 4 and Socket.IO 5: open, connect, join, publish."""
    room = room_of(kind)
    talk = Conversation()
    for role in ("sub", "pub"):
        talk.role(role).address(port, "ws").flag("eio")
        talk.step(upgrade(b"/socket.io/?EIO=4&transport=websocket"), until=b"pingInterval")
        talk.step(text_frame(b"40"), until=b'40{"sid"')
        if role == "sub":
            talk.step(text_frame(b'42["join","' + room + b'"]'), until=b"joined")
        talk.publish(text_frame(b'42["pub","' + room + b'","' + MESSAGE + b'"]'))
    return talk


class Nchan(System):
    """nginx with the nchan module, as Debian has them; publishers POST."""

    name = "nchan"
    title = "nchan (nginx)"
    kinds = frozenset({"fan", "growth", "echo", "memory"})
    _port = 0

    def missing(self) -> str | None:
        """nginx or the module."""
        if not self._program().exists() and (reason := self.bench.unpack("nginx")) is not None:
            return reason
        return None if self._modules() else self.bench.unpack("libnginx-mod-nchan")

    def version(self) -> str:
        """That of nginx and of the module."""
        nginx = output_of([str(self._program()), "-v"]).replace("nginx version: ", "")
        return f"nchan {self.bench.debian_version('libnginx-mod-nchan')}, {nginx}"

    def _program(self) -> Path:
        places = f"{os.environ.get('PATH', '')}:/usr/sbin"
        return Path(shutil.which("nginx", path=places) or self.bench.debian / "usr/sbin/nginx")

    def _modules(self) -> list[Path]:
        roots = (Path("/"), self.bench.debian)
        paths = ("usr/lib/nginx/modules", "usr/share/nginx/modules")
        found = [root / path / "ngx_nchan_module.so" for root in roots for path in paths]
        return [path for path in found if path.exists()]

    def start(self) -> None:
        """One worker, everything in one folder."""
        (self._port,) = free_ports(1)
        folder = self.bench.work / "nginx"
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "logs").mkdir(parents=True)
        template = (SERVERS / "nchan.conf").read_text()
        values = {"MODULE": self._modules()[0], "FOLDER": folder, "PORT": self._port}
        for name, value in values.items():
            template = template.replace(f"@{name}@", str(value))
        (folder / "nginx.conf").write_text(template)
        log = folder / "logs" / "error.log"
        self.processes.start(
            [self._program(), "-c", folder / "nginx.conf", "-p", folder, "-e", log]
        )
        self.processes.wait_for(self._port)
        self.processes.wait_for_children(1)  # the master listens before there is a worker

    def conversation(self, kind: str) -> Conversation:
        """A WebSocket, and a POST for each message of the publisher."""
        room = room_of(kind)
        talk = Conversation().role("sub").address(self._port, "ws")
        talk.step(upgrade(b"/ws/" + room), until=b"\r\n\r\n").publish(text_frame(MESSAGE))
        talk.role("pub").address(self._port, "http")
        return talk.publish(post(b"/pub/" + room, MESSAGE), response=True)


SYSTEMS: Final = [
    StarletteRooms,
    partial(ChannelsRooms, "memory", "Django Channels on Daphne, in memory"),
    partial(ChannelsRooms, "redis", "Django Channels on Daphne, Redis"),
    partial(NodeRooms, "ws", "ws", "ws on Node"),
    partial(NodeRooms, "socketio", "socket.io", "Socket.IO on Node"),
    PythonSocketIO,
    Nchan,
]
