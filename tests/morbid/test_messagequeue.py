"""Queues, topics and distributors, and the broker that holds them."""

import pytest

from morbid.broker import Broker
from morbid.errors import Refused
from morbid.limits import Limits
from morbid.messagequeue import Pubsub, Queue, Topic, kind_of
from morbid.subscriptions import Subscription, SubscriptionTable
from stompservice.protocol import V10, V12, FrameParser


class Reader:
    """A consumer in this process."""

    def __init__(self, version=V12):
        self.version = version
        self.is_paused = False
        self.member = None
        self.takes_runs = False
        self.subscriptions = SubscriptionTable(100, 100)
        self.frames = []
        self.send = self.frames.append

    def bodies(self):
        parser = FrameParser(version=self.version)
        parser.receive_data(b"".join(self.frames))
        self.frames.clear()
        return [frame.body for frame in parser.events_received()]


def subscribe(broker, destination, reader=None, id="0", mode="auto"):
    """Subscribe a new reader, or another time a given one."""
    reader = reader or Reader()
    broker.subscribe(Subscription(reader, destination, id, mode))
    return reader


def publish(broker, destination, *bodies):
    """Publish these bodies."""
    for body in bodies:
        broker.publish(destination, {}, body)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("/queue/a", Queue),
        ("/topic/a", Topic),
        ("/pubsub/a", Pubsub),
        ("queue/a", Topic),
        ("/queue", Topic),
        ("0f8fad5b", Topic),
    ],
)
def test_kind_by_name(name, kind):
    """What a name begins with says what it is."""
    assert kind_of(name) is kind


def test_topic_reaches_everybody_who_is_there(broker):
    """A topic's message goes to all who are subscribed when it comes, and is not kept."""
    publish(broker, "/topic/a", b"lost")
    readers = [subscribe(broker, "/topic/a") for _ in range(3)]
    publish(broker, "/topic/a", b"1", b"2")
    assert [reader.bodies() for reader in readers] == [[b"1", b"2"]] * 3
    assert broker.counters.dropped_unrouted == 1
    assert broker.counters.messages_in == 3
    assert broker.counters.messages_out == 6


def test_one_encoding_for_equal_forms(broker):
    """Subscriptions with one id and version share one bytes object; others have their own."""
    readers = [subscribe(broker, "/t") for _ in range(3)]
    other_id = subscribe(broker, "/t", id="1")
    other_version = subscribe(broker, "/t", Reader(V10))
    publish(broker, "/t", b"x")
    frames = [reader.frames[0] for reader in readers]
    assert frames[0] is frames[1] is frames[2]
    assert other_id.frames[0] != frames[0]
    assert other_version.frames[0] != frames[0]
    assert broker.counters.bytes_out == sum(
        len(each.frames[0]) for each in (*readers, other_id, other_version)
    )


def test_message_ids_are_unique(broker):
    """Message ids count on over all destinations, and begin with the start of the broker."""
    reader = subscribe(broker, "/topic/a")
    subscribe(broker, "/queue/b", reader, "1")
    publish(broker, "/topic/a", b"1")
    publish(broker, "/queue/b", b"2")
    ids = [frame.split(b"message-id:")[1].split(b"\n")[0] for frame in reader.frames]
    assert ids == [b"boot-1", b"boot-2"]
    assert Broker(boot_id="later").has_issued("boot-1") is False


def test_queue_in_turn(broker):
    """A queue gives each message to one consumer, strictly in turn."""
    readers = [subscribe(broker, "/queue/a") for _ in range(3)]
    publish(broker, "/queue/a", *(b"%d" % number for number in range(7)))
    assert [reader.bodies() for reader in readers] == [
        [b"0", b"3", b"6"],
        [b"1", b"4"],
        [b"2", b"5"],
    ]


def test_backlog_goes_to_the_first(broker):
    """Messages that waited go, in order, to whoever comes first."""
    publish(broker, "/queue/a", b"1", b"2")
    first, second = subscribe(broker, "/queue/a"), subscribe(broker, "/queue/a")
    assert first.bodies() == [b"1", b"2"]
    assert second.bodies() == []


def test_paused_consumer_is_passed_over(broker):
    """A consumer that takes nothing at present costs the others nothing."""
    paused, ready = subscribe(broker, "/queue/a"), subscribe(broker, "/queue/a")
    paused.is_paused = True
    publish(broker, "/queue/a", b"1", b"2")
    assert ready.bodies() == [b"1", b"2"]
    ready.is_paused = True
    publish(broker, "/queue/a", b"3", b"4")
    assert broker.queue_depths() == {"/queue/a": 2}
    paused.is_paused = False
    broker.resume(paused)
    assert paused.bodies() == [b"3", b"4"]


def test_returned_messages_take_their_places(broker):
    """Messages that two consumers give back, one after the other, are in order again."""
    one = subscribe(broker, "/queue/a", mode="client")
    two = subscribe(broker, "/queue/a", mode="client")
    publish(broker, "/queue/a", *(b"%d" % number for number in range(4)))
    for reader in (one, two):
        reader.is_paused = True
    publish(broker, "/queue/a", b"4")
    for reader in (two, one):
        broker.unsubscribe(*reader.subscriptions.by_key.values())
    assert subscribe(broker, "/queue/a").bodies() == [b"0", b"1", b"2", b"3", b"4"]


