"""The addresses under /thywill/, through Django's test client."""

import logging
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client as Browser
from pytest_django import Settings

from tests.support.applications.testbed import thywill_interface as testbed
from tests.support.page import Page, assert_refused, thywill
from thywill_server import apps


class TestInit:
    def test_page_has_the_five_keys_and_every_bootstrap_parameter(self, page: Page) -> None:
        """The configuration in the page has the keys of 2011, and what the scripts need."""
        assert set(page.configuration) == {
            "uuid",
            "bootstrap_resources",
            "bootstrap_parameters",
            "application_resources",
            "application_parameters",
        }
        expected = {
            "channel": page.uuid,
            "send_path": "/thywill/send/",
            "send_data_type": "json",
            "ticket_path": "/thywill/ticket/",
            "csrf_path": "/thywill/csrf/",
            "push_path": "/thywill/push/",
            "static_path": "/static",
            "application": "testbed",
            "application_package": "tests.support.applications.testbed",
            "push": {"component": "in_memory"},
        }
        assert expected.items() <= page.parameters.items()

    def test_scripts_are_modules_in_order_and_the_start_comes_last(self, page: Page) -> None:
        """The framework's script is first, then push, then the application, then the start."""
        scripts = [
            "/static/thywill/thywill.js",
            "/static/thywill/push/in_memory.js",
            "/static/testbed/testbed.js",
            "/static/thywill/start.js",
        ]
        places = [page.html.index(f'<script type="module" src="{url}"') for url in scripts]
        assert places == sorted(places)
        assert page.html.count("<script") == len(scripts) + 1

    def test_stylesheets_are_links(self, browser: Browser) -> None:
        """An application's stylesheet is a link, and its template is in the body."""
        page = Page(browser, "/thywill/init/proof_of_concept/")
        assert '<link rel="stylesheet" href="/static/proof_of_concept/echo.css">' in page.html
        assert "<title>Echo</title>" in page.html
        assert 'id="composer"' in page.html

    def test_values_cannot_break_out_of_the_page(self, page: Page) -> None:
        """A title with markup is text in the title element and data in the configuration."""
        assert page.configuration["application_parameters"]["title"] == testbed.TITLE
        assert "<script>alert" not in page.html
        assert "&lt;script&gt;alert(1)" in page.html
        assert page.html.count("</script>") == page.html.count("<script")

    def test_page_forbids_inline_code_and_is_not_stored(self, page: Page) -> None:
        """The policy names this site only, and no cache keeps a page with tokens in it."""
        policy = page.response["Content-Security-Policy"]
        assert "script-src 'self';" in policy
        assert "connect-src 'self' ws://testserver;" in policy
        assert "unsafe" not in policy
        assert page.response["Cache-Control"] == "no-store"
        assert page.response["X-Frame-Options"] == "DENY"

    def test_every_load_is_a_new_client(self, browser: Browser) -> None:
        """Two tabs of one session have a uuid each, and the session they share."""
        first, second = Page(browser), Page(browser)
        assert first.uuid != second.uuid
        told = [tab.send({}, command="who").json()["reply"] for tab in (first, second)]
        assert [one["uuid"] for one in told] == [first.uuid, second.uuid]
        assert told[0]["session_key"] == told[1]["session_key"] == browser.session.session_key

    @pytest.mark.parametrize("path", ["/thywill/init/nothing/", "/thywill/init/proof/"])
    def test_unknown_application(self, browser: Browser, path: str) -> None:
        """The name of no application is refused with its code."""
        assert_refused(browser.get(path), 404, "unknown-application")

    def test_no_default_application(
        self, browser: Browser, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A site whose last application was taken out says so."""
        application = type(apps.components().application)
        monkeypatch.setattr(application, "default_application", None)
        assert_refused(browser.get("/thywill/init/"), 404, "unknown-application")

    @pytest.mark.parametrize("transport", ["websocket", "xhrstream", "sse", "longpoll", "poll", ""])
    def test_known_transports(self, browser: Browser, transport: str) -> None:
        """A transport that we have can be asked for, and none too."""
        assert browser.get("/thywill/init/", {"transport": transport}).status_code == 200

    @pytest.mark.parametrize("transport", ["carrier-pigeon", "WebSocket", "<b>"])
    def test_unknown_transport(self, browser: Browser, transport: str) -> None:
        """Any other is refused."""
        response = browser.get("/thywill/init/", {"transport": transport})
        assert_refused(response, 400, "malformed-message")

    def test_only_get(self, page: Page) -> None:
        """A page is not posted to."""
        response = page.post("init", {})
        assert_refused(response, 405, "method-not-allowed")
        assert response["Allow"] == "GET, HEAD"


class TestSend:
    def test_reply_repeats_the_id(self, page: Page) -> None:
        """The reply has what the application returned, and the id of the message."""
        response = page.send({"text": "héllo 你好"}, id="7")
        assert response.status_code == 200
        assert response.json() == {"status": "ok", "id": "7", "reply": {"text": "héllo 你好"}}
        assert response["Cache-Control"] == "no-store"

    def test_message_without_id(self, page: Page) -> None:
        """An id may be left out, or null."""
        assert page.send("x").json()["id"] is None
        body = {**page.identified(message="x"), "id": None, "command": None}
        assert page.post("send", body).json() == {"status": "ok", "id": None, "reply": "x"}

    @pytest.mark.parametrize("message", ["", None, 0, False, [], {}, "a" * 60_000, 1.5, "\x00"])
    def test_any_json_value_is_a_message(self, page: Page, message: Any) -> None:
        """Whatever JSON can hold reaches the application and comes back unchanged."""
        body = {"uuid": page.uuid, "token": page.token, "message": message}
        assert page.post("send", body).json()["reply"] == message

    def test_form(self, page: Page) -> None:
        """The form of 2011 works too: a message in a field."""
        body = f"message=h%C3%A9llo+%26&uuid={page.uuid}&token={page.token}&id=3"
        response = page.post("send", body, "application/x-www-form-urlencoded")
        assert response.json() == {"status": "ok", "id": "3", "reply": "héllo &"}

    def test_form_with_the_csrf_field(self, page: Page) -> None:
        """A form may carry the CSRF token in Django's field instead of the header."""
        csrf = page.parameters["csrf_token"]
        body = f"message=x&uuid={page.uuid}&token={page.token}&csrfmiddlewaretoken={csrf}"
        response = page.post("send", body, "application/x-www-form-urlencoded", csrf=None)
        assert response.json()["reply"] == "x"

    def test_message_is_missing(self, page: Page) -> None:
        """A body without a message is malformed, and the refusal has the id."""
        fields = assert_refused(
            page.post("send", page.identified(id="4")), 400, "malformed-message"
        )
        assert fields["id"] == "4"

    def test_unknown_command(self, page: Page) -> None:
        """A command that the application does not have is refused with its code."""
        assert_refused(page.send(command="sing"), 400, "unknown-command")

    def test_application_refuses(self, page: Page) -> None:
        """An application's refusal has its own code, sentence and status."""
        fields = assert_refused(page.send(command="refuse", id="9"), 409, "too-late")
        assert fields["message"] == "It is over."
        assert fields["id"] == "9"

    def test_permission_denied(self, page: Page) -> None:
        """Django's PermissionDenied is a refusal, whose reason stays here."""
        fields = assert_refused(page.send(command="forbid"), 403, "not-allowed")
        assert "secret" not in fields["message"]

    def test_application_fails(self, page: Page, caplog: pytest.LogCaptureFixture) -> None:
        """A failing application gives a code to the browser and a traceback to the log."""
        with caplog.at_level(logging.ERROR):
            response = page.send({"secret": "body"}, command="fail", id="5")
        fields = assert_refused(response, 500, "application-failed")
        assert fields["id"] == "5"
        assert "purpose" not in response.content.decode()
        (record,) = [r for r in caplog.records if r.name.startswith("thywill_server")]
        assert record.exc_info is not None
        assert record.exc_info[0] is ZeroDivisionError
        assert "testbed" in record.getMessage()
        assert page.uuid in record.getMessage()
        assert "secret" not in record.getMessage()
        assert page.send("still there").status_code == 200

    def test_reply_that_json_cannot_hold(
        self, page: Page, caplog: pytest.LogCaptureFixture
    ) -> None:
        """A reply that cannot be sent is the application's failure."""
        assert_refused(page.send(command="unwritable"), 500, "application-failed")
        assert "unwritable" in caplog.text

    def test_push_queue_is_full(self, page: Page) -> None:
        """A full push queue says so, and when to try again."""
        response = page.send(command="full")
        assert_refused(response, 503, "push-unavailable")
        assert int(response["Retry-After"]) > 0

    def test_repeated_message_is_answered_again_not_handled_again(self, page: Page) -> None:
        """The same id twice gives the same reply once counted; another id counts again."""
        replies = [
            page.send("x", command="count", id=id_).json()["reply"] for id_ in ("1", "1", "2", "1")
        ]
        assert replies == [1, 1, 2, 1]

    def test_ids_belong_to_their_client(self, browser: Browser) -> None:
        """Two tabs may use the same ids."""
        pages = [Page(browser), Page(browser)]
        assert [p.send("x", command="count", id="1").json()["reply"] for p in pages] == [1, 2]

    def test_message_that_may_be_retried_is_handled_again(self, page: Page) -> None:
        """After push-unavailable the same message is a new try."""
        for _ in range(2):
            assert_refused(page.send(command="full", id="1"), 503, "push-unavailable")
        assert testbed.calls["full"] == 2


@pytest.mark.django_db(transaction=True)
class TestTransactions:
    @pytest.mark.parametrize("then", ["fail", "refuse", "forbid"])
    def test_with_atomic_requests_a_refused_message_leaves_nothing(
        self, page: Page, monkeypatch: pytest.MonkeyPatch, then: str
    ) -> None:
        """The view answers well, and yet the transaction is rolled back."""
        monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)
        assert page.send({"name": "anna", "then": then}, command="write").status_code >= 400
        assert not User.objects.exists()
        assert page.send({"name": "anna"}, command="write").status_code == 200
        assert User.objects.get().username == "anna"

    def test_otherwise_transactions_are_the_applications_own(self, page: Page) -> None:
        """Without ATOMIC_REQUESTS each statement commits by itself, as in any Django view."""
        page.send({"name": "anna", "then": "fail"}, command="write")
        assert User.objects.get().username == "anna"


