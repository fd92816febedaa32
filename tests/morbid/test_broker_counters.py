"""A broker in a process of its own, its counters in view: what comes, what stays, what is told."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.support.stomp_wire import Wire

pytestmark = pytest.mark.functional

CONNECT = b"CONNECT\naccept-version:1.2\nhost:/\nlogin:guest\n\n\0"
CONNECTIONS = 10_000
WAVE = 250
"""Open at the same time, so that file descriptors suffice."""


class CountingBroker:
    """See ``tests.support.counting_broker``."""

    def __init__(self, **options: object) -> None:
        arguments = [f"{name}={value}" for name, value in options.items()]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.counting_broker", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.port = int(self._line())

    def counters(self) -> dict[str, Any]:
        """What the broker counts at this moment."""
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        counted: dict[str, Any] = json.loads(self._line())
        return counted

    def settled(self, name: str, value: object) -> dict[str, Any]:
        """The counters, once one of them has this value; the test's time-out is the end."""
        while (counters := self.counters())[name] != value:
            pass
        return counters

    def memory_kb(self) -> int:
        """Resident memory."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))

    def _line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline()


@pytest.fixture
def start() -> Iterator[Callable[..., CountingBroker]]:
    """Start brokers with these options; closing their standard input ends them."""
    started: list[CountingBroker] = []

    def begin(**options: object) -> CountingBroker:
        started.append(CountingBroker(**options))
        return started[-1]

    yield begin
    for each in started:
        assert each.process.communicate(timeout=60)[1] is None
        assert each.process.returncode == 0


def subscribe(number: int) -> bytes:
    """What one of ten thousand sends: it subscribes to its own and to a common name."""
    return CONNECT + (
        b"SUBSCRIBE\nid:0\ndestination:/queue/all\nack:client\n\n\0"
        b"SUBSCRIBE\nid:1\ndestination:/topic/%d\n\n\0"
        b"SEND\ndestination:/topic/%d\nreceipt:r\n\n%d\0" % (number, number, number)
    )


def test_ten_thousand_that_vanish(start):
    """Ten thousand connections open, subscribe and vanish: nothing of them is left."""
    broker = start(frame_seconds=300)
    memory = []
    for first in range(0, CONNECTIONS, WAVE):
        wires = [Wire(broker.port) for _ in range(WAVE)]
        for number, wire in enumerate(wires, first):
            wire.write(subscribe(number))
        for number, wire in enumerate(wires, first):
            frames = [wire.frame() for _ in "123"]
            assert [frame.command for frame in frames] == ["CONNECTED", "MESSAGE", "RECEIPT"]
            assert frames[1].body == b"%d" % number
            wire.write(b"SEND\ndestination:/queue/all\n\nhalf a fr")
            wire.socket.close()
        broker.settled("connections", 0)
        memory.append(broker.memory_kb())
    counters = broker.counters()
    assert counters["connections_total"] == CONNECTIONS
    assert counters["messages_in"] == counters["messages_out"] == CONNECTIONS
    for name in ("logins", "subscriptions", "destinations", "queue_bytes"):
        assert counters[name] == 0, name
    assert counters["queue_depths"] == {}
    # The first waves make the heap what it needs to be.
    assert memory[-1] - memory[3] < 3_000, memory


def test_counters(start):
    """Messages, bytes, drops and depths are counted."""
    broker = start(max_queue_messages=2)
    with Wire(broker.port).connect() as wire:
        wire.subscribe("/topic/a")
        wire.send("SEND", b"12345", destination="/topic/a")
        wire.send("SEND", b"lost", destination="/topic/nobody")
        for _ in range(2):
            wire.send("SEND", b"kept", destination="/queue/a", receipt="r")
        assert [wire.frame().command for _ in "123"] == ["MESSAGE", "RECEIPT", "RECEIPT"]
        counters = broker.counters()
        assert (counters["connections"], counters["logins"], counters["subscriptions"]) == (1, 1, 1)
        assert (counters["messages_in"], counters["messages_out"]) == (4, 1)
        assert counters["dropped_unrouted"] == 1
        assert counters["queue_depths"] == {"/queue/a": 2}
        assert counters["bytes_in"] > 300
        assert counters["bytes_out"] > 200
        wire.send("SEND", b"too much", destination="/queue/a")
        assert [frame.headers["code"] for frame in wire.rest()] == ["queue-full"]
        counters = broker.settled("connections", 0)
        assert (counters["dropped_full"], counters["errors_sent"]) == (1, 1)


def test_advisories_and_control(start):
    """The site hears who comes and goes, and can end connections, over STOMP alone."""
    broker = start(
        advisory_destination="/queue/advisories",
        control_destination="/control",
        site_logins="site",
    )

    def told(site: Wire) -> tuple[str, str, str | None]:
        frame = site.frame()
        assert frame is not None
        event = json.loads(frame.body)
        assert event["event"] == frame.headers["event"]
        return event["event"], event["login"], event.get("destination")

    with Wire(broker.port).connect(login="site") as site:
        site.send("SUBSCRIBE", id="0", destination="/queue/advisories")
        assert told(site) == ("connected", "site", None)
        assert told(site) == ("subscribed", "site", "/queue/advisories")
        with Wire(broker.port).connect(login="her") as her:
            assert told(site) == ("connected", "her", None)
            her.subscribe("/topic/a")
            assert told(site) == ("subscribed", "her", "/topic/a")
            her.send("UNSUBSCRIBE", id="0")
            assert told(site) == ("unsubscribed", "her", "/topic/a")
            site.send("SEND", destination="/control", disconnect_login="her", receipt="r")
            answers = [site.frame(), site.frame()]
            assert {frame.command for frame in answers} == {"MESSAGE", "RECEIPT"}
            assert [frame.headers["code"] for frame in her.rest()] == ["disconnected"]
        with Wire(broker.port).connect(login="him") as him:
            assert told(site) == ("connected", "him", None)
            him.send("SUBSCRIBE", id="0", destination="/queue/advisories")
            assert [frame.headers["code"] for frame in him.rest()] == ["read-refused"]
            assert told(site) == ("disconnected", "him", None)
        with Wire(broker.port).connect(login="him") as him:
            assert told(site) == ("connected", "him", None)
            him.send("SEND", destination="/control", disconnect_login="site")
            assert [frame.headers["code"] for frame in him.rest()] == ["write-refused"]
            assert told(site) == ("disconnected", "him", None)


def test_queues_wait_for_a_slow_consumer(start):
    """Back-pressure: a queue passes over who does not read; the others take its messages."""
    broker = start(max_queue_bytes=100_000_000, max_queue_messages=1_000)
    body = b"x" * 50_000
    with (
        Wire(broker.port, receive_buffer=4_096).connect() as slow,
        Wire(broker.port).connect() as sender,
    ):
        slow.subscribe("/queue/a")
        for number in range(400):
            sender.send("SEND", b"%06d" % number + body, destination="/queue/a", receipt="r")
            assert sender.frame().command == "RECEIPT"
        counters = broker.counters()
        assert counters["slow_consumers"] == 0
        waiting = counters["queue_depths"]["/queue/a"]
        assert waiting > 200
        with Wire(broker.port).connect() as quick:
            quick.send("SUBSCRIBE", id="0", destination="/queue/a")
            numbers = [int(quick.frame().body[:6]) for _ in range(waiting)]
            assert numbers == list(range(400 - waiting, 400))
        # What the slow one was sent already is still its own, in order.
        numbers = [int(slow.frame().body[:6]) for _ in range(400 - waiting)]
        assert numbers == list(range(400 - waiting))
    broker.settled("connections", 0)
    assert broker.counters()["queue_bytes"] == 0
