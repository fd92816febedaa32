"""The helper pages that Orbited.js of 2010 asks for, and who may embed them."""

import pytest
from twisted.internet.task import Clock

from orbited.config import from_mapping
from orbited.service import Comet
from tests.support.exchange import MemoryExchange

ORIGIN = "https://listed.example"
HELPERS = ["xsdrBridge.html", "xsdClose.html", "HTMLFileFrame.js", "HTMLFileClose.js"]


def get(path, *access):
    """Ask a server with these lines in its access list."""
    pages = Comet(from_mapping({"access": list(access)}), {}, Clock()).pages
    exchange = MemoryExchange("GET", path)
    pages.respond(exchange)
    return exchange


@pytest.mark.parametrize("folder", ["static", "tcp/static"])
@pytest.mark.parametrize("name", HELPERS)
def test_helpers_are_where_they_were(folder, name):
    """The frame of htmlfile asks for them beside the session."""
    assert get(f"{folder}/{name}").status == 200


@pytest.mark.parametrize("name", ["xsdrBridge.html", "xsdClose.html"])
def test_a_bridge_opts_out_of_origin_clusters(name):
    """Current browsers ignore document.domain otherwise."""
    assert get(f"static/{name}").headers["Origin-Agent-Cluster"] == "?0"


@pytest.mark.parametrize("name", ["xsdrBridge.html", "xsdClose.html"])
def test_a_bridge_is_embedded_by_nobody_else(name):
    """Only by this server's own pages and those of the origins in the access list."""
    policy = get(f"static/{name}", f"{ORIGIN} -> x:1", "* -> x:1").headers[
        "Content-Security-Policy"
    ]
    assert policy.endswith(f"; frame-ancestors 'self' {ORIGIN}")
    policy = get(f"static/{name}", "* -> x:1").headers["Content-Security-Policy"]
    assert policy.endswith("; frame-ancestors 'self'")


def test_other_files_belong_to_their_origin_alone():
    """Nothing else is opened to document.domain."""
    for name in ("Orbited.js", "HTMLFileFrame.js"):
        assert "Origin-Agent-Cluster" not in get(f"static/{name}", f"{ORIGIN} -> x:1").headers
