"""A STOMP client without I/O for the broker's tests, and a broker for it."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from morbid.broker import Broker
from morbid.events import Closed
from morbid.limits import Limits
from morbid.mqsecurity import Security
from morbid.policy import Policy
from morbid.session import BrokerSession
from stompservice.protocol import V10, V12, Frame, FrameParser, encode
from tests.support.rabbitmq import ServerMissing, rabbitmq


class Client:
    """What a client writes goes in, what it would read comes out, as frames."""

    def __init__(self, broker: Broker, policy: Policy | None = None, now: float = 0.0) -> None:
        self.session = BrokerSession(broker, policy, now=now, peer="192.0.2.1")
        self.now = now
        self.events: list[Any] = []
        self.parser = FrameParser(version=V12)
        self.raw = b""

    def feed(self, data: bytes) -> Client:
        """Write bytes to the broker."""
        self.session.receive_data(data, self.now)
        return self

    def send(self, command: str, body: bytes = b"", **headers: str) -> Client:
        """Write a frame; in header names, ``_`` stands for ``-``."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.feed(encode(Frame(command, named, body), self.session.version))

    def connect(self, version: str = V12, login: str = "guest", **headers: str) -> Client:
        """Log in, and read CONNECTED."""
        if version != V10:
            headers = {"accept_version": version, "host": "/", **headers}
        self.send("CONNECT", login=login, **headers)
        self.parser.version = version
        assert self.commands() == ["CONNECTED"]
        return self

    def read(self) -> list[Frame]:
        """Every frame that the broker has written since the last call."""
        self.raw = b"".join(self.session.data_to_send())
        self.parser.receive_data(self.raw)
        frames = list(self.parser.events_received())
        assert all(isinstance(frame, Frame) for frame in frames), frames
        return frames  # type: ignore[return-value]

    def one(self) -> Frame:
        """The only frame that the broker has written."""
        (frame,) = self.read()
        return frame

    def commands(self) -> list[str]:
        """The commands of what the broker has written."""
        return [frame.command for frame in self.read()]

    def bodies(self) -> list[bytes]:
        """The bodies of what the broker has written."""
        return [frame.body for frame in self.read()]

    @property
    def is_closed(self) -> bool:
        """Whether the broker has asked for the connection to be closed."""
        self.events += self.session.events_received()
        return any(isinstance(event, Closed) for event in self.events)

    def refusal(self) -> str:
        """The code of the ERROR that is the only frame; the connection must be closed."""
        frame = self.one()
        assert frame.command == "ERROR"
        assert self.is_closed
        return frame.headers["code"]

    def subscribe(self, destination: str, id: str = "0", **headers: str) -> Client:
        """Subscribe."""
        return self.send("SUBSCRIBE", destination=destination, id=id, **headers)


@pytest.fixture
def broker() -> Broker:
    """A broker with default limits."""
    return Broker(boot_id="boot")


@pytest.fixture
def new_client(broker: Broker) -> Callable[..., Client]:
    """Make a client that is not logged in, of this broker or a given one."""

    def make(on: Broker = broker, policy: Policy | None = None, **limits: Any) -> Client:
        return Client(Broker(Limits(**limits), "boot") if limits else on, policy)

    return make


@pytest.fixture
def client(new_client: Callable[..., Client]) -> Client:
    """A client that is not logged in."""
    return new_client()


@pytest.fixture
def guarded(broker: Broker) -> Callable[..., Client]:
    """Make a client of a broker with this security, logged in unless told otherwise."""

    def make(*, login: str | None = "guest", version: str = V12, **security: Any) -> Client:
        client = Client(broker, Policy(Security(**security)))
        return client if login is None else client.connect(version, login)

    return make


@pytest.fixture
def leaves_nothing(broker: Broker) -> Iterator[None]:
    """Check, at the end, that the broker is as empty as in the beginning."""
    yield
    assert broker.destinations == {}
    assert broker.queue_bytes == 0
    assert broker.subscription_count == 0


VECTORS = Path(__file__).parent.parent / "data" / "morbid-0.8.7.3.json"


@pytest.fixture(scope="session")
def vectors() -> dict[str, list[list[str]]]:
    """What MorbidQ 0.8 answered, captured, by name."""
    captured = json.loads(VECTORS.read_text(encoding="utf-8"))
    return {vector["name"]: vector["trace"] for vector in captured["vectors"]}


class BrokerProcess:
    """A broker started by its command, on a free port."""

    def __init__(self, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "morbid", "-p", "0", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.greeting = self.process.stdout.readline()
        found = re.search(r"port (\d+)", self.greeting)
        if found is None:
            raise AssertionError(self.greeting + self.process.communicate()[1])
        self.port = int(found[1])

    def stop(self, signal_number: int = signal.SIGTERM) -> tuple[int, str]:
        """End it; returns its exit status and what it has complained about."""
        if self.process.poll() is None:
            self.process.send_signal(signal_number)
        try:
            errors = self.process.communicate(timeout=60)[1]
        except subprocess.TimeoutExpired:
            self.process.kill()
            errors = self.process.communicate()[1]
        return self.process.returncode, errors


@pytest.fixture
def start_broker() -> Iterator[Callable[..., BrokerProcess]]:
    """Start brokers with these arguments; they are ended with the test."""
    started: list[BrokerProcess] = []

    def start(*arguments: str) -> BrokerProcess:
        started.append(BrokerProcess(*arguments))
        return started[-1]

    yield start
    for each in started:
        each.stop()


@pytest.fixture(scope="module")
def broker_process() -> Iterator[BrokerProcess]:
    """A broker with default settings for all tests of a module; it must not complain."""
    broker = BrokerProcess()
    yield broker
    status, errors = broker.stop()
    assert status == 0
    assert "Traceback" not in errors


@pytest.fixture(scope="module")
def rabbitmq_port() -> Iterator[int]:
    """A private RabbitMQ for all tests of a module."""
    try:
        with rabbitmq() as server:
            yield server.stomp_port
    except ServerMissing as missing:
        pytest.skip(str(missing))
