"""Networks, proxies on the way, and whom to count as one."""

import pytest

from orbited.protocol.addresses import Networks, browser_address, household


def test_networks_hold_addresses():
    """Of both kinds, and an address of IPv4 that is written as one of IPv6."""
    networks = Networks.read(["127.0.0.1", "10.0.0.0/8", "fd00::/8"])
    for address in ("127.0.0.1", "10.1.2.3", "::ffff:10.1.2.3", "fd12::1", "fd12::1%eth0"):
        assert address in networks
    for address in ("127.0.0.2", "11.0.0.1", "fe80::1", "", "proxy", "*"):
        assert address not in networks
    assert "*" in Networks.read(["*"])
    assert "127.0.0.1" not in Networks()


@pytest.mark.parametrize("word", ["proxy", "10.0.0.1/8", "1.2.3", ""])
def test_what_is_no_network_is_refused(word):
    """With what was expected."""
    with pytest.raises(ValueError, match="expected addresses or networks"):
        Networks.read([word])


TRUSTED = Networks.read(["10.0.0.0/8"])


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "address"),
    [
        ("192.0.2.1", "", "192.0.2.1"),
        ("192.0.2.1", "198.51.100.7", "192.0.2.1"),  # nobody believes it
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.7", "198.51.100.7"),
        ("10.0.0.1", "6.6.6.6, 198.51.100.7", "198.51.100.7"),  # the browser wrote the first
        ("10.0.0.1", "6.6.6.6, 198.51.100.7 , 10.0.0.2", "198.51.100.7"),
        ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
        ("10.0.0.1", "unknown, 10.0.0.2", "10.0.0.2"),
        ("10.0.0.1", ",", "10.0.0.1"),
    ],
)
def test_only_trusted_proxies_are_believed(peer, forwarded_for, address):
    """From the right, up to the first who is none."""
    assert browser_address(peer, forwarded_for, TRUSTED) == address


@pytest.mark.parametrize(
    ("address", "counted_as"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("fe80::1%eth0", "fe80::/64"),
        ("not:an:address", "not:an:address"),
        ("", ""),
    ],
)
def test_one_subscriber_is_counted_once(address, counted_as):
    """Whoever has an address of IPv6 has all of its network."""
    assert household(address) == counted_as
