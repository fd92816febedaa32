"""A poll that comes while several messages wait takes along what else the turn brings."""

from collections.abc import Callable
from typing import Any

import pytest

from orbited.protocol.packets import DATA, TEXT, Packet
from tests.orbited.edge.test_again import Site, turn


class Alone:
    """One session."""

    def __init__(self, session: Any) -> None:
        self.members = self.consumers = [session]


@pytest.fixture(params=[True, False], ids=["known", "read"])
def site(request: pytest.FixtureRequest) -> Site:
    """A server with a browser that has polled often, and does not at the moment."""
    site = Site(quick=request.param)
    for number in range(4):
        site.feed(site.poll(site.session.core.outbox.last_id))
        site.session.write(b"before %d" % number)
        turn(site)
    assert site.session.transport_name is None
    return site


def come_again(site: Site) -> bytes:
    """Poll; gives what is answered before the turn ends."""
    known = site.known
    poll = site.poll(site.session.core.outbox.last_id).replace(b"<KEY>", site.key)
    site.connection.dataReceived(poll)
    assert site.known == known + site.quick
    return site.written()


def packet(site: Site, data: bytes) -> bytes:
    """The next packet."""
    return TEXT.encode([Packet(site.session.core.outbox.last_id + 1, DATA, data)])


@pytest.mark.parametrize("is_broadcast", [True, False])
def test_a_backlog_leaves_with_what_the_turn_brings(site: Site, is_broadcast: bool) -> None:
    """One answer, of one packet, and in order."""
    site.session.write(b"one ")
    site.session.write(b"two ")
    expected = packet(site, b"one two three four")
    assert come_again(site) == b""
    for data in (b"three ", b"four"):
        if is_broadcast:
            site.tcp.broadcaster.broadcast(Alone(site.session), data)
        else:
            site.session.write(data)
    assert turn(site).endswith(b"\r\n\r\n" + expected)
    assert turn(site) == b""
    assert site.session.transport_name is None


def test_a_message_alone_goes_at_once(site: Site) -> None:
    """Nothing says that there will be more."""
    site.session.write(b"alone")
    expected = packet(site, b"alone")
    assert come_again(site).endswith(expected)


@pytest.mark.parametrize(
    "say",
    [
        lambda site: site.session.write_alone(b"a packet of its own"),
        lambda site: site.session.loseConnection(),
        lambda site: [site.session.write(b"x" * 400) for _ in range(3)],
    ],
    ids=["mark", "close", "full"],
)
def test_nothing_else_waits(site: Site, say: Callable[[Site], object]) -> None:
    """What is marked, the end of the session, and more than one packet."""
    site.session.write(b"one ")
    site.session.write(b"two ")
    say(site)
    site.connection.dataReceived(
        site.poll(site.session.core.outbox.last_id).replace(b"<KEY>", site.key)
    )
    assert site.written().startswith(b"HTTP/1.1 200 OK\r\n")


def test_a_browser_that_goes_away_meanwhile_gets_it_with_its_next_poll(site: Site) -> None:
    """Nothing was numbered for the connection that is lost."""
    site.session.write(b"one ")
    site.session.write(b"two ")
    expected = packet(site, b"one two three")
    ack = site.session.core.outbox.last_id
    assert come_again(site) == b""
    site.connection.connectionLost()
    site.session.write(b"three")
    assert turn(site) == b""
    assert site.session.transport_name is None
    site.connect()
    assert site.feed(site.poll(ack)).endswith(expected)
