"""RestQ callbacks, against a real HTTP service in this process."""

import json
import logging

import pytest
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase, TestCase
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Site

from morbid.errors import ConfigurationError
from morbid.mqsecurity import Verdict
from morbid.restq import RestQ, RestQError


class Service(Resource):
    """Answers what the test wants, and remembers what it was asked."""

    isLeaf = True

    def __init__(self):
        super().__init__()
        self.callbacks = {}
        self.answers = {}
        self.seen = []
        self.status = 200

    def render(self, request):
        path = request.path.decode().strip("/")
        if path == "":
            answer = self.callbacks
        else:
            self.seen.append((path, json.loads(request.content.read())))
            answer = self.answers.get(path, {})
        request.setResponseCode(self.status)
        if answer is None:
            return NOT_DONE_YET
        return answer if isinstance(answer, bytes) else json.dumps(answer).encode()


class RestQTests(TestCase):
    """The conversation over HTTP."""

    def setUp(self):
        self.service = Service()
        site = Site(self.service)
        self.port = reactor.listenTCP(0, site, interface="127.0.0.1")
        self.addCleanup(self.port.stopListening)
        self.url = f"http://127.0.0.1:{self.port.getHost().port}/"
        for event in ("connect", "subscribe", "send", "unsubscribe"):
            self.service.callbacks[event] = self.url + event
        self.restq = RestQ(self.url, max_answer_bytes=1_000)

    async def expect_failure(self, answer, sentence):
        """The next send is refused because of this."""
        self.service.answers["send"] = answer
        error = await self.failUnlessFailure(self.restq.review("send", {}, b""), RestQError)
        assert sentence in str(error)

    async def test_connect(self):
        """A login is asked about, with name and password."""
        self.service.answers["connect"] = {"autosubscribe": ["/a", "/b"]}
        subject = {"username": "ada", "password": "secret"}
        verdict = await self.restq.review("connect", subject, None)
        assert verdict == Verdict(subscribe=("/a", "/b"))
        assert self.service.seen == [("connect", subject)]

    async def test_send(self):
        """A message is asked about, with its headers and body; the body may be changed."""
        self.service.answers["send"] = {"body": "bananas é", "autounsubscribe": ["/a"]}
        verdict = await self.restq.review("send", {"destination": "/a"}, b"apples \xff")
        assert verdict == Verdict(body="bananas é".encode(), unsubscribe=("/a",))
        assert self.service.seen == [("send", {"destination": "/a", "body": "apples �"})]

    async def test_refused(self):
        """``allow: no`` refuses, anything else does not."""
        for answer, allowed in (("no", False), ("yes", True), (None, True)):
            self.service.answers["subscribe"] = {"allow": answer}
            verdict = await self.restq.review("subscribe", {}, None)
            assert verdict.is_allowed is allowed

    async def test_event_without_callback(self):
        """What the service does not care about is allowed without a word."""
        self.service.callbacks = {"send": None}
        assert await self.restq.review("send", {}, b"") == Verdict()
        assert await self.restq.review("connect", {}, None) == Verdict()
        assert self.service.seen == []

    async def test_answers_that_are_wrong(self):
        """An answer that is not what it should be refuses, and says why."""
        for answer, sentence in (
            (b"not json", "no JSON object"),
            (b"[" * 900, "no JSON object"),
            ([], "no JSON object"),
            ({"body": 7}, "body: expected text"),
            ({"autosubscribe": "/a"}, "autosubscribe: expected a list"),
            ({"autosubscribe": [7]}, "autosubscribe: expected a list"),
            (b"x" * 1_001, "more than 1000 bytes"),
        ):
            await self.expect_failure(answer, sentence)

    async def test_service_that_fails(self):
        """A status that is no success refuses; the next frame asks anew."""
        await self.restq.review("send", {}, b"")
        self.service.status = 500
        await self.expect_failure({}, "answered 500")
        self.service.status = 200
        assert await self.restq.review("send", {}, b"") == Verdict()

    async def test_callback_that_is_no_url(self):
        """A map of callbacks that is wrong refuses, and is asked for again."""
        self.service.callbacks = {"send": "nowhere"}
        await self.failUnlessFailure(self.restq.review("send", {}, b""), RestQError)
        self.service.callbacks = {}
        assert await self.restq.review("send", {}, b"") == Verdict()

    async def test_service_that_is_not_there(self):
        """No service at all refuses, and stops nothing."""
        await self.port.stopListening()
        with self.assertRaises(Exception):  # noqa: B017, PT027 - whatever the network says
            await self.restq.review("send", {}, b"")

    async def test_notify_waits_for_nobody(self):
        """An unsubscribe is told; a failure of it is logged and nothing else."""
        self.restq.notify("unsubscribe", {"destination": "/a"})
        while not self.service.seen:
            await pause()
        assert self.service.seen == [("unsubscribe", {"destination": "/a"})]
        self.service.status = 500
        with self.assertLogs("morbid.restq", logging.WARNING) as logged:
            self.restq.notify("unsubscribe", {})
            while not logged.output:
                await pause()
        assert "answered 500" in logged.output[0]


def pause():
    """One turn of the reactor."""
    turned = Deferred()
    reactor.callLater(0, turned.callback, None)
    return turned


class TimeTests(SynchronousTestCase):
    """Requests do not take for ever."""

    def test_timeout(self):
        """A service that does not answer has refused, after so many seconds."""
        memory = MemoryReactorClock()
        restq = RestQ("http://127.0.0.1:1/", timeout_seconds=3, clock=memory)
        answer = restq.review("send", {}, b"")
        self.assertNoResult(answer)
        memory.advance(3)
        self.failureResultOf(answer)
        assert memory.getDelayedCalls() == []


@pytest.mark.parametrize("url", ["", "nowhere", "ftp://x/", "http://", "http://[", "http://é/"])
def test_url_that_is_none(url):
    """A URL that cannot be asked is a mistake of the configuration."""
    with pytest.raises(ConfigurationError, match="restq: expected http"):
        RestQ(url, clock=Clock())
