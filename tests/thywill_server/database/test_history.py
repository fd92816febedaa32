"""History: gapless offsets, in order, in the transaction of whoever publishes."""

import pytest
from django.db import transaction

from thywill_server.database import history
from thywill_server.database.history import BEGINNING, Position
from thywill_server.database.models import Channel, ChannelMessage

pytestmark = pytest.mark.django_db

APPLICATION, ROOM = "chat", "room:lobby"


def say(count=1, name=ROOM, keep=100):
    """Append messages that are numbered."""
    for _ in range(count):
        offset = history.position(APPLICATION, name).offset + 1
        last = history.append(APPLICATION, name, "said", str(offset), keep)
    return last


def read(after=None, limit=100, max_bytes=10_000, name=ROOM):
    """Read what comes after."""
    return history.read(APPLICATION, name, after, limit, max_bytes)


def offsets(stretch):
    """The offsets of the messages, which are their data too."""
    assert [str(message.offset) for message in stretch.messages] == [
        message.data for message in stretch.messages
    ]
    return [message.offset for message in stretch.messages]


def test_offsets_count_from_one():
    """Each message has the next offset; the epoch stays."""
    first, second = say(), say()
    assert (first.offset, second.offset) == (1, 2)
    assert first.epoch == second.epoch != ""
    assert history.position(APPLICATION, ROOM) == second


def test_channels_are_apart():
    """Names differ by case, accents and spaces; applications have channels of their own."""
    for name in ("room:a", "room:A", "room:á", "room:a "):
        assert say(name=name).offset == 1
    assert history.append("other", "room:a", "said", "1", 10).offset == 1


def test_nothing_yet():
    """A channel nobody published to makes no row, and has nothing to give."""
    assert history.position(APPLICATION, ROOM) == BEGINNING
    stretch = read(BEGINNING)
    assert (stretch.messages, stretch.end, stretch.is_whole) == ([], BEGINNING, True)
    assert not Channel.objects.exists()


def test_first_message_after_the_beginning():
    """Who was there before the first message misses nothing."""
    end = say(2)
    stretch = read(BEGINNING)
    assert offsets(stretch) == [1, 2]
    assert stretch.is_whole
    assert stretch.end == end


def test_reading_on():
    """What comes after a position, in bounded parts."""
    end = say(7)
    stretch = read(Position(end.epoch, 2), limit=3)
    assert offsets(stretch) == [3, 4, 5]
    assert stretch.is_whole
    assert stretch.has_more
    stretch = read(stretch.end, limit=3)
    assert offsets(stretch) == [6, 7]
    assert not stretch.has_more
    assert (read(end).messages, read(end).is_whole) == ([], True)


def test_bytes_are_bounded():
    """A stretch holds as much as is allowed, and one message at least."""
    end = say(4)
    assert offsets(read(Position(end.epoch, 0), max_bytes=2)) == [1, 2]
    assert offsets(read(Position(end.epoch, 2), max_bytes=0)) == [3]
    assert read(Position(end.epoch, 2), max_bytes=0).has_more


def test_trimmed():
    """The history keeps what it shall, with an eighth more at most; a reader hears of the hole."""
    end = say(100, keep=16)
    assert ChannelMessage.objects.count() in (16, 17)
    stretch = read(Position(end.epoch, 10))
    assert not stretch.is_whole
    assert offsets(stretch)[-16:] == list(range(85, 101))
    assert read(Position(end.epoch, 84)).is_whole


def test_another_epoch():
    """After the channel was deleted a reader hears that it has another life, and all of it."""
    before = say(3)
    Channel.objects.all().delete()
    after = say(2)
    assert after.epoch != before.epoch
    stretch = read(before)
    assert not stretch.is_whole
    assert offsets(stretch) == [1, 2]
    assert not read(Position(after.epoch, 9)).is_whole


def test_latest():
    """The newest messages, oldest first."""
    assert history.latest(APPLICATION, ROOM, 3) == []
    say(5)
    assert [message.offset for message in history.latest(APPLICATION, ROOM, 3)] == [3, 4, 5]
    assert history.latest(APPLICATION, ROOM, 0) == []


def test_roll_back_leaves_no_gap():
    """A transaction that ends in an error has published nothing, and takes no offset."""
    say(2)
    with transaction.atomic():
        assert say().offset == 3
        transaction.set_rollback(True)
    assert say().offset == 3


def test_lock_gives_the_position():
    """A reader may keep others from publishing while it looks."""
    with transaction.atomic():
        assert history.lock(APPLICATION, ROOM) == BEGINNING
        end = say(2)
        assert history.lock(APPLICATION, ROOM) == end
