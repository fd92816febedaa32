"""The chat on the server: who may read and write, what is kept, what rooms there are."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.exceptions import ImproperlyConfigured
from pytest_django import Settings

from tests.support.page import thywill
from thywill_apps.chat import bounds as chat_bounds
from thywill_apps.chat import talk
from thywill_apps.chat.announcements import room_channel
from thywill_apps.chat.models import Message, Room
from thywill_server import testing
from thywill_server.application import history


@pytest.fixture(autouse=True)
def site(settings: Settings, db: None) -> None:
    """A site with the chat, and push in memory; without the room that a migration makes."""
    settings.THYWILL = thywill(application={"packages": "thywill_apps", "default": "chat"})
    Room.objects.all().delete()


@pytest.fixture
def bounded(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Sets bounds, for one test."""

    def bound(**values: Any) -> None:
        settings.CHAT = values
        chat_bounds.bounds.cache_clear()

    yield bound
    monkeypatch.undo()
    chat_bounds.bounds.cache_clear()


@pytest.fixture
def ann() -> User:
    """Somebody with an account."""
    return User.objects.create_user("ann")


@pytest.fixture
def ben() -> User:
    """Somebody else."""
    return User.objects.create_user("ben")


def new_room(slug: str = "lobby", **fields: Any) -> Room:
    """A room, that everyone may read by default."""
    return Room.objects.create(name=slug.title(), slug=slug, **fields)


def texts(messages: list[dict[str, Any]]) -> list[str]:
    """What was said."""
    return [message["text"] for message in messages]


def test_what_is_said_is_numbered_and_heard(ann: User) -> None:
    """A message is heard with its number, author, text and time, and is in the database."""
    room = new_room()
    with testing.open("chat", user=ann) as page, testing.open("chat") as visitor:
        channels = [each.channel(room_channel(room.pk)) for each in (page, visitor)]
        assert page.call("say", room=str(room.pk), text="  hi <b>\r\nyou  ") == {"number": 1}
        (stored,) = Message.objects.all()
        said = {"number": 1, "by": "ann", "text": "hi <b>\nyou", "at": testing.ANYTHING}
        for channel in channels:
            found = channel.expect("said", said)
            assert found.data["at"] == stored.said_at.isoformat(timespec="milliseconds")
    assert (stored.author, stored.author_name, stored.room) == (ann, "ann", room)


def test_rooms_do_not_hear_each_other(ann: User) -> None:
    """What is said in one room is not heard in another, and each counts for itself."""
    one, other = new_room("one"), new_room("other")
    with testing.open("chat", user=ann) as page:
        channels = [page.channel(room_channel(room.pk)) for room in (one, other)]
        for room, text in ((one, "in one"), (other, "in other")):
            assert page.call("say", room=str(room.pk), text=text) == {"number": 1}
        for channel, text in zip(channels, ("in one", "in other"), strict=True):
            assert channel.expect("said").data["text"] == text
            channel.expect_nothing("said")


def test_visitors_read_and_do_not_write() -> None:
    """Without an account one may read what everyone may read; nothing more."""
    room = new_room()
    with testing.open("chat") as visitor:
        channel = visitor.channel(room_channel(room.pk))
        assert channel.expect("snapshot").data == {"messages": [], "has_earlier": False}
        for command, fields in (
            ("say", {"room": str(room.pk), "text": "hi"}),
            ("typing", {"room": str(room.pk), "is_typing": True}),
            ("make_room", {"name": "Mine"}),
        ):
            with pytest.raises(testing.Refused, match="Sign in") as refused:
                visitor.call(command, **fields)
            assert refused.value.code == "not-allowed"
    assert Message.objects.count() == 0


@pytest.mark.parametrize("reading", ["users", "members"])
def test_rooms_that_are_not_public(reading: str, ann: User, ben: User) -> None:
    """They are neither listed nor joined, read, written or heard to be typed in by others."""
    room = new_room("closed", reading=reading)
    room.members.add(ann)
    number = str(room.pk)
    with testing.open("chat", user=ann) as member:
        assert [each["slug"] for each in member.parameters["chat"]["rooms"]] == ["closed"]
        member.channel(room_channel(room.pk))
        member.call("say", room=number, text="among us")
    outsider = {"users": None, "members": ben}[reading]
    with testing.open("chat", user=outsider) as page:
        assert page.parameters["chat"]["rooms"] == page.call("rooms") == []
        for channel in (room_channel(room.pk), f"chat-typing:{number}", "chat:0", "chat:x"):
            with pytest.raises(testing.Refused, match="not-allowed"):
                page.channel(channel)
        for command, fields in (
            ("say", {"text": "hi"}),
            ("earlier", {"before": 9}),
            ("typing", {"is_typing": True}),
        ):
            with pytest.raises(testing.Refused, match="not-allowed"):
                page.call(command, {"room": number, **fields})


