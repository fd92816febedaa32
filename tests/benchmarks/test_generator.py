"""The load generator notices what servers do wrong, and reads what they send in any pieces."""

from __future__ import annotations

import base64
import contextlib
import os
import re
import socket
import threading
from collections.abc import Callable
from dataclasses import replace

import pytest

from benchmarks.conversation import MESSAGE, Conversation, get, post
from benchmarks.generator import Figures, Generator, warm_up_of
from benchmarks.workloads import MESSAGE_BYTES, WORKLOADS

Relay = Callable[[list[bytes]], list[bytes]]
"""What a server makes of messages that it was sent: of the warm-up first, then of the others."""

WARM_UP = 5
STALL_SECONDS = 2
"""When nothing comes for so long nothing will: a busy machine holds messages up for less."""

MESSAGES = 30
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"


class Server:
    """Takes all messages of a publisher, and sends a subscriber what is made of them."""

    def __init__(self, relay: Relay, greeting: bytes = b"", piece_bytes: int = 1 << 16) -> None:
        self._relay, self._greeting, self._piece_bytes = relay, greeting, piece_bytes
        self._doors = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
        for door in self._doors:
            door.settimeout(60)
        self.ports = [door.getsockname()[1] for door in self._doors]
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        subscriber, _ = self._doors[0].accept()
        subscriber.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._greeting:
            subscriber.recv(4096)
            subscriber.sendall(self._greeting)
        publisher, _ = self._doors[1].accept()
        with subscriber, publisher:
            for number in (WARM_UP, MESSAGES):
                messages = [received(publisher) for _ in range(number)]
                sent = b"".join(self._relay(messages))
                for at in range(0, len(sent), self._piece_bytes):
                    subscriber.sendall(sent[at : at + self._piece_bytes])
            with contextlib.suppress(ConnectionError):
                publisher.recv(1)  # the generator ends without a word

    def close(self) -> None:
        """Wait for its end."""
        self._thread.join(60)
        for door in self._doors:
            door.close()


def received(publisher: socket.socket) -> bytes:
    """Wait for one message."""
    return publisher.recv(MESSAGE_BYTES, socket.MSG_WAITALL)


@pytest.fixture(scope="module")
def generator(tmp_path_factory) -> Generator:
    """The generator, built once."""
    cpu = max(os.sched_getaffinity(0))
    return Generator(tmp_path_factory.mktemp("generator"), str(cpu))


class Endless(Server):
    """Passes on whatever comes."""

    def _serve(self) -> None:
        (subscriber, _), (publisher, _) = [door.accept() for door in self._doors]
        with subscriber, publisher:
            while message := received(publisher):
                subscriber.sendall(message)


def run(
    generator: Generator, server: Server, subscriber: Conversation, least_seconds: float = 0.0
) -> Figures:
    """Send all messages at once, to one subscriber."""
    talk = subscriber.role("pub").address(server.ports[1]).step().publish(MESSAGE)
    workload = replace(WORKLOADS["D1"], window=MESSAGES)
    try:
        return generator.run(
            workload,
            talk.text,
            [os.getpid()],
            MESSAGES,
            least_seconds=least_seconds,
            settle_seconds=0.01,
            stall_seconds=STALL_SECONDS,
            handshakes_at_once=1,
            timeout_seconds=60,
        )
    finally:
        server.close()


def test_each_client_that_sends_does_so_before_it_counts() -> None:
    """gunicorn reads a new connection in one of its threads, and waits there."""
    assert warm_up_of(WORKLOADS["P32"], 100) == 32
    assert warm_up_of(WORKLOADS["P32"], 1000) == 100
    assert warm_up_of(WORKLOADS["A1000w1"], 10) == 5


def swapped(messages: list[bytes]) -> list[bytes]:
    """Two messages change their places."""
    return [*messages[:20], *messages[21:22], *messages[20:21], *messages[22:]]


def test_a_run_has_more_messages_where_there_is_time_for_them(generator: Generator) -> None:
    """Those beyond the number that it has at least are counted like all others."""
    server = Endless(list)
    talk = Conversation().role("sub").address(server.ports[0]).step()
    figures = run(generator, server, talk, least_seconds=0.1)
    assert figures["ok"]
    assert figures["wall_s"] > 0.1
    assert figures["delivered"] == figures["expected"] == figures["msgs"] > MESSAGES


