"""Tickets at a broker that found their authenticator by dotted path, on a clock of the test."""

import time

import pytest
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport

from morbid import get_stomp_factory
from stompservice.protocol import Frame, FrameParser, encode
from thywill_server.push.orbited_stomp.tickets import (
    TicketAuthenticator,
    issue_ticket,
    renewal_destination,
)

PAGE = "page"
OWN = "/topic/thywill.client.page"


class Connection:
    """A connection to the broker, over a transport in memory."""

    def __init__(self, factory):
        self.protocol = factory.buildProtocol(None)
        self.transport = StringTransport()
        self.transport.abortConnection = self.transport.loseConnection
        self.protocol.makeConnection(self.transport)
        self.parser = FrameParser()

    def send(self, command, **headers):
        self.protocol.dataReceived(encode(Frame(command, headers)))
        return self

    def connect(self, login, ticket):
        headers = {"accept-version": "1.2", "host": "/", "login": login, "passcode": ticket}
        return self.send("CONNECT", **headers)

    def answers(self):
        """The commands, or codes, of what has come since the last call."""
        self.parser.receive_data(self.transport.value())
        self.transport.clear()
        return [frame.headers.get("code", frame.command) for frame in self.parser.events_received()]


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still until told; that on the wall stands still, too."""
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now)
    return Clock()


@pytest.fixture
def connect(clock, tmp_path, monkeypatch):
    """Connect to a broker that was configured with tickets."""
    monkeypatch.delenv("THYWILL_TICKET_KEY", raising=False)
    path = tmp_path / "morbid.cfg"
    path.write_text(
        f"authenticator={TicketAuthenticator.__module__}.TicketAuthenticator\n"
        "authenticator.key_file=ticket.key\n"
        "authenticator.leeway_seconds=0\n"
    )
    factory = get_stomp_factory(path, clock=clock)
    return lambda: Connection(factory)


@pytest.fixture
def ticket(tmp_path, connect):
    """Sign a ticket as the site does; ``role`` and the rest may differ."""

    def issue(subject=PAGE, seconds=60, **changed):
        given = {"session": "session", "subscribe": [OWN], **changed}
        key = (tmp_path / "ticket.key").read_bytes().strip()
        return issue_ticket(key, subject=subject, seconds=seconds, **given)

    return issue


def test_a_page_subscribes_to_its_own_and_nothing_else(connect, ticket):
    """What the ticket names is let through, whatever else is refused with its code."""
    page = connect().connect(PAGE, ticket())
    page.send("SUBSCRIBE", id="0", destination=OWN, receipt="r")
    assert page.answers() == ["CONNECTED", "RECEIPT"]
    for command, code in (("SUBSCRIBE", "create-refused"), ("SEND", "create-refused")):
        page = connect().connect(PAGE, ticket())
        page.send(command, id="0", destination="/topic/thywill.client.other")
        assert page.answers() == ["CONNECTED", code]
        assert page.transport.disconnecting
    page = connect().connect(PAGE, ticket())
    page.send("SEND", destination=OWN)
    assert page.answers() == ["CONNECTED", "write-refused"]


@pytest.mark.parametrize("shown", ["", "guest", "another's", "expired"])
def test_no_good_ticket(connect, ticket, shown):
    """Without a ticket of one's own, in time, there is no login."""
    passcode = {
        "another's": ticket("other"),
        "expired": ticket(now=time.time() - 61),
    }.get(shown, shown)
    page = connect().connect(PAGE, passcode)
    assert page.answers() == ["login-refused"]
    assert page.transport.disconnecting


def test_a_connection_ends_with_its_ticket(connect, ticket, clock):
    """To the second; before, it lives."""
    page = connect().connect(PAGE, ticket(seconds=60))
    clock.advance(58)
    assert page.answers() == ["CONNECTED"]
    clock.advance(3)
    assert page.answers() == ["session-expired"]
    assert page.transport.disconnecting


def test_a_renewal_prolongs(connect, ticket, clock):
    """A new ticket, shown by SUBSCRIBE to the destination for that, moves the end."""
    page = connect().connect(PAGE, ticket(seconds=60))
    page.send(
        "SUBSCRIBE",
        id="renewal",
        destination=renewal_destination(PAGE),
        ticket=ticket(seconds=600),
        receipt="r",
    )
    page.send("UNSUBSCRIBE", id="renewal", receipt="r")
    assert page.answers() == ["CONNECTED", "RECEIPT", "RECEIPT"]
    clock.advance(500)
    assert page.answers() == []
    clock.advance(101)
    assert page.answers() == ["session-expired"]


def test_the_site_ends_a_session(connect, ticket):
    """All connections that carry a session's claim end together, and no others."""
    pages = [connect().connect(PAGE, ticket()) for _ in range(2)]
    stranger = connect().connect("other", ticket("other", session="another"))
    assert pages[0].protocol.factory.disconnect(session="session") == 2
    assert [page.answers() for page in pages] == [["CONNECTED", "disconnected"]] * 2
    assert stranger.answers() == ["CONNECTED"]


CHANNEL = "/topic/thywill.channel.chat.room_3Aa"


def subscribe(page, destination, **headers):
    """Subscribe, and give what the broker says to it."""
    page.answers()
    page.send("SUBSCRIBE", id=destination, destination=destination, receipt="r", **headers)
    return page.answers()


def test_a_channel_has_a_ticket_of_its_own(connect, ticket):
    """Shown with the SUBSCRIBE it lets the page into that channel, and the connection goes on."""
    page = connect().connect(PAGE, ticket())
    assert subscribe(page, CHANNEL, ticket=ticket(subscribe=[CHANNEL])) == ["RECEIPT"]
    assert subscribe(page, OWN) == ["RECEIPT"]


@pytest.mark.parametrize("shown", ["", "forged", "another channel's", "another's", "expired"])
def test_no_good_ticket_for_a_channel(connect, ticket, shown):
    """Without a ticket for this very channel, of one's own and in time, nobody gets in."""
    good = ticket(subscribe=[CHANNEL])
    text = {
        "forged": good[:-4] + ("AAAA" if good[-4:] != "AAAA" else "BBBB"),
        "another channel's": ticket(subscribe=[CHANNEL + "b"]),
        "another's": ticket("other", subscribe=[CHANNEL]),
        "expired": ticket(subscribe=[CHANNEL], now=time.time() - 61),
    }.get(shown, shown)
    page = connect().connect(PAGE, ticket())
    assert subscribe(page, CHANNEL, ticket=text) == ["create-refused"]
    assert page.transport.disconnecting


def test_a_ticket_of_another_session_lets_nobody_in(connect, ticket):
    """After a log-out and another log-in the old connection gets no further."""
    page = connect().connect(PAGE, ticket())
    text = ticket(subscribe=[CHANNEL], session="another")
    assert subscribe(page, CHANNEL, ticket=text) == ["create-refused"]


def test_a_renewal_names_more(connect, ticket):
    """After a log-in the new ticket names the user's destination, which is let through then."""
    more = "/topic/thywill.user.7"
    page = connect().connect(PAGE, ticket())
    renewed = ticket(subscribe=[OWN, more])
    assert subscribe(page, renewal_destination(PAGE), ticket=renewed) == ["RECEIPT"]
    assert subscribe(page, more) == ["RECEIPT"]