class TestTicket:
    def test_ticket_is_the_push_components(self, page: Page) -> None:
        """A known page gets what the push component gives, which in memory is empty."""
        response = page.post("ticket", page.identified())
        assert response.json() == {
            "status": "ok",
            "ticket": "",
            "expires_in": None,
            "destinations": ["/topic/thywill.application.testbed"],
        }

    def test_stranger_gets_none(self, page: Page) -> None:
        """Whoever is not that client gets no ticket for it."""
        fields = page.identified(uuid="11111111-1111-1111-1111-111111111111")
        assert_refused(page.post("ticket", fields), 403, "unknown-client")


class TestPush:
    def test_messages_come_once_confirmed_by_the_next_question(self, page: Page) -> None:
        """Each answer has what came after the id that the page has."""
        apps.components().push.push(page.uuid, "héllo")
        apps.components().push.push(page.uuid, {"n": 1}, "news")
        first, second = page.post("push", page.identified(after=0)).json()["messages"]
        assert first["body"] == "héllo"
        assert first["content_type"] == "text/plain; charset=utf-8"
        assert first["event"] is None
        assert second["body"] == '{"n":1}'
        assert second["event"] == "news"
        again = page.post("push", page.identified(after=first["id"])).json()["messages"]
        assert again == [second]

    def test_messages_of_another_page_stay_there(self, browser: Browser) -> None:
        """A page hears what was pushed to it, not what was pushed to the other tab."""
        first, second = Page(browser), Page(browser)
        apps.components().push.push(first.uuid, "mine")
        assert second.post("push", second.identified(after=0)).json()["messages"] == []
        stolen = second.identified(uuid=first.uuid, after=0)
        assert_refused(second.post("push", stolen), 403, "unknown-client")

    def test_question_waits_only_when_asked_to(self, site: Settings, page: Page) -> None:
        """With `wait` the question waits as long as the component lets it."""
        site.THYWILL = thywill(push={"max_wait_seconds": 0.05})
        assert page.post("push", page.identified(after=0, wait=True)).json()["messages"] == []

    @pytest.mark.parametrize(
        "fields", [{"after": -1}, {"after": "1"}, {"after": True}, {"wait": 1}, {"after": 1.5}]
    )
    def test_malformed_question(self, page: Page, fields: dict[str, Any]) -> None:
        """A question of the wrong types is refused."""
        assert_refused(page.post("push", page.identified(**fields)), 400, "malformed-message")

    def test_other_push_components_have_no_long_poll(self, site: Settings) -> None:
        """Where push goes another way there is nothing at this address."""
        site.THYWILL = thywill(push={"component": "tests.support.silent_push.SilentPush"})
        page = Page(Browser())
        assert_refused(page.post("push", page.identified()), 404, "not-found")


