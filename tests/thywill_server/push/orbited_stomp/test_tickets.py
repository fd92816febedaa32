"""Tickets: what they say, what is refused, and what their bearers may do."""

import base64
import json
import logging
import subprocess
import sys
import time
from pathlib import Path

import jwt
import pytest

from thywill_server.errors import ConfigurationError
from thywill_server.push.orbited_stomp.tickets import (
    TicketAuthenticator,
    TicketError,
    issue_ticket,
    read_ticket,
    renewal_destination,
    session_claim,
)

KEY = b"k" * 32
ROOM = "/topic/thywill.channel.chat.room_3Aa"
OTHER_KEY = b"o" * 32
ALICE = "11111111-1111-4111-8111-111111111111"
BOB = "22222222-2222-4222-8222-222222222222"
SESSION = session_claim("session of alice")


def destination(uuid):
    """Name a client's own destination."""
    return f"/topic/thywill.client.{uuid}"


def ticket_of(uuid=ALICE, *, key=KEY, session=SESSION, seconds=60, now=None, **more):
    """Issue a ticket for the client's own destination."""
    return issue_ticket(
        key,
        subject=uuid,
        session=session,
        subscribe=[destination(uuid)],
        seconds=seconds,
        now=now,
        **more,
    )


def forged(key=KEY, algorithm="HS256", **changed):
    """Sign any claims; a value of None leaves the claim out."""
    now = int(time.time())
    claims = {
        "aud": "thywill-push",
        "sub": ALICE,
        "role": "client",
        "session": SESSION,
        "subscribe": [destination(ALICE)],
        "iat": now,
        "exp": now + 3600,  # made when tests are collected, used when their turn comes
        **changed,
    }
    kept = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(kept, key, algorithm=algorithm)


def unsigned(claims_of):
    """Replace the header by one that says "no signature", as an attacker would."""
    header = base64.urlsafe_b64encode(json.dumps({"alg": "none", "typ": "JWT"}).encode())
    return f"{header.rstrip(b'=').decode()}.{claims_of.split('.')[1]}."


@pytest.fixture
def authenticator():
    """Give an authenticator that knows KEY."""
    return TicketAuthenticator(KEY)


@pytest.fixture
def alice(authenticator):
    """Give the identity of a client that showed a good ticket."""
    return authenticator.authenticate(ALICE, ticket_of(), "test")


class TestReading:
    def test_a_ticket_says_what_was_issued(self):
        """Reading gives back subject, role, session, destinations and the end."""
        ticket = read_ticket(KEY, ticket_of(now=time.time(), seconds=60))
        assert (ticket.subject, ticket.role, ticket.session) == (ALICE, "client", SESSION)
        assert ticket.subscribe == {destination(ALICE)}
        assert 50 < ticket.expires_at - time.time() <= 60

    def test_an_expired_ticket_is_refused(self):
        """A ticket does not work once its time is over."""
        with pytest.raises(TicketError, match=r"^expired$"):
            read_ticket(KEY, ticket_of(now=time.time() - 100, seconds=60))

    def test_clocks_may_differ_a_little(self):
        """Within the leeway an ended ticket, and one from the future, are still good."""
        assert read_ticket(KEY, ticket_of(now=time.time() - 62, seconds=60))
        assert read_ticket(KEY, ticket_of(now=time.time() + 3))

    def test_a_ticket_from_the_future_is_refused(self):
        """A ticket given long after now is not valid."""
        with pytest.raises(TicketError, match="not valid"):
            read_ticket(KEY, ticket_of(now=time.time() + 100))

    @pytest.mark.parametrize(
        "text",
        [
            pytest.param("", id="empty"),
            pytest.param("guest", id="a password"),
            pytest.param("a.b.c", id="three parts of nothing"),
            pytest.param("\udcff", id="bytes that are not text"),
            pytest.param("é" * 10, id="not ASCII"),
            pytest.param("a" * 8193, id="too long"),
            pytest.param(ticket_of(key=OTHER_KEY), id="another key"),
            pytest.param(ticket_of()[:-3] + "AAA", id="signature changed"),
            pytest.param(unsigned(ticket_of()), id="no signature"),
            pytest.param(forged(b"k" * 64, algorithm="HS512"), id="another algorithm"),
            pytest.param(forged(aud="elsewhere"), id="another audience"),
            pytest.param(forged(role="admin"), id="unknown role"),
            pytest.param(forged(subscribe=destination(ALICE)), id="destinations as text"),
            pytest.param(forged(subscribe=[1]), id="destinations as numbers"),
            pytest.param(forged(session=7), id="session as number"),
            pytest.param(forged(sub=7), id="subject as number"),
            pytest.param(forged(exp="soon"), id="end as text"),
            *(
                pytest.param(forged(**{claim: None}), id=f"no {claim}")
                for claim in ("aud", "sub", "role", "session", "subscribe", "iat", "exp")
            ),
        ],
    )
    def test_anything_else_is_not_a_ticket(self, text):
        """What is forged, incomplete or not a ticket is refused, never an accident."""
        with pytest.raises(TicketError, match="not"):
            read_ticket(KEY, text)

    def test_the_session_claim_hides_the_session(self):
        """The claim is a hash: equal for equal sessions, and no way back."""
        assert session_claim("abc") == session_claim("abc") != session_claim("abd")
        assert "abc" not in session_claim("abc")


