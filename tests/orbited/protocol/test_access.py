"""The access list."""

import pytest

from orbited.protocol.access import AccessList, AccessRule, Source

LIST = AccessList(
    [
        AccessRule("*", "127.0.0.1", 61613),
        AccessRule("good.example:8000", "127.0.0.1", 7),
        AccessRule("https://app.example", "127.0.0.1", 61613),
        AccessRule("https://app.example", "localhost", 9),
    ]
)


@pytest.mark.parametrize(
    ("source", "host", "port", "is_allowed"),
    [
        # No Origin: a page of the same origin making a simple GET, or no browser at all.
        (Source("any.example"), "127.0.0.1", 61613, True),
        (Source("any.example"), "localhost", 61613, False),
        (Source("any.example"), "127.0.0.1", 61614, False),
        (Source("any.example"), "127.0.0.1", 7, False),
        (Source("good.example:8000"), "127.0.0.1", 7, True),
        (Source("good.example"), "127.0.0.1", 7, False),
        # The same origin, named.
        (Source("any.example", "http://any.example"), "127.0.0.1", 61613, True),
        (Source("any.example", "https://any.example", "https"), "127.0.0.1", 61613, True),
        (Source("any.example", "https://any.example", "http"), "127.0.0.1", 61613, False),
        (Source("any.example", "http://any.example:81"), "127.0.0.1", 61613, False),
        # Another origin: only what is listed for it.
        (Source("any.example", "https://app.example"), "127.0.0.1", 61613, True),
        (Source("any.example", "https://app.example"), "localhost", 9, True),
        (Source("good.example:8000", "https://app.example"), "127.0.0.1", 7, False),
        (Source("any.example", "https://evil.example"), "127.0.0.1", 61613, False),
        (Source("any.example", "null"), "127.0.0.1", 61613, False),
        (Source("any.example", "https://app.example.evil"), "127.0.0.1", 61613, False),
        # The same origin does not stand for the origin that is listed.
        (Source("localhost", "http://localhost"), "localhost", 9, False),
    ],
)
def test_rules(source, host, port, is_allowed):
    """Destination and source are compared exactly; a foreign page needs its origin listed."""
    assert LIST.allows(source, host, port) is is_allowed


def test_only_listed_origins_get_cors():
    """CORS is for origins that the list names, not for Host values or anybody."""
    assert LIST.lists_origin("https://app.example")
    assert not LIST.lists_origin("good.example:8000")
    assert not LIST.lists_origin("*")
    assert not LIST.lists_origin(None)


def test_who_may_talk_to_the_server_at_all():
    """The same origin and listed ones; nobody else."""
    assert LIST.admits(Source("a.example"))
    assert LIST.admits(Source("a.example", "http://a.example"))
    assert LIST.admits(Source("a.example", "https://app.example"))
    assert not LIST.admits(Source("a.example", "https://evil.example"))


def test_an_empty_list_allows_nothing():
    """Nothing is reachable by default."""
    assert not AccessList().allows(Source("a.example"), "127.0.0.1", 61613)
