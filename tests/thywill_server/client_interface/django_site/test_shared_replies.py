"""Each message is handled once, whichever process a repetition reaches."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.cache import caches
from pytest_django import Settings

from tests.support.applications.testbed import thywill_interface as testbed
from tests.support.page import Page, thywill
from thywill_server.apps import components
from thywill_server.client_interface.django_site.recent_replies import Answer, RecentReplies
from thywill_server.client_interface.django_site.shared_replies import SharedReplies
from thywill_server.errors import Refusal

CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
    "shared": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "LOCATION": "shared",
    },
}


@pytest.fixture(autouse=True)
def cache(settings: Settings) -> Iterator[Any]:
    """A cache that, for this test, several processes share."""
    settings.CACHES = CACHES
    caches["shared"].clear()
    yield caches["shared"]
    caches["shared"].clear()


def replies(**more: Any) -> SharedReplies:
    """The memory of one process."""
    return SharedReplies(caches["shared"], **{"keep_seconds": 60, "wait_seconds": 10, **more})


FINE = Answer(200, b"{}")


def handler(count: list[int], answer: Answer = FINE) -> Callable[[], Answer]:
    """Counts its calls."""

    def handle() -> Answer:
        count.append(1)
        return answer

    return handle


def test_another_process_gives_the_same_answer() -> None:
    """The first answer, whatever its status, and without handling the message again."""
    count: list[int] = []
    first = replies().answer("u", "1", handler(count, Answer(409, b"[1]")))
    assert replies().answer("u", "1", handler(count)) == first
    assert len(count) == 1
    replies().answer("u", "2", handler(count))
    replies().answer("v", "1", handler(count))
    assert len(count) == 3


def test_what_may_be_tried_again_is_not_remembered() -> None:
    """A refusal for the moment, or a failure, leaves the message to be handled anew."""
    count: list[int] = []
    replies().answer("u", "1", handler(count, Answer(503, b"{}", may_retry=True)))

    def fail() -> Answer:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        replies().answer("u", "1", fail)
    assert replies().answer("u", "1", handler(count)).status == 200
    assert len(count) == 2


def test_repetition_waits_for_the_first() -> None:
    """While one process handles the message, another one waits for its answer."""
    is_handling, may_end = threading.Event(), threading.Event()
    found: list[Answer] = []

    def slow() -> Answer:
        is_handling.set()
        assert may_end.wait(60)
        return Answer(200, b"slow")

    first = threading.Thread(target=lambda: found.append(replies().answer("u", "1", slow)))
    first.start()
    assert is_handling.wait(60)

    def sleep(seconds: float) -> None:
        may_end.set()
        first.join()

    count: list[int] = []
    assert replies(sleep=sleep).answer("u", "1", handler(count)) == Answer(200, b"slow")
    assert (found, count) == ([Answer(200, b"slow")], [])


def test_repetition_does_not_wait_for_ever() -> None:
    """After a while it hears that the message is still being handled."""
    now = [0.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    def repeat() -> Answer:
        with pytest.raises(Refusal, match="still being handled"):
            replies(clock=lambda: now[0], sleep=sleep, wait_seconds=1).answer("u", "1", repeat)
        return Answer(200, b"{}")

    replies().answer("u", "1", repeat)
    assert 1 <= now[0] < 1.1


def test_site_asks_the_cache(settings: Settings, page: Page, site: Settings) -> None:
    """With replies_cache a repetition is answered by a process that has not seen the first."""
    settings.THYWILL = thywill(client_interface={"replies_cache": "shared"})
    page.send("x", command="count", id="1")
    interface: Any = components().client_interface
    interface.replies = RecentReplies(max_clients=9, max_bytes=999, wait_seconds=1)
    assert page.send("x", command="count", id="1").json()["reply"] == 1
    assert testbed.calls["x"] == 1
    assert page.send("x", command="count", id="2").json()["reply"] == 2


def test_unknown_cache_is_said(settings: Settings, site: Settings) -> None:
    """A name that CACHES does not have is a mistake in the settings."""
    settings.THYWILL = thywill(client_interface={"replies_cache": "shred"})
    with pytest.raises(Exception, match=r'expected one of CACHES \("default", "shared"\)'):
        components()