def test_who_reads_a_room_for_members(ann: User, ben: User) -> None:
    """Its members do, who made it, and those who see rooms in the admin."""
    room = new_room("closed", reading="members", made_by=ann)
    assert list(Room.objects.readable_by(ann)) == [room]
    assert not Room.objects.readable_by(ben).exists()
    ben.user_permissions.add(Permission.objects.get(codename="view_room"))
    assert list(Room.objects.readable_by(User.objects.get(pk=ben.pk))) == [room]


def test_somebody_put_out_hears_nothing_more(ann: User, ben: User) -> None:
    """Who is taken from the members of a room loses the connection; the others keep theirs."""
    room = new_room("closed", reading="members", made_by=ann)
    room.members.add(ben)
    with testing.open("chat", user=ann) as stays, testing.open("chat", user=ben) as goes:
        for page in (stays, goes):
            page.channel(room_channel(room.pk))
        room.members.remove(ben)
        goes.expect_state("closed")
        assert stays.state == "live"


def test_a_room_that_closes_puts_visitors_out(ann: User) -> None:
    """A room that is no longer public, or gone, is closed to those in it at once."""
    room = new_room()
    with testing.open("chat", user=ann) as user, testing.open("chat") as visitor:
        for page in (user, visitor):
            page.channel(room_channel(room.pk))
        listed = user.channel("chat-rooms")
        room.reading = "users"
        room.save()
        visitor.expect_state("closed")
        assert user.state == "live"
        listed.expect("changed")
        room.delete()
        user.expect_state("closed")


@pytest.mark.parametrize("text", ["", " \n", "\x00", "x" * 2001])
def test_texts_that_are_none(text: str, ann: User) -> None:
    """A text that is empty or too long is refused in words, and takes no number."""
    room = new_room()
    with testing.open("chat", user=ann) as page:
        with pytest.raises(testing.Refused, match=r"invalid-message: .*(empty|2000)"):
            page.call("say", room=str(room.pk), text=text)
        assert page.call("say", room=str(room.pk), text="x" * 2000) == {"number": 1}


def test_earlier_messages_come_in_pieces(ann: User, bounded: Any) -> None:
    """A page begins with the newest messages, and asks for those before until there are none."""
    bounded(messages_at_start=4)
    room = new_room()
    for number in range(1, 11):
        talk.say(room.pk, ann, f"message {number}")
    with testing.open("chat") as page:
        start = page.channel(room_channel(room.pk)).expect("snapshot").data
        assert texts(start["messages"]) == [f"message {number}" for number in range(7, 11)]
        assert start["has_earlier"]
        before = page.call("earlier", room=str(room.pk), before=7)
        assert [each["number"] for each in before["messages"]] == [3, 4, 5, 6]
        first = page.call("earlier", room=str(room.pk), before=3)
        assert [each["number"] for each in first["messages"]] == [1, 2]
        assert not first["has_earlier"]


def test_what_is_kept_is_bounded(ann: User, bounded: Any) -> None:
    """The oldest messages of a room go when there are too many; other rooms keep theirs."""
    bounded(messages_kept=150)
    room, other = new_room(), new_room("other")
    talk.say(other.pk, ann, "kept")
    for number in range(300):
        talk.say(room.pk, ann, str(number))
    kept = list(room.messages.values_list("number", flat=True))
    assert kept == list(range(151, 301))
    assert other.messages.count() == 1
    assert len(history(room_channel(room.pk))) == chat_bounds.Bounds().messages_missed == 200


def test_typing_is_heard_and_not_kept(ann: User) -> None:
    """Who types is told to those who are there, and to nobody who comes later."""
    room = new_room()
    with testing.open("chat", user=ann) as page, testing.open("chat") as visitor:
        channel = visitor.channel(f"chat-typing:{room.pk}")
        page.call("typing", room=str(room.pk), is_typing=True)
        channel.expect("typing", {"by": "ann", "is_typing": True})
        later = page.channel(f"chat-typing:{room.pk}")
        later.expect_nothing("typing")


