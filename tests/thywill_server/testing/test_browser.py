"""Virtual browsers: pages, commands, and what is pushed to them."""

import pytest
from django.contrib.auth.models import User
from pytest_django import Settings

from tests.thywill_server.testing.conftest import in_memory
from thywill_server import testing
from thywill_server.application import to_user


@pytest.mark.parametrize("transport", ["websocket", "xhrstream", "sse", "longpoll", "poll"])
def test_every_transport_carries_messages_in_order(orbited: Settings, transport: str) -> None:
    """What is sent comes back, whole and in order, however it comes down."""
    with testing.open("proof_of_concept", transport=transport) as page:
        assert page.transport == transport
        texts = [f"{number} héllo <b>&\"' 你好" for number in range(40)]
        for text in texts:
            page.send(text)
        for text in texts:
            page.expect(None, text)
        assert [each.data for each in page.received] == texts
        assert page.received[0].content_type == "text/plain; charset=utf-8"


def test_much_at_once(orbited: Settings) -> None:
    """A thousand messages of a thousand bytes come down each transport, acknowledged in between."""
    for transport in ("websocket", "xhrstream", "longpoll"):
        with testing.open("testbed", transport=transport) as page:
            page.call("numbers", [0, 1000])
            page.expect(None, f"999 {'.' * 1000}")
            assert [int(each.data.split()[0]) for each in page.received] == list(range(1000))


@pytest.mark.usefixtures("site")
class TestBothWaysOfPushing:
    def test_a_reply_and_what_was_pushed(self) -> None:
        """`send` gives the reply; `expect` gives what the application has pushed."""
        with testing.open("testbed") as page:
            assert page.send({"number": 1}) == {"number": 1}
            found = page.expect(None, {"number": 1})
            assert (found.event, found.data) == (None, {"number": 1})

    def test_the_page_and_its_parameters(self) -> None:
        """The page has its HTML, and the parameters that the application has set."""
        with testing.open("proof_of_concept") as page:
            assert page.parameters == {"title": "Echo"}
            assert "<h1>Echo</h1>" in page.html
            assert page.configuration["uuid"] == page.uuid

    def test_two_users(self) -> None:
        """Each page has its own session, and its own user."""
        anna, berta = (User.objects.create_user(name) for name in ("anna", "berta"))
        with testing.open("rooms", user=anna) as one, testing.open("rooms", user=berta) as other:
            to_user(anna, "letter", "for anna")
            one.expect("letter", "for anna")
            other.expect_nothing("letter")

    def test_two_pages_of_one_browser(self) -> None:
        """A page beside another one shares its session, and so its user."""
        anna = User.objects.create_user("anna")
        with testing.open("testbed", user=anna) as one, testing.open(beside=one) as other:
            assert one.uuid != other.uuid
            found, beside = one.call("who"), other.call("who")
            assert found["session_key"] == beside["session_key"]
            assert beside["user"] == "anna"

    def test_a_command_takes_fields_or_a_message(self) -> None:
        """Keywords become an object; anything else is given as it is."""
        with testing.open("testbed") as page:
            before = page.call("count", "a name")
            assert page.call("count", "a name") == before + 1
            page.call("write", name="anna")
            assert User.objects.filter(username="anna").exists()
            with pytest.raises(testing.TestingError, match="not both"):
                page.call("count", "a name", name="b")

    def test_a_refusal_has_its_code(self) -> None:
        """What the application refuses is an exception, as it is a rejection in the page."""
        with testing.open("testbed") as page:
            with pytest.raises(testing.Refused, match=r"too-late: It is over\.") as caught:
                page.call("refuse")
            assert (caught.value.code, caught.value.status) == ("too-late", 409)
            with pytest.raises(testing.Refused) as caught:
                page.call("nonsense")
            assert caught.value.code == "unknown-command"

    def test_a_rate_has_its_time(self) -> None:
        """The refusal of a rate says when it is over."""
        with testing.open("rooms") as page:
            page.call("often")
            page.call("often")
            with pytest.raises(testing.Refused, match="too-many-requests") as caught:
                page.call("often")
            assert caught.value.retry_after is not None
            assert 0 < caught.value.retry_after <= 60

    def test_what_the_application_raised_is_shown(self) -> None:
        """The author reads the application's own exception, which no browser ever would."""
        with testing.open("testbed") as page:
            with pytest.raises(testing.Refused, match="application-failed") as caught:
                page.call("fail")
            assert isinstance(caught.value.__cause__, ZeroDivisionError)

    def test_an_unknown_application(self) -> None:
        """The page of an application that is not there is refused."""
        with pytest.raises(testing.Refused, match='There is no application "nothing"') as caught:
            testing.open("nothing")
        assert (caught.value.code, caught.value.status) == ("unknown-application", 404)

    def test_what_does_not_come_is_told_with_what_did(self) -> None:
        """A failure lists all that came, and marks what was expected before."""
        with testing.open("testbed") as page:
            page.send("first")
            page.send("second")
            page.expect(None, "first")
            page.expect(None, "second")
            page.send({"x": 1})
            with pytest.raises(testing.NothingCame) as caught:
                page.expect("rolled", 6, seconds=0.1)
        assert str(caught.value).splitlines() == [
            'the page of testbed: no "rolled" with 6 came in 0.1 s.',
            "It is live.",
            "This has come (* was expected and found before):",
            "  * a message 'first'",
            "  * a message 'second'",
            "    a message {'x': 1}",
        ]

    def test_parts_of_data_may_be_anything(self) -> None:
        """ANYTHING stands for what a test does not care about."""
        with testing.open("testbed") as page:
            page.send({"id": 7, "at": "noon"})
            page.expect(None, {"id": 7, "at": testing.ANYTHING})
            page.expect_nothing(None)

    def test_what_was_not_to_come(self) -> None:
        """`expect_nothing` waits for what is on its way, and fails when it is there."""
        with testing.open("testbed") as page:
            page.expect_nothing()
            page.send("here")
            with pytest.raises(AssertionError, match="this came, and was not to: a message 'here'"):
                page.expect_nothing()

    def test_a_log_in_makes_no_difference_to_an_open_page(self) -> None:
        """The page fetches another CSRF token, as real ones do, and has its user."""
        anna = User.objects.create_user("anna")
        with testing.open("testbed") as page:
            page.log_in(anna)
            assert page.call("who")["user"] == "anna"

    def test_a_log_out_ends_the_page(self) -> None:
        """After a log-out the page is refused."""
        with testing.open("testbed", user=User.objects.create_user("anna")) as page:
            page.log_out()
            with pytest.raises(testing.Refused, match="unknown-client"):
                page.call("who")


