"""Destinations: names that no broker finds a meaning in, and no two alike."""

import re

from hypothesis import given
from hypothesis import strategies as st

from thywill_server.push.destinations import (
    application_destination,
    channel_destination,
    encoded,
    user_destination,
)

NAMES = st.text(min_size=1, max_size=250)


def test_readable():
    """Plain names stay as they are."""
    assert channel_destination("chat", "room:a") == "/topic/thywill.channel.chat.room_3Aa"
    assert application_destination("proof_of_concept").endswith(".application.proof_5Fof_5Fconcept")
    assert user_destination("7") == "/topic/thywill.user.7"
    assert encoded("é") == "_C3_A9"


@given(NAMES)
def test_plain_and_short(name):
    """Whatever the name, its encoding is short and has no mark that a broker reads."""
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,100}", encoded(name))


@given(NAMES, NAMES)
def test_different(one, other):
    """Two names have two encodings."""
    assert (encoded(one) == encoded(other)) == (one == other)


def test_long_names_are_hashed_apart():
    """A hash looks like no encoding of a name."""
    names = ["x" * 100, "x" * 101, "x" * 102]
    found = [encoded(name) for name in names]
    assert found[0] == names[0]
    assert all(text.startswith("__") for text in found[1:])
    assert len(set(found)) == 3
