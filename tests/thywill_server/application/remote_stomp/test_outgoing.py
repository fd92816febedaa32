"""What applications send by themselves, taken off a queue."""

import json
import queue
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import DataError, OperationalError

from thywill_server.application.remote_stomp import outgoing as outgoing_module
from thywill_server.application.remote_stomp.line import Delivery
from thywill_server.application.remote_stomp.outgoing import Outgoing
from thywill_server.errors import PushUnavailable

SECONDS = 60


class Queue:
    """A queue, what became of its messages, and whom was told."""

    def __init__(self, send: Callable[[list[Any]], None]) -> None:
        self.done: queue.Queue[str] = queue.Queue()
        self.told: list[tuple[str, Any, dict[str, str]]] = []
        self.outgoing = Outgoing(send, self._answer)
        self.outgoing.start()

    def put(self, name: str, body: bytes | None = None, **headers: str) -> None:
        """Deliver a message that sends its name."""
        text = body or json.dumps({"client": "u-1", "message": name}).encode()
        given = {key.replace("_", "-"): value for key, value in headers.items()}
        self.outgoing.receive(Delivery(text, given, lambda: self.done.put(name)))

    def _answer(self, destination: str, body: bytes, headers: dict[str, str]) -> None:
        self.told.append((destination, json.loads(body), headers))


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outgoing_module, "PAUSES", (0.0, 0.001))


def test_what_is_away_is_waited_for() -> None:
    """Nothing is lost while the database or the push queue is away, and the order is kept."""
    tries: list[str] = []
    errors: list[Exception] = [
        OperationalError("gone"),
        PushUnavailable(),
        OperationalError("gone"),
    ]

    def send(sendings: list[Any]) -> None:
        tries.append(sendings[0]["message"])
        if errors:
            raise errors.pop()

    given = Queue(send)
    given.put("a")
    given.put("b")
    assert [given.done.get(timeout=SECONDS) for _ in "ab"] == ["a", "b"]
    assert tries == ["a", "a", "a", "a", "b"]
    given.outgoing.stop()


def test_bad_input_holds_nobody_up() -> None:
    """It is acknowledged, and whoever wants to know reads why; the next one is sent."""
    sent: list[str] = []

    def send(sendings: list[Any]) -> None:
        if sendings[0]["message"] == "poison":
            raise DataError("too long")
        sent.append(sendings[0]["message"])

    given = Queue(send)
    given.put("bad", b"[[]]", reply_to="/topic/a", correlation_id="1")
    given.put("none", b"\xff")
    given.put("poison")
    given.put("good", reply_to="/topic/a")
    names = [given.done.get(timeout=SECONDS) for _ in range(4)]
    assert names == ["bad", "none", "poison", "good"]
    assert sent == ["good"]
    type_ = {"content-type": "application/json"}
    assert given.told == [
        (
            "/topic/a",
            {
                "status": "error",
                "code": "malformed-message",
                "message": "expected an object, got list",
            },
            {**type_, "correlation-id": "1"},
        ),
        ("/topic/a", {"status": "ok"}, type_),
    ]
    given.outgoing.stop()


def test_a_site_that_stops_leaves_the_rest() -> None:
    """What was not sent is not acknowledged, so that another process takes it."""
    is_trying = threading.Event()

    def send(sendings: list[Any]) -> None:
        is_trying.set()
        raise OperationalError("gone")

    given = Queue(send)
    given.put("a")
    given.put("b")
    assert is_trying.wait(SECONDS)
    given.outgoing.stop()
    assert given.done.empty()
