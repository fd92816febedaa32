"""Who may send anywhere is not asked about, and sends what it would have sent all the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from morbid.broker import Broker
from morbid.mqsecurity import Security, Verdict
from morbid.policy import Policy
from stompservice.protocol import Frame, encode
from tests.morbid.conftest import Client


@dataclass
class Sender:
    """An identity that says of itself whether it is to be asked about."""

    name: str
    may_send_anywhere: Any


class Doorkeeper:
    """Lets everybody in; remembers what was asked."""

    def __init__(self, is_free: Any) -> None:
        self.asked: list[tuple[str, str]] = []
        self._is_free = is_free

    def authenticate(self, login: str, passcode: str, peer: str) -> Sender:
        return Sender(login, self._is_free)

    def authorize(
        self, identity: object, operation: str, destination: str, headers: Mapping[str, str]
    ) -> bool:
        self.asked.append((operation, destination))
        return True


class Reviewer:
    """Forbids one body."""

    def review(self, event: str, subject: Mapping[str, str], body: bytes | None) -> Verdict | None:
        return Verdict(is_allowed=body != b"bad")

    def notify(self, event: str, subject: Mapping[str, str]) -> None:
        """Not of interest."""


def site(is_free: Any, reviewer: Reviewer | None = None, login: str = "site") -> Any:
    """Give a doorkeeper, and a client that has come in past it."""
    doorkeeper = Doorkeeper(is_free)
    policy = Policy(
        Security(authenticator=doorkeeper, authorizer=doorkeeper, reviewer=reviewer),
        advisory_destination="/queue/advisories",
        control_destination="/queue/control",
        site_logins=frozenset({"site"}),
    )
    broker = Broker(boot_id="boot")
    return doorkeeper, Client(broker, policy).connect(login=login)


FRAMES = [
    Frame("SUBSCRIBE", {"id": "0", "destination": "/topic/a"}),
    *(Frame("SEND", {"destination": "/topic/a"}, b"%d" % number) for number in range(3)),
    Frame("SEND", {"destination": "/topic/b", "content-type": "text/plain"}, b"x"),
    Frame("SEND", {"destination": "/topic/a", "receipt": "r"}, b"y"),
    Frame("SEND", {"destination": "/queue/q"}, b"kept"),
    Frame("BEGIN", {"transaction": "t"}),
    Frame("SEND", {"destination": "/topic/a", "transaction": "t"}, b"z"),
    Frame("COMMIT", {"transaction": "t"}),
    Frame("SEND", {"destination": "/queue/control", "disconnect-login": "nobody"}, b""),
    Frame("SEND", {"destination": "/nowhere"}, b""),
]


@pytest.mark.parametrize("step", [1, 50, 10_000])
def test_it_makes_no_difference(step: int) -> None:
    """The same is written and counted, however the bytes come."""
    data = b"".join(map(encode, FRAMES))
    outcomes = []
    for is_free in (False, True):
        doorkeeper, client = site(is_free)
        for start in range(0, len(data), step):
            client.feed(data[start : start + step])
        written = b"".join(client.session.data_to_send())
        outcomes.append((written, client.session.broker.counted()))
        sends = [where for operation, where in doorkeeper.asked if operation == "send"]
        assert ("/topic/b" in sends) is not is_free
    assert outcomes[0] == outcomes[1]


@pytest.mark.parametrize("data", [FRAMES[1], FRAMES[4]])
def test_a_lone_frame_asks_nobody(data: Frame) -> None:
    """Also when a packet holds nothing else, and its headers are known."""
    doorkeeper, client = site(True)
    for _ in range(3):
        client.feed(encode(data))
    assert doorkeeper.asked == []
    assert client.session.broker.counted()["messages_in"] == 3


def test_a_subscription_is_asked_about() -> None:
    """Only sending is free."""
    doorkeeper, client = site(True)
    client.subscribe("/topic/a")
    assert doorkeeper.asked == [("create", "/topic/a"), ("subscribe", "/topic/a")]


@pytest.mark.parametrize("is_free", [False, None, 1, "yes"])
def test_only_a_clear_yes_is_one(is_free: Any) -> None:
    """Whatever else an identity says, it is asked about."""
    doorkeeper, client = site(is_free)
    client.feed(encode(FRAMES[1]) * 2)
    assert doorkeeper.asked[-1] == ("send", "/topic/a")


def test_a_reviewer_is_asked_all_the_same() -> None:
    """What a message says is another question."""
    _, client = site(True, Reviewer())
    client.feed(encode(Frame("SEND", {"destination": "/topic/a"}, b"good")) * 2)
    assert client.read() == []
    client.send("SEND", b"bad", destination="/topic/a")
    assert client.refusal() == "write-refused"


@pytest.mark.parametrize("destination", ["/queue/control", "/queue/advisories"])
def test_the_doors_of_the_site_stay_its_own(destination: str) -> None:
    """Nobody else gets in there, whatever it may send."""
    _, client = site(True, login="other")
    client.feed(encode(Frame("SEND", {"destination": destination}, b"x")) * 2)
    assert client.refusal() == "write-refused"
