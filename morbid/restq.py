"""RestQ: an HTTP service that sees what clients do, and may refuse or change it.

``GET URL`` answers a JSON object that maps any of ``connect``, ``disconnect``,
``subscribe``, ``unsubscribe`` and ``send`` to the URL of a callback. For each event that
has one, ``POST`` brings a JSON object: for connect ``username`` and ``password``, for the
others the frame's headers and ``username``, for send also ``body`` (text; bytes that are
not UTF-8 are replaced by U+FFFD). The answer is a JSON object:

    ===================  ======================================================
    ``allow``            ``"no"`` refuses; anything else, or nothing, allows
    ``body``             takes the place of the message's body
    ``autosubscribe``    destinations to subscribe the connection to, unasked
    ``autounsubscribe``  destinations to unsubscribe it from
    ===================  ======================================================

The answers to unsubscribe and disconnect are not waited for. Whatever goes wrong (no
connection, no answer in time, not 2xx, not JSON, more than ``max_answer_bytes``) is
logged and refuses the one frame that asked; the next one asks anew.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from twisted.internet.defer import Deferred, succeed
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from twisted.web.client import Agent, ResponseDone
from twisted.web.http import PotentialDataLoss
from twisted.web.http_headers import Headers
from twisted.web.iweb import IAgent, IBodyProducer
from zope.interface import implementer

from morbid.errors import ConfigurationError, MorbidError
from morbid.mqsecurity import Verdict

log = logging.getLogger(__name__)

EVENTS: Final = ("connect", "disconnect", "subscribe", "unsubscribe", "send")
DEFAULT_TIMEOUT_SECONDS: Final = 5.0
DEFAULT_MAX_ANSWER_BYTES: Final = 8_388_608


class RestQError(MorbidError):
    """The service did not answer, or not as it should."""


class RestQ:
    """A reviewer (see ``morbid.mqsecurity``) that asks a RestQ service.

    Args:
        url: where the map of callbacks is; fetched when first needed.
        timeout_seconds: for each request.
        max_answer_bytes: of each answer.
        agent: how to make requests; a test's own.
        clock: likewise.

    Raises:
        ConfigurationError: the URL is none.
    """

    def __init__(
        self,
        url: str,
        *,
        timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS,
        max_answer_bytes: int = DEFAULT_MAX_ANSWER_BYTES,
        agent: IAgent | None = None,
        clock: Any = None,
    ) -> None:
        if not _is_url(url):
            raise ConfigurationError(f"restq: expected http://HOST..., got {url!r}")
        self._url = url
        self._timeout_seconds = timeout_seconds
        self._max_answer_bytes = max_answer_bytes
        self._given_agent = agent
        self._given_clock = clock
        self._callbacks: dict[str, str] | None = None

    def review(
        self, event: str, subject: Mapping[str, str], body: bytes | None
    ) -> Deferred[Verdict]:
        """Ask the callback of an event; none allows."""
        told = dict(subject)
        if body is not None:
            told["body"] = body.decode("utf-8", "replace")
        return self._call(event, told).addCallback(_verdict)

    def notify(self, event: str, subject: Mapping[str, str]) -> None:
        """Tell the callback of an event, and do not wait for it."""

        def complain(failure: Failure) -> None:
            log.warning("RestQ %s: %s", event, failure.getErrorMessage())

        self._call(event, dict(subject)).addErrback(complain)

    def _call(self, event: str, told: dict[str, str]) -> Deferred[dict[str, Any]]:
        def post(callbacks: dict[str, str]) -> Deferred[dict[str, Any]]:
            url = callbacks.get(event)
            if url is None:
                return succeed({})
            return self._request(b"POST", url, json.dumps(told).encode("ascii"))

        return self._get_callbacks().addCallback(post)

    def _get_callbacks(self) -> Deferred[dict[str, str]]:
        if self._callbacks is not None:
            return succeed(self._callbacks)

        def remember(answer: dict[str, Any]) -> dict[str, str]:
            callbacks = {event: url for event in EVENTS if (url := answer.get(event)) is not None}
            for event, url in callbacks.items():
                if not isinstance(url, str) or not _is_url(url):
                    raise RestQError(f"the callback for {event} is no URL: {url!r}")
            self._callbacks = callbacks
            return callbacks

        return self._request(b"GET", self._url, None).addCallback(remember)

    def _request(self, method: bytes, url: str, body: bytes | None) -> Deferred[dict[str, Any]]:
        agent, clock = self._given_agent, self._given_clock
        if clock is None:
            from twisted.internet import reactor as clock
        if agent is None:
            agent = Agent(clock, connectTimeout=self._timeout_seconds)  # type: ignore[no-untyped-call]
        headers = Headers({b"User-Agent": [b"morbid"]})
        producer = None
        if body is not None:
            headers.addRawHeader(b"Content-Type", b"application/json")
            producer = _Body(body)

        def read(response: Any) -> Deferred[bytes]:
            is_good = 200 <= response.code < 300
            collector = _Collector(self._max_answer_bytes if is_good else 0)
            response.deliverBody(collector)
            if not is_good:
                collector.collected.addErrback(lambda failure: None)
                raise RestQError(f"{url} answered {response.code}")
            return collector.collected

        request: Deferred[Any] = agent.request(method, url.encode("utf-8"), headers, producer)
        request.addCallback(read).addCallback(_parse, url)
        return request.addTimeout(self._timeout_seconds, clock)


@implementer(IBodyProducer)
class _Body:
    """A request body that is there already."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self.length = len(body)

    def startProducing(self, consumer: Any) -> Deferred[None]:
        consumer.write(self._body)
        return succeed(None)

    def stopProducing(self) -> None:
        pass

    def pauseProducing(self) -> None:
        pass

    def resumeProducing(self) -> None:
        pass


class _Collector(Protocol):
    """Takes an answer, up to a bound."""

    def __init__(self, max_bytes: int) -> None:
        self.collected: Deferred[bytes] = Deferred(lambda _: self._stop())
        self._max_bytes = max_bytes
        self._parts: list[bytes] = []
        self._size = 0

    def dataReceived(self, data: bytes) -> None:
        self._size += len(data)
        if self._size <= self._max_bytes:
            self._parts.append(data)
            return
        self._parts.clear()
        if not self.collected.called:
            self.collected.errback(RestQError(f"an answer of more than {self._max_bytes} bytes"))
        self._stop()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if self.collected.called:
            return
        if isinstance(reason.value, (ResponseDone, PotentialDataLoss)):
            self.collected.callback(b"".join(self._parts))
        else:
            self.collected.errback(reason)

    def _stop(self) -> None:
        if self.transport is not None:
            self.transport.loseConnection()


def _is_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and url.isascii()


def _parse(body: bytes, url: str) -> dict[str, Any]:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict):
        raise RestQError(f"{url} answered something that is no JSON object")
    return answer


def _verdict(answer: dict[str, Any]) -> Verdict:
    body = answer.get("body")
    if body is not None and not isinstance(body, str):
        raise RestQError(f"body: expected text, got {type(body).__name__}")
    return Verdict(
        is_allowed=answer.get("allow") != "no",
        body=None if body is None else body.encode("utf-8", "surrogatepass"),
        subscribe=_names(answer, "autosubscribe"),
        unsubscribe=_names(answer, "autounsubscribe"),
    )


def _names(answer: dict[str, Any], key: str) -> tuple[str, ...]:
    names = answer.get(key) or []
    if not isinstance(names, list) or not all(isinstance(name, str) and name for name in names):
        raise RestQError(f"{key}: expected a list of destinations")
    return tuple(names)
