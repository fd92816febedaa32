"""The site's one lasting connection to the broker, for threads.

::

    web threads            | reactor thread
    publish() --\\          |
    publish() ---> bound --+--> StompClientService --> broker
    publish() --/   (full: |    (queues while there is
         PushUnavailable)  |     no connection, in order)

What a thread is told at once is whether there is room. The bound covers what is on its way to the
reactor and what waits there for the broker; so it is reached when the broker is away for long, or
reads more slowly than the site writes.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from stompservice.errors import StompError
from stompservice.service import StompClientService
from thywill_server import reactor_bridge
from thywill_server.errors import PushUnavailable

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred

__all__ = ["Publisher"]

FLUSH_DESTINATION: Final = "/topic/thywill.flush"
"""Nobody listens there, so that what is sent to it has no effect but its receipt."""

log = logging.getLogger(__name__)


class Publisher:
    """Sends messages to the broker, from any thread, in the order of each.

    Args:
        host: of the broker.
        port: of the broker.
        login: for CONNECT.
        passcode: gives the passcode, asked anew for each connection.
        virtual_host: for CONNECT.
        heart_beat_seconds: how often both sides show that they live.
        max_queued_messages: beyond it `publish` is unavailable.
        max_queued_bytes: likewise, for the bodies together.

    Attributes:
        address: host and port.
        login: as given.
        passcode: as given.
        virtual_host: as given.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        login: str,
        passcode: Callable[[], str],
        virtual_host: str,
        heart_beat_seconds: float,
        max_queued_messages: int,
        max_queued_bytes: int,
    ) -> None:
        self.address = (host, port)
        self.login, self.passcode, self.virtual_host = login, passcode, virtual_host
        self._heart_beat_ms = int(heart_beat_seconds * 1000)
        self._max_messages, self._max_bytes = max_queued_messages, max_queued_bytes
        self._lock = threading.Lock()
        self._service: StompClientService | None = None
        self._is_stopped = False
        self._crossing = 0
        self._messages: list[tuple[str, bytes, Mapping[str, str]]] = []  # on their way over
        self._sizes: deque[int] = deque()  # of what waits, oldest first, and some that went out
        self._bytes = 0

    @property
    def is_connected(self) -> bool:
        """Whether what is published now goes out now."""
        service = self._service
        return service is not None and service.is_connected

    @property
    def queued(self) -> int:
        """How many messages wait."""
        service = self._service
        return self._crossing + (service.queued if service is not None else 0)

    def start(self) -> None:
        """Begin to connect."""
        reactor_bridge.call(self._started_service)

    def use_service(self, function: Callable[[StompClientService], object]) -> None:
        """Call a function with the service that keeps the connection, in the reactor thread."""
        reactor_bridge.call(lambda: function(self._started_service()))

    def publish(self, destination: str, body: bytes, headers: Mapping[str, str]) -> None:
        """Send a message to a destination, soon.

        Raises:
            PushUnavailable: as much waits as may, or the site is stopping.
        """
        with self._lock:
            if self._is_stopped:
                raise PushUnavailable("The site is stopping.")
            self._forget_sent()
            if len(self._sizes) >= self._max_messages or (
                self._bytes + len(body) > self._max_bytes
            ):
                raise PushUnavailable("Too many messages wait to be pushed.")
            if not self._messages:  # else the reactor has been called, and takes this one along
                reactor_bridge.call(self._send_all)
            self._sizes.append(len(body))
            self._bytes += len(body)
            self._crossing += 1
            self._messages.append((destination, body, headers))

    def flush(self, timeout_seconds: float) -> None:
        """Wait until the broker has confirmed all that was published so far.

        Called in any thread but the reactor's.

        Raises:
            PushUnavailable: it has not, in that time, or the connection was lost meanwhile.
        """
        try:
            reactor_bridge.call_and_wait(self._confirmation, timeout_seconds=timeout_seconds)
        except TimeoutError:
            where = "{}:{}".format(*self.address)
            why = (
                f"The broker at {where} has not confirmed it within {timeout_seconds:g} s."
                if self.is_connected
                else f"There is no connection to the broker at {where}."
            )
            raise PushUnavailable(why) from None
        except StompError as error:
            raise PushUnavailable(f"The broker has not confirmed it: {error}") from error

    def stop(self) -> Any:
        """Send what waits and disconnect, in bounded time; gives a Deferred.

        When the broker cannot be reached, what waits is given up at once.
        """
        with self._lock:
            self._is_stopped = True
            if self._service is None and not self._crossing:
                return None
        return reactor_bridge.call_deferred(self._stop)

    def _forget_sent(self) -> None:
        while len(self._sizes) > self.queued:
            self._bytes -= self._sizes.popleft()

    # In the reactor thread.

    def _started_service(self) -> StompClientService:
        if self._service is None:
            self._service = StompClientService(
                [self.address],
                login=self.login,
                passcode=self.passcode,
                virtual_host=self.virtual_host,
                heart_beat=(self._heart_beat_ms, self._heart_beat_ms),
                max_queued=self._max_messages,
                max_queued_bytes=self._max_bytes,
                reactor=reactor_bridge.get_reactor(),
            )
            self._service.startService()
            # A process that nobody stops in good order still sends what it has accepted.
            reactor_bridge.call_before_end(self._service.stopService)
        return self._service

    def _confirmation(self) -> Deferred[Any] | None:
        # It waits its turn behind everything else, and who has read it has read all before it.
        return self._started_service().send(FLUSH_DESTINATION, b"", receipt=True)

    def _send_all(self) -> None:
        with self._lock:
            messages, self._messages = self._messages, []
        try:
            service = self._started_service()
            with service.gathering():
                for destination, body, headers in messages:
                    try:
                        service.send(destination, body, headers)
                    except StompError as error:
                        log.error("a message to %s cannot be sent: %s", destination, error)
                    except Exception:
                        log.exception("a message to %s cannot be sent", destination)
        finally:
            with self._lock:
                self._crossing -= len(messages)

    def _stop(self) -> Any:
        return self._service.stopService() if self._service is not None else None
