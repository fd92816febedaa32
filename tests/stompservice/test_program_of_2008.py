"""A program of 2008, its Python 2 syntax changed and nothing else, with a broker of today."""

from __future__ import annotations

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.trial.unittest import TestCase

from morbid import get_stomp_factory
from orbited import json
from stompservice import StompClientFactory

CHANNEL_IN_NAME = "/topic/in"
CHANNEL_CONTROL_NAME = "/topic/control"
CHANNEL_OUT_NAME = "/topic/out"


class Chat:
    """The program's own model."""

    def __init__(self):
        self.messages = []
        self.connection_ratings = {}

    def add_message(self, id, value):
        self.messages.append((id, value))


class ChatWebHandler:
    """This class handles interactions with particular web-based clients"""

    def __init__(self, id, model):
        self.id = id
        self.model = model

    def setattr(self, name, value):
        if name == "entry_field":
            self.model.add_message(self.id, value)
        elif name == "rating_selector":
            self.model.connection_ratings[self.id] = value


class TraitsWeb(StompClientFactory):
    def __init__(self, model):
        self.model = model
        self.handlers = {}

    def recv_connected(self, msg):
        self.subscribe(CHANNEL_IN_NAME)
        self.subscribe(CHANNEL_CONTROL_NAME)

    def recv_message(self, msg):
        message = json.decode(msg["body"])
        if msg["headers"]["destination"] == CHANNEL_IN_NAME:
            self.handlers[message["id"]].setattr(message["trait"], message["value"])
            self.send_data({"trait": message["trait"], "value": message["value"]})
        elif msg["headers"]["destination"] == CHANNEL_CONTROL_NAME:
            self.handlers[message["id"]] = ChatWebHandler(message["id"], self.model)
            self.send_data({"trait": "login", "value": message["id"]})

    def send_data(self, data):
        if hasattr(self, "send"):
            data["type"] = "trait_change"
            self.send(CHANNEL_OUT_NAME, json.encode(data))


class Browser(StompClientFactory):
    """What a web page does: log in on one channel, set two traits on another, hear a third."""

    def __init__(self):
        self.is_ready = Deferred()
        self.heard = []
        self.is_done = Deferred()

    def recv_connected(self, msg):
        self.subscribe(CHANNEL_OUT_NAME, receipt="ready")

    def recv_receipt(self, msg):
        self.is_ready.callback(None)

    def recv_message(self, msg):
        self.heard.append(json.decode(msg["body"]))
        if len(self.heard) == 3:
            self.is_done.callback(None)

    def say(self, destination, **data):
        self.send(destination, json.encode(data))


class ProgramOf2008Tests(TestCase):
    timeout = 30

    async def test_it_runs(self):
        """The program subscribes, hears its pages, and sends to them, as it always did."""
        broker = get_stomp_factory()
        listening = reactor.listenTCP(0, broker, interface="127.0.0.1")
        self.addCleanup(listening.stopListening)
        self.addCleanup(broker.shutdown)
        port = listening.getHost().port
        program, browser = TraitsWeb(Chat()), Browser()
        program.send_data({"trait": "nobody", "value": "is connected yet"})
        for factory in (program, browser):
            reactor.connectTCP("localhost", port, factory)
            self.addCleanup(factory.disconnect)
        await browser.is_ready
        while broker.counters()["subscriptions"] < 3:
            waiting = Deferred()
            reactor.callLater(0, waiting.callback, None)
            await waiting
        browser.say(CHANNEL_CONTROL_NAME, id="7")
        browser.say(CHANNEL_IN_NAME, id="7", trait="entry_field", value="héllo")
        browser.say(CHANNEL_IN_NAME, id="7", trait="rating_selector", value=5)
        await browser.is_done
        assert browser.heard == [
            {"trait": "login", "value": "7", "type": "trait_change"},
            {"trait": "entry_field", "value": "héllo", "type": "trait_change"},
            {"trait": "rating_selector", "value": 5, "type": "trait_change"},
        ]
        assert program.model.messages == [("7", "héllo")]
        assert program.model.connection_ratings == {"7": 5}
