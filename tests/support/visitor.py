"""Many pages at once without a browser, in threads beside the test, on sites in other processes.

A `Visitor` is the page of ``thywill_server.testing`` with a real site behind it: its requests go
over HTTP, its push connection through Orbited on whichever transport it was given. It turns in a
thread of its own; where there are many, some share a thread, for threads that wake each other cost
more than what they do.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import Any, Self
from urllib.parse import urljoin, urlsplit

from tests.support.site_process import HttpPage
from thywill_server.testing.channel import VirtualChannel
from thywill_server.testing.comet import Place
from thywill_server.testing.errors import Refused
from thywill_server.testing.inbox import Pushed
from thywill_server.testing.lines import Line, StompLine, parsed
from thywill_server.testing.loop import Loop
from thywill_server.testing.memory_line import MemoryLine
from thywill_server.testing.streams import Speed

SECONDS = 60


class Turning:
    """A loop, and a thread in which it turns."""

    def __init__(self) -> None:
        self.loop = Loop()
        self.failure: BaseException | None = None
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._turn, name="loop of visitors")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._is_over.set()
        self.loop.submit(lambda: None)
        self._thread.join()
        self.loop.close()

    def _turn(self) -> None:
        try:
            while not self._is_over.is_set():
                self.loop.run(self._is_over.is_set, 1)
        except BaseException as failure:
            self.failure = failure


class Visitor:
    """A page that is there, and in one channel, for as long as the ``with`` block lasts.

    Args:
        url: of the site.
        path: of the page.
        channel: that it joins, asking for all that is kept; empty for none.
        transport: of its push connection, where there is one.
        beside: where it turns together with others; by itself otherwise.

    Attributes:
        own: what was pushed to the page itself, not to the channel.
    """

    def __init__(
        self, url: str, path: str, channel: str, transport: str, beside: Turning | None = None
    ) -> None:
        self.page = HttpPage(url, path)
        self.uuid = self.page.uuid
        self.transport = transport
        self._stack = ExitStack()
        self._is_alone = beside is None
        self._turning = beside or Turning()
        self.loop = self._turning.loop
        self.refusal: Refused | None = None
        self.connections = 0
        self.own: list[Any] = []
        self.line = self._line(url, transport)
        self.channel = VirtualChannel(channel, self)

    def __enter__(self) -> Self:
        if self._is_alone:
            self._stack.enter_context(self._turning)
        self.loop.submit(self.line.open)
        return self

    def __exit__(self, *exception: object) -> None:
        has_left = threading.Event()

        def leave() -> None:
            self.line.close()
            has_left.set()

        with self._stack:
            self.loop.submit(leave)
            while self._turning.failure is None and not has_left.wait(0.1):
                pass

    @property
    def offset(self) -> int:
        """The offset of the last message that was delivered."""
        cursor = self.channel.cursor
        return 0 if cursor is None else cursor.offset

    @property
    def told(self) -> tuple[str, str, int, int]:
        """Give transport, state, offset and connections, for the words of a failure."""
        return self.transport, self.channel.state, self.offset, self.connections

    @property
    def received(self) -> list[Pushed]:
        """All that the channel has delivered."""
        return self.channel.received

    def check(self) -> None:
        """See that it is still there.

        Raises:
            AssertionError: it was refused, or its thread has failed.
        """
        failure = self._turning.failure
        if failure is not None:
            raise AssertionError(f"the visitor on {self.transport} failed") from failure
        assert self.refusal is None, self.refusal
        assert self.channel.refusal is None or self.channel.state == "joined", self.channel.refusal

    def _line(self, url: str, transport: str) -> Line:
        if self.page.push["component"] == "in_memory":
            return MemoryLine(self, self.loop, self.page.parameters, lambda: None)
        parts = urlsplit(urljoin(url, self.page.push["orbited_url"]))
        assert parts.hostname is not None
        assert parts.port is not None
        place = Place(parts.hostname, parts.port, parts.path)
        return StompLine(self, self.loop, place, self.page.parameters, transport, Speed())

    def wait_for(self, is_done: Callable[[], bool], what: str) -> None:
        """Wait in the test's thread; the visitor goes on in its own.

        Raises:
            AssertionError: it was refused, or it takes too long.
        """
        end = time.monotonic() + SECONDS
        while not is_done():
            self.check()
            assert time.monotonic() < end, f"{what}: {self.channel}, {self.own}, {self.received}"
            time.sleep(0.01)

    # For the line.

    def request(self, path: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        """POST to the site."""
        try:
            answer = self.page.post(path.removeprefix("/thywill/").strip("/"), **fields)
            told: dict[str, Any] = answer.json
        except (OSError, ValueError) as error:
            raise Refused("network", str(error), 0) from error
        if answer.status == 200:
            return told
        raise Refused(told["code"], told["message"], answer.status, told)

    def connected(self) -> None:
        """Have a new connection."""
        self.connections += 1
        if self.channel.name:
            self.channel.connected()

    def established(self) -> None:
        """Hear everything from now on."""

    def connection_lost(self) -> None:
        """Have none."""
        self.channel.closed()

    def connection_refused(self, refusal: Refused) -> None:
        """Have none any more."""
        self.refusal = refusal
        self.channel.refuse(refusal)

    def deliver(self, body: str, headers: Mapping[str, str]) -> None:
        """Take what was pushed."""
        if "channel" not in headers:
            self.own.append(parsed(body, headers))
            return
        offset = headers.get("offset")
        self.channel.receive(
            headers["event"],
            parsed(body, headers),
            headers.get("epoch"),
            None if offset is None else int(offset),
        )

    # For the channel.

    def ask(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Ask about the channel."""
        return self.request(self.page.parameters["channel_path"], fields)

    def first_answer(self, channel: str) -> dict[str, Any] | None:
        """Give what came with the page about a channel: nothing."""
        return None

    def forget_channel(self, channel: VirtualChannel) -> None:
        """Do nothing; there is no other."""

    def settle(self) -> None:
        """Do nothing; nobody publishes in this process."""

    def wait(self, is_done: Callable[[], bool], seconds: float) -> bool:
        """Turn the loop."""
        return self.loop.run(is_done, seconds)
