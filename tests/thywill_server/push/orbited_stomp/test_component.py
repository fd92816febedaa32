"""The component `orbited_stomp`: settings, and what a page is told; no connection is made here."""

from types import SimpleNamespace

import pytest

from morbid.broker import Broker
from morbid.events import Closed, LoggedIn
from morbid.session import BrokerSession
from orbited.protocol.settings import SessionSettings
from thywill_server.client import Client
from thywill_server.client_configuration import ClientConfiguration
from thywill_server.push.orbited_stomp import OrbitedStomp
from thywill_server.push.orbited_stomp.tickets import (
    TicketAuthenticator,
    read_ticket,
    session_claim,
)

UUID = "11111111-1111-4111-8111-111111111111"
KEY = "k" * 40


@pytest.fixture(autouse=True)
def _key_in_the_environment(monkeypatch):
    monkeypatch.setenv("THYWILL_TICKET_KEY", KEY)


def make(**settings):
    """Build the component, with settings that are fine."""
    component = OrbitedStomp(settings)
    assert component.check() == []
    return component


def told(component, transport=None, session_key="session"):
    """Bootstrap a page, and give what it is told."""
    configuration = ClientConfiguration(UUID)
    client = Client(UUID, session_key, None, "echo", transport)
    component.bootstrap_client(client, configuration)
    return configuration


class TestBootstrap:
    def test_scripts_come_in_their_order(self):
        """Orbited's socket, the STOMP client over it, then the page's own half."""
        resources = told(make(orbited_url="http://push.example.org:8001/")).bootstrap_resources
        assert [resource["resource"] for resource in resources] == [
            "http://push.example.org:8001/static/Orbited.js",
            "http://push.example.org:8001/static/protocols/stomp/stomp.js",
            "thywill/push/orbited_stomp.js",
        ]
        assert {resource["type"] for resource in resources} == {"javascript"}

    def test_the_page_knows_where_to_connect(self):
        """The parameters are those that the page's script reads, the original names among them."""
        component = make(
            orbited_url="/orbited",
            stomp_host="10.0.0.7",
            stomp_port=61614,
            page_heart_beat_seconds=90,
        )
        parameters = told(component).bootstrap_parameters
        ticket = parameters["push"].pop("ticket")
        assert parameters == {
            "stomp_hostname": "10.0.0.7",
            "stomp_port": 61614,
            "push": {
                "component": "orbited_stomp",
                "orbited_url": "/orbited/",
                "transports": ["websocket", "xhrstream", "longpoll"],
                "expires_in": 600,
                "destination": f"/topic/thywill.client.{UUID}",
                "destinations": ["/topic/thywill.application.echo"],
                "login": UUID,
                "heart_beat": [90000, 90000],
                "stomp_hostname": "10.0.0.7",
                "stomp_port": 61614,
            },
        }
        assert TicketAuthenticator(KEY.encode()).authenticate(UUID, ticket, "test")

    def test_a_page_may_be_silent_for_as_long_as_its_comet_session_lives(self):
        """The broker does not end what Orbited would bring back: a laptop that slept."""
        can, want = told(make()).bootstrap_parameters["push"]["heart_beat"]
        broker, comet = BrokerSession(Broker(), now=0.0), SessionSettings()
        lines = f"CONNECT\naccept-version:1.2\nhost:/\nheart-beat:{can},{want}\n\n\0"
        broker.receive_data(lines.encode(), 0.0)
        (logged_in,) = broker.events_received()
        assert isinstance(logged_in, LoggedIn)
        longest = comet.ping_interval + comet.ping_timeout
        broker.tick(can / 1000 + longest - 1)  # it fell silent just before a beat was due
        assert broker.events_received() == []
        broker.tick(2 * can / 1000)
        assert broker.events_received() == [Closed("heart-beat-timeout")]

    def test_the_ticket_names_the_destinations_and_the_session(self):
        """A ticket is for this client, what it listens on, its session, and a short time."""
        component = make(ticket_seconds=120)
        text = component.ticket(Client(UUID, "the session", None, "echo"))
        ticket = read_ticket(KEY.encode(), text)
        assert (ticket.subject, ticket.role) == (UUID, "client")
        own = component.destination_of(UUID)
        assert ticket.subscribe == {own, "/topic/thywill.application.echo"}
        assert ticket.session == session_claim("the session")

    def test_a_forced_transport_is_the_only_one(self):
        """A page that asked for one transport gets that one."""
        assert told(make(), "longpoll").bootstrap_parameters["push"]["transports"] == ["longpoll"]

    def test_orbited_in_the_same_origin_needs_no_permission(self):
        """A path of this site adds nothing to the Content-Security-Policy."""
        assert told(make(orbited_url="/orbited/")).content_sources == {}

    @pytest.mark.parametrize(
        ("url", "origin", "web_socket"),
        [
            (
                "http://push.example.org:8001/",
                "http://push.example.org:8001",
                "ws://push.example.org:8001",
            ),
            ("https://push.example.org/a/b/", "https://push.example.org", "wss://push.example.org"),
        ],
    )
    def test_another_origin_is_permitted_by_name(self, url, origin, web_socket):
        """Scripts and connections of exactly that origin are allowed, WebSockets too."""
        assert told(make(orbited_url=url)).content_sources == {
            "script-src": [origin],
            "connect-src": [origin, web_socket],
        }


