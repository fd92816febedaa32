"""Sessions found by the written query: known, over, unknown and broken, as by Django's engine."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from thywill_server.client_interface.django_site.sessions import SessionStore
from thywill_server.database import clients
from thywill_server.database.client_models import ConnectedClient
from thywill_server.database.clients import is_ended

pytestmark = pytest.mark.django_db

ENGINES = [SessionStore, db.SessionStore]


def saved(engine: type[db.SessionStore], seconds: float = 60) -> str:
    """Keep a session that ends in so many seconds; gives its key."""
    session = engine()
    session["who"] = "Ada"
    session.save()
    assert session.session_key is not None
    ends_at = timezone.now() + timedelta(seconds=seconds)
    Session.objects.filter(session_key=session.session_key).update(expire_date=ends_at)
    return session.session_key


@pytest.mark.parametrize("writer", ENGINES)
def test_found(writer: type[db.SessionStore]) -> None:
    """What either engine has kept is found, with one query, and can be changed."""
    key = saved(writer)
    session = SessionStore(key)
    with CaptureQueriesContext(connection) as queries:
        assert session["who"] == "Ada"
    assert len(queries) == 1
    session["who"] = "Grace"
    session.save()
    assert db.SessionStore(key)["who"] == "Grace"


@pytest.mark.parametrize("ended_at", [None, timezone.now()])
def test_who_has_ended_is_found_with_it(ended_at: datetime | None) -> None:
    """One query tells of both what two would have told."""
    ConnectedClient.objects.create(uuid="one", ended_at=ended_at)
    session = SessionStore(saved(SessionStore))
    session.ask_too("one")
    with CaptureQueriesContext(connection) as queries:
        assert session["who"] == "Ada"
        assert session.is_ended("one") is (ended_at is not None)
    assert len(queries) == 1
    assert session.is_ended("one") == is_ended("one")
    assert session.is_ended("another") is None


def test_a_client_that_never_came_has_not_ended() -> None:
    """There is no row of it yet."""
    session = SessionStore(saved(SessionStore))
    session.ask_too("nobody")
    assert session["who"] == "Ada"
    assert session.is_ended("nobody") is False is is_ended("nobody")


def test_nobody_is_asked_about_too_late() -> None:
    """What is known already is not asked again: whoever wants to know of a client asks for it."""
    session = SessionStore(saved(SessionStore))
    assert session["who"] == "Ada"
    session.ask_too("one")
    assert session.is_ended("one") is None


@pytest.mark.parametrize("uuid", ["nul\0", "h\u00e9", "\ud800", "line\n"])
def test_what_cannot_be_a_uuid_is_not_asked_about(uuid: str) -> None:
    """Nobody has checked it yet, and some databases refuse such text."""
    session = SessionStore(saved(SessionStore))
    session.ask_too(uuid)
    assert session["who"] == "Ada"
    assert session.is_ended(uuid) is None


def test_another_database_is_asked_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients may be in another database than sessions."""
    monkeypatch.setattr(clients, "ended_query", lambda alias: None)
    session = SessionStore(saved(SessionStore))
    session.ask_too("one")
    assert session["who"] == "Ada"
    assert session.is_ended("one") is None


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("key", ["a" * 32, "a" * 500, "é" * 32, "'; --" * 4, "% %s" * 4])
def test_unknown(engine: type[db.SessionStore], key: str) -> None:
    """A key that nobody was given is forgotten, and holds nothing."""
    saved(engine)
    session = engine(key)
    assert session.get("who") is None
    assert session.session_key is None


@pytest.mark.parametrize("engine", ENGINES)
def test_over(engine: type[db.SessionStore]) -> None:
    """A session that has ended is as good as none; another one gets a key of its own."""
    key = saved(engine, seconds=-1)
    session = engine(key)
    assert session.get("who") is None
    session["who"] = "Ada"
    session.save()
    assert session.session_key not in (None, key)


@pytest.mark.parametrize("engine", ENGINES)
def test_broken(engine: type[db.SessionStore]) -> None:
    """A row that this site has not signed holds nothing."""
    key = saved(engine)
    Session.objects.filter(session_key=key).update(session_data="eyJ3aG8iOiJBZGEifQ:x:y")
    session = engine(key)
    assert session.get("who") is None
    assert session.session_key == key


@pytest.mark.parametrize("engine", ENGINES)
def test_log_out_and_log_in(engine: type[db.SessionStore]) -> None:
    """Flushed, a session is gone; under a new key, the old one is."""
    session = engine(saved(engine))
    first = session.session_key
    session.cycle_key()
    assert engine(first).get("who") is None
    assert engine(session.session_key)["who"] == "Ada"
    second = session.session_key
    session.flush()
    assert engine(second).get("who") is None


def both_ways(session_data: str) -> list[dict[str, object]]:
    """What is read of a text: by Django, by us, and by us once more."""
    engines = [db.SessionStore, SessionStore, SessionStore]
    return [engine().decode(session_data) for engine in engines]


@pytest.mark.parametrize("held", [{}, {"who": "Ada"}, {"long": "x" * 5000}, {"deep": [{"a": 1}]}])
def test_what_is_signed_is_read_as_django_reads_it(held: dict[str, object]) -> None:
    """The first time and each time after that; short, long and compressed."""
    assert both_ways(db.SessionStore().encode(held)) == [held] * 3


def test_who_changes_what_was_read_changes_it_for_nobody_else() -> None:
    """What is remembered is text, and each session has its own values."""
    text = SessionStore().encode({"list": []})
    SessionStore().decode(text)["list"].append("mine")
    assert SessionStore().decode(text) == {"list": []}


@pytest.mark.parametrize("change", ["x", ":", "", "not signed"])
def test_what_is_not_signed_is_nothing(change: str) -> None:
    """Also when the text that it was made of is known."""
    text = SessionStore().encode({"who": "Ada"})
    assert SessionStore().decode(text) == {"who": "Ada"}
    assert both_ways(text[:-1] + change) == [{}] * 3


def test_a_secret_that_is_no_longer_good_opens_nothing(settings: Any) -> None:
    """A text that is known is forgotten with the secret it was signed with."""
    settings.SECRET_KEY = "the first"
    text = SessionStore().encode({"who": "Ada"})
    assert both_ways(text) == [{"who": "Ada"}] * 3
    settings.SECRET_KEY = "the second"
    assert both_ways(text) == [{}] * 3
    settings.SECRET_KEY_FALLBACKS = ["the first"]
    assert both_ways(text) == [{"who": "Ada"}] * 3
    settings.SECRET_KEY_FALLBACKS = []
    assert both_ways(text) == [{}] * 3
