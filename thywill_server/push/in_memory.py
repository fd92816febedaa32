"""Push without a broker: each page asks its site, by long polling, for what was pushed to it.

For one process only: what a thread pushes is kept here, in bounded queues, until the page has it.
Nothing else has to run, which is why tests and first steps like it. A question looks like this::

    component.wait_for_messages(client_uuid, after=1763640000002, timeout_seconds=20)

``after`` is the id of the last message that the page has; it is kept no longer. What comes back is
never acknowledged by being written, only by the next question, so a broken request loses nothing.
Ids grow, also across a restart of the site: a page that stays open does not mistake a new message
for an old one. A page whose queue was ended meanwhile sees that the new one has another number, and
joins its channels again.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from thywill_server.component import Component, Setting
from thywill_server.connections.base import claim_of
from thywill_server.errors import Refusal
from thywill_server.push.base import PushComponent, PushMessage, PushUnavailable

if TYPE_CHECKING:
    from thywill_server.client import Client
    from thywill_server.client_configuration import ClientConfiguration
    from thywill_server.encoding import Json

__all__ = ["Delivery", "InMemory"]


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message on its way to one page; the page asks for what comes after ``id``."""

    id: int
    message: PushMessage


class _Queue:
    """What one page has not confirmed yet, and what it listens on."""

    __slots__ = (
        "changed",
        "destinations",
        "last_id",
        "number",
        "question",
        "session",
        "used_at",
        "waiting",
    )

    def __init__(self, lock: threading.Lock, now: float, number: int) -> None:
        self.waiting: deque[Delivery] = deque()
        self.last_id = self.number = number
        self.destinations: dict[str, None] = {}
        self.session = ""
        self.changed = threading.Condition(lock)
        self.question = 0
        self.used_at = now

    def keep(self, message: PushMessage) -> None:
        """Add a message, and wake the question that waits."""
        self.last_id += 1
        self.waiting.append(Delivery(self.last_id, message))
        self.changed.notify_all()