class TestAuthenticate:
    def test_a_client_is_known_by_its_ticket(self, alice):
        """The identity has the client's uuid, session and end."""
        assert (alice.name, alice.role, alice.session) == (ALICE, "client", SESSION)
        assert 50 < alice.expires_at - time.time() <= 60

    def test_the_login_must_be_the_subject(self, authenticator, caplog):
        """Bob's login with Alice's ticket is refused; the log does not hold the ticket."""
        text = ticket_of(ALICE)
        with caplog.at_level(logging.DEBUG):
            assert authenticator.authenticate(BOB, text, "127.0.0.1") is None
        assert text not in caplog.text

    @pytest.mark.parametrize(
        "passcode",
        ["", "guest", ticket_of(key=OTHER_KEY), ticket_of(now=time.time() - 100)],
        ids=["empty", "guest", "forged", "expired"],
    )
    def test_a_bad_ticket_is_refused(self, authenticator, passcode, caplog):
        """A forged or expired ticket gives nobody, and is not written to the log."""
        with caplog.at_level(logging.DEBUG):
            assert authenticator.authenticate(ALICE, passcode, "127.0.0.1") is None
        assert "refused" in caplog.text
        assert not passcode or passcode not in caplog.text

    def test_the_site_may_stay(self, authenticator):
        """The site's own connection outlives the ticket it came with."""
        text = issue_ticket(KEY, subject="site", role="site", seconds=60)
        site = authenticator.authenticate("site", text, "127.0.0.1")
        assert (site.name, site.role, site.expires_at) == ("site", "site", None)


class TestAuthorize:
    @pytest.mark.parametrize("operation", ["create", "subscribe"])
    def test_a_client_may_subscribe_to_what_its_ticket_names(self, authenticator, alice, operation):
        """Creating and subscribing to the own destination is allowed."""
        assert authenticator.authorize(alice, operation, destination(ALICE), {})

    @pytest.mark.parametrize(
        "other",
        [
            destination(BOB),
            destination(ALICE) + " ",
            destination(ALICE) + ".more",
            destination(ALICE).upper(),
            "/topic/thywill.client.*",
            "/topic/thywill.client.>",
            "/topic/#",
            ALICE,
            "",
        ],
    )
    @pytest.mark.parametrize("operation", ["create", "subscribe"])
    def test_and_to_nothing_else(self, authenticator, alice, operation, other):
        """Any other destination, or nearly the same, or a wildcard, is refused."""
        assert not authenticator.authorize(alice, operation, other, {})

    @pytest.mark.parametrize("where", [ALICE, BOB])
    def test_a_client_may_send_nowhere(self, authenticator, alice, where):
        """Not even to its own destination."""
        assert not authenticator.authorize(alice, "send", destination(where), {})
        assert not authenticator.authorize(alice, "send", renewal_destination(ALICE), {})

    def test_an_operation_nobody_knows_is_refused(self, authenticator, alice):
        """What a later broker may ask is no by default."""
        assert not authenticator.authorize(alice, "browse", destination(ALICE), {})

    @pytest.mark.parametrize("operation", ["create", "subscribe", "send"])
    def test_the_site_may_do_everything(self, authenticator, operation):
        """The site's own connection sends and subscribes everywhere."""
        text = issue_ticket(KEY, subject="site", role="site", seconds=60)
        site = authenticator.authenticate("site", text, "test")
        assert authenticator.authorize(site, operation, destination(ALICE), {})
        assert site.may_send_anywhere

    def test_a_client_may_not_send_anywhere(self, alice):
        """So it is asked about."""
        assert not alice.may_send_anywhere


