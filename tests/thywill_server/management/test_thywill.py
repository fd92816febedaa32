"""``manage.py thywill``: its words, and the list of clients."""

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import override_settings
from django.utils import timezone

from thywill_server.database.client_models import ConnectedClient
from thywill_server.management.commands.thywill import names


def thywill(*words: str) -> str:
    """What the command prints."""
    out = StringIO()
    call_command("thywill", *words, stdout=out)
    return out.getvalue()


def note_client(uuid: str, **fields: Any) -> None:
    """Note somebody as connected."""
    given = {"application": "echo", "is_connected": True, "broker": "18a3", **fields}
    ConnectedClient.objects.create(uuid=uuid, **given)


def test_every_word_has_help(capsys: pytest.CaptureFixture[str]) -> None:
    """``--help`` lists each word with one line, and each word tells the rest itself."""
    with pytest.raises(SystemExit):
        call_command("thywill", "--help")
    shown = capsys.readouterr().out
    for name in names():
        assert f"\n    {name}" in shown
        with pytest.raises(SystemExit):
            call_command("thywill", name, "--help")
        assert len(capsys.readouterr().out.splitlines()) > 5


def test_a_wrong_setting_is_one_sentence() -> None:
    """A word that needs the components says what the system check would say."""
    with (
        override_settings(THYWILL={}),
        pytest.raises(CommandError, match=r'THYWILL\["log"\]: missing'),
    ):
        thywill("tail", "room:lobby")


@pytest.mark.django_db
def test_clients() -> None:
    """Who is connected is listed, the newest first; who has gone is not."""
    now = timezone.now()
    ada = User.objects.create_user("ada")
    note_client("c1", user=str(ada.pk), since=now - timedelta(minutes=5))
    note_client("c2", application="chat", broker="", since=now)
    note_client("c3", is_connected=False)
    note_client("c4", ends_at=now)
    heading, second, first, summary = thywill("clients").splitlines()
    assert heading.split() == ["client", "application", "user", "connected", "since", "told", "by"]
    assert second.split()[:3] == ["c2", "chat", "-"]
    assert second.endswith("the page")
    assert first.split()[:3] == ["c1", "echo", "ada"]
    assert first.endswith("broker 18a3")
    assert summary == "2 clients are connected."


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("options", "uuids", "summary"),
    [
        (["--application", "chat"], ["c2"], "1 client is connected."),
        (["--user", "ada"], ["c1"], "1 client is connected."),
        (["--user", "nobody"], [], "0 clients are connected."),
        (["--limit", "1"], ["c2"], "2 clients are connected, 1 of them shown."),
    ],
)
def test_clients_narrowed(options: list[str], uuids: list[str], summary: str) -> None:
    """Options narrow the list, and it says what it leaves out."""
    now = timezone.now()
    ada = User.objects.create_user("ada")
    note_client("c1", user=str(ada.pk), since=now - timedelta(minutes=5))
    note_client("c2", application="chat", since=now)
    lines = thywill("clients", *options).splitlines()
    assert [line.split()[0] for line in lines[1:-1]] == uuids
    assert lines[-1] == summary
