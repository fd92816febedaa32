"""The codes that cross the wire."""

import pytest

from thywill_server.errors import (
    CODES,
    ApplicationError,
    ConfigurationError,
    PushUnavailable,
    Refusal,
)


@pytest.mark.parametrize("name", CODES)
def test_every_code_has_status_and_sentence(name: str) -> None:
    """The table is complete: each code is an HTTP error and says something."""
    code = CODES[name]
    assert code.name == name
    assert 400 <= code.status < 600
    assert code.sentence.endswith(".")


def test_a_refusal_takes_what_the_table_says() -> None:
    """Status and sentence come with the code unless they are given."""
    refusal = Refusal("message-too-large")
    assert (refusal.status, refusal.sentence) == (413, "The message is too large.")
    assert str(refusal) == refusal.sentence
    given = ApplicationError("message-too-large", "Keep it short.", 400)
    assert (given.code, given.status, given.sentence) == (
        "message-too-large",
        400,
        "Keep it short.",
    )


def test_an_application_has_codes_of_its_own() -> None:
    """A code that is not in the table is a 400 with the author's sentence."""
    error = ApplicationError("too-late", "It is over.")
    assert (error.code, error.status, error.sentence) == ("too-late", 400, "It is over.")
    assert repr(error) == "ApplicationError('too-late', 'It is over.', 400)"


def test_a_full_queue_may_be_tried_again() -> None:
    """PushUnavailable is a 503 and says that the message can be sent again."""
    error = PushUnavailable()
    assert (error.code, error.status, error.may_retry) == ("push-unavailable", 503, True)
    assert not ApplicationError("not-allowed").may_retry


def test_a_configuration_error_has_a_line_for_each_problem() -> None:
    """All problems are in the text, and can be had one by one."""
    error = ConfigurationError("one", "two")
    assert str(error) == "one\ntwo"
    assert list(error.problems) == ["one", "two"]
