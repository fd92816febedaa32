"""Each message is handled once and answered as often as it is sent."""

import threading
from collections.abc import Callable

import pytest

from thywill_server.client_interface.django_site.recent_replies import (
    KEPT_PER_CLIENT,
    Answer,
    RecentReplies,
)
from thywill_server.errors import Refusal


class Application:
    """Answers with a count, so that handling again shows."""

    def __init__(self) -> None:
        self.handled = 0

    def __call__(self) -> Answer:
        """Handle a message."""
        self.handled += 1
        return Answer(200, b"%d" % self.handled)


@pytest.fixture
def application() -> Application:
    """What handles the messages."""
    return Application()


def replies(max_clients: int = 10, max_bytes: int = 1000, wait_seconds: float = 5) -> RecentReplies:
    """A memory with small bounds."""
    return RecentReplies(max_clients=max_clients, max_bytes=max_bytes, wait_seconds=wait_seconds)


def test_repeated_id_gets_the_first_answer(application: Application) -> None:
    """The same client and id are answered from memory."""
    memory = replies()
    answers = [memory.answer("u", "1", application).body for _ in range(3)]
    assert answers == [b"1"] * 3


def test_other_clients_and_other_ids_are_handled(application: Application) -> None:
    """Only the pair of client and id counts."""
    memory = replies()
    for client, id_ in (("u", "1"), ("u", "2"), ("v", "1")):
        memory.answer(client, id_, application)
    assert application.handled == 3


def test_without_an_id_every_message_is_handled(application: Application) -> None:
    """What has no id cannot be recognized, and nothing is kept of it."""
    memory = replies()
    memory.answer("u", None, application)
    memory.answer("u", None, application)
    assert application.handled == 2
    assert len(memory) == 0


def test_only_the_last_ids_of_a_client_are_kept(application: Application) -> None:
    """An older id is forgotten, and its bytes with it."""
    memory = replies()
    for number in range(KEPT_PER_CLIENT + 1):
        memory.answer("u", str(number), application)
    assert memory.bytes_kept == KEPT_PER_CLIENT
    assert memory.answer("u", "1", application).body == b"2"
    assert memory.answer("u", "0", application).body == b"%d" % (KEPT_PER_CLIENT + 2)


def test_client_unheard_of_for_longest_is_forgotten_first(application: Application) -> None:
    """Beyond max_clients the oldest goes; being heard of again keeps one."""
    memory = replies(max_clients=2)
    for client in ("a", "b", "a", "c"):
        memory.answer(client, "1", application)
    assert len(memory) == 2
    assert memory.answer("a", "1", application).body == b"1"
    assert memory.answer("b", "1", application).body == b"4"


def test_bytes_are_bounded() -> None:
    """Beyond max_bytes clients are forgotten, down to an answer that is too large by itself."""
    memory = replies(max_bytes=100)
    for client in ("a", "b", "c"):
        memory.answer(client, "1", lambda: Answer(200, b"x" * 40))
        assert memory.bytes_kept <= 100
    assert len(memory) == 2
    memory.answer("d", "1", lambda: Answer(200, b"x" * 101))
    assert (len(memory), memory.bytes_kept) == (0, 0)


def test_failure_is_not_remembered(application: Application) -> None:
    """When handling raises, a repetition is handled anew."""
    memory = replies()

    def fails() -> Answer:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        memory.answer("u", "1", fails)
    assert memory.answer("u", "1", application).body == b"1"


def test_answer_that_may_be_retried_is_not_remembered(application: Application) -> None:
    """After "try again later" a repetition is handled anew."""
    memory = replies()
    memory.answer("u", "1", lambda: Answer(503, b"later", may_retry=True))
    assert memory.answer("u", "1", application).body == b"1"
    assert memory.bytes_kept == 1


class Slow:
    """Handles a message for as long as the test wants."""

    def __init__(self, outcome: Callable[[], Answer]) -> None:
        self.outcome = outcome
        self.has_begun = threading.Event()
        self.may_end = threading.Event()
        self.answer: Answer | None = None

    def __call__(self) -> Answer:
        """Handle a message."""
        self.has_begun.set()
        assert self.may_end.wait(60)
        return self.outcome()

    def start(self, memory: RecentReplies) -> threading.Thread:
        """Begin to handle message 1 of client u in a thread."""
        thread = threading.Thread(target=self._run, args=(memory,))
        thread.start()
        assert self.has_begun.wait(60)
        return thread

    def _run(self, memory: RecentReplies) -> None:
        try:
            self.answer = memory.answer("u", "1", self)
        except ZeroDivisionError:
            self.answer = None


def test_repetition_waits_for_the_first(application: Application) -> None:
    """A message that comes again while it is being handled gets the one answer."""
    memory = replies()
    slow = Slow(lambda: Answer(200, b"slow"))
    first = slow.start(memory)
    answers: list[bytes] = []
    second = threading.Thread(
        target=lambda: answers.append(memory.answer("u", "1", application).body)
    )
    second.start()
    slow.may_end.set()
    first.join(60)
    second.join(60)
    assert answers == [b"slow"]
    assert application.handled == 0


def test_repetition_does_not_wait_for_ever(application: Application) -> None:
    """After wait_seconds the page is told that it is still being handled."""
    memory = replies(wait_seconds=0)
    slow = Slow(lambda: Answer(200, b"slow"))
    first = slow.start(memory)
    with pytest.raises(Refusal) as refusal:
        memory.answer("u", "1", application)
    assert (refusal.value.code, refusal.value.status) == ("still-handling", 503)
    slow.may_end.set()
    first.join(60)
    assert memory.answer("u", "1", application).body == b"slow"


def test_repetition_is_handled_when_the_first_fails(application: Application) -> None:
    """Whoever waited for a failure handles the message itself."""
    memory = replies()

    def fails() -> Answer:
        raise ZeroDivisionError

    slow = Slow(fails)
    first = slow.start(memory)
    answers: list[bytes] = []
    second = threading.Thread(
        target=lambda: answers.append(memory.answer("u", "1", application).body)
    )
    second.start()
    slow.may_end.set()
    first.join(60)
    second.join(60)
    assert answers == [b"1"]


def test_client_forgotten_while_it_is_handled() -> None:
    """Bounds hold although an answer is still to come, and it is counted for nobody."""
    memory = replies(max_clients=1)
    slow = Slow(lambda: Answer(200, b"slow"))
    first = slow.start(memory)
    memory.answer("v", "1", lambda: Answer(200, b"v"))
    slow.may_end.set()
    first.join(60)
    assert slow.answer == Answer(200, b"slow")
    assert (len(memory), memory.bytes_kept) == (1, 1)