class TestHealth:
    def test_well(self, browser: Browser) -> None:
        """Every component is named, and strangers learn no more than that it works."""
        response = browser.get("/thywill/health/")
        assert response.status_code == 200
        assert response.json() == {
            "status": "ok",
            "components": {
                name: {"status": "ok"}
                for name in ("log", "database", "push", "client_interface", "application")
            },
        }

    def test_details_when_the_settings_say_so(self, browser: Browser, site: Settings) -> None:
        """With health_details the components' own words are told."""
        packages = ["tests.support.applications.testbed", "thywill_apps.proof_of_concept"]
        site.THYWILL = thywill(
            application={"packages": packages}, client_interface={"health_details": True}
        )
        reports = browser.get("/thywill/health/").json()["components"]
        assert reports["application"]["applications"] == 2

    def test_failed_component(self, browser: Browser, site: Settings) -> None:
        """A component that has failed makes the whole site unwell: 503."""
        site.THYWILL = thywill(push={"component": "tests.support.silent_push.SilentPush"})
        response = browser.get("/thywill/health/")
        assert response.status_code == 503
        assert response.json()["status"] == "failed"
        assert response.json()["components"]["push"] == {"status": "failed"}

    def test_only_get(self, page: Page) -> None:
        """Health is asked for, not posted."""
        assert_refused(page.post("health", {}), 405, "method-not-allowed")


class TestOtherAddresses:
    @pytest.mark.parametrize("path", ["/thywill/", "/thywill/nothing/", "/thywill/send/x"])
    def test_nothing_there(self, browser: Browser, path: str) -> None:
        """Every other address under /thywill/ answers in JSON."""
        assert_refused(browser.get(path), 404, "not-found")

    @pytest.mark.parametrize(
        ("path", "target"),
        [
            ("/thywill/init", "/thywill/init/"),
            (
                "/thywill/init/testbed?transport=",
                "/thywill/init/testbed/?transport=",
            ),
            ("/thywill/health", "/thywill/health/"),
        ],
    )
    def test_forgotten_slash(self, browser: Browser, path: str, target: str) -> None:
        """A page's address without its last slash leads to the page."""
        response = browser.get(path)
        assert response.status_code == 302
        assert response["Location"] == target
