"""The client over TCP, against this repository's broker and against RabbitMQ."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from twisted.internet import reactor
from twisted.internet.defer import Deferred, DeferredQueue
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.trial.unittest import TestCase

from morbid import get_stomp_factory
from stompservice import StompClientFactory, StompClientService, StompProtocol
from stompservice.errors import BrokerError
from stompservice.protocol.events import Connected, Ended, Message
from stompservice.protocol.session import ClientOptions
from tests.support.ports import free_port
from tests.support.rabbitmq import ServerMissing, rabbitmq

TEXT = "héllo <b>&\"' 你好"


class Peer:
    """A connection whose events can be waited for.

    Attributes:
        connected, messages, ended: events of these kinds, as they come.
    """

    def __init__(self, port: int, **options: object) -> None:
        self.connected, self.messages, self.ended = (DeferredQueue() for _ in range(3))
        options = {"login": "guest", "passcode": "guest", **options}
        self.protocol = StompProtocol(ClientOptions(**options), self._hear)
        self.port = port

    async def open(self) -> Peer:
        """Connect, and wait for CONNECTED."""
        endpoint = TCP4ClientEndpoint(reactor, "127.0.0.1", self.port)
        await connectProtocol(endpoint, self.protocol)
        self.event = await self.connected.get()
        return self

    async def message(self) -> Message:
        """The next message."""
        return (await self.messages.get()).frame

    def _hear(self, protocol: StompProtocol, event: object) -> None:
        queues = {Connected: self.connected, Message: self.messages, Ended: self.ended}
        if type(event) in queues:
            queues[type(event)].put(event)


class Suite:
    """What holds for any broker; ``port`` is where it listens."""

    timeout = 100
    port: int

    async def peer(self, **options: object) -> Peer:
        """A connection that ends with the test."""
        peer = await Peer(self.port, **options).open()
        self.addCleanup(peer.protocol.disconnect)
        return peer

    def service(self, *ports: int) -> StompClientService:
        """A service that was started, and stops with the test."""
        service = StompClientService(
            [("127.0.0.1", port) for port in ports or (self.port,)],
            "guest",
            "guest",
            min_delay_seconds=0.01,
        )
        service.startService()
        self.addCleanup(service.stopService)
        return service

    async def echo(self, version: str) -> None:
        """Subscribe, send, and get the same back, NUL and all."""
        peer = await self.peer(versions=(version,))
        assert peer.event.version == version
        await receipt_of_subscribe(peer, "/topic/echo")
        body = TEXT.encode() + b"\0\n\xff"
        await peer.protocol.send("/topic/echo", body, receipt=True, note=TEXT)
        frame = await peer.message()
        assert frame.body == body
        assert frame.headers["note"] == TEXT

    async def test_echo_1_0(self) -> None:
        """A message comes back over STOMP 1.0."""
        await self.echo("1.0")

    async def test_echo_1_1(self) -> None:
        """A message comes back over STOMP 1.1."""
        await self.echo("1.1")

    async def test_echo_1_2(self) -> None:
        """A message comes back over STOMP 1.2."""
        await self.echo("1.2")

    async def test_megabyte(self) -> None:
        """A body of a megabyte comes back whole."""
        peer = await self.peer()
        await receipt_of_subscribe(peer, "/topic/large")
        body = bytes(range(256)) * 4_096
        peer.protocol.send("/topic/large", body)
        assert (await peer.message()).body == body

    async def test_header_characters(self) -> None:
        """Every character that 1.2 can escape survives in a header."""
        peer = await self.peer(versions=("1.2",))
        await receipt_of_subscribe(peer, "/topic/headers")
        peer.protocol.send("/topic/headers", "", **{"k:1": f"a:b\\c\nd\re {TEXT}"})
        assert (await peer.message()).headers["k:1"] == f"a:b\\c\nd\re {TEXT}"

    async def test_beats(self) -> None:
        """Beats are agreed on, and arrive."""
        peer = await self.peer(heart_beat=(500, 500))
        sends, expects = peer.event.heart_beat
        assert sends >= 500
        assert expects >= 500

    async def test_transactions(self) -> None:
        """What is committed arrives, what is aborted does not."""
        peer = await self.peer()
        await receipt_of_subscribe(peer, "/topic/transactions")
        protocol = peer.protocol
        protocol.begin("kept")
        protocol.begin("dropped")
        protocol.send("/topic/transactions", "1", transaction="dropped")
        protocol.send("/topic/transactions", "2", transaction="kept")
        await protocol.abort("dropped", receipt=True)
        await protocol.commit("kept", receipt=True)
        assert (await peer.message()).body == b"2"

    async def test_queue(self) -> None:
        """A queue keeps messages; what was not acknowledged comes to the next consumer."""
        first = await self.peer()
        for each in "123":
            await first.protocol.send("/queue/work", each, receipt=True)
        first.protocol.subscribe("/queue/work", ack="client-individual")
        frames = [await first.message() for _ in range(3)]
        assert [frame.body for frame in frames] == [b"1", b"2", b"3"]
        await first.protocol.ack(frames[1], receipt=True)
        await first.protocol.disconnect()
        second = await self.peer()
        second.protocol.subscribe("/queue/work", ack="client")
        frames = [await second.message() for _ in range(2)]
        assert [frame.body for frame in frames] == [b"1", b"3"]
        await second.protocol.ack(frames[1], receipt=True)

    async def test_unsubscribe(self) -> None:
        """After UNSUBSCRIBE nothing comes for that subscription."""
        peer = await self.peer()
        gone = await receipt_of_subscribe(peer, "/topic/unsubscribe")
        kept = await receipt_of_subscribe(peer, "/topic/other")
        await peer.protocol.unsubscribe(gone, receipt=True)
        peer.protocol.send("/topic/unsubscribe", "1")
        peer.protocol.send("/topic/other", "2")
        frame = await peer.message()
        assert (frame.body, frame.headers["subscription"]) == (b"2", kept)

    async def test_disconnect(self) -> None:
        """DISCONNECT is answered, and the end has no error."""
        peer = await self.peer()
        await peer.protocol.disconnect()
        assert (await peer.ended.get()) == Ended(None)

    async def test_factory(self) -> None:
        """A program of the old kind hears what it sends."""
        heard: Deferred = Deferred()

        class Program(StompClientFactory):
            username = password = "guest"

            def recv_connected(self, msg):
                self.subscribe("/topic/program", receipt="subscribed")

            def recv_receipt(self, msg):
                self.send("/topic/program", TEXT, **{"content-type": "text/plain"})

            def recv_message(self, msg):
                heard.callback(msg)

        program = Program()
        reactor.connectTCP("127.0.0.1", self.port, program)
        self.addCleanup(program.disconnect)
        msg = await heard
        assert msg["body"] == TEXT
        assert msg["headers"]["content-type"] == "text/plain"

    async def test_service(self) -> None:
        """What is queued before the connection comes back through a subscription, in order."""
        heard: DeferredQueue = DeferredQueue()
        service = self.service()
        service.subscribe("/topic/service", heard.put)
        for number in range(200):
            service.send("/topic/service", str(number))
        assert service.queued == 200
        for number in range(200):
            assert (await heard.get()).text == str(number)

    async def test_service_comes_back(self) -> None:
        """After a cut the service subscribes again, then sends what was queued meanwhile."""
        heard: DeferredQueue = DeferredQueue()
        service = self.service()
        service.subscribe("/topic/back", heard.put)
        for attempt in range(3):
            protocol = await service.whenConnected()
            protocol.cut()
            assert not service.is_connected
            await service.send("/topic/back", f"after {attempt}", receipt=True)
            assert (await heard.get()).text == f"after {attempt}"

    async def test_service_takes_the_second_broker(self) -> None:
        """When nobody listens at the first address, the second serves."""
        nobody = free_port()
        service = self.service(nobody, self.port)
        frame = await service.send("/topic/second", "x", receipt=True)
        assert frame.command == "RECEIPT"

    async def test_service_stops_cleanly(self) -> None:
        """stopService sends what is queued, and leaves nothing behind in the reactor."""
        peer = await self.peer()
        await receipt_of_subscribe(peer, "/topic/last")
        service = self.service()
        service.send("/topic/last", "words")
        await service.stopService()
        assert (await peer.message()).body == b"words"


async def receipt_of_subscribe(peer: Peer, destination: str) -> str:
    """Subscribe, wait until it is in force, and return the id."""
    receipt_id = peer.protocol.session.new_id("receipt")
    confirmed = peer.protocol.receipt(receipt_id)
    subscription = peer.protocol.subscribe(destination, receipt=receipt_id)
    await confirmed
    return subscription


class MorbidTests(Suite, TestCase):
    """morbid, listening in this process."""

    def setUp(self) -> None:
        self.broker = get_stomp_factory()
        listening = reactor.listenTCP(0, self.broker, interface="127.0.0.1")
        self.port = listening.getHost().port
        self.addCleanup(listening.stopListening)
        self.addCleanup(self.broker.shutdown)

    async def test_login_that_raises(self) -> None:
        """A login that cannot be had now is asked for again with the next attempt."""
        logins = iter([ValueError("no key yet"), "guest"])

        def login() -> str:
            answer = next(logins)
            if isinstance(answer, Exception):
                raise answer
            return answer

        service = StompClientService(
            [("127.0.0.1", self.port)], login, "guest", min_delay_seconds=0.01
        )
        self.addCleanup(service.stopService)
        service.startService()
        protocol = await service.whenConnected()
        assert protocol.session.options.login == "guest"


@pytest.fixture(scope="module")
def stomp_port() -> Iterator[int]:
    """A RabbitMQ for this module."""
    try:
        with rabbitmq() as server:
            yield server.stomp_port
    except ServerMissing as missing:
        pytest.skip(str(missing))


@pytest.mark.functional
class RabbitMQTests(Suite, TestCase):
    """RabbitMQ, in a process of its own."""

    @pytest.fixture(autouse=True)
    def _use(self, stomp_port: int) -> None:
        self.port = stomp_port

    async def test_refused_login(self) -> None:
        """A wrong passcode ends the connection with what the broker says."""
        peer = Peer(self.port, passcode="wrong")
        endpoint = TCP4ClientEndpoint(reactor, "127.0.0.1", self.port)
        await connectProtocol(endpoint, peer.protocol)
        ended = await peer.ended.get()
        assert isinstance(ended.reason, BrokerError)
        await peer.protocol.when_lost()