def test_two_subscriptions_of_one_that_vanishes(broker):
    """What one subscription gives back is not handed to another of the same connection."""
    reader = subscribe(broker, "/queue/a", mode="client")
    subscribe(broker, "/queue/a", reader, "1", "client")
    publish(broker, "/queue/a", b"0", b"1")
    reader.is_paused = True
    broker.unsubscribe(*reader.subscriptions.by_key.values())
    assert subscribe(broker, "/queue/a").bodies() == [b"0", b"1"]


def test_empty_destinations_are_gone(broker, leaves_nothing):
    """A destination is there as long as something is in it."""
    assert broker.destinations == {}
    publish(broker, "/topic/a", b"x")
    assert broker.destinations == {}
    publish(broker, "/queue/a", b"x")
    assert list(broker.destinations) == ["/queue/a"]
    reader = subscribe(broker, "/queue/a", mode="client")
    broker.acknowledge(reader, "boot-1")
    assert list(broker.destinations) == ["/queue/a"]
    broker.unsubscribe(*reader.subscriptions.by_key.values())


def test_last_acknowledgement_ends_a_queue(broker, leaves_nothing):
    """A queue whose consumer is paused and gone is kept for what may come back, no longer."""
    reader = subscribe(broker, "/queue/a", mode="client")
    publish(broker, "/queue/a", b"x")
    assert broker.queue_bytes > 0
    broker.acknowledge(reader, "boot-1")
    assert broker.queue_bytes == 0
    broker.unsubscribe(*reader.subscriptions.by_key.values())


def test_refused_message_leaves_no_empty_queue():
    """A message that is too much for a queue does not bring the queue into being."""
    broker = Broker(Limits(max_queue_bytes=1))
    with pytest.raises(Refused):
        publish(broker, "/queue/a", b"x")
    assert broker.destinations == {}
    assert broker.counters.dropped_full == 1


# Pubsub.


def test_pubsub_hands_on(broker):
    """What is sent to a distributor goes to each of its children, with an id of its own."""
    broker.attach("/pubsub/a", "/queue/b")
    broker.attach("/pubsub/a", "/topic/c")
    topic = subscribe(broker, "/topic/c")
    broker.publish("/pubsub/a", {"own": "1", "content-length": "1"}, b"x")
    queue = subscribe(broker, "/queue/b", Reader(V10))
    assert b"own:1\n" in queue.frames[0]
    assert b"content-length:1\n" in queue.frames[0]
    assert (queue.bodies(), topic.bodies()) == ([b"x"], [b"x"])


def test_pubsub_is_gone_without_children(broker, leaves_nothing):
    """A distributor is there as long as it has a child; without, messages are dropped."""
    broker.attach("/pubsub/a", "/topic/b")
    assert list(broker.destinations) == ["/pubsub/a"]
    broker.detach("/pubsub/a", "/topic/b")
    broker.detach("/pubsub/a", "/topic/b")
    publish(broker, "/pubsub/a", b"x")


def test_disconnect_after_pubsub_was_used(new_client, broker):
    """Connections end cleanly after somebody has sent to a distributor."""
    broker.attach("/pubsub/a", "/topic/b")
    client = new_client().connect().subscribe("/topic/b")
    client.send("SEND", b"x", destination="/pubsub/a")
    assert client.bodies() == [b"x"]
    client.session.connection_lost()
    assert list(broker.destinations) == ["/pubsub/a"]


@pytest.mark.parametrize(
    ("parent", "child"), [("/topic/a", "/topic/b"), ("/pubsub/a", "/pubsub/b")]
)
def test_pubsub_of_the_wrong_kind(broker, parent, child):
    """Only distributors have children, and those are none."""
    with pytest.raises(ValueError, match="expected /pubsub/"):
        broker.attach(parent, child)


def test_full_child_does_not_keep_from_the_others():
    """A child that refuses a message does not keep the other children from it."""
    broker = Broker(Limits(max_queue_bytes=1))
    broker.attach("/pubsub/a", "/queue/b")
    broker.attach("/pubsub/a", "/topic/c")
    reader = subscribe(broker, "/topic/c")
    publish(broker, "/pubsub/a", b"x")
    assert reader.bodies() == [b"x"]


# The seam for a relay.


def test_relay_stands_between_publish_and_deliver():
    """A subclass sees every publish and every destination, and delivers what comes from above."""
    upstream = []

    class Relay(Broker):
        def publish(self, destination, headers, body):
            upstream.append(("SEND", destination))

        def destination_appeared(self, destination):
            upstream.append(("SUBSCRIBE", destination.name))

        def destination_vanished(self, destination):
            upstream.append(("UNSUBSCRIBE", destination.name))

    relay = Relay()
    reader, other = subscribe(relay, "/topic/a"), subscribe(relay, "/topic/a")
    publish(relay, "/topic/a", b"x")
    assert reader.bodies() == []
    relay.deliver("/topic/a", {}, b"x")
    assert (reader.bodies(), other.bodies()) == ([b"x"], [b"x"])
    for each in (reader, other):
        relay.unsubscribe(*each.subscriptions.by_key.values())
    assert upstream == [
        ("SUBSCRIBE", "/topic/a"),
        ("SEND", "/topic/a"),
        ("UNSUBSCRIBE", "/topic/a"),
    ]
