"""The access list."""

import pytest

from orbited.protocol.access import AccessList, AccessRule, Source

LIST = AccessList(
    [
        AccessRule("*", "127.0.0.1", 61613),
        AccessRule("good.example:8000", "127.0.0.1", 7),
        AccessRule("https://app.example", "127.0.0.1", 61613),
        AccessRule("https://app.example", "localhost", 9),
    ],
    ["any.example"],
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


@pytest.mark.parametrize(
    ("host", "is_known"),
    [
        ("127.0.0.1:8001", True),
        ("[::1]:8001", True),
        ("192.0.2.1", True),
        ("localhost:8001", True),
        ("a.localhost", True),
        ("", True),  # no browser leaves it out
        ("any.example:81", True),
        ("ANY.example.", True),
        ("good.example", True),  # named by a source, with whatever port
        ("app.example", True),
        ("x.any.example", False),
        ("evil.example:8001", False),
        ("127.0.0.1.evil.example", False),
        ("localhost.evil.example", False),
        ("[evil", False),
    ],
)
def test_a_name_that_points_here_by_its_owners_will_counts_for_nothing(host, is_known):
    """DNS rebinding: such a page is of the same origin to its browser, and not to us."""
    assert LIST.knows(host) is is_known
    assert LIST.allows(Source(host, f"http://{host}"), "127.0.0.1", 61613) is is_known
    assert LIST.allows(Source(host), "127.0.0.1", 61613) is is_known


def test_names_may_be_given_for_a_domain_or_altogether():
    """``.example.com`` as everywhere, and ``*`` for those who check it elsewhere."""
    rules = [AccessRule("*", "127.0.0.1", 61613)]
    domain = AccessList(rules, [".Example.com"])
    assert domain.knows("a.b.example.com")
    assert domain.knows("example.com")
    assert not domain.knows("badexample.com")
    assert AccessList(rules, ["*"]).knows("whatever")
