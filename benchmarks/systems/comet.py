"""Orbited with MorbidQ in one process: what this project pushes to browsers with.

A subscriber is a browser's session: it opens a transport, shakes hands with the broker behind
Orbited, logs in and subscribes by STOMP. Whoever publishes does it as the site does, over one
STOMP connection by TCP; in the round trips each browser publishes for itself.
"""

from __future__ import annotations

import sys
from functools import partial
from typing import ClassVar, Final

from benchmarks.conversation import Conversation, get, post, upgrade
from benchmarks.processes import free_ports
from benchmarks.systems.base import SERVERS, Bench, System, our_version, twisted_version
from benchmarks.systems.brokers import CONNECT, destination_of, send_frame, subscribe_frame

SESSION: Final = b"/tcp/<<KEY>>"
PING: Final = b"<<UPK>>04,ping"
EVENTS: Final = b"Accept: text/event-stream\r\n"
ACK_PACKETS: Final = 64
"""After how many packets our browser client acknowledges on a WebSocket (comet/settings.js)."""
ACK_BYTES: Final = 262_144
"""After how many bytes of data it acknowledges a stream by POST, if nothing else has gone up."""
LAST_EVENT: Final = EVENTS + b"Last-Event-ID: <<ACK>>\r\n"

CONFIGURATION: Final = """\
[listen]
http://127.0.0.1:{http}
stomp://127.0.0.1:{stomp}
[access]
* -> 127.0.0.1:{stomp}
[limits]
sessions_per_address = 20000 # the generator is one address
unused_sessions = 20000
"""


class Comet(System):
    """One transport of Orbited."""

    kinds = frozenset({"fan", "growth", "echo", "memory"})
    is_ours = True
    keeps_sessions: ClassVar = True
    start_seconds: ClassVar = 0.7
    settle_seconds: ClassVar = 0.5
    _http_port = 0
    _stomp_port = 0

    def __init__(self, transport: str, title: str, bench: Bench) -> None:
        self.name = f"orbited-{transport}"
        self.title = title
        self._transport = transport
        self.is_in_short_runs = transport != "xhrstream"  # server-sent events cost as much
        if transport == "longpoll":
            self.kinds = type(self).kinds | {"poll"}
        super().__init__(bench)

    def version(self) -> str:
        """The revision of this repository, and what is below it."""
        return our_version(self.bench)

    def start(self) -> None:
        """The command ``orbited`` with a broker in its process."""
        self._http_port, self._stomp_port = free_ports(2)
        configuration = self.bench.work / "orbited.cfg"
        configuration.write_text(CONFIGURATION.format(http=self._http_port, stomp=self._stomp_port))
        command = [sys.executable, "-m", "orbited", "-c", configuration]
        self.processes.start(command, folder=self.bench.root)
        self.processes.wait_for(self._stomp_port)
        self.processes.wait_for(self._http_port)

    def conversation(self, kind: str) -> Conversation:
        """Open a session and its transport, then STOMP through it."""
        destination = destination_of(kind)
        is_echo = kind == "echo"
        talk = Conversation().role("sub").address(self._http_port, "http", "up")
        if self._transport == "websocket":
            self._over_websocket(talk, destination)
        else:
            self._over_http(talk, destination, is_echo)
        if not is_echo:
            talk.flag("upclose")
        talk.role("pub").address(self._stomp_port).step(CONNECT, until=b"CONNECTED")
        return talk.publish(send_frame(destination))

    def _target(self) -> bytes:
        return b"127.0.0.1:%d\n" % self._stomp_port

    def _over_websocket(self, talk: Conversation, destination: bytes) -> None:
        talk.address(self._http_port, "ws").packets("raw")
        talk.acknowledge(b"<<WSF:<<AKP>>:WSF>>", packets=ACK_PACKETS)
        talk.pong(b"<<WSF:" + PING + b":WSF>>", "down")
        talk.step(get(b"/tcp"), capture=True, socket="up")
        talk.step(upgrade(SESSION + b"/websocket"), until=b"[open]")
        talk.step(raw_packet(self._target()), until=b"1")
        talk.step(raw_packet(CONNECT), until=b"CONNECTED")
        talk.step(raw_packet(subscribe_frame(destination)))
        talk.publish(raw_packet(send_frame(destination)))

    def _over_http(self, talk: Conversation, destination: bytes, is_echo: bool) -> None:
        down = SESSION + b"/" + self._transport.encode()
        is_events = self._transport == "sse"
        opening = get(down, EVENTS if is_events else b"")
        again = get(down, LAST_EVENT) if is_events else get(down + b"?ack=<<ACK>>")
        talk.address(self._http_port, "http").packets("sse" if is_events else "text")
        talk.poll_again(again)
        if not is_echo:  # there, each POST carries an acknowledgement anyway
            talk.pong(_upstream(PING), "up")
            if self._transport != "longpoll":
                talk.acknowledge_bytes(_upstream(b""), ACK_BYTES)
        talk.step(get(b"/tcp"), capture=True, socket="up")
        talk.step(opening, until=b"[open]")
        talk.step(_posted(self._target()), response=True, socket="up").step(until=b"1")
        talk.step(_posted(CONNECT), response=True, socket="up").step(until=b"CONNECTED")
        talk.step(_posted(subscribe_frame(destination)), response=True, socket="up")
        talk.publish(_posted(send_frame(destination)), response=True, socket="up")


class CometFloor(Comet):
    """Sessions and STOMP, and nothing of what makes a server fit for strangers."""

    kinds = frozenset({"fan", "echo", "memory"})
    is_ours = False
    is_reference: ClassVar = True
    rounds_at_most = 1

    def __init__(self, transport: str, title: str, bench: Bench) -> None:
        super().__init__(transport, title, bench)
        self.name = f"raw-comet-{transport}"
        self.is_in_short_runs = False
        self.processes.log = bench.work / f"{self.name}.log"

    def version(self) -> str:
        """Nothing of this project is in it."""
        return twisted_version()

    def start(self) -> None:
        """One program for both ports."""
        self._http_port, self._stomp_port = free_ports(2)
        program = SERVERS / "floor_comet.py"
        self.processes.start([sys.executable, program, self._http_port, self._stomp_port])
        self.processes.wait_for(self._http_port)


def raw_packet(data: bytes) -> bytes:
    """A data packet upstream, in a WebSocket message of its own."""
    return b"<<WSF:<<UPK>>14,data<<ARG:" + data + b":ARG>>:WSF>>"


def _posted(data: bytes) -> bytes:
    """The same in base64, in a POST."""
    return _upstream(b"<<UPK>>14,data<<ARG:<<B64:" + data + b":B64>>:ARG>>")


def _upstream(packets: bytes) -> bytes:
    return post(SESSION + b"?ack=<<ACK>>", packets)


SYSTEMS: Final = [
    partial(Comet, "websocket", "**thywill, WebSocket**"),
    partial(Comet, "sse", "**thywill, server-sent events**"),
    partial(Comet, "xhrstream", "**thywill, XHR streaming**"),
    partial(Comet, "longpoll", "**thywill, long polling**"),
    partial(CometFloor, "xhrstream", "sessions on Twisted, XHR streaming"),
    partial(CometFloor, "longpoll", "sessions on Twisted, long polling"),
]
