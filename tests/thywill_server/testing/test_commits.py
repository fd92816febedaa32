"""Publishing in tests that are rolled back, and in tests that commit."""

import pytest
from django.db import transaction
from django.test import TestCase, TransactionTestCase, override_settings

from tests.thywill_server.testing.conftest import over_orbited
from thywill_server import testing
from thywill_server.application import publish


def say(text: str) -> None:
    """Publish, from outside of any handler."""
    publish("room:x", "said", text, application="rooms")


class Commits:
    """The same expectations, whatever the class of Django's."""

    def test_what_the_test_publishes_itself_arrives(self) -> None:
        """Outside of a transaction of its own, a test publishes as any program does."""
        with testing.open("rooms") as page:
            channel = page.channel("room:x")
            say("here")
            assert channel.expect("said", "here").offset == 1

    def test_a_transaction_that_commits(self) -> None:
        """What is published in it comes when it is over, not before."""
        with testing.open("rooms") as page:
            channel = page.channel("live:x")
            with transaction.atomic():
                publish("live:x", "said", "outer", application="rooms")
                with transaction.atomic():
                    publish("live:x", "said", "inner", application="rooms")
                with transaction.atomic(savepoint=False):
                    publish("live:x", "said", "without savepoint", application="rooms")
                channel.expect_nothing("said")
            for text in ("outer", "inner", "without savepoint"):
                channel.expect("said", text)

    def test_a_transaction_that_rolls_back(self) -> None:
        """What was published in it is never seen, neither by push nor in the history."""
        with testing.open("rooms") as page:
            channel = page.channel("room:x")
            with transaction.atomic():
                say("never")
                transaction.set_rollback(True)
            with transaction.atomic():
                say("kept")
                with transaction.atomic():
                    say("never either")
                    transaction.set_rollback(True)
            channel.expect("said", "kept")
            channel.expect_nothing("said")
            with testing.open("rooms") as other:
                assert [each.data for each in other.channel("room:x").received] == ["kept"]

    def test_a_handler_with_transactions(self) -> None:
        """A handler that publishes in a transaction, and takes one back, is heard once."""
        with testing.open("rooms") as page:
            channel = page.channel("room:x")
            page.call("take_back", room="x", text="kept")
            channel.expect("said", {"text": "kept"})
            channel.expect_nothing("said")

    def test_a_handler_that_refuses_after_publishing(self) -> None:
        """Without a transaction of its own, what was published before a refusal stays."""
        with testing.open("rooms") as page:
            channel = page.channel("room:x")
            for command in ("refuse", "refuse_async"):
                with pytest.raises(testing.Refused, match="no: It is over"):
                    page.call(command, room="x", text=command)
                channel.expect("said", command)

    def test_an_async_handler(self) -> None:
        """What an async function publishes arrives in its order."""
        with testing.open("rooms") as page:
            channel = page.channel("room:x")
            page.call("say_async", room="x", text="a")
            assert [channel.expect("said").data["number"] for _ in range(2)] == [0, 1]


@override_settings(THYWILL=over_orbited())
class CommitsInTestCase(Commits, TestCase):
    """Django rolls each test back."""


@override_settings(THYWILL=over_orbited())
class CommitsInTransactionTestCase(Commits, TransactionTestCase):
    """Django commits, and empties the tables afterwards."""