class TestRenewal:
    def test_a_new_ticket_prolongs_the_connection(self, authenticator, alice):
        """Subscribing to the renewal destination with a fresh ticket moves the end."""
        headers = {"ticket": ticket_of(seconds=600)}
        assert authenticator.authorize(alice, "subscribe", renewal_destination(ALICE), headers)
        assert alice.expires_at - time.time() > 500

    def test_an_older_ticket_does_not_shorten_it(self, authenticator, alice):
        """A ticket that is good but ends earlier is taken and changes nothing."""
        before = alice.expires_at
        headers = {"ticket": ticket_of(seconds=30)}
        assert authenticator.authorize(alice, "subscribe", renewal_destination(ALICE), headers)
        assert alice.expires_at == before

    @pytest.mark.parametrize(
        "headers",
        [
            pytest.param({}, id="no ticket"),
            pytest.param({"ticket": ticket_of(BOB)}, id="of another client"),
            pytest.param({"ticket": ticket_of(session=session_claim("x"))}, id="another session"),
            pytest.param({"ticket": ticket_of(now=time.time() - 100)}, id="expired"),
            pytest.param({"ticket": ticket_of(key=OTHER_KEY, seconds=900)}, id="forged"),
            pytest.param({"ticket": ticket_of(role="site")}, id="of the site"),
        ],
    )
    def test_any_other_ticket_does_not(self, authenticator, alice, headers):
        """A renewal with a ticket that is not this client's own is refused and moves nothing."""
        before = alice.expires_at
        for operation in ("create", "subscribe"):
            where = renewal_destination(ALICE)
            assert not authenticator.authorize(alice, operation, where, headers)
        assert alice.expires_at == before

    def test_the_renewal_destination_of_another_client_is_refused(self, authenticator, alice):
        """A good ticket at the wrong door is no renewal."""
        headers = {"ticket": ticket_of(seconds=600)}
        assert not authenticator.authorize(alice, "subscribe", renewal_destination(BOB), headers)