def test_who_is_here(ann: User) -> None:
    """A room tells its users by name and its visitors without one."""
    room = new_room()
    with testing.open("chat", user=ann) as page, testing.open("chat") as visitor:
        channel = page.channel(room_channel(room.pk))
        visitor.channel(room_channel(room.pk))
        channel.expect("join", {"identity": testing.ANYTHING, "name": None})
        assert {card["name"] for card in channel.presence()} == {"ann", None}


def test_a_room_is_made_on_the_page(ann: User) -> None:
    """It is there for whoever made it, and the others hear that there is something new."""
    with testing.open("chat", user=ann) as page, testing.open("chat") as visitor:
        listed = visitor.channel("chat-rooms")
        made = page.call("make_room", name="  Über  uns ", topic="all of us")
        assert made["name"] == "Über uns"
        assert made["slug"] == "über-uns"
        listed.expect("changed", None)
        assert visitor.call("rooms") == [made]
        page.call("make_room", name="Ours", reading="users")
        assert visitor.call("rooms") == [made]
    assert Room.objects.get(slug="ours").made_by == ann


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"name": "lobby!"}, "name-taken"),
        ({"name": "!?"}, "invalid-message"),
        ({"name": ""}, "invalid-message"),
        ({"name": "x" * 61}, "invalid-message"),
        ({"name": "a\x07"}, "invalid-message"),
        ({"name": "Other", "topic": "x" * 201}, "invalid-message"),
        ({"name": "Other", "reading": "members"}, "invalid-message"),
    ],
)
def test_rooms_that_are_none(fields: dict[str, str], code: str, ann: User) -> None:
    """A name that is taken, empty, too long or unprintable is refused in words."""
    new_room()
    with testing.open("chat", user=ann) as page:
        with pytest.raises(testing.Refused) as refused:
            page.call("make_room", fields)
        assert refused.value.code == code
    assert Room.objects.count() == 1


def test_rooms_are_bounded(ann: User, ben: User, bounded: Any) -> None:
    """One user makes so many rooms, and all together so many."""
    bounded(max_rooms_each=1, max_rooms=2)
    for user in (ann, ben):
        with testing.open("chat", user=user) as page:
            page.call("make_room", name=user.username)
            with pytest.raises(testing.Refused, match="too-many-rooms"):
                page.call("make_room", name="another")
    with (
        testing.open("chat", user=User.objects.create_user("cem")) as page,
        pytest.raises(testing.Refused, match="too-many-rooms: There are as many"),
    ):
        page.call("make_room", name="third")


def test_a_room_of_the_same_name_begins_anew(ann: User) -> None:
    """Nothing of a room that was deleted is found in one that takes its name."""
    room = new_room()
    talk.say(room.pk, ann, "old secret")
    room.delete()
    again = new_room()
    assert again.pk != room.pk
    assert history(room_channel(again.pk)) == []
    with testing.open("chat") as page:
        channel = page.channel(room_channel(again.pk), replay=100)
        channel.expect_nothing("said")


def test_authors_keep_their_names(ann: User) -> None:
    """What was said stays, with its author's name, when the account goes."""
    room = new_room()
    talk.say(room.pk, ann, "still here")
    ann.delete()
    assert talk.page_of(room.pk)["messages"][0]["by"] == "ann"


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"mesages_kept": 3}, r'CHAT\["mesages_kept"\]: expected one of messages_at_start'),
        (
            {"messages_kept": "3"},
            r"CHAT\[\"messages_kept\"\]: expected a whole number above 0: '3'",
        ),
        ({"max_rooms": 0}, r"CHAT\[\"max_rooms\"\]: expected a whole number above 0: 0"),
        (
            {"may_sign_up": "yes"},
            r"CHAT\[\"may_sign_up\"\]: expected True or False, or None: 'yes'",
        ),
        ({"messages_in_page": 10}, r"messages_in_page.*messages_at_start or more"),
    ],
)
def test_bounds_that_are_wrong(values: dict[str, Any], sentence: str, bounded: Any) -> None:
    """A mistake in the bounds is one sentence."""
    bounded(**values)
    with pytest.raises(ImproperlyConfigured, match=sentence):
        chat_bounds.bounds()
