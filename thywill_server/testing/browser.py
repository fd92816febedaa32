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
from typing import Any, Final, Self

from django.contrib.auth.models import AbstractBaseUser

from thywill_server.testing.channel import VirtualChannel
from thywill_server.testing.errors import NothingCame, TestingError
from thywill_server.testing.inbox import ANYTHING, EXPECT_SECONDS, Pushed
from thywill_server.testing.memory_line import MemoryLine
from thywill_server.testing.page import MARK, ConnectedPage, State
from thywill_server.testing.servers import servers
from thywill_server.testing.site import Session

__all__ = ["VirtualBrowser", "open_browser"]

TRANSPORTS: Final = ("websocket", "xhrstream", "sse", "longpoll", "poll")
OPEN_SECONDS: Final = 10.0
CLOSE_SECONDS: Final = 5.0
"""How long the end of a page is waited for; with a broken transaction it is never seen."""


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


class VirtualBrowser(ConnectedPage):
    """One open page; made by `open_browser`.

    Attributes:
        uuid: the client's.
        html: the page.
        configuration: all that the site has told it.
        state: ``connecting``, ``live``, ``recovering``, ``offline`` or ``closed``, as in a page.
        refusal: why the site has ended the page, if it has.
        session: the browser session, which pages opened ``beside`` this one share.
    """

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

    # Inside.

    def _send(self, fields: Mapping[str, Any]) -> Any:
        if self.state == "closed":
            raise self.refusal or TestingError("the page is closed")
        self._ids += 1
        return self.request(self._told["send_path"], {"id": str(self._ids), **fields})["reply"]

    def _await_report(self, kind: str, destination: str) -> None:
        """Wait until the site has heard from the broker what this page has done."""
        following, push = self._servers.following, self._servers.components.push
        if following is not None and push.reports_connections and self.state == "live":
            told = (kind, self.uuid, destination)
            self.wait(lambda: told in following.heard or self.state != "live", EXPECT_SECONDS)
