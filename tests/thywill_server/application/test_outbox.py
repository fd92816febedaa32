"""Sending waits for the commit."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.db import connection, transaction

from tests.support.recording import RecordingPush
from thywill_server.application.outbox import handling, running_call, when_committed
from thywill_server.errors import PushUnavailable

PUSH = RecordingPush({})
Send = Callable[[Any], None]


@pytest.fixture
def sent() -> list[Any]:
    """What was sent, in order."""
    return []


@pytest.fixture
def send(sent: list[Any]) -> Send:
    """Sends a value as soon as it may be sent."""
    return lambda value: when_committed(lambda: sent.append(value))


def test_without_a_transaction_it_is_sent_at_once(sent: list[Any], send: Send) -> None:
    """Nothing waits, and no database is touched: this test has no permission to."""
    send(1)
    with handling(PUSH):
        send(2)
    assert sent == [1, 2]


@pytest.mark.django_db(transaction=True)
def test_in_a_transaction_it_waits_for_the_commit(sent: list[Any], send: Send) -> None:
    """Only the commit of the outermost block sends, in order."""
    with transaction.atomic():
        send(1)
        with transaction.atomic():
            send(2)
        assert sent == []
    assert sent == [1, 2]


@pytest.mark.django_db(transaction=True)
def test_a_roll_back_sends_nothing(sent: list[Any], send: Send) -> None:
    """What was sent in a block that is rolled back is never sent; its surroundings are."""
    with suppress(KeyError), transaction.atomic():
        send(1)
        raise KeyError
    with transaction.atomic():
        send(2)
        with suppress(KeyError), transaction.atomic():
            send(3)
            raise KeyError
    assert sent == [2]


@pytest.mark.django_db(transaction=True)
def test_without_autocommit_there_is_no_commit_to_wait_for(sent: list[Any], send: Send) -> None:
    """Whoever manages transactions by hand hears it: what is sent could be rolled back."""
    transaction.set_autocommit(False)
    try:
        with pytest.raises(transaction.TransactionManagementError, match="on_commit"):
            send(1)
    finally:
        transaction.rollback()
        transaction.set_autocommit(True)
    assert sent == []


@pytest.mark.django_db(transaction=True)
def test_an_async_handler_waits_for_the_commit_around_it(sent: list[Any], send: Send) -> None:
    """A coroutine sends through its event loop's thread, but the web thread's commit counts."""

    async def handler() -> None:
        send(1)
        await asyncio.sleep(0)
        await sync_to_async(send)(2)
        send(3)

    with transaction.atomic():
        with handling(PUSH):
            async_to_sync(handler)()
        assert sent == []
    assert sent == [1, 2, 3]
    with suppress(KeyError), transaction.atomic():
        with handling(PUSH):
            async_to_sync(handler)()
        raise KeyError
    assert sent == [1, 2, 3]


@pytest.mark.django_db(transaction=True)
def test_an_async_handler_sends_at_once_without_a_transaction(sent: list[Any], send: Send) -> None:
    """Progress of a long coroutine is not held back until its end."""

    async def handler() -> list[Any]:
        send(1)
        await asyncio.sleep(0)
        return list(sent)

    with handling(PUSH):
        assert async_to_sync(handler)() == [1]


@pytest.mark.django_db(transaction=True)
def test_a_transaction_inside_an_async_handler_counts(sent: list[Any], send: Send) -> None:
    """What it does with the ORM runs in the web thread, with a transaction of its own."""

    def store(fails: bool) -> None:
        with transaction.atomic():
            send("stored")
            assert connection.in_atomic_block
            if fails:
                raise KeyError

    async def handler() -> None:
        with pytest.raises(KeyError):
            await sync_to_async(store)(True)
        await sync_to_async(store)(False)

    with handling(PUSH):
        async_to_sync(handler)()
    assert sent == ["stored"]


@pytest.mark.django_db(transaction=True)
def test_a_handler_hears_that_its_commit_could_not_send(
    sent: list[Any], send: Send, caplog: pytest.LogCaptureFixture
) -> None:
    """The refusal is raised when the handler is done; other actions of the commit still run."""

    def refuse() -> None:
        raise PushUnavailable

    def run() -> None:
        with handling(PUSH), transaction.atomic():
            when_committed(refuse)
            send("after")
            transaction.on_commit(lambda: sent.append("other"))

    with pytest.raises(PushUnavailable):
        run()
    assert sent == ["after", "other"]
    assert [(r.levelno, r.getMessage()) for r in caplog.records] == [
        (logging.ERROR, f"nothing was pushed after a commit: {PushUnavailable()}")
    ]


@pytest.mark.django_db(transaction=True)
def test_outside_a_handler_a_failing_send_is_logged(
    sent: list[Any], send: Send, caplog: pytest.LogCaptureFixture
) -> None:
    """A commit in a view or a shell is not broken by what cannot be pushed after it."""

    def fail() -> None:
        raise KeyError("no")

    with transaction.atomic():
        when_committed(fail)
        send("after")
    assert sent == ["after"]
    assert caplog.records[0].exc_info is not None


def test_without_a_transaction_a_refusal_is_raised_at_once() -> None:
    """The sender hears in its own call that the queue is full."""

    def refuse() -> None:
        raise PushUnavailable

    with pytest.raises(PushUnavailable):
        when_committed(refuse)


def test_a_handler_knows_its_push_component() -> None:
    """Inside a handler, its coroutines included, the push component is the one it was given."""

    async def ask() -> Any:
        return running_call().push

    assert running_call() is None
    with handling(PUSH):
        assert running_call().push is PUSH
        assert async_to_sync(ask)() is PUSH
    assert running_call() is None
