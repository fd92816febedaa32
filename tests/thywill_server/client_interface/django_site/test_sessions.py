"""Sessions found by the written query: known, over, unknown and broken, as by Django's engine."""

from datetime import timedelta

import pytest
from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from thywill_server.client_interface.django_site.sessions import SessionStore

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
