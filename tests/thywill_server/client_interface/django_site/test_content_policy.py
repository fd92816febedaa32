"""The Content-Security-Policy of a page."""

from thywill_server.client_interface.django_site.content_policy import content_policy


def parsed(policy: str) -> dict[str, list[str]]:
    """The policy as a browser reads it."""
    return {name: sources for name, *sources in map(str.split, policy.split(";"))}


def test_nothing_added() -> None:
    """By itself a page may use its own site, and its own WebSockets by name."""
    policy = parsed(content_policy({}, "example.org:8000", False))
    assert policy["default-src"] == ["'self'"]
    assert policy["script-src"] == ["'self'"]
    assert policy["connect-src"] == ["'self'", "ws://example.org:8000"]
    assert policy["object-src"] == policy["base-uri"] == policy["frame-ancestors"] == ["'none'"]


def test_tls() -> None:
    """Over TLS the WebSockets are secure ones."""
    assert "wss://example.org" in parsed(content_policy({}, "example.org", True))["connect-src"]


def test_added_sources() -> None:
    """What components add stands behind what is there; a new directive begins with the site."""
    added = {
        "script-src": ["http://a:1"],
        "connect-src": ["http://a:1", "ws://a:1"],
        "worker-src": ["blob:"],
    }
    policy = parsed(content_policy(added, "h", False))
    assert policy["script-src"] == ["'self'", "http://a:1"]
    assert policy["connect-src"] == ["'self'", "ws://h", "http://a:1", "ws://a:1"]
    assert policy["worker-src"] == ["'self'", "blob:"]


def test_source_in_place_of_none() -> None:
    """A browser ignores 'none' beside a source with a warning, so it goes."""
    policy = parsed(content_policy({"frame-ancestors": ["https://portal"]}, "h", False))
    assert policy["frame-ancestors"] == ["https://portal"]


def test_pages_do_not_share_a_policy() -> None:
    """What one page adds is not in the next one's policy."""
    content_policy({"script-src": ["http://a:1"]}, "h", False)
    assert "http://a:1" not in content_policy({}, "h", False)
