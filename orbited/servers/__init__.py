"""Small servers to try a connection with: ``echo://`` and its kin in ``[listen]``.

They are reached through the proxy or directly. They know no access list of their own and listen
on every interface unless a host is given, so they have no place on a machine of importance.
``monitor://`` is one more; it needs a server to watch, and tells only whom ``[system]`` allows.
"""

from twisted.internet.protocol import ServerFactory

from orbited.servers.protocols import Announce, Echo, LineEcho, Rude

__all__ = ["TEST_SERVERS", "make_factory"]

TEST_SERVERS = {"echo": Echo, "lineecho": LineEcho, "rude": Rude, "announce": Announce}


def make_factory(scheme: str) -> ServerFactory:
    """The factory for one of ``TEST_SERVERS``."""
    factory = ServerFactory()
    factory.protocol = TEST_SERVERS[scheme]
    factory.noisy = False
    return factory
