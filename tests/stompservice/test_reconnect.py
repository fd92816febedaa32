"""Reconnector: pauses and addresses."""

from __future__ import annotations

import random

import pytest
from twisted.internet.endpoints import HostnameEndpoint, TCP4ClientEndpoint, TCP6ClientEndpoint
from twisted.internet.protocol import Protocol
from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactorClock

from stompservice.reconnect import Reconnector, as_endpoint
from stompservice.service import StompClientService


def reconnector(brokers: int, jitter: float) -> Reconnector:
    """A reconnector for so many brokers, with this jitter each time."""
    return Reconnector(
        [None] * brokers,
        Protocol,
        lambda: None,
        reactor=Clock(),
        random=lambda: jitter,
        min_delay_seconds=1.0,
        max_delay_seconds=30.0,
    )


def test_pauses_double_up_to_the_longest():
    """Each failure doubles the pause."""
    pauses = [reconnector(1, 1.0).delay_seconds(failures) for failures in range(1, 8)]
    assert pauses == [1, 2, 4, 8, 16, 30, 30]
    assert reconnector(1, 1.0).delay_seconds(10_000) == 30


def test_half_of_a_pause_is_jitter():
    """Clients that lost a broker together do not come back together."""
    assert reconnector(1, 0.0).delay_seconds(3) == 2
    assert reconnector(1, 0.5).delay_seconds(3) == 3
    assert reconnector(1, 1.0).delay_seconds(3) == 4


def test_pauses_between_brokers_are_short():
    """Only after all brokers were tried the pause grows."""
    three = reconnector(3, 1.0)
    assert [three.delay_seconds(failures) for failures in range(1, 7)] == [0.5, 0.5, 1, 0.5, 0.5, 2]


@pytest.mark.parametrize(
    ("host", "kind"),
    [
        ("127.0.0.1", TCP4ClientEndpoint),
        ("::1", TCP6ClientEndpoint),
        ("broker.example", HostnameEndpoint),
    ],
)
def test_addresses(host, kind):
    """(host, port) becomes the endpoint that needs the least."""
    assert isinstance(as_endpoint((host, 61613), MemoryReactorClock(), 10.0), kind)


def test_endpoints_are_taken_as_they_are():
    """Anything else is an endpoint already."""
    endpoint = TCP4ClientEndpoint(MemoryReactorClock(), "127.0.0.1", 1)
    assert as_endpoint(endpoint, None, 10.0) is endpoint


def test_the_jitter_of_a_service_leaves_the_programs_random_numbers_alone() -> None:
    """A program that has seeded them counts on what comes."""
    service = StompClientService([("127.0.0.1", 61613)], reactor=MemoryReactorClock())
    state = random.getstate()
    pauses = {service._reconnector.delay_seconds(1) for _ in range(9)}
    assert random.getstate() == state
    assert len(pauses) > 1
    assert all(0 <= pause <= 0.5 for pause in pauses)
