"""Addresses of browsers and proxies: which are meant, whose word counts, which belong together."""

from collections.abc import Container, Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

__all__ = ["Networks", "browser_address", "household"]

#: What one subscriber of the internet gets at least: it may take any address of that network.
HOUSEHOLD_PREFIX = 64


class Networks(tuple[str, ...]):
    """Addresses and networks as they are written, ``127.0.0.1``, ``10.0.0.0/8``, ``fd00::/8``.

    ``address in networks`` asks whether one of them holds the address.
    """

    __slots__ = ()

    @classmethod
    def read(cls, words: Iterable[str]) -> "Networks":
        """Take words of a configuration; ``*`` stands for itself.

        Raises:
            ValueError: one is neither an address nor a network.
        """
        networks = cls(words)
        for word in networks:
            if word != "*":
                try:
                    ip_network(word)
                except ValueError:
                    raise ValueError(
                        f"expected addresses or networks as 10.0.0.1 or 10.0.0.0/8, got {word!r}"
                    ) from None
        return networks

    def __contains__(self, address: object) -> bool:
        if tuple.__contains__(self, address):
            return True
        found = _parse(address) if self and isinstance(address, str) else None
        return found is not None and any(found in net for net in _parse_networks(tuple(self)))


@lru_cache(maxsize=64)
def _parse_networks(words: tuple[str, ...]) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(ip_network(word) for word in words if word != "*")


@lru_cache(maxsize=1024)
def _parse(text: str) -> IPv4Address | IPv6Address | None:
    """An address; one of IPv4 that is written as one of IPv6 counts as what it is."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def browser_address(peer: str, forwarded_for: str, trusted: Container[str]) -> str:
    """Who made a request that perhaps came by way of proxies.

    Args:
        peer: the other end of the connection.
        forwarded_for: ``X-Forwarded-For``, or ""; each proxy adds at the right whom it heard.
        trusted: proxies whose word is believed.

    Returns:
        The first address from the right that is no trusted proxy. What stands further left was
        written by that browser itself and says nothing.
    """
    address = peer
    heard = forwarded_for.split(",") if forwarded_for else []
    while heard and address in trusted:
        said = heard.pop().strip()
        if _parse(said) is None:
            break
        address = said
    return address


def household(address: str) -> str:
    """What to count by: an address of IPv4, or the network of 64 bits of one of IPv6."""
    if ":" not in address:
        return address
    parsed = _parse(address)
    if not isinstance(parsed, IPv6Address):
        return address if parsed is None else str(parsed)
    return str(IPv6Network((int(parsed), HOUSEHOLD_PREFIX), strict=False))
