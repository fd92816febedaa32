"""The publisher: what a thread is told, and what a broker gets; with a real broker."""

import threading
from typing import ClassVar

import pytest
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.protocol import ClientCreator, Protocol
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase

from morbid import get_stomp_factory
from stompservice.protocol import Frame, FrameParser, encode
from tests.support.ports import free_port
from thywill_server import reactor_bridge
from thywill_server.errors import PushUnavailable
from thywill_server.push.orbited_stomp.publisher import Publisher

HERE = "/topic/here"


class Listener(Protocol):
    """Subscribes to HERE, and collects bodies."""

    def __init__(self):
        self._parser = FrameParser()
        self.frames = []
        self._waiting = []

    def connectionMade(self):
        """Log in and subscribe."""
        connect = {"accept-version": "1.2", "host": "/"}
        subscribe = {"destination": HERE, "id": "1", "receipt": "1"}
        self.transport.write(encode(Frame("CONNECT", connect)))
        self.transport.write(encode(Frame("SUBSCRIBE", subscribe)))

    def dataReceived(self, data):
        """Collect frames."""
        self._parser.receive_data(data)
        self.frames += self._parser.events_received()
        self._waiting = [each for each in self._waiting if not self._fire(*each)]

    def has(self, count):
        """Give a Deferred that fires with so many frames."""
        done = Deferred()
        if not self._fire(count, done):
            self._waiting.append((count, done))
        return done

    def _fire(self, count, done):
        if len(self.frames) < count:
            return False
        done.callback(self.frames[:count])
        return True


class PublisherCase(TestCase):
    bounds: ClassVar[dict[str, int]] = {}

    def setUp(self):
        """Use this reactor, and find a port that nobody listens on."""
        reactor_bridge.adopt(reactor)
        self.addCleanup(reactor_bridge.adopt, None)
        self.port = free_port()
        bounds = {"max_queued_messages": 5, "max_queued_bytes": 100_000, **self.bounds}
        self.publisher = Publisher(
            "127.0.0.1",
            self.port,
            login="site",
            passcode=lambda: "passcode",
            virtual_host="/",
            heart_beat_seconds=10,
            **bounds,
        )
        self.addCleanup(self.stop)

    async def stop(self):
        """End the publisher, whatever the test has done with it."""
        stopping = self.publisher.stop()
        if stopping is not None:
            await stopping

    async def start_broker(self):
        """Start a broker, and a listener on it."""
        factory = get_stomp_factory({})
        listening = reactor.listenTCP(self.port, factory, interface="127.0.0.1")
        self.addCleanup(factory.shutdown)
        self.addCleanup(listening.stopListening)
        listener = await ClientCreator(reactor, Listener).connectTCP("127.0.0.1", self.port)
        self.addCleanup(listener.transport.loseConnection)
        await listener.has(2)
        return listener

    def publish(self, *bodies):
        """Publish in a web thread; gives a Deferred."""

        def publish_all():
            for body in bodies:
                self.publisher.publish(HERE, body, {"content-type": "text/plain"})

        return deferToThread(publish_all)


class PublishTests(PublisherCase):
    async def test_what_is_published_arrives(self):
        """Body and headers arrive; the first message connects if nothing has before."""
        listener = await self.start_broker()
        await self.publish(b"one", b"two")
        *_, one, two = await listener.has(4)
        assert (one.body, two.body) == (b"one", b"two")
        assert one.headers["content-type"] == "text/plain"
        assert self.publisher.is_connected
        assert self.publisher.queued == 0

    async def test_what_waits_for_the_broker_arrives_in_order(self):
        """Messages published while there is no broker are kept, and sent when it comes."""
        self.publisher.start()
        await self.publish(*[b"%d" % number for number in range(5)])
        assert self.publisher.queued == 5
        listener = await self.start_broker()
        frames = await listener.has(7)
        assert [frame.body for frame in frames[2:]] == [b"0", b"1", b"2", b"3", b"4"]

    async def test_the_reactor_thread_may_publish_too(self):
        """A handler that runs in the reactor publishes like any other."""
        listener = await self.start_broker()
        self.publisher.publish(HERE, b"here", {})
        *_, frame = await listener.has(3)
        assert frame.body == b"here"


class BoundTests(PublisherCase):
    async def test_a_full_queue_is_told_at_once(self):
        """The message after ``max_queued_messages`` is refused in the calling thread."""
        await self.publish(*[b"x"] * 5)
        await self.assertFailure(self.publish(b"too many"), PushUnavailable)
        assert self.publisher.queued == 5

    async def test_bytes_are_bounded_too(self):
        """A body that does not fit into ``max_queued_bytes`` is refused, a smaller one is not."""
        await self.publish(b"x" * 90_000)
        await self.assertFailure(self.publish(b"x" * 10_001), PushUnavailable)
        await self.publish(b"x" * 10_000)

    async def test_the_bound_holds_for_threads_together(self):
        """Of many threads that publish at once, exactly as many succeed as there is room."""
        barrier = threading.Barrier(4)

        def try_three_times():
            barrier.wait(60)
            done = 0
            for _ in range(3):
                try:
                    self.publisher.publish(HERE, b"x", {})
                    done += 1
                except PushUnavailable:
                    pass
            return done

        counts = [deferToThread(try_three_times) for _ in range(4)]
        assert sum([await count for count in counts]) == 5

    async def test_what_went_out_makes_room(self):
        """Once messages are sent, as many again can be published."""
        listener = await self.start_broker()
        for number in range(10):
            await self.publish(*[b"x" * 20_000] * 5)
            await listener.has(2 + 5 * (number + 1))
        assert self.publisher.queued == 0


class StopTests(PublisherCase):
    async def test_stopping_sends_what_waits(self):
        """What was accepted before the stop arrives; what comes after it is refused."""
        listener = await self.start_broker()
        await self.publish(b"first")
        await listener.has(3)
        for number in range(5):
            self.publisher.publish(HERE, b"%d" % number, {})
        await self.stop()
        frames = await listener.has(8)
        assert [frame.body for frame in frames[3:]] == [b"0", b"1", b"2", b"3", b"4"]
        with pytest.raises(PushUnavailable):
            self.publisher.publish(HERE, b"late", {})

    async def test_stopping_without_a_broker_does_not_wait(self):
        """With nobody to send to, it ends."""
        await self.publish(b"lost")
        await self.stop()

    async def test_stopping_before_anything_was_sent(self):
        """A publisher that was never used has nothing to do."""
        assert self.publisher.stop() is None
