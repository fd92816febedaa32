"""What morbid tells about connections, as its own session writes it."""

import json

import pytest
from twisted.internet.task import Clock

from morbid.broker import Broker
from morbid.mqsecurity import Security
from morbid.policy import Policy
from morbid.session import BrokerSession
from stompservice.protocol import Frame, FrameParser, encode
from thywill_server import reactor_bridge
from thywill_server.connections.base import Login, Report
from thywill_server.errors import PushUnavailable
from thywill_server.push.orbited_stomp.advisories import (
    RETRY_SECONDS,
    Advisories,
    AdvisoryError,
    read_advisory,
)
from thywill_server.push.orbited_stomp.tickets import (
    SITE_SUBJECT,
    TicketAuthenticator,
    issue_ticket,
    renewal_destination,
)

KEY = b"k" * 40
QUEUE = "/queue/advisories"
CONTROL = "/queue/control"
OWN = "/topic/thywill.client.ada"
ABOUT = {"application": "chat", "user": "7"}


class Connection:
    """A connection to a broker without I/O."""

    def __init__(self, broker, policy, login, **claims):
        self.session = BrokerSession(broker, policy, now=0.0)
        self.parser = FrameParser()
        ticket = issue_ticket(KEY, subject=login, seconds=60, **claims)
        self.send("CONNECT", login=login, passcode=ticket, host="/", **{"accept-version": "1.2"})

    def send(self, command, **headers):
        """Write a frame."""
        self.session.receive_data(encode(Frame(command, headers)), 0.0)

    def bodies(self):
        """Read the messages that have come."""
        self.parser.receive_data(b"".join(self.session.data_to_send()))
        frames = self.parser.events_received()
        return [frame.body for frame in frames if frame.command == "MESSAGE"]


@pytest.fixture
def connect():
    """Connect to a broker that knows tickets and reports to the site."""
    policy = Policy(
        Security(authenticator := TicketAuthenticator(KEY), authenticator),
        advisory_destination=QUEUE,
        control_destination=CONTROL,
        site_logins=frozenset({SITE_SUBJECT}),
    )
    broker = Broker(boot_id="18a0")
    return lambda login, **claims: Connection(broker, policy, login, **claims)


@pytest.fixture
def site(connect):
    """The site's own connection, which hears the reports."""
    site = connect(SITE_SUBJECT, role="site")
    site.send("SUBSCRIBE", destination=QUEUE, id="1")
    site.bodies()
    return site


@pytest.fixture
def ada(connect, site):
    """A client."""
    return connect("ada", session="claim", subscribe=[OWN], about=ABOUT)


def heard(site):
    """The reports that have come."""
    return [read_advisory(body, SITE_SUBJECT) for body in site.bodies()]


def test_a_client_comes_subscribes_and_goes(site, ada):
    """Each is a report with what the ticket says."""
    ada.send("SUBSCRIBE", destination=OWN, id="0")
    ada.session.connection_lost()
    login = Login("ada", 2, "claim", ABOUT)
    assert (login.application, login.user) == ("chat", "7")
    assert heard(site) == [
        Report(kind="connected", broker="18a0", sequence=3, login=login),
        Report(kind="subscribed", broker="18a0", sequence=4, login=login, destination=OWN),
        Report(kind="disconnected", broker="18a0", sequence=5, login=login),
    ]


def test_a_renewal_says_who_it_is_now(site, ada):
    """A log-in in an open page is known with its next ticket."""
    site.bodies()
    about = {"application": "chat", "user": "8"}
    ticket = issue_ticket(
        KEY, subject="ada", session="claim", subscribe=[OWN], seconds=60, about=about
    )
    ada.send("SUBSCRIBE", destination=renewal_destination("ada"), id="r", ticket=ticket)
    (report,) = heard(site)
    assert report.destination == renewal_destination("ada")
    assert report.login.about == about


def test_who_is_there(site, ada):
    """A list leaves the site itself out."""
    ada.send("SUBSCRIBE", destination=OWN, id="0")
    site.bodies()
    site.send("SEND", destination=CONTROL, **{"report-logins": "yes"})
    (report,) = heard(site)
    assert report.logins == (Login("ada", 2, "claim", ABOUT, (OWN,)),)
    assert (report.after, report.until, report.next_connection) == (None, None, 3)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"event": "exploded"}, "unknown event"),
        ({"event": None}, "unknown event"),
        ({"broker": 7}, "broker: expected text"),
        ({"sequence": "7"}, "sequence: expected a number"),
        ({"sequence": True}, "sequence: expected a number"),
        ({"login": None}, "login: expected text"),
        ({"connection": -1}, "connection: expected a number"),
        ({"about": "chat"}, "AttributeError"),
        ({"event": "logins"}, "KeyError"),
    ],
)
def test_what_is_no_advisory(change, sentence):
    """Anything else says what is wrong, and raises nothing but AdvisoryError."""
    told = {"event": "connected", "broker": "18a0", "sequence": 1, "login": "ada"}
    told |= {"connection": 1, "session": "claim"}
    assert read_advisory(json.dumps(told).encode(), "site").login == Login("ada", 1, "claim")
    with pytest.raises(AdvisoryError, match=sentence):
        read_advisory(json.dumps(told | change).encode(), "site")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff", b"{}"])
def test_what_is_no_json_object(body):
    """Bytes of any kind."""
    with pytest.raises(AdvisoryError):
        read_advisory(body, "site")


class Service:
    """A connection that is up, with nobody at the other end."""

    is_connected = True

    def subscribe(self, destination, receive, ack):
        """Subscribe to nothing."""
        return self

    def unsubscribe(self):
        """Do nothing."""


def test_a_site_that_cannot_ask_asks_again(monkeypatch):
    """It stops while it connects, or too much waits: no traceback, and a question later on."""
    asked, clock, service = [], Clock(), Service()

    def ask():
        asked.append(clock.seconds())
        if len(asked) < 3:
            raise PushUnavailable("Too many messages wait to be pushed.")

    monkeypatch.setattr(reactor_bridge, "get_reactor", lambda: clock)
    advisories = Advisories(QUEUE, ask, SITE_SUBJECT, "advisory_destination")
    advisories.attach(service)
    clock.pump([RETRY_SECONDS] * 4)
    assert asked == [0, RETRY_SECONDS, 2 * RETRY_SECONDS]
    advisories.detach()
    assert not clock.getDelayedCalls()


def test_a_site_that_has_stopped_does_not_ask_again(monkeypatch):
    """The connection is gone by then."""
    asked, clock, service = [], Clock(), Service()

    def ask():
        asked.append(clock.seconds())
        raise PushUnavailable("The site is stopping.")

    monkeypatch.setattr(reactor_bridge, "get_reactor", lambda: clock)
    Advisories(QUEUE, ask, SITE_SUBJECT, "advisory_destination").attach(service)
    service.is_connected = False
    clock.advance(RETRY_SECONDS)
    assert asked == [0]
    assert not clock.getDelayedCalls()
