"""Which request, client and message a log record belongs to."""

import asyncio
import json
import logging
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest

from thywill_server.log.context import (
    MAX_CHARACTERS,
    ContextFilter,
    bind,
    current_context,
    log_context,
    new_request_id,
)
from thywill_server.log.formatters import JsonLinesFormatter, TextFormatter

Lines = list[logging.LogRecord]


@pytest.fixture
def records() -> Iterator[tuple[logging.Logger, Lines]]:
    """A logger, and the records that its handler gets, with their context."""
    found: Lines = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            found.append(record)

    logger, handler = logging.getLogger("tests.context"), Keep()
    handler.addFilter(ContextFilter())
    logger.addHandler(handler)
    yield logger, found
    logger.removeHandler(handler)


def test_a_record_has_what_is_bound(records: tuple[logging.Logger, Lines]) -> None:
    """Text shows the ids behind the message, in their order; JSON has a key for each."""
    logger, found = records
    with log_context(request="9f31c2aa"):
        bind(message_id="12", client="u-1")
        logger.warning("refused")
    text = TextFormatter().format(found[0])
    assert text.endswith("tests.context: refused [request 9f31c2aa client u-1 message 12]")
    told = json.loads(JsonLinesFormatter().format(found[0]))
    assert (told["request"], told["client"], told["message_id"]) == ("9f31c2aa", "u-1", "12")
    assert told["message"] == "refused"
    assert "context" not in told


def test_the_end_of_a_block_ends_it(records: tuple[logging.Logger, Lines]) -> None:
    """What was bound inside is gone outside, after an exception too; blocks can be nested."""
    logger, found = records
    with log_context(request="a"):
        with suppress(KeyError), log_context(client="u-1"):
            bind(message_id="1")
            raise KeyError
        logger.warning("inside")
    logger.warning("outside")
    assert [record.context for record in found] == [{"request": "a"}, {}]  # type: ignore[attr-defined]
    assert TextFormatter().format(found[1]).endswith("tests.context: outside")


def test_a_peer_cannot_forge_a_line(records: tuple[logging.Logger, Lines]) -> None:
    """An id is cut, and its line breaks are shown and not obeyed."""
    logger, found = records
    with log_context(message_id="1]\n2026 CRITICAL forged" + "x" * 100):
        logger.warning("heard")
    (line,) = TextFormatter().format(found[0]).splitlines()
    assert "\\x0a2026" in line
    assert line.endswith("x]")
    assert len(found[0].context["message_id"]) == MAX_CHARACTERS  # type: ignore[attr-defined]


def test_what_the_author_gives_stays(records: tuple[logging.Logger, Lines]) -> None:
    """``extra`` has the last word."""
    logger, found = records
    with log_context(client="u-1", request="a"):
        logger.warning("heard", extra={"client": "u-2"})
    told = json.loads(JsonLinesFormatter().format(found[0]))
    assert (told["client"], told["request"]) == ("u-2", "a")


def test_threads_and_tasks_have_their_own() -> None:
    """A task begins with what was known where it was made; another thread knows nothing."""
    seen: dict[str, object] = {}

    async def work(name: str) -> None:
        bind(message_id=name)
        await asyncio.sleep(0)
        seen[name] = dict(current_context())

    async def both() -> None:
        await asyncio.gather(work("1"), work("2"))

    def elsewhere() -> None:
        seen["thread"] = dict(current_context())

    with log_context(client="u-1"):
        asyncio.run(both())
        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()
    assert seen["1"] == {"client": "u-1", "message_id": "1"}
    assert seen["2"] == {"client": "u-1", "message_id": "2"}
    assert seen["thread"] in ({}, {"client": "u-1"})  # Python 3.14 can hand it on to threads


def test_only_known_names_are_taken() -> None:
    """A ticket cannot slip in under a name of its own."""
    with pytest.raises(ValueError, match="expected one of request, client, message_id"):
        bind(ticket="secret")


def test_requests_have_names_of_their_own() -> None:
    """Eight digits, another each time."""
    first, second = new_request_id(), new_request_id()
    assert first != second
    assert len(first) == 8
