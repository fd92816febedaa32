"""The table of one connection: its subscriptions, and what it has not acknowledged."""

import pytest

from morbid.errors import Refused
from morbid.message import Message
from morbid.messagequeue import QueuedMessage
from morbid.subscriptions import Subscription, SubscriptionTable
from stompservice.protocol import V10, V11, V12


class Reader:
    """A consumer that is somewhere else."""

    def __init__(self, version):
        self.version = version
        self.is_paused = False
        self.subscriptions = SubscriptionTable(2, 3)
        self.sent = []
        self.send = self.sent.append


def subscribe(reader, destination="/queue/a", id="0", mode="client"):
    """Put a subscription into a reader's table."""
    subscription = Subscription(reader, destination, id, mode)
    reader.subscriptions.add(subscription)
    return subscription


def deliver(subscription, *numbers):
    """Deliver messages with these numbers."""
    for number in numbers:
        subscription.deliver(QueuedMessage(Message("/queue/a", f"b-{number}", {}, b""), number))


def numbers(settled):
    """The numbers of messages that were settled."""
    return [queued.sequence for _, queued in settled]


@pytest.mark.parametrize(
    ("mode", "settled", "left"),
    [("client", [1, 3], ["b-4"]), ("client-individual", [3], ["b-1", "b-4"])],
)
def test_what_an_ack_settles(mode, settled, left):
    """``client`` settles all earlier ones of that subscription, ``client-individual`` one."""
    reader = Reader(V12)
    mine, other = subscribe(reader, mode=mode), subscribe(reader, id="1")
    deliver(mine, 1)
    deliver(other, 2)
    deliver(mine, 3, 4)
    assert numbers(reader.subscriptions.settle("b-3")) == settled
    assert list(reader.subscriptions.unacknowledged) == sorted([*left, "b-2"])
    assert reader.subscriptions.settle("b-3") == []


def test_ready():
    """A subscription takes messages unless its consumer is paused, or has too many in hand."""
    reader = Reader(V12)
    subscription, auto = subscribe(reader), subscribe(reader, id="1", mode="auto")
    deliver(subscription, 1, 2)
    assert subscription.is_ready
    deliver(subscription, 3)
    assert (subscription.is_ready, auto.is_ready) == (False, True)
    reader.subscriptions.settle("b-1")
    assert subscription.is_ready
    reader.is_paused = True
    assert (subscription.is_ready, auto.is_ready) == (False, False)


def test_removing_gives_back():
    """What a subscription that ends has not acknowledged is handed back, in order."""
    reader = Reader(V12)
    mine, other = subscribe(reader), subscribe(reader, id="1")
    deliver(mine, 1)
    deliver(other, 2)
    deliver(mine, 3)
    assert [queued.sequence for queued in reader.subscriptions.remove(mine)] == [1, 3]
    assert list(reader.subscriptions.unacknowledged) == ["b-2"]
    assert reader.subscriptions.remove(mine) == []


@pytest.mark.parametrize(
    ("version", "id", "destination", "found"),
    [
        (V12, "0", None, ["0"]),
        (V12, "9", None, []),
        (V11, None, "/a", []),
        (V10, None, "/a", ["0", None]),
        (V10, "0", "/b", ["0"]),
        (V10, None, "/b", []),
    ],
)
def test_finding(version, id, destination, found):
    """UNSUBSCRIBE means an id; in 1.0, without one, everything of a destination."""
    reader = Reader(V10)
    subscribe(reader, "/a", "0")
    subscribe(reader, "/a", None)
    table = reader.subscriptions
    assert [each.id for each in table.find(id, destination, version)] == found


def test_id_that_looks_like_a_destination():
    """An id and a destination of the same name are two things."""
    reader = Reader(V10)
    subscribe(reader, "/a", None)
    reader.subscriptions.check_new("/a", "/b")
    with pytest.raises(Refused, match="subscription-exists"):
        reader.subscriptions.check_new(None, "/a")


def test_forms():
    """The form tells apart what makes a topic's messages differ."""
    forms = [
        Subscription(Reader(version), "/t", id, mode).form
        for version, id, mode in [
            (V10, None, "auto"),
            (V10, "None", "auto"),
            (V10, "0", "client"),
            (V11, "0", "client"),
            (V12, "0", "auto"),
            (V12, "0", "client"),
            (V12, "1", "client"),
        ]
    ]
    assert len(set(forms)) == len(forms)
    assert Subscription(Reader(V12), "/u", "0", "client-individual").form == forms[5]
    assert Subscription(Reader(V11), "/u", "0", "auto").form == forms[3]