FAULTS: dict[str, tuple[Relay, dict[str, int]]] = {
    "nothing": (list, {"delivered": MESSAGES, "gaps": 0, "dups": 0}),
    "lost": (lambda all_: all_[:20] + all_[21:], {"delivered": MESSAGES - 1, "gaps": 1, "dups": 0}),
    "repeated": (lambda all_: all_[:20] + all_[19:20] + all_[20:], {"gaps": 0, "dups": 1}),
    "swapped": (swapped, {"delivered": MESSAGES - 1, "gaps": 1, "dups": 1}),
    "end": (lambda all_: all_[: MESSAGES - 1], {"delivered": MESSAGES - 1, "gaps": 0, "dups": 0}),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_every_message_has_to_come_once_and_in_order(generator: Generator, fault: str) -> None:
    """What is lost, repeated or out of order is counted, and the run is not ok."""
    relay, expected = FAULTS[fault]
    server = Server(relay)
    figures = run(generator, server, Conversation().role("sub").address(server.ports[0]))
    assert {name: figures[name] for name in expected} == expected
    assert figures["ok"] is (fault == "nothing")


def events(messages: list[bytes]) -> list[bytes]:
    """Messages as Orbited's events, two packets in each, heartbeats between."""
    packets = [
        b'["%d", "data", "%b"]' % (int(message[2:9]) + 3, base64.b64encode(message))
        for message in messages
    ]
    return [
        b"id: 4\nevent: payload\ndata: [%b]\n\nevent: heartbeat\ndata:\n\n"
        % b", ".join(packets[at : at + 2])
        for at in range(0, len(packets), 2)
    ]


@pytest.mark.parametrize("piece_bytes", [1, 7, 1 << 16])
def test_events_are_read_in_any_pieces(generator: Generator, piece_bytes: int) -> None:
    """A stream of server-sent events gives all messages, wherever it is cut."""
    opening = b'id: 2\nevent: payload\ndata: [["2", "open"]]\n\n'
    server = Server(events, HEAD + opening, piece_bytes)
    subscriber = Conversation().role("sub").address(server.ports[0], "http").packets("sse")
    subscriber.step(get(b"/"), until=b"[open]")
    figures = run(generator, server, subscriber)
    assert figures["delivered"] == MESSAGES, figures
    assert figures["ok"] is True


def test_stream_is_acknowledged_by_post(generator: Generator) -> None:
    """After so many bytes of data, on a connection beside the stream, with the last packet's id."""
    heard: list[bytes] = []
    door = socket.create_server(("127.0.0.1", 0))

    def answer() -> None:
        connection, _ = door.accept()
        with connection:
            while data := connection.recv(4096):
                heard.append(data)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    thread = threading.Thread(target=answer)
    thread.start()
    opening = b'id: 2\nevent: payload\ndata: [["2", "open"]]\n\n'
    server = Server(events, HEAD + opening)
    subscriber = Conversation().role("sub").address(server.ports[0], "http").packets("sse")
    subscriber.address(door.getsockname()[1], "http", "up").step(get(b"/"), until=b"[open]")
    subscriber.acknowledge_bytes(post(b"/?ack=<<ACK>>", b""), 10 * MESSAGE_BYTES)
    figures = run(generator, server, subscriber)
    thread.join(60)
    door.close()
    assert figures["ok"] is True
    told = [int(each) for each in re.findall(rb"ack=(\d+)", b"".join(heard))]
    assert told == [13, 24, 35]  # each 11th packet; the first one has the id 3


def test_client_says_what_it_was_given(generator: Generator) -> None:
    """Values that a client knows beforehand stand in what it sends."""
    door = socket.create_server(("127.0.0.1", 0))
    port = door.getsockname()[1]
    talk = Conversation().given([(b"first", b"second")]).role("sub").address(port)
    talk.publish(b"<<ARG:<<GV1>> and <<GV0>>:ARG>>" + MESSAGE)
    heard = []

    def echo() -> None:
        connection, _ = door.accept()
        with connection:
            while data := connection.recv(4096):
                heard.append(data)
                connection.sendall(data)

    thread = threading.Thread(target=echo)
    thread.start()
    figures = generator.run(
        replace(WORKLOADS["B1"], clients=1),
        talk.text,
        [os.getpid()],
        3,
        settle_seconds=0.01,
        stall_seconds=STALL_SECONDS,
        handshakes_at_once=1,
        timeout_seconds=60,
    )
    thread.join(60)
    door.close()
    assert figures["ok"] is True
    assert heard[0].startswith(b"016,second and first@M0000001x")
