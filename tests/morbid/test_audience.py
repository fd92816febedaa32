"""Who gets equal bytes, and transports that are written to together."""

from morbid.audience import audiences_of
from morbid.broker import Broker
from morbid.session import BrokerSession
from morbid.subscriptions import Subscription
from stompservice.protocol import V10, V12, Frame, encode


class Broadcaster:
    """Keeps what is broadcast until it is settled."""

    def __init__(self):
        self.waiting = []

    def broadcast(self, audience, frame):
        self.waiting.append((audience, frame))

    def settle(self):
        waiting, self.waiting = self.waiting, []
        for audience, frame in waiting:
            for member in audience.members:
                member.written.append(frame)


class Member:
    """A transport."""

    def __init__(self, broadcaster):
        self.broadcaster = broadcaster
        self.written = []

    def settle(self):
        self.broadcaster.settle()


def connect(broker, member=None, version=V12):
    """Log a connection in; returns it with what is written to it."""
    session = BrokerSession(broker, now=0.0)
    written = member.written if member is not None else []
    session.write_to(written.append, member)
    say(session, "CONNECT", **{"accept-version": version, "host": "/", "login": "a"})
    return session, written


def say(session, command, **headers):
    """Let a client send a frame."""
    session.receive_data(encode(Frame(command, headers, b""), session.version), 0.0)


def subscribe(broker, number, member=None, **headers):
    """Subscribe so many new connections to the same topic; returns them and what they got."""
    connections = [connect(broker, member() if member else None) for _ in range(number)]
    for session, written in connections:
        say(session, "SUBSCRIBE", id="0", destination="/topic/t", **headers)
        written.clear()
    return connections


def test_subscriptions_are_sorted_by_what_they_get():
    """Equal bytes over the same broadcaster are one audience, in the order of subscribing."""
    broker, one, other = Broker(), Broadcaster(), Broadcaster()
    consumers = []
    for broadcaster, version in [(one, V12), (None, V12), (one, V12), (other, V12), (one, V10)]:
        member = Member(broadcaster) if broadcaster is not None else None
        session, _ = connect(broker, member)
        session.version = version
        consumers.append(session)
    audiences = audiences_of(Subscription(consumer, "/topic/t", "0") for consumer in consumers)
    positions = [[consumers.index(consumer) for consumer in each.consumers] for each in audiences]
    assert positions == [[0, 2], [1], [3], [4]]
    assert [each.broadcaster for each in audiences] == [one, None, other, one]
    assert [len(each.members) for each in audiences] == [2, 0, 1, 1]


def test_a_topic_with_many_subscribers_broadcasts():
    """One call for all members; whoever is no member is sent to by itself, and all are counted."""
    broker, broadcaster = Broker(), Broadcaster()
    members = subscribe(broker, 5, lambda: Member(broadcaster))
    plain = subscribe(broker, 2)
    broker.publish("/topic/t", {}, b"hello")
    ((audience, frame),) = broadcaster.waiting
    assert audience.consumers == [session for session, _ in members]
    assert not any(written for _, written in members)
    assert all(written == [frame] for _, written in plain)
    assert broker.counters.messages_out == 7


def test_who_comes_and_who_goes_is_noticed():
    """The next message has another audience; what was broadcast before stays as it was."""
    broker, broadcaster = Broker(), Broadcaster()
    (leaver, _), *_ = subscribe(broker, 5, lambda: Member(broadcaster))
    broker.publish("/topic/t", {}, b"1")
    say(leaver, "UNSUBSCRIBE", id="0")
    broker.publish("/topic/t", {}, b"2")
    subscribe(broker, 2, lambda: Member(broadcaster))
    broker.publish("/topic/t", {}, b"3")
    assert [len(audience.consumers) for audience, _ in broadcaster.waiting] == [5, 4, 6]


def test_a_connection_that_ends_gets_what_was_sent_before():
    """An ERROR, or the end, stands behind what was broadcast."""
    broker, broadcaster = Broker(), Broadcaster()
    (session, written), *_ = subscribe(broker, 5, lambda: Member(broadcaster))
    broker.publish("/topic/t", {}, b"hello")
    say(session, "DISCONNECT")
    assert [b"hello" in frame for frame in written] == [True]
