"""thywill's tables in Django's admin: who sees them, and what they may do."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client, override_settings
from django.utils import timezone

from tests.support.recording import RECORDING
from thywill_server import apps
from thywill_server.database import history
from thywill_server.database.client_models import ConnectedClient, Member
from thywill_server.database.history import Position
from thywill_server.database.models import Channel, ChannelMessage

pytestmark = pytest.mark.django_db

TABLES = ("channel", "channelmessage", "connectedclient", "member")


def browser(*permissions: str, is_superuser: bool = False) -> Client:
    """Somebody of the staff, logged in."""
    user = User.objects.create_user("staff", is_staff=True, is_superuser=is_superuser)
    for name in permissions:
        user.user_permissions.add(Permission.objects.get(codename=name))
    client = Client()
    client.force_login(user)
    return client


def get(client: Client, path: str) -> Any:
    """Ask for a page of the admin."""
    return client.get(f"/admin/thywill/{path}")


def act(client: Client, table: str, action: str, *pks: Any, **more: str) -> Any:
    """Choose an action for rows."""
    fields = {"action": action, "_selected_action": [str(pk) for pk in pks], **more}
    return client.post(f"/admin/thywill/{table}/", fields)


def fill_channel(name: str = "room:lobby", count: int = 3) -> Channel:
    """Publish some messages."""
    for number in range(count):
        history.append("rooms", name, "said", f'{{"text": "<b>{number}</b>"}}', keep=100)
    return Channel.objects.get(name=name)


@pytest.mark.parametrize("table", TABLES)
def test_only_those_who_may_see_a_table(table: str) -> None:
    """Staff without the permission is refused; with it, the list is there and nothing to edit."""
    assert get(browser(), f"{table}/").status_code == 403
    User.objects.all().delete()
    client = browser(f"view_{table}")
    assert get(client, f"{table}/").status_code == 200
    assert get(client, f"{table}/add/").status_code == 403
    assert 'name="action"' not in get(client, f"{table}/").text


def test_channels_and_messages() -> None:
    """A channel leads to its messages; their data is shown as text."""
    channel = fill_channel()
    fill_channel("room:other", count=1)
    client = browser(is_superuser=True)
    page = get(client, "channel/").text
    link = f"/admin/thywill/channelmessage/?channel__id__exact={channel.pk}"
    assert re.search(rf'<a href="{re.escape(link)}">3</a>', page)
    messages = client.get(link).text
    assert messages.count("&lt;b&gt;") == 3
    assert "<b>0</b>" not in messages
    message = ChannelMessage.objects.filter(channel=channel).latest("offset")
    shown = get(client, f"channelmessage/{message.pk}/change/").text
    assert "&quot;text&quot;: &quot;&lt;b&gt;2&lt;/b&gt;&quot;" in shown
    assert 'name="_save"' not in shown


def test_a_history_is_cleared_after_a_question() -> None:
    """Messages go, the channel stays, and whoever was away is told that something is missing."""
    channel, other = fill_channel(), fill_channel("room:other")
    client = browser(is_superuser=True)
    question = act(client, "channel", "clear_history", channel.pk)
    assert "3 messages will be deleted" in question.text
    assert "room:lobby" in question.text
    assert "room:other" not in question.text
    assert ChannelMessage.objects.count() == 6
    answer = act(client, "channel", "clear_history", channel.pk, confirmed="yes")
    assert answer.status_code == 302
    assert set(ChannelMessage.objects.values_list("channel", flat=True)) == {other.pk}
    missed = history.read("rooms", "room:lobby", Position(channel.epoch, 1), 10, 1_000)
    assert not missed.is_whole
    assert history.append("rooms", "room:lobby", "said", "1", 100) == Position(channel.epoch, 4)


def test_clearing_needs_its_permission() -> None:
    """Who may only view the channels cannot clear them."""
    channel = fill_channel()
    act(browser("view_channel"), "channel", "clear_history", channel.pk, confirmed="yes")
    assert ChannelMessage.objects.count() == 3


def note_clients() -> User:
    """Note two clients, one of somebody known."""
    ada = User.objects.create_user("ada")
    for uuid, user in (("c1", str(ada.pk)), ("c2", "")):
        ConnectedClient.objects.create(
            uuid=uuid, application="echo", user=user, is_connected=True, broker="18a3"
        )
    return ada


def test_clients_have_names(django_assert_max_num_queries: Any) -> None:
    """Users are shown by name, found for all rows at once."""
    note_clients()
    client = browser("view_connectedclient")
    with django_assert_max_num_queries(12):
        page = get(client, "connectedclient/").text
    assert '<td class="field-username">ada</td>' in page
    assert '<td class="field-username">-</td>' in page
    assert "ada" in get(client, "connectedclient/c1/change/").text


def test_clients_are_disconnected(
    write_application: Any,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    """The action ends the clients that were chosen, and the push component is told."""
    note_clients()
    ended: list[list[str]] = []
    settings = {**RECORDING, "application": {**RECORDING["application"]}}
    settings["application"]["packages"] = [
        write_application("echo", "def message_from_client(u, m): pass")
    ]
    client = browser("view_connectedclient", "change_connectedclient")
    with override_settings(THYWILL=settings):
        push = apps.components().push
        monkeypatch.setattr(push, "disconnect", lambda uuids, session: ended.append(uuids))
        with django_capture_on_commit_callbacks(execute=True):
            answer = act(client, "connectedclient", "disconnect", "c1")
        assert answer.status_code == 302
    assert ended == [["c1"]]
    assert ConnectedClient.objects.get(uuid="c1").ended_at is not None
    assert ConnectedClient.objects.get(uuid="c2").ended_at is None


def test_disconnecting_needs_its_permission() -> None:
    """Who may only view clients cannot disconnect them."""
    note_clients()
    act(browser("view_connectedclient"), "connectedclient", "disconnect", "c1")
    assert ConnectedClient.objects.get(uuid="c1").ended_at is None


def test_presence() -> None:
    """Who is in a channel is listed with the user's name; who has left only on request."""
    ada = User.objects.create_user("ada")
    common = {"application": "rooms", "channel": "room:lobby", "destination": "/topic/x"}
    Member.objects.create(
        key="1", uuid="c1", identity=f"user:{ada.pk}", is_in=True, destination_key="x", **common
    )
    Member.objects.create(
        key="2",
        uuid="c2",
        identity="visitor:17",
        destination_key="x",
        left_at=timezone.now(),
        **common,
    )
    client = browser("view_member")
    page = get(client, "member/").text
    assert '<td class="field-username">ada</td>' in page
    assert "visitor:17" not in page
    assert "visitor:17" in get(client, "member/?is_in=all").text
