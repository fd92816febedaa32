"""Signing in to the chat, and its admin."""

from __future__ import annotations

import re

import pytest
from django.contrib.admin import AdminSite
from django.contrib.auth.models import User
from django.test import Client as Browser
from django.test import RequestFactory
from pytest_django import Settings

from tests.support.page import thywill
from thywill_apps.chat import talk
from thywill_apps.chat.admin import MessageAdmin, RoomAdmin
from thywill_apps.chat.announcements import room_channel
from thywill_apps.chat.models import Message, Room
from thywill_server import testing

PASSWORD = "correct horse 7 battery"
CHAT = "/thywill/init/chat/"


@pytest.fixture(autouse=True)
def site(settings: Settings, db: None) -> None:
    """A site with the chat, and push in memory."""
    settings.THYWILL = thywill(application={"packages": "thywill_apps", "default": "chat"})
    Room.objects.all().delete()


@pytest.fixture
def browser() -> Browser:
    """A browser, with the CSRF checks that a real one meets."""
    return Browser(enforce_csrf_checks=True)


def post(browser: Browser, path: str, **fields: str) -> object:
    """Load a page, fill in its form, and send it off."""
    page = browser.get(path)
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.content.decode())
    assert token is not None
    return browser.post(path, {**fields, "csrfmiddlewaretoken": token[1]})


def test_signing_in_leads_back(browser: Browser) -> None:
    """Who signs in comes back to where the link was, with the transport and the room."""
    User.objects.create_user("ann", password=PASSWORD)
    back = f"{CHAT}?transport=longpoll&room=lobby"
    answer = post(browser, "/chat/sign-in/", username="ann", password=PASSWORD, next=back)
    assert (answer.status_code, answer.url) == (302, back)  # type: ignore[attr-defined]
    assert b"Signed in as" in browser.get(CHAT).content


def test_signing_in_leads_nowhere_else(browser: Browser) -> None:
    """An address of another site is not followed."""
    User.objects.create_user("ann", password=PASSWORD)
    fields = {"username": "ann", "password": PASSWORD, "next": "https://example.org/"}
    assert post(browser, "/chat/sign-in/", **fields).url == "/chat/"  # type: ignore[attr-defined]
    answer = browser.get("/chat/?room=lobby")
    assert answer["Location"] == f"{CHAT}?room=lobby"


def test_a_wrong_password_is_refused_in_words(browser: Browser) -> None:
    """The page says so, and nobody is signed in."""
    User.objects.create_user("ann", password=PASSWORD)
    answer = post(browser, "/chat/sign-in/", username="ann", password="wrong")
    assert b"Please enter a correct username and password" in answer.content  # type: ignore[attr-defined]
    assert b"You are reading as a visitor" in browser.get(CHAT).content


def test_an_account_is_made(browser: Browser, settings: Settings) -> None:
    """Under DEBUG a visitor makes an account, and is signed in with it."""
    settings.DEBUG = True
    fields = {"username": "new", "password1": PASSWORD, "password2": PASSWORD}
    post(browser, "/chat/sign-up/", **fields, next=CHAT)
    assert b"Signed in as <b>new</b>" in browser.get(CHAT).content
    assert User.objects.get().has_usable_password()


def test_accounts_are_the_sites_to_give(browser: Browser) -> None:
    """Without DEBUG there is no such page, and no link to it."""
    assert browser.get("/chat/sign-up/").status_code == 404
    for path in ("/chat/sign-in/", CHAT):
        assert b"sign-up" not in browser.get(path).content


def test_signing_out_ends_the_pages(browser: Browser) -> None:
    """Signing out needs the form, and ends the connections of the session."""
    user = User.objects.create_user("ann")
    browser.force_login(user)
    assert browser.get("/chat/sign-out/").status_code == 405
    with testing.open("chat", user=user) as page:
        page.log_out()
        page.expect_state("closed")


@pytest.mark.parametrize("path", ["/chat/sign-in/", "/chat/sign-up/"])
def test_pages_are_strict(browser: Browser, settings: Settings, path: str) -> None:
    """The pages of accounts have no script, and a policy that would not let one run."""
    settings.DEBUG = True
    page = browser.get(path)
    assert page["Content-Security-Policy"].startswith("default-src 'none'; style-src 'self'")
    assert "script" not in page["Content-Security-Policy"]
    assert b"<script" not in page.content
    assert b"style=" not in page.content


def test_a_message_is_taken_back_in_the_admin() -> None:
    """What is deleted there leaves the open pages, and what pages begin with."""
    author = User.objects.create_user("ann")
    room = Room.objects.create(name="Lobby", slug="lobby")
    for text in ("good", "bad", "worse"):
        talk.say(room.pk, author, text)
    admin, request = MessageAdmin(Message, AdminSite()), RequestFactory().get("/")
    with testing.open("chat") as page:
        channel = page.channel(room_channel(room.pk))
        admin.delete_queryset(request, Message.objects.filter(number=2))
        channel.expect("removed", {"number": 2})
        admin.delete_model(request, Message.objects.get(number=3))
        channel.expect("removed", {"number": 3})
    assert [each["text"] for each in talk.page_of(room.pk)["messages"]] == ["good"]
    assert talk.say(room.pk, author, "after").number == 4
    assert not admin.has_add_permission(request)
    assert not admin.has_change_permission(request)


def test_the_admin_is_sound() -> None:
    """Django's own checks of the admin find nothing."""
    site = AdminSite()
    site.register(User, search_fields=("username",))
    for model, admin in ((Room, RoomAdmin), (Message, MessageAdmin)):
        site.register(model, admin)
        assert site.get_model_admin(model).check() == []


def test_a_room_is_made_in_the_admin(browser: Browser) -> None:
    """A room made there is on the page, closed to all but its members; messages are listed."""
    browser.force_login(User.objects.create_superuser("root"))
    ann = User.objects.create_user("ann")
    fields = {"name": "Board", "slug": "board", "topic": "", "reading": "members"}
    post(browser, "/admin/chat/room/add/", **fields, members=str(ann.pk))
    room = Room.objects.get(slug="board")
    talk.say(room.pk, ann, "only among us")
    listing = browser.get("/admin/chat/message/?q=among")
    assert b"only among us" in listing.content
    with testing.open("chat", user=ann) as member, testing.open("chat") as visitor:
        assert [each["name"] for each in member.call("rooms")] == ["Board"]
        assert visitor.call("rooms") == []