class TestChannels:
    """Tickets that are shown for a channel; ``ROOM`` stands for its destination."""

    def show(self, authenticator, identity, where, seconds, **given):
        """SUBSCRIBE with a ticket for the room; gives whether it is allowed."""
        text = issue_ticket(
            KEY, subject=ALICE, session=SESSION, subscribe=[ROOM], seconds=seconds, **given
        )
        return authenticator.authorize(identity, "subscribe", where, {"ticket": text})

    def test_a_subscription_ends_with_its_ticket(self, authenticator, alice):
        """What was shown with SUBSCRIBE says when; the connection's end stays where it was."""
        before = alice.expires_at
        assert self.show(authenticator, alice, ROOM, 600)
        assert 500 < alice.subscriptions_end_at[ROOM] - time.time() <= 600
        assert alice.expires_at == before

    def test_a_ticket_for_another_channel_is_refused(self, authenticator, alice):
        """It opens what it names."""
        assert not self.show(authenticator, alice, f"{ROOM}er", 600)

    def test_a_later_one_prolongs_the_subscription_only(self, authenticator, alice):
        """At the renewal destination it moves the end of its channel, and tells nothing new."""
        before, alice.about = alice.expires_at, {"user": "7"}
        own = alice.subscriptions_end_at[destination(ALICE)]
        assert self.show(authenticator, alice, ROOM, 20)
        assert self.show(authenticator, alice, renewal_destination(ALICE), 600)
        assert alice.subscriptions_end_at[ROOM] - time.time() > 500
        assert alice.subscriptions_end_at[destination(ALICE)] == own
        assert (alice.expires_at, alice.about) == (before, {"user": "7"})

    def test_afterwards_it_needs_another_ticket(self, authenticator, alice):
        """What was shown once opens nothing any more when it has ended."""
        assert self.show(authenticator, alice, ROOM, 60, now=time.time() - 62)
        assert not authenticator.authorize(alice, "subscribe", ROOM, {})

    def test_what_ended_long_ago_is_forgotten(self, authenticator, alice):
        """A connection that passes through many channels does not grow."""
        alice.subscriptions_end_at["/topic/old"] = time.time() - 61
        assert self.show(authenticator, alice, ROOM, 60)
        assert set(alice.subscriptions_end_at) == {destination(ALICE), ROOM}

    def test_the_own_ticket_prolongs_all_that_it_names(self, authenticator, alice):
        """The page's next ticket moves the ends of its own destinations."""
        headers = {"ticket": ticket_of(seconds=600)}
        assert authenticator.authorize(alice, "subscribe", renewal_destination(ALICE), headers)
        assert alice.subscriptions_end_at[destination(ALICE)] - time.time() > 500


class TestFromOptions:
    @pytest.fixture(autouse=True)
    def _no_key_in_the_environment(self, monkeypatch):
        monkeypatch.delenv("THYWILL_TICKET_KEY", raising=False)
        monkeypatch.delenv("THYWILL_HOME", raising=False)

    def test_the_key_file_is_relative_to_the_configuration(self, tmp_path):
        """A key file is named from the folder of the broker's configuration, and made if absent."""
        authenticator = TicketAuthenticator.from_options({"key_file": "my.key"}, tmp_path)
        key = (tmp_path / "my.key").read_bytes().strip()
        assert authenticator.authenticate(ALICE, ticket_of(key=key), "test")

    def test_without_options_the_usual_file_is_used(self, tmp_path):
        """The default is the file that the site uses by default."""
        TicketAuthenticator.from_options({}, tmp_path)
        assert (tmp_path / ".thywill" / "ticket.key").exists()

    def test_the_leeway_can_be_set(self, tmp_path):
        """Clocks that differ much are a setting."""
        options = {"key_file": "k", "leeway_seconds": "120"}
        authenticator = TicketAuthenticator.from_options(options, tmp_path)
        key = (tmp_path / "k").read_bytes().strip()
        late = ticket_of(key=key, now=time.time() - 150, seconds=60)
        assert authenticator.authenticate(ALICE, late, "test")

    @pytest.mark.parametrize(
        ("options", "sentence"),
        [
            ({"key_fiel": "x"}, r"authenticator\.key_fiel: unknown"),
            ({"leeway_seconds": "-1"}, r"authenticator\.leeway_seconds: expected a whole number"),
        ],
    )
    def test_a_wrong_option_is_named(self, tmp_path, options, sentence):
        """A mistyped option or value is one sentence."""
        with pytest.raises(ConfigurationError, match=sentence):
            TicketAuthenticator.from_options(options, tmp_path)


def test_a_broker_needs_neither_django_nor_twisted():
    """Importing the authenticator brings in no framework."""
    program = (
        "import sys; from thywill_server.push.orbited_stomp.tickets import TicketAuthenticator; "
        "print([name for name in ('django', 'twisted') if name in sys.modules])"
    )
    root = Path(__file__).parents[4]
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=root, check=True
    )
    assert run.stdout.strip() == "[]"
