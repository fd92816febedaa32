"""A well-behaved browser that goes on while others do what they like."""

from __future__ import annotations

import threading
from typing import Self

from tests.support.comet import Browser


class Companion:
    """Echoes numbered lines through one session, by long polling, until the ``with`` block ends.

    Attributes:
        rounds: how many lines have come back so far.
    """

    def __init__(self, port: int, target: str) -> None:
        self.rounds = 0
        self._browser = Browser(port)
        self._browser.shake_hands(target)
        self._is_over = threading.Event()
        self._failure: BaseException | None = None
        self._has_progress = threading.Condition()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._is_over.set()
        self._thread.join(30)
        assert not self._thread.is_alive()
        self.check()

    def check(self) -> None:
        """Fail if it has failed."""
        if self._failure is not None:
            raise AssertionError("the well-behaved browser was not served") from self._failure

    def wait_for_rounds(self, count: int = 3, seconds: float = 60) -> None:
        """Wait until so many more lines have come back."""
        wanted = self.rounds + count
        with self._has_progress:
            self._has_progress.wait_for(lambda: self._failure or self.rounds >= wanted, seconds)
        self.check()
        assert self.rounds >= wanted

    def _run(self) -> None:
        browser, expected = self._browser, b""
        try:
            while not self._is_over.wait(0.01):
                line = b"%d\n" % self.rounds
                expected += line
                browser.send(line)
                while len(browser.received) < len(expected):
                    browser.poll()
                assert browser.received == expected
                if len(expected) > 10_000:
                    expected = browser.received = b""
                with self._has_progress:
                    self.rounds += 1
                    self._has_progress.notify_all()
        except BaseException as failure:
            with self._has_progress:
                self._failure = failure
                self._has_progress.notify_all()
