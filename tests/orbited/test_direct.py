"""Writing to a socket at once, without losing order or back-pressure."""

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.protocol import ClientFactory, Protocol, ServerFactory
from twisted.internet.tcp import Server
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import TestCase

from orbited.direct import LightServer, direct_writer, is_plain, lighten, unsent_bytes


class DirectWriterTests(TestCase):
    """A real pair of sockets in this process."""

    kind = Server

    def setUp(self):
        """Connect a server's protocol and a client's."""
        self.server, self.client = Deferred(), Deferred()
        serving, calling = ServerFactory(), ClientFactory()
        serving.buildProtocol = lambda _: Told(self.server)
        calling.buildProtocol = lambda _: Told(self.client)
        self.port = reactor.listenTCP(0, serving, interface="127.0.0.1")
        self.port.transport = self.kind
        reactor.connectTCP("127.0.0.1", self.port.getHost().port, calling)
        return self.server.addCallback(self._keep_server).addCallback(
            lambda _: self.client.addCallback(self._keep_client)
        )

    def _keep_server(self, protocol):
        self.sender = protocol

    def _keep_client(self, protocol):
        self.reader = protocol

    async def tearDown(self):
        """Close everything."""
        for protocol in (self.sender, self.reader):
            protocol.lost = Deferred()
            if protocol.transport.connected:
                protocol.transport.abortConnection()
                await protocol.lost
        await self.port.stopListening()

    async def test_bytes_go_out_in_the_same_turn(self):
        """The kernel has them before the reactor has turned."""
        write = direct_writer(self.sender.transport)
        write(b"at once")
        assert not self.sender.transport._tempDataBuffer
        assert await self.reader.read(7) == b"at once"

    async def test_order_is_kept_when_the_socket_fills_up(self):
        """What the kernel does not take waits, and later writes wait behind it."""
        write = direct_writer(self.sender.transport)
        self.reader.transport.pauseProducing()
        pieces = [b"%07d" % number * 10_000 for number in range(100)]
        for piece in pieces:
            write(piece)
        assert self.sender.transport._tempDataBuffer
        self.reader.transport.resumeProducing()
        expected = b"".join(pieces)
        assert await self.reader.read(len(expected)) == expected

    async def test_a_full_socket_pauses_the_producer(self):
        """As if the bytes had been written the usual way."""
        producer = Producer()
        self.sender.transport.registerProducer(producer, True)
        write = direct_writer(self.sender.transport)
        self.reader.transport.pauseProducing()
        write(b"x" * 8_000_000)
        assert producer.calls == ["pause"]
        self.reader.transport.resumeProducing()
        await self.reader.read(8_000_000)
        await producer.resumed
        self.sender.transport.unregisterProducer()

    async def test_what_the_kernel_has_not_taken_is_known(self):
        """Nothing at first, the rest of what was too much, and nothing once it was read."""
        transport = self.sender.transport
        assert is_plain(transport)
        assert unsent_bytes(transport) == 0
        self.reader.transport.pauseProducing()
        direct_writer(transport)(b"x" * 8_000_000)
        assert 0 < unsent_bytes(transport) < 8_000_000
        self.reader.transport.resumeProducing()
        await self.reader.read(8_000_000)
        assert unsent_bytes(transport) == 0

    async def test_writing_to_a_connection_that_is_gone_is_harmless(self):
        """Nothing is raised; the loss is reported as ever."""
        write = direct_writer(self.sender.transport)
        self.sender.lost = Deferred()
        self.reader.transport.abortConnection()
        write(b"into the void")
        await self.sender.lost
        write(b"again")

    def test_other_transports_are_written_to_as_they_are(self):
        """TLS, tests, and whatever comes later."""
        transport = StringTransport()
        direct_writer(transport)(b"x")
        assert transport.value() == b"x"
        assert not is_plain(transport)
        assert unsent_bytes(transport) == 0


class LightServerTests(DirectWriterTests):
    """The same of the connections that we make ourselves, and what else is expected of them."""

    kind = LightServer

    def test_it_has_what_others_ask_it_for(self):
        """Addresses, a descriptor, and a name."""
        transport = self.sender.transport
        assert transport.getPeer() == self.reader.transport.getHost()
        assert transport.getHost() == self.reader.transport.getPeer()
        assert transport.fileno() == transport.socket.fileno() > 0
        assert str(self.port.getHost().port) in repr(transport)
        assert isinstance(transport.logPrefix(), str)

    async def test_bytes_come_in(self):
        """One read after the other; a read that finds nothing is no end."""
        assert self.sender.transport.doRead() is None
        self.reader.transport.write(b"up")
        assert await self.sender.read(2) == b"up"
        self.reader.transport.write(b" and up")
        assert await self.sender.read(7) == b" and up"

    async def test_the_end_is_told(self):
        """In order, and when the peer resets the connection."""
        self.sender.lost = Deferred()
        self.reader.transport.loseConnection()
        await self.sender.lost
        assert self.sender.reason.check(ConnectionDone)

    async def test_a_reset_is_told(self):
        """Not as an end in order."""
        self.sender.lost = Deferred()
        self.reader.transport.abortConnection()
        await self.sender.lost
        assert self.sender.reason.check(ConnectionLost)

    async def test_a_closed_one_has_no_descriptor(self):
        """The reactor asks for it once more."""
        transport = self.sender.transport
        self.sender.lost = Deferred()
        transport.loseConnection()
        await self.sender.lost
        assert transport.fileno() == -1
        transport.connectionLost(None)

    def test_a_port_makes_them_once_it_is_told_to(self):
        """By a connection of Twisted's own; anything else is left as it is."""
        self.port.transport = Server
        lighten(self.sender.transport)
        lighten(StringTransport())
        assert self.port.transport is Server
        ordinary = Server.__new__(Server)
        ordinary.server = self.port
        lighten(ordinary)
        assert self.port.transport is LightServer


class Told(Protocol):
    """Tells when it is connected, and lets its bytes be awaited."""

    def __init__(self, connected):
        self.connected_deferred = connected
        self.received = bytearray()
        self.waiting = None
        self.lost = self.reason = None

    def connectionMade(self):
        self.connected_deferred.callback(self)

    def dataReceived(self, data):
        self.received += data
        self._check()

    def connectionLost(self, reason=None):
        self.reason = reason
        if self.lost is not None:
            self.lost.callback(None)

    def read(self, size):
        """That many bytes."""
        self.waiting = size, Deferred()
        _, deferred = self.waiting
        self._check()
        return deferred

    def _check(self):
        if self.waiting and len(self.received) >= self.waiting[0]:
            (size, deferred), self.waiting = self.waiting, None
            data = bytes(self.received[:size])
            del self.received[:size]
            deferred.callback(data)


class Producer:
    """Remembers how it was paced."""

    def __init__(self):
        self.calls = []
        self.resumed = Deferred()

    def pauseProducing(self):
        self.calls.append("pause")

    def resumeProducing(self):
        if not self.resumed.called:
            self.resumed.callback(None)

    def stopProducing(self):
        self.calls.append("stop")
