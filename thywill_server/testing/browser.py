"""Virtual browsers: a page of an application, in a test, without a browser.

::

    with testing.open("chat", user=anna) as page:
        room = page.channel("room:lobby")
        page.call("say", room="lobby", text="hi")
        room.expect("said", {"by": "anna", "text": "hi"})

What is sent goes through Django's views; what is pushed comes over MorbidQ and Orbited, or however
the site pushes. All of it happens in the thread of the test, while the test waits for something.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, Literal, Self, cast

from django.contrib.auth.models import AbstractBaseUser

from thywill_server.testing.channel import VirtualChannel
from thywill_server.testing.errors import NothingCame, Refused, TestingError
from thywill_server.testing.inbox import ANYTHING, EXPECT_SECONDS, Inbox, Pushed
from thywill_server.testing.lines import FINAL, Line, MemoryLine, StompLine, parsed
from thywill_server.testing.loop import Timer
from thywill_server.testing.servers import Servers, servers
from thywill_server.testing.site import Session
from thywill_server.testing.streams import Speed

if TYPE_CHECKING:
    from thywill_server.push.in_memory import InMemory

__all__ = ["VirtualBrowser", "open_browser"]

State = Literal["connecting", "live", "recovering", "offline", "closed"]

TRANSPORTS: Final = ("websocket", "xhrstream", "sse", "longpoll", "poll")
OPEN_SECONDS: Final = 10.0
CLOSE_SECONDS: Final = 2.0
"""How long the end of a page is waited for; with a broken transaction it is never seen."""

MARK: Final = "thywill-testing-mark"
"""The event that `settle` waits for; pages do not see it."""


def open_browser(
    application: str | None = None,
    *,
    user: AbstractBaseUser | None = None,
    beside: VirtualBrowser | None = None,
    transport: str | None = None,
    query: Mapping[str, str] | None = None,
    seconds: float = OPEN_SECONDS,
) -> VirtualBrowser:
    """Load the page of an application, and connect it; ``on_connect`` has been called then.

    Args:
        application: its name; None for the default application.
        user: who is logged in; nobody by default.
        beside: another page, to be opened in the same browser: with its cookies.
        transport: how messages come down; by default the first one of the site's settings.
        query: further parameters of the page's address.
        seconds: how long to wait for the connection.

    Returns:
        the page, which closes at the end of a ``with``.

    Raises:
        Refused: the site does not give the page, for instance with ``unknown-application``.
        TestingError: the transport is none.
    """
    if transport is not None and transport not in TRANSPORTS:
        expected = ", ".join(TRANSPORTS)
        raise TestingError(f"transport: expected one of {expected}; got {transport!r}")
    if beside is not None and user is not None:
        raise TestingError("a page beside another one has its user: call log_in on either")
    current = servers()
    session = Session() if beside is None else beside.session
    if user is not None:
        session.log_in(user)
    wanted = dict(query or {}) | ({"transport": transport} if transport is not None else {})
    text, configuration = session.load(application, wanted)
    page = VirtualBrowser(current, session, text, configuration)
    try:
        page.connect(seconds)
    except BaseException:
        page.close()
        raise
    return page


class VirtualBrowser:
    """One open page; made by `open_browser`.

    Attributes:
        uuid: the client's.
        html: the page.
        configuration: all that the site has told it.
        state: ``connecting``, ``live``, ``recovering``, ``offline`` or ``closed``, as in a page.
        refusal: why the site has ended the page, if it has.
        session: the browser session, which pages opened ``beside`` this one share.
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

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<VirtualBrowser {self._told['application']} {self.uuid} {self.state}>"

    @property
    def parameters(self) -> dict[str, Any]:
        """The application's parameters for the page, as ``@app.bootstrap`` has set them."""
        found: dict[str, Any] = self.configuration["application_parameters"]
        return found

    @property
    def transport(self) -> str:
        """How messages come down."""
        return self.line.transport

    @property
    def received(self) -> list[Pushed]:
        """All that was pushed to the page itself, in order; channels have their own."""
        return list(self._inbox.received)

    # What a page does.

    def call(self, command: str, message: Any = None, /, **fields: Any) -> Any:
        """Send a command, as ``thywill.send.fn(command, message)`` does, and give the reply.

        Args:
            command: one of the application's.
            message: what goes with it, where it is not an object.
            fields: what goes with it, where it is one.

        Raises:
            Refused: by the site or the application; ``network`` when the browser is offline.
        """
        if message is not None and fields:
            raise TestingError("call() takes a message or fields, not both")
        return self._send({"command": command, "message": fields if message is None else message})

    def send(self, message: Any, /) -> Any:
        """Send a message without a command, and give the reply; raises what `call` does."""
        return self._send({"message": message})

    def expect(
        self, event: str | None = None, data: Any = ANYTHING, *, seconds: float = EXPECT_SECONDS
    ) -> Pushed:
        """Wait for something that is pushed to this page; gives it.

        It is the first that fits and was not expected before; what does not fit stays for later.

        Args:
            event: its name; None for a message without one.
            data: what it must be equal to; `ANYTHING` may stand for it, or in it.
            seconds: how long to wait.

        Raises:
            NothingCame: with all that has come.
        """
        return self._inbox.expect(event, data, seconds)

    def expect_nothing(self, event: str | None = None, data: Any = ANYTHING) -> None:
        """Make sure that something was not pushed to this page, and is not on its way either.

        What this process has sent until now is waited for, so there is nothing to guess.

        Raises:
            AssertionError: it has come, and was not expected before.
        """
        self.settle()
        self._inbox.refuse(event, data)

    def expect_state(self, state: State, *, seconds: float = EXPECT_SECONDS) -> None:
        """Wait for a state of the connection.

        Raises:
            NothingCame: it has another one.
        """
        if not self.wait(lambda: self.state == state, seconds):
            told = f"not {state!r} after {seconds:g} s"
            raise NothingCame(
                f"the page of {self._told['application']}: {told}.\n{self._inbox.told()}"
            )

    def channel(
        self, name: str, *, replay: int | None = None, seconds: float = EXPECT_SECONDS
    ) -> VirtualChannel:
        """Join a channel, as ``thywill.channel(name)`` and its ``joined`` do.

        Args:
            name: of the channel; one object for each name.
            replay: how many of the newest messages to begin with; by default as the channel does.
            seconds: how long to wait.

        Raises:
            Refused: the page may not join, or there is no such channel.
            NothingCame: it has not joined in time.
        """
        found = self._channels.get(name)
        if found is None or found.state == "refused":
            if self.state == "closed":
                raise self.refusal or TestingError("the page is closed")
            found = self._channels[name] = VirtualChannel(name, self, replay)
            if self._has_connection:
                found.connected()
        channel = found
        self.wait(lambda: channel.state != "joining" or self.state == "offline", seconds)
        if channel.state == "refused":
            assert channel.refusal is not None
            raise channel.refusal
        if channel.state == "joining" and self.state != "offline":
            raise channel.refusal or NothingCame(f'not in channel "{name}" after {seconds:g} s')
        self._await_report("subscribed", channel.destination)
        return channel

    def log_in(self, user: AbstractBaseUser) -> None:
        """Log a user in, in this browser; its pages stay open."""
        self.session.log_in(user)

    def log_out(self) -> None:
        """Log out, in this browser; the site ends its pages."""
        self.session.log_out()

    def close(self) -> None:
        """Close the page; ``on_disconnect`` has been called then."""
        was_open = self.state != "closed"
        if self.loop.is_closed:
            self.state = "closed"
            return
        if was_open:
            self._release_lease()
        self._end()
        self.line.close()
        following = self._servers.following
        if was_open and following is not None and ("come", self.uuid, "") in following.heard:
            self.wait(lambda: ("gone", self.uuid, "") in following.heard, CLOSE_SECONDS)

    # The network.

    @contextmanager
    def _until_left(self, leave: Callable[[], None]) -> Iterator[None]:
        try:
            yield
        finally:
            leave()

    def offline(self, *, for_long: bool = False) -> Any:
        """Lose the network, without a word to the site; ``online()`` or the end of a ``with``
        brings it back.

        Args:
            for_long: so long that Orbited has given the session up: what was pushed meanwhile is
                lost then, but for channels with history.
        """
        if self.state == "closed":
            raise TestingError("the page is closed: it has no connection to lose")
        self.state = "offline"
        self.line.cut(for_long)
        if for_long:
            self._has_connection = False
            for channel in self._channels.values():
                channel.closed()
        return self._until_left(self.online)

    def online(self) -> None:
        """Find the network again; returns at once, ``expect`` waits for what was missed."""
        if self.state == "offline":
            self.state = "recovering"
            self.line.resume()

    def slow(self, bytes_per_second: float = 0) -> Any:
        """Read what comes down slowly; ``fast()`` or the end of a ``with`` ends that.

        Args:
            bytes_per_second: how much is read; 0 for nothing at all.
        """
        if isinstance(self.line, MemoryLine):
            raise TestingError("push in memory has no connection that could be slow")
        self._change_speed(bytes_per_second)
        return self._until_left(self.fast)

    def fast(self) -> None:
        """Read as fast as it comes."""
        if self._speed.bytes_per_second is not None:
            self._change_speed(None)

    def _change_speed(self, bytes_per_second: float | None) -> None:
        self._speed.bytes_per_second = bytes_per_second
        if self.state in ("live", "recovering"):
            self.line.cut(False)  # for the buffers of the next connection
            self.line.resume()

    # Waiting.

    def connect(self, seconds: float) -> None:
        """Connect, and wait for it; for `open_browser`."""
        self.line.open()
        if not self.wait(lambda: self.state in ("live", "closed"), seconds):
            raise NothingCame(f"no push connection after {seconds:g} s ({self.transport})")
        if self.refusal is not None:
            raise self.refusal
        following = self._servers.following
        if following is not None:
            self.wait(lambda: ("come", self.uuid, "") in following.heard, seconds)

    def wait(self, is_done: Callable[[], bool], seconds: float) -> bool:
        """Let everything go on until something is the case; tells whether it is."""
        return self.loop.run(is_done, seconds)

    def settle(self, *, seconds: float = EXPECT_SECONDS) -> None:
        """Wait until all that this process has sent before has come.

        Raises:
            NothingCame: the page is offline, or gone.
        """
        self.loop.run(lambda: True, 0)  # what waits for the commit of the test goes first
        self._marks += 1
        mark = self._marks
        self._servers.components.push.push(self.uuid, mark, MARK)
        if not self.wait(lambda: self._last_mark >= mark, seconds):
            raise NothingCame(f"what is on its way does not arrive.\n{self._inbox.told()}")

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

    def _send(self, fields: Mapping[str, Any]) -> Any:
        if self.state == "closed":
            raise self.refusal or TestingError("the page is closed")
        self._ids += 1
        return self.request(self._told["send_path"], {"id": str(self._ids), **fields})["reply"]

    def _end(self) -> None:
        self.state = "closed"
        self._has_connection = False
        if self._lease_timer is not None:
            self._lease_timer.cancel()
        for channel in self._channels.values():
            channel.closed()

    def _await_report(self, kind: str, destination: str) -> None:
        """Wait until the site has heard from the broker what this page has done."""
        following, push = self._servers.following, self._servers.components.push
        if following is not None and push.reports_connections and self.state == "live":
            told = (kind, self.uuid, destination)
            self.wait(lambda: told in following.heard or self.state != "live", EXPECT_SECONDS)

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
