"""Which ends of sessions end the connections of their pages."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.test import Client as Browser
from django.utils import timezone

from tests.support.page import thywill
from thywill_server import apps
from thywill_server.connections.base import Login, session_claim
from thywill_server.connections.sessions import IDENTITY_KEY
from thywill_server.database import clients
from thywill_server.errors import PushUnavailable

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ended(settings, monkeypatch):
    """The claims of the sessions that the push component was told to end."""
    settings.THYWILL = thywill()
    push = apps.components().push
    claims = []
    monkeypatch.setattr(push, "disconnect", lambda uuids, session="": claims.append(session))
    return claims


@pytest.fixture
def browser():
    """A browser with a session, and a page of it that is connected."""
    browser = Browser()
    session = browser.session
    session[IDENTITY_KEY] = "identity"
    session.save()
    now = timezone.now()
    clients.leased(Login("page", 0, CLAIM, {}), now + timedelta(hours=1), now)
    return browser


CLAIM = session_claim("identity")


def test_a_log_out(browser, ended):
    """Django says so while the session is still there; its row goes a moment later."""
    browser.force_login(User.objects.create_user("ada"))
    assert ended == []
    browser.logout()
    assert CLAIM in ended
    assert clients.is_ended("page")


def test_a_log_in_moves_the_session(browser, ended):
    """The row of the old key goes, and nothing has ended."""
    old = browser.session.session_key
    browser.force_login(User.objects.create_user("ada"))
    assert browser.session.session_key != old
    assert not Session.objects.filter(session_key=old).exists()
    assert browser.session[IDENTITY_KEY] == "identity"
    assert ended == []
    assert not clients.is_ended("page")


def test_a_session_is_flushed(browser, ended):
    """Without a word to Django's users."""
    browser.session.flush()
    assert ended == [CLAIM]
    assert clients.is_ended("page")


def test_a_session_expires(browser, ended):
    """When expired sessions are cleared away, their pages are ended."""
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    call_command("clearsessions")
    assert ended == [CLAIM]


def test_sessions_without_pages(ended):
    """Nobody is told of a session that has no connected page."""
    session = Browser().session
    session[IDENTITY_KEY] = "another"
    session.save()
    session.flush()
    assert ended == []


def test_a_log_out_does_not_fail(browser, ended, monkeypatch, caplog):
    """When the broker cannot be told, the user is logged out all the same."""

    def fail(uuids, session=""):
        raise PushUnavailable

    monkeypatch.setattr(apps.components().push, "disconnect", fail)
    browser.force_login(User.objects.create_user("ada"))
    browser.logout()
    assert IDENTITY_KEY not in browser.session
    assert "could not be ended" in caplog.text
    assert clients.is_ended("page")
