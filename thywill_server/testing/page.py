"""One open page and its connection to the site: what the browser does by itself.

Its state goes as a real page's does, see ``static/thywill/state.js``; what a test does with it is
in `thywill_server.testing.browser`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, Literal, cast

from thywill_server.testing.channel import VirtualChannel
from thywill_server.testing.errors import Refused, TestingError
from thywill_server.testing.inbox import Inbox, Pushed
from thywill_server.testing.lines import FINAL, Line, StompLine, parsed
from thywill_server.testing.loop import Timer
from thywill_server.testing.memory_line import MemoryLine
from thywill_server.testing.servers import Servers
from thywill_server.testing.site import Session
from thywill_server.testing.streams import Speed

if TYPE_CHECKING:
    from thywill_server.push.in_memory import InMemory

__all__ = ["MARK", "ConnectedPage", "State"]

State = Literal["connecting", "live", "recovering", "offline", "closed"]

MARK: Final = "thywill-testing-mark"
"""An event that tells how far the messages have come; tests do not see it."""


class ConnectedPage:
    """A page that stays connected, as far as the site and the network let it.

    Args:
        current: the site's servers.
        session: the browser session.
        text: the page's HTML.
        configuration: what the site has told it.
    """

    def __init__(
        self, current: Servers, session: Session, text: str, configuration: dict[str, Any]
    ) -> None:
        self._servers, self.session = current, session
        self.loop = current.loop
        self.html, self.configuration = text, configuration
        self.uuid: str = configuration["uuid"]
        self.state: State = "connecting"
        self.refusal: Refused | None = None
        self._told: dict[str, Any] = configuration["bootstrap_parameters"]
        self._inbox = Inbox(f"the page of {self._told['application']}", self.wait, self._described)
        self._channels: dict[str, VirtualChannel] = {}
        self._ids = self._marks = self._last_mark = 0
        self._speed = Speed()
        self._has_connection = False
        self._lease_timer: Timer | None = None
        self.line: Line = self._new_line()

    def wait(self, is_done: Callable[[], bool], seconds: float) -> bool:
        """Let everything go on until something is the case; tells whether it is."""
        return self.loop.run(is_done, seconds)

    # For the line and the channels.

    def request(self, path: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        """POST to the site as this client.

        Raises:
            Refused: with the site's code, or with ``network``.
        """
        if self.state == "offline":
            raise Refused("network", "The browser is offline; a page would try for a minute.")
        body = {"uuid": self.uuid, "token": self._told["client_token"], **fields}
        try:
            return self.session.post(path, body, self._told["csrf_token"])
        except Refused as refusal:
            if refusal.code != "csrf-failed":
                raise
        # A log-in, perhaps in another tab, has made it stale.
        self._told["csrf_token"] = self.session.csrf_token(self._told["csrf_path"])
        return self.session.post(path, body, self._told["csrf_token"])

    def ask(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Ask about a channel."""
        return self.request(self._told["channel_path"], fields)

    def first_answer(self, channel: str) -> dict[str, Any] | None:
        """Give what came with the page about a channel, once."""
        return cast("dict[str, Any] | None", self._told.get("channels", {}).pop(channel, None))

    def forget_channel(self, channel: VirtualChannel) -> None:
        """Have left a channel."""
        self._channels.pop(channel.name, None)

    def connected(self) -> None:
        """A new connection is there."""
        self._has_connection = True
        for channel in list(self._channels.values()):
            channel.connected()

    def established(self) -> None:
        """What is pushed from now on arrives."""
        if self.state != "closed":
            self.state = "live"
            self._hold_lease()

    def connection_lost(self) -> None:
        """It is being made again."""
        self._has_connection = False
        if self.state == "live":
            self.state = "recovering"
        for channel in self._channels.values():
            channel.closed()

    def connection_refused(self, refusal: Refused) -> None:
        """The site does not want this page any more."""
        self.refusal = refusal
        self._end()
        for channel in list(self._channels.values()):
            channel.refuse(refusal)

    def deliver(self, body: str, headers: Mapping[str, str]) -> None:
        """A message has come."""
        event, data = headers.get("event"), parsed(body, headers)
        if event == MARK:
            self._last_mark = data
        elif "channel" in headers:
            channel = self._channels.get(headers["channel"])
            offset = headers.get("offset")
            if channel is not None and event is not None:
                number = None if offset is None else int(offset)
                channel.receive(event, data, headers.get("epoch"), number)
        else:
            content_type = headers.get("content-type", "text/plain")
            self._inbox.add(Pushed(event, data, content_type=content_type))

    # Inside.

    def _new_line(self) -> Line:
        push = self._told.get("push", {})
        if push.get("component") == "in_memory":
            in_memory = cast("InMemory", self._servers.components.push)
            return MemoryLine(self, self.loop, self._told, lambda: in_memory.forget(self.uuid))
        if self._servers.place is None:
            raise TestingError(f"virtual browsers do not know this way of pushing: {push}")
        place, transport = self._servers.place, push["transports"][0]
        return StompLine(self, self.loop, place, self._told, transport, self._speed)

    def _end(self) -> None:
        self.state = "closed"
        self._has_connection = False
        if self._lease_timer is not None:
            self._lease_timer.cancel()
        for channel in self._channels.values():
            channel.closed()

    def _hold_lease(self) -> None:
        """Say from time to time that the page is there, where no broker reports it."""
        lease = self._told.get("lease")
        if lease is None or self.state in ("closed", "offline"):
            return
        if self._lease_timer is not None:
            self._lease_timer.cancel()
        try:
            self.request(lease["path"], {})
        except Refused as refusal:
            if refusal.code in FINAL:
                self.line.close()
                self.connection_refused(refusal)
                return
        self._lease_timer = self.loop.call_later(lease["seconds"], self._hold_lease)

    def _release_lease(self) -> None:
        lease = self._told.get("lease")
        if lease is not None and self.state != "offline":
            try:
                self.request(lease["path"], {"leaving": True})
            except Refused:
                pass  # the page goes anyway

    def _described(self) -> str:
        ended = "" if self.refusal is None else f", because {self.refusal}"
        return f"{self.state}{ended}"
