"""Pages that say five thousand things in a room of the tests' application, in their own process."""

from __future__ import annotations

import multiprocessing
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Self

from tests.support.site_process import HttpPage

SENDERS = 8
MESSAGES = 5000
AT_ONCE = 5
"""So many messages are published by one POST."""

SECONDS = 120
MAY_RETRY = {"push-unavailable", "still-handling", "too-many-requests"}


class Senders:
    """Eight pages, each of which sends one message after the other, as a page does.

    Args:
        url: of the site.
        path: of the page.
    """

    def __init__(self, url: str, path: str) -> None:
        context = multiprocessing.get_context("spawn")
        self._accepted = context.Value("i", 0)
        self._process = context.Process(target=send_all, args=(url, path, self._accepted))

    def __enter__(self) -> Self:
        self._process.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._process.kill()
        self._process.join()

    def have_sent(self, number: int) -> bool:
        """Whether so many messages were accepted.

        Raises:
            AssertionError: one was refused.
        """
        assert self._process.exitcode in (None, 0), "a sender has failed; see its traceback"
        return bool(self._accepted.value >= number)


def texts_of(number: int) -> list[str]:
    """What one sender says, in order."""
    return [f"{number}-{count}" for count in range(MESSAGES // SENDERS)]


def send_all(url: str, path: str, accepted: Any) -> None:
    """Send what all senders have to say; counts what the site has accepted."""

    def send(number: int) -> None:
        page = HttpPage(url, path)
        texts = texts_of(number)
        for start in range(0, len(texts), AT_ONCE):
            post_until_accepted(page, texts[start : start + AT_ONCE])
            with accepted.get_lock():
                accepted.value += AT_ONCE

    with ThreadPoolExecutor(SENDERS) as pool:
        list(pool.map(send, range(SENDERS)))


def post_until_accepted(page: HttpPage, texts: list[str]) -> None:
    """Send one message until it is answered: as a page does, always with the same id."""
    message = {"room": "main", "text": texts}
    end = time.monotonic() + SECONDS
    while True:
        assert time.monotonic() < end, f"no answer to {texts}"
        try:
            answer = page.post("send", message=message, command="call_out", id=texts[0])
        except OSError:
            continue  # nobody accepted the connection, or it was cut
        if answer.status == 200:
            return
        assert answer.json["code"] in MAY_RETRY, answer.body
