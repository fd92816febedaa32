"""A STOMP broker in the same process, spoken to by browsers over every transport."""

from collections.abc import Iterator
from typing import Any

import pytest

from orbited.protocol.packets import DATA, RAW, Packet
from tests.support.comet import Browser, Socket, serving

pytestmark = pytest.mark.functional

CONNECT = b"CONNECT\naccept-version:1.2\nhost:/\nlogin:a\npasscode:b\n\n\0"


@pytest.fixture(scope="module")
def server() -> Iterator[dict[str, Any]]:
    """Orbited with morbid behind ``morbid:61613``, named by dotted path only."""
    with serving({"broker": True}) as server:
        yield server


class StompBrowser(Browser):
    """Speaks STOMP over one transport."""

    transport = "longpoll"
    stream: Any = None
    sent = b""

    def connect(self) -> None:
        """Shake hands, connect, subscribe."""
        self.shake_hands("morbid:61613")
        if self.transport == "websocket":
            self.stream = self.socket()
        elif self.transport != "longpoll":
            self.stream = self.open(self.transport)
        self.say(CONNECT)
        self.expect(b"CONNECTED")
        self.say(b"SUBSCRIBE\nid:0\ndestination:/topic/t\nreceipt:r\n\n\0")
        self.expect(b"receipt-id:r")

    def say(self, frame: bytes) -> None:
        """Send bytes to the broker."""
        if isinstance(self.stream, Socket):
            self.stream.send(RAW.encode([Packet(self.next_id, DATA, frame)]))
            self.next_id += 1
        else:
            self.send(frame)

    def expect(self, part: bytes) -> None:
        """Read until the broker has said something that holds ``part``."""
        while part not in self.received:
            if self.stream is None:
                self.poll()
            elif isinstance(self.stream, Socket):
                message = self.stream.receive()
                assert message is not None
                self.take(message, raw=True)
            elif piece := self.stream.read_some().lstrip(b" x"):
                self.take(piece)

    def close(self) -> None:
        """Drop the connection."""
        if self.stream is not None:
            self.stream.close()


@pytest.mark.parametrize("transport", ["longpoll", "xhrstream", "websocket"])
def test_messages_go_through_a_broker_in_this_process(server, transport):
    """CONNECT, SUBSCRIBE with a receipt, SEND, and the MESSAGE comes back; binary stays binary."""
    browser = StompBrowser(server["http"])
    browser.transport = transport
    browser.connect()
    try:
        body = bytes(range(256)) * 300
        head = b"SEND\ndestination:/topic/t\ncontent-length:%d\n\n" % len(body)
        browser.say(head + body + b"\0")
        browser.expect(body)
        assert browser.received.count(b"MESSAGE") == 1
    finally:
        browser.close()


def test_browsers_on_different_transports_hear_each_other(server):
    """What one sends all subscribers get, once each."""
    browsers = []
    for transport in ("longpoll", "xhrstream", "websocket"):
        browser = StompBrowser(server["http"])
        browser.transport = transport
        browser.connect()
        browsers.append(browser)
    try:
        for number, browser in enumerate(browsers):
            browser.say(b"SEND\ndestination:/topic/t\n\nfrom %d\0" % number)
            for listener in browsers:
                listener.expect(b"from %d" % number)
        assert [b.received.count(b"MESSAGE") for b in browsers] == [3, 3, 3]
    finally:
        for browser in browsers:
            browser.close()
