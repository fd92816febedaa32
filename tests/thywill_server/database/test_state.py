"""State that is shared: read whole, changed under a lock."""

from datetime import timedelta

import pytest
from django.utils import timezone

from thywill_server.database import state
from thywill_server.database.models import State

pytestmark = pytest.mark.django_db


def change(owner="", max_bytes=1000, **values):
    """Change some values."""
    with state.update("chat", owner, max_bytes=max_bytes) as current:
        current.update(values)


def test_remembered():
    """What was changed is there for the next reader; each owner has its own."""
    assert state.read("chat") == {}
    change(a=1)
    change(b=["ü", None])
    change("client", a=2)
    assert state.read("chat") == {"a": 1, "b": ["ü", None]}
    assert state.read("chat", "client") == {"a": 2}
    assert state.read("other") == {}


def test_error_changes_nothing():
    """A change that cannot be written leaves everything as it was."""
    change(a=1)
    with pytest.raises(TypeError, match="JSON has no form for object"):
        change(a=2, b=object())
    assert state.read("chat") == {"a": 1}


def test_bounded():
    """Too much is refused with its size, and nothing is written."""
    change(a=1)
    with pytest.raises(ValueError, match="state of application chat would take"):
        change(max_bytes=100, a="x" * 300)
    with pytest.raises(ValueError, match="state of client u-1"):
        change("u-1", max_bytes=100, a="x" * 300)
    assert state.read("chat") == {"a": 1}


def test_clients_are_forgotten():
    """The state of clients that have not changed theirs for long goes; applications' stays."""
    for owner in ("", "old", "new"):
        change(owner, a=1)
    old = timezone.now() - timedelta(seconds=100)
    State.objects.exclude(owner="new").update(changed_at=old)
    assert state.forget_clients(50) == 1
    assert sorted(State.objects.values_list("owner", flat=True)) == ["", "new"]


def test_forgetting_goes_by_itself(monkeypatch):
    """A client whose state begins cleans up, now and then, after those that are gone."""
    monkeypatch.setattr(state, "FORGET_EVERY", 1)
    change("old", a=1)
    State.objects.update(changed_at=timezone.now() - timedelta(seconds=100))
    for seconds, left in ((200, ["new", "old"]), (50, ["newer"])):
        State.objects.filter(owner="new").update(changed_at=timezone.now() - timedelta(seconds=60))
        owner = "new" if seconds == 200 else "newer"
        with state.update("chat", owner, max_bytes=1000, client_seconds=seconds) as values:
            values["a"] = 1
        assert sorted(State.objects.values_list("owner", flat=True)) == left
