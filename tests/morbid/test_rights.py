"""Groups, and what they may do where."""

import pytest

from morbid.errors import ConfigurationError
from morbid.mqsecurity import Identity
from morbid.rights import GroupRights

FILE = """
# group     rights   destination
site        crw      *
everybody   r        /topic/news
readers     r        /topic/a/*
everybody   crw      /queue/home/{login}/*
"""


@pytest.fixture
def read(tmp_path):
    """Read rights from text."""

    def read(text):
        path = tmp_path / "rights"
        path.write_text(text, "utf-8")
        return GroupRights.read(path)

    return read


@pytest.mark.parametrize(
    ("name", "groups", "operation", "destination", "allowed"),
    [
        ("x", ("site",), "create", "/queue/any", True),
        ("x", ("site",), "send", "anything", True),
        ("x", (), "subscribe", "/topic/news", True),
        ("x", (), "send", "/topic/news", False),
        ("x", (), "create", "/topic/news", False),
        ("x", (), "subscribe", "/topic/newspaper", False),
        ("x", ("readers",), "subscribe", "/topic/a/b", True),
        ("x", ("readers",), "subscribe", "/topic/a", False),
        ("x", (), "subscribe", "/topic/a/b", False),
        ("ada", (), "send", "/queue/home/ada/1", True),
        ("bob", (), "send", "/queue/home/ada/1", False),
        ("ada/1", (), "send", "/queue/home/ada/1/2", False),
        ("", (), "send", "/queue/home//2", False),
        ("{login}", (), "send", "/queue/home/ada/1", False),
        ("*", (), "send", "/queue/home/ada/1", False),
    ],
)
def test_rights(read, name, groups, operation, destination, allowed):
    """What a line allows to a group of somebody is allowed, and nothing else."""
    rights = read(FILE)
    assert rights.authorize(Identity(name, groups), operation, destination, {}) is allowed


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("site crw", "rights:1: expected GROUP RIGHTS DESTINATION"),
        ("site crx /a", "rights:1: expected GROUP RIGHTS DESTINATION"),
        ("site r /a b", "rights:1: expected GROUP RIGHTS DESTINATION"),
        ("site r /a/{login}*", r"rights:1: {login}\* also means longer names"),
    ],
)
def test_wrong_line(read, line, problem):
    """A line that is wrong, or means more than it seems to, is named."""
    with pytest.raises(ConfigurationError, match=problem):
        read(line)