class TestSettings:
    @pytest.mark.parametrize(
        "url",
        [
            "/orbited/",
            "/a/b",
            "http://127.0.0.1:8001/",
            "https://push.example.org",
            "http://[::1]:8001/",
        ],
    )
    def test_urls_that_work(self, url):
        """A path, and the URL of another origin."""
        make(orbited_url=url)

    @pytest.mark.parametrize(
        "url",
        [
            "",
            "/",
            "orbited/",
            "//push.example.org/",
            "ftp://push.example.org/",
            "http:///x/",
            "http://user:secret@push.example.org/",
            "http://push.example.org/?x",
            "http://push.example.org/#x",
            "http://push.example.org:port/",
            "http://push.example.org/;default-src *",
            "/a b/",
            "javascript:alert(1)",
        ],
    )
    def test_urls_that_do_not(self, url):
        """Anything else is one sentence with the setting's name."""
        (problem,) = OrbitedStomp({"orbited_url": url}).check()
        assert problem.startswith('THYWILL["push"]["orbited_url"]: expected a path such as')

    @pytest.mark.parametrize("url", ["", "/", "orbited", "/orbited", "http://a/", "//a/", "/a?b/"])
    def test_the_embedded_url_is_a_path(self, url):
        """The address inside this site begins and ends with a slash."""
        (problem,) = OrbitedStomp({"embedded_url": url}).check()
        assert problem.startswith('THYWILL["push"]["embedded_url"]: expected a path such as')

    @pytest.mark.parametrize(
        ("settings", "name", "words"),
        [
            ({"transports": []}, "transports", "expected at least one"),
            ({"stomp_host": ""}, "stomp_host", "expected a host name"),
            ({"stomp_host": "tcp://a"}, "stomp_host", "expected a host name"),
            ({"stomp_login": "thywill"}, "stomp_login", 'together with "stomp_passcode"'),
            ({"stomp_passcode": "x"}, "stomp_login", 'together with "stomp_passcode"'),
        ],
    )
    def test_what_does_not_go_together(self, settings, name, words):
        """Each mistake is one sentence; secrets are not in it."""
        (problem,) = OrbitedStomp(settings).check()
        assert problem.startswith(f'THYWILL["push"]["{name}"]: ')
        assert words in problem

    @pytest.mark.parametrize(
        "settings",
        [
            {"transports": ["pigeon"]},
            {"stomp_port": 0},
            {"ticket_seconds": 4},
            {"max_queued_messages": 0},
            {"broker_options": []},
        ],
    )
    def test_values_out_of_range(self, settings):
        """A value that cannot be is a sentence before anything is built."""
        (name,) = settings
        (problem,) = OrbitedStomp.settings_problems(settings)
        assert problem.startswith(f'THYWILL["push"]["{name}"]: expected ')

    def test_a_short_key_is_a_problem(self, monkeypatch):
        """Checks look at the key, if there is one."""
        monkeypatch.setenv("THYWILL_TICKET_KEY", "short")
        (problem,) = OrbitedStomp({}).check()
        assert "THYWILL_TICKET_KEY: expected a key of at least 32 bytes" in problem

    def test_checking_makes_no_key(self, monkeypatch, tmp_path):
        """A check leaves no file behind."""
        monkeypatch.delenv("THYWILL_TICKET_KEY")
        path = tmp_path / "ticket.key"
        assert OrbitedStomp({"ticket_key_file": path}).check() == []
        assert not path.exists()


