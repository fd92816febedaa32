"""Version negotiation and the tables."""

import pytest

from stompservice.protocol import VERSIONS, negotiate_version
from stompservice.protocol.spec import (
    CLIENT_COMMANDS,
    COMMAND,
    COMMANDS,
    ESCAPES,
    SERVER_COMMANDS,
    UNESCAPES,
)


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        (None, "1.0"),
        ("1.0", "1.0"),
        ("1.0,1.1,1.2", "1.2"),
        ("1.1 , 1.0", "1.1"),
        ("1.2,9.9", "1.2"),
        ("9.9", None),
        ("", None),
    ],
)
def test_negotiate_version(offered, chosen):
    """The highest in common; 1.0 for who does not ask; None for who asks for the unknown."""
    assert negotiate_version(offered) == chosen


def test_every_command_is_a_command():
    """The commands of both sides are words that the parser takes."""
    assert CLIENT_COMMANDS | SERVER_COMMANDS == COMMANDS
    assert not CLIENT_COMMANDS & SERVER_COMMANDS
    assert all(COMMAND.fullmatch(command) for command in COMMANDS)


@pytest.mark.parametrize("version", VERSIONS)
def test_escapes_can_be_undone(version):
    """No two characters share an escape."""
    assert len(UNESCAPES[version]) == len(ESCAPES[version])
