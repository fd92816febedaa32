"""The Content-Security-Policy of a page: this site, what its components add, and no inline code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

BASE_POLICY: dict[str, tuple[str, ...]] = {
    "default-src": ("'self'",),
    "script-src": ("'self'",),
    "style-src": ("'self'",),
    "connect-src": ("'self'",),
    "img-src": ("'self'", "data:"),
    "font-src": ("'self'",),
    "object-src": ("'none'",),
    "base-uri": ("'none'",),
    "form-action": ("'self'",),
    "frame-ancestors": ("'none'",),
}


def content_policy(added: Mapping[str, Sequence[str]], host: str, is_secure: bool) -> str:
    """Give the header's value.

    Args:
        added: the configuration's content sources, by directive.
        host: of this page; its own WebSockets are allowed by name, since not every browser reads
            them into ``'self'``.
        is_secure: whether the page was loaded over TLS.
    """
    policy = {name: list(sources) for name, sources in BASE_POLICY.items()}
    policy["connect-src"].append(f"{'wss' if is_secure else 'ws'}://{host}")
    for directive, sources in added.items():
        # An unlisted directive would replace default-src, so it starts from there.
        allowed = policy.setdefault(directive, list(BASE_POLICY["default-src"]))
        allowed.extend(source for source in sources if source not in allowed)
    for sources_of_one in policy.values():
        if len(sources_of_one) > 1 and "'none'" in sources_of_one:
            sources_of_one.remove("'none'")
    return "; ".join(f"{name} {' '.join(sources)}" for name, sources in policy.items())


def extended_policy(
    policy: str, added: Mapping[str, Sequence[str]], host: str, is_secure: bool
) -> str:
    """Add to a page's own policy what an application of thywill in it needs.

    Args:
        policy: the value of its header; what it does not restrict stays so.
        added: as of `content_policy`.
        host: as of `content_policy`.
        is_secure: as of `content_policy`.
    """
    directives: dict[str, list[str]] = {}
    for directive in policy.split(";"):
        words = directive.split()
        if words:
            directives.setdefault(words[0].lower(), words[1:])  # the first one counts: CSP 3, 2.2.1
    needed = {
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "connect-src": ["'self'", f"{'wss' if is_secure else 'ws'}://{host}"],
    }
    for name, more in added.items():
        needed.setdefault(name, []).extend(more)
    for name, wanted in needed.items():
        if name not in directives and "default-src" not in directives:
            continue  # anything is allowed
        allowed = directives.setdefault(name, list(directives.get("default-src", [])))
        allowed.extend(source for source in wanted if source not in allowed)
        if len(allowed) > 1 and "'none'" in allowed:
            allowed.remove("'none'")
    return "; ".join(" ".join([name, *sources]) for name, sources in directives.items())