def test_a_log_out_ends_the_connection(orbited: Settings) -> None:
    """Over Orbited the page hears it without asking."""
    with testing.open("testbed", user=User.objects.create_user("anna")) as page:
        page.log_out()
        page.expect_state("closed")
        assert page.refusal is not None
        assert page.refusal.code == "disconnected"


def test_a_transport_that_is_none(orbited: Settings) -> None:
    """A wrong name is told with the right ones."""
    with pytest.raises(testing.TestingError, match="expected one of websocket, xhrstream"):
        testing.open("testbed", transport="pigeon")


def test_comings_and_goings(site: Settings, caplog: pytest.LogCaptureFixture) -> None:
    """on_connect has been called when a page is open, on_disconnect when it is closed."""
    caplog.set_level("INFO", "thywill_apps.guests")

    def told(page: testing.VirtualBrowser) -> list[str]:
        words = [text.split()[0] for text in caplog.messages if page.uuid in text]
        return [word for word in words if word in ("came", "went")]

    with testing.open("guests") as page:
        assert told(page) == ["came"]
        page.expect("welcome", page.uuid)
    assert told(page) == ["came", "went"]


def test_the_application_ends_a_page(site: Settings) -> None:
    """After disconnect() the page is closed, and says why."""
    with testing.open("guests") as page, testing.open("guests") as other:
        other.call("end", page.uuid)
        page.expect_state("closed")
        with pytest.raises(testing.Refused, match="disconnected"):
            page.call("end me")
        assert other.state == "live"


def test_another_site(orbited: Settings) -> None:
    """A page ends with its site: it says so, and does not hinder the next one."""
    page = testing.open("testbed")
    orbited.THYWILL = in_memory()
    with testing.open("testbed") as other:
        other.send("here")
        other.expect(None, "here")
        with pytest.raises(testing.TestingError, match="THYWILL is another one now"):
            page.expect("anything")
    page.close()
    assert page.state == "closed"
