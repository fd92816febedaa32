"""The signals about messages; those about clients are tried where clients come and go."""

import pytest
from django.test import Client as Browser

from tests.support.page import Page, thywill
from thywill_server import signals

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def heard(settings):
    """What is heard of a site with the testbed, in order; another receiver always fails."""
    settings.THYWILL = thywill()
    heard = []

    def receive(sender, client, message, **_):
        heard.append(("received", sender.__name__, client.uuid, message.command, message.content))

    def publish(sender, destination, message, **_):
        heard.append(("published", sender.__name__, destination, message.body))

    def fail(**_):
        raise ZeroDivisionError

    receivers = [(signals.message_received, receive), (signals.message_published, publish)]
    receivers += [(signals.message_received, fail), (signals.message_published, fail)]
    for signal, receiver in receivers:
        signal.connect(receiver)
    yield heard
    for signal, receiver in receivers:
        signal.disconnect(receiver)


def test_a_message_and_its_echo(heard, caplog):
    """Both are told once, with who and what; a receiver that fails is logged."""
    page = Page(Browser())
    response = page.send("hello", id="1")
    assert response.json()["reply"] == "hello"
    assert heard == [
        ("received", "LocalPython", page.uuid, None, "hello"),
        ("published", "InMemory", f"/topic/thywill.client.{page.uuid}", b"hello"),
    ]
    assert caplog.text.count("Error calling heard.<locals>.fail") == 2


def test_a_repeated_message_is_received_once(heard):
    """What is answered again is not handled again."""
    page = Page(Browser())
    for _ in range(2):
        page.send("hello", id="1")
    assert [each[0] for each in heard] == ["received", "published"]


def test_a_roll_back_publishes_nothing(heard):
    """The signal comes after the commit, like the message."""
    page = Page(Browser())
    page.send("x", command="fail", id="1")
    assert [each[0] for each in heard] == ["received"]