class InMemory(PushComponent):
    """Keeps messages in this process until the page fetches them."""

    SETTINGS: ClassVar[Mapping[str, Setting]] = {
        "max_queued_messages": Setting(
            kind="int",
            default=1000,
            minimum=1,
            help="Messages kept for one page; with that many, pushing to it is unavailable.",
        ),
        "max_clients": Setting(
            kind="int",
            default=10_000,
            minimum=1,
            help="Pages with a queue; one more ends the queue of the page silent for longest.",
        ),
        "max_destinations": Setting(
            kind="int",
            default=100,
            minimum=3,
            help="What one page may listen on, channels and all; one more is push-unavailable.",
        ),
        "max_silence_seconds": Setting(
            kind="float",
            default=120,
            minimum=1,
            help="A page that has not asked for so long is gone, and its queue with it.",
        ),
        "max_wait_seconds": Setting(
            kind="float",
            default=25,
            minimum=0,
            help="The longest that one question waits for a message; then the answer is empty.",
        ),
        "max_waiting": Setting(
            kind="int",
            default=8,
            minimum=0,
            help="Questions that may wait at once, each in a thread; others are answered at once.",
        ),
    }

    def __init__(self, settings: Mapping[str, Any], **collaborators: Component) -> None:
        super().__init__(settings, **collaborators)
        self.clock: Callable[[], float] = time.monotonic
        self._lock = threading.Lock()
        self._queues: OrderedDict[str, _Queue] = OrderedDict()  # silent for longest first
        self._listeners: dict[str, dict[str, _Queue]] = {}  # destination, own destination, queue
        self._ended: OrderedDict[str, None] = OrderedDict()  # own destinations, oldest first
        self._highest = 0
        self._waiting = 0
        self._is_stopped = False

    def start(self) -> None:
        """Let questions wait again."""
        self._is_stopped = False

    def stop(self) -> None:
        """Answer all questions that wait."""
        with self._lock:
            self._is_stopped = True
            for queue in self._queues.values():
                queue.changed.notify_all()

    def health(self) -> dict[str, Any]:
        """Tell how many pages have a queue, and how many questions wait."""
        with self._lock:
            status = "failed" if self._is_stopped else "ok"
            return {"status": status, "clients": len(self._queues), "waiting": self._waiting}

    def bootstrap_client(self, client: Client, configuration: ClientConfiguration) -> None:
        """Begin to keep messages for the page, and give it the script that asks for them."""
        self.keep_for(client)
        configuration.add_bootstrap_script("thywill/push/in_memory.js")
        configuration.set_bootstrap_parameter("push", {"component": "in_memory"})

    def keep_for(self, client: Client) -> int:
        """Keep messages for a page from now on, if that has not begun or has ended meanwhile.

        Returns:
            the number of its queue; another one than before listens on no channels yet.
        """
        with self._lock:
            queue = self._open(self.destination_of(client.uuid))
            queue.session = claim_of(client)
            for destination in self.destinations_of(client)[1:]:
                self._listen(client, queue, destination)
            return queue.number

    def publish(
        self, destination: str, message: PushMessage | Json, event: str | None = None
    ) -> None:
        """Keep a message for every page that listens here; with nobody listening it is dropped.

        Raises:
            PushUnavailable: the queue of the one page that it is for is full. Where there may be
                others, a page with a full queue does not get it, and joins its channels again.
        """
        ready = PushMessage.of(message, event)
        with self._lock:
            queue = self._queues.get(destination)
            if queue is not None:
                if len(queue.waiting) >= self.settings["max_queued_messages"]:
                    raise PushUnavailable(
                        "The page does not fetch its messages; its queue is full."
                    )
                queue.keep(ready)
            for own, queue in list(self._listeners.get(destination, {}).items()):
                if len(queue.waiting) >= self.settings["max_queued_messages"]:
                    self._end(own)
                else:
                    queue.keep(ready)

    @property
    def reaches_other_processes(self) -> bool:
        """It does not: messages are kept in this process."""
        return False

    def ticket(self, client: Client) -> str:
        """Give an empty text: the page proves who it is with each question."""
        return ""

    def destination_of(self, client_uuid: str) -> str:
        """Name the destination that only this client listens on."""
        return f"/topic/thywill.client.{client_uuid}"

    def channel_ticket(self, client: Client, destination: str) -> str:
        """Let the page listen from now on; it has nothing to show for it."""
        with self._lock:
            self._listen(client, self._open(self.destination_of(client.uuid)), destination)
        return ""

    def leave(self, client: Client, destination: str) -> None:
        """Keep no more messages of a channel for the page."""
        own = self.destination_of(client.uuid)
        with self._lock:
            queue = self._queues.get(own)
            if queue is not None:
                self._forget(own, queue, destination)

    def disconnect(self, client_uuids: Iterable[str], session: str = "") -> None:
        """End the questions of clients, and answer them no more."""
        with self._lock:
            ending = dict.fromkeys(self.destination_of(each) for each in client_uuids)
            if session:
                ending |= {
                    own: None for own, each in self._queues.items() if each.session == session
                }
            for own in ending:
                self._ended[own] = None
                self._ended.move_to_end(own)
                if own in self._queues:
                    self._end(own)
            while len(self._ended) > self.settings["max_clients"]:
                self._ended.popitem(last=False)

    def forget(self, client_uuid: str) -> None:
        """End the queue of a page, as if it had been silent for too long."""
        with self._lock:
            own = self.destination_of(client_uuid)
            if own in self._queues:
                self._end(own)

    def wait_for_messages(
        self, client_uuid: str, after: int, timeout_seconds: float
    ) -> list[Delivery]:
        """Give the messages after an id, in order, waiting for the first if there is none.

        A later question of the same page ends an earlier one that still waits: a page that was
        loaded anew does not leave its thread behind. Blocks the calling thread; whether the page
        is who it says is the caller's to check.

        Args:
            client_uuid: whose messages.
            after: the id of the last message that the page has, 0 at first; what it has is
                forgotten.
            timeout_seconds: how long to wait; 0 answers at once, and ``max_wait_seconds`` is the
                most.

        Raises:
            Refusal: ``disconnected``: the site has ended the client, perhaps meanwhile.
        """
        own = self.destination_of(client_uuid)
        with self._lock:
            if own in self._ended:
                raise Refusal("disconnected")
            queue = self._open(own)
            while queue.waiting and queue.waiting[0].id <= after:
                queue.waiting.popleft()
            queue.question += 1
            question = queue.question
            queue.changed.notify_all()
            if not queue.waiting and timeout_seconds > 0:
                self._wait(queue, min(timeout_seconds, self.settings["max_wait_seconds"]))
            if own in self._ended:
                raise Refusal("disconnected")
            return list(queue.waiting) if queue.question == question else []

    def _wait(self, queue: _Queue, timeout_seconds: float) -> None:
        if self._is_stopped or self._waiting >= self.settings["max_waiting"]:
            return
        question = queue.question
        self._waiting += 1
        try:
            queue.changed.wait_for(
                lambda: queue.waiting or queue.question != question or self._is_stopped,
                timeout_seconds,
            )
        finally:
            self._waiting -= 1
            queue.used_at = self.clock()

    def _open(self, destination: str) -> _Queue:
        now = self.clock()
        queue = self._queues.get(destination)
        if queue is None:
            self._make_room(now)
            # Milliseconds fit into a number of JavaScript, and grow across a restart.
            self._highest = max(self._highest + 1, time.time_ns() // 1_000_000)
            queue = self._queues[destination] = _Queue(self._lock, now, self._highest)
        queue.used_at = now
        self._queues.move_to_end(destination)
        return queue

    def _make_room(self, now: float) -> None:
        oldest_allowed = now - self.settings["max_silence_seconds"]
        while self._queues:
            own, queue = next(iter(self._queues.items()))
            is_full = len(self._queues) >= self.settings["max_clients"]
            if queue.used_at >= oldest_allowed and not is_full:
                return
            self._end(own)

    def _end(self, own: str) -> None:
        queue = self._queues.pop(own)
        self._highest = max(self._highest, queue.last_id)  # the next one's ids come after
        for destination in list(queue.destinations):
            self._forget(own, queue, destination)
        queue.question += 1
        queue.changed.notify_all()

    def _listen(self, client: Client, queue: _Queue, destination: str) -> None:
        if destination in queue.destinations:
            return
        if len(queue.destinations) >= self.settings["max_destinations"]:
            raise PushUnavailable("This page listens on as many channels as it may.")
        queue.destinations[destination] = None
        listeners = self._listeners.setdefault(destination, {})
        listeners[self.destination_of(client.uuid)] = queue

    def _forget(self, own: str, queue: _Queue, destination: str) -> None:
        queue.destinations.pop(destination, None)
        listeners = self._listeners.get(destination, {})
        listeners.pop(own, None)
        if not listeners:
            self._listeners.pop(destination, None)