class TestOneProcess:
    def test_the_broker_takes_tickets_of_this_site(self, tmp_path):
        """What is started beside Django knows the same key, and what its own options say."""
        component = make(
            ticket_key_file=tmp_path / "ticket.key", broker_options={"max_connections": "5"}
        )
        embedding = component.embedding()
        assert embedding.broker_options == {
            "authenticator": f"{TicketAuthenticator.__module__}.TicketAuthenticator",
            "authenticator.key_file": str(tmp_path / "ticket.key"),
            "advisory_destination": "/queue/thywill.advisories",
            "control_destination": "/queue/thywill.control",
            "site_logins": "site",
            "max_connections": "5",
        }
        assert (embedding.stomp_host, embedding.stomp_port) == ("127.0.0.1", 61613)
        assert embedding.url == "/orbited/"
        assert embedding.reactor == "orbited.start.install_reactor"

    def test_pages_are_sent_to_the_embedded_server(self):
        """The address of another server is ignored, and the port is the one that was got."""
        component = make(orbited_url="http://127.0.0.1:8001/", embedded_url="/push/")
        component.use_embedded(40123, lambda: {"sessions": 3})
        push = told(component).bootstrap_parameters["push"]
        assert (push["orbited_url"], push["stomp_port"]) == ("/push/", 40123)
        assert component.health()["comet"] == {"sessions": 3}

    def test_a_draining_site_is_not_well(self):
        """Without a connection, and while it drains, health says failed."""
        component = make()
        assert component.health()["status"] == "failed"
        component.drain()
        assert component.health() == {
            "status": "failed",
            "connected": False,
            "draining": True,
            "queued": 0,
        }


class TestConnections:
    """Ending connections, with and without a broker that can."""

    @pytest.fixture
    def sent(self, monkeypatch):
        """What is sent to the broker: destination and headers."""
        sent = []
        monkeypatch.setattr(
            "thywill_server.push.orbited_stomp.publisher.Publisher.publish",
            lambda self, destination, body, headers: sent.append((destination, dict(headers))),
        )
        return sent

    def test_the_broker_ends_them(self, sent):
        """A session is one command, a client another; both for as long as tickets are good."""
        component = make(ticket_seconds=60)
        component.disconnect([UUID], "claim")
        assert component.reports_connections
        assert sent == [
            ("/queue/thywill.control", {"disconnect-session": "claim", "refuse-seconds": "66"}),
            ("/queue/thywill.control", {"disconnect-login": UUID, "refuse-seconds": "66"}),
        ]

    def test_a_broker_that_cannot(self, sent):
        """The page is asked to go; and such a broker is asked nothing."""
        component = make(advisory_destination="", control_destination="")
        component.disconnect([UUID], "claim")
        component.ask_who_is_there()
        component.report_to(lambda report, done: None)
        assert not component.reports_connections
        assert component.live_broker is None
        ((destination, headers),) = sent
        assert destination == component.destination_of(UUID)
        assert headers["thywill"] == "disconnected"

    def test_a_ticket_says_whose_it_is(self):
        """The application and the user, for the broker's reports."""
        user = SimpleNamespace(is_authenticated=True, pk=7)
        client = Client(UUID, "session", user, "echo")
        ticket = read_ticket(KEY.encode(), make().ticket(client))
        assert ticket.about == {"application": "echo", "user": "7"}
