"""What is where, alone and under a prefix of another site."""

import pytest
from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.web.resource import Resource

from orbited.config import from_mapping
from orbited.errors import ConfigurationError
from orbited.service import Comet, embedded
from orbited.site import _redactor
from tests.support.exchange import MemoryExchange


class Leaf(Resource):
    """Says which path it was asked for."""

    isLeaf = True

    def render(self, request):
        """Twisted: answer."""
        prepath, postpath = b"/".join(request.prepath), b"/".join(request.postpath)
        return b"site:" + prepath + b":" + postpath


def ask(prefix, path, options=None, method="GET", root=None):
    """Ask an embedding site."""
    reactor = MemoryReactorClock()
    site = embedded(options, {}, reactor).site(root or Leaf(), prefix)
    site.startFactory()
    protocol = site.buildProtocol(None)
    transport = StringTransport()
    protocol.makeConnection(transport)
    protocol.dataReceived(f"{method} {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    head, _, body = transport.value().partition(b"\r\n\r\n")
    site.stopFactory()
    return int(head.split()[1]), body


@pytest.mark.parametrize("prefix", ["/orbited/", "/orbited", "orbited", "/a/b/", "/"])
def test_comet_is_under_its_prefix(prefix):
    """However the prefix is written; nothing of it is the site's."""
    base = "/" + prefix.strip("/") if prefix.strip("/") else ""
    status, key = ask(prefix, f"{base}/tcp?nocache=0.5")
    assert (status, len(key)) == (200, 32)
    assert ask(prefix, f"{base}/static/Orbited.js")[0] == 200
    assert ask(prefix, f"{base}/tcp/static/Orbited.js")[0] == 200
    assert ask(prefix, f"{base}/tcp/unknown/longpoll") == (
        404,
        b"There is no such session; it may have timed out.\n",
    )


@pytest.mark.parametrize("folder", ["again-2/", "again-317/"])
@pytest.mark.parametrize("tree", ["static", "tcp/static"])
def test_static_files_have_addresses_for_another_try(tree, folder):
    """A browser that remembers a failure for an address can ask at another one."""
    names = ["Orbited.js", "comet/transports/base.js"]
    for name in names:
        first = ask("/orbited/", f"/orbited/{tree}/{name}")
        assert first[0] == 200
        assert ask("/orbited/", f"/orbited/{tree}/{folder}{name}") == first
    assert ask("/orbited/", f"/orbited/{tree}/{folder}{folder}Orbited.js")[0] == 404
    assert ask("/orbited/", f"/orbited/{tree}/{folder}")[0] == 404


@pytest.mark.parametrize(
    ("prefix", "path", "answer"),
    [
        ("/orbited/", "/", b"site::"),
        ("/orbited/", "/thywill/init/", b"site::thywill/init/"),
        ("/orbited/", "/orbitedx/tcp", b"site::orbitedx/tcp"),
        ("/orbited/", "/tcp", b"site::tcp"),
        ("/a/b/", "/a/tcp", b"site::a/tcp"),
        ("/a/b/", "/b/tcp", b"site::b/tcp"),
        ("/", "/thywill/init/", b"site::thywill/init/"),
    ],
)
def test_everything_else_is_the_sites(prefix, path, answer):
    """As if there were no prefix: a leaf sees its whole path."""
    assert ask(prefix, path) == (200, answer)


def test_a_tree_is_traversed_as_ever():
    """A root that is no leaf finds its children."""
    root = Resource()
    root.putChild(b"child", Leaf())
    assert ask("/orbited/", "/child/more", root=root) == (200, b"site:child:more")


def test_bodies_have_two_bounds():
    """One for packets, one for the site's own requests."""
    reactor = MemoryReactorClock()
    options = {"limits": {"post_bytes": 100}}
    site = embedded(options, {}, reactor).site(Leaf(), "/orbited/", max_body_bytes=200)
    assert site.max_body_bytes(b"/orbited/tcp/KEY") == 100
    assert site.max_body_bytes(b"/thywill/send/") == 200


def test_folders_may_be_mounted(tmp_path):
    """Beside ours, and one as the index."""
    (tmp_path / "x.txt").write_text("x")
    (tmp_path / "index.html").write_text("index")
    options = {"static": {"files": str(tmp_path), "INDEX": str(tmp_path / "index.html")}}
    pages = Comet(from_mapping(options), {}, Clock()).pages

    def get(path):
        exchange = MemoryExchange("GET", path)
        pages.respond(exchange)
        return exchange.status, exchange.content

    assert get("files/x.txt") == (200, b"x")
    assert get("files")[0] == 404
    assert get("") == (200, b"index")
    assert get("nothing") == (404, b"There is nothing here.\n")


@pytest.mark.parametrize(
    ("static", "problem"),
    [
        ({"tcp": "."}, "taken by Orbited itself"),
        ({"x": "/no/such"}, "no file or folder '/no/such'"),
    ],
)
def test_a_mount_that_makes_no_sense_is_said(static, problem):
    """At start-up, in one sentence."""
    with pytest.raises(ConfigurationError, match=problem):
        Comet(from_mapping({"static": static}), {}, Clock())


def test_the_proxy_may_be_off():
    """Then there are no sessions."""
    assert ask("/", "/tcp", {"global": {"proxy.enabled": "0"}}) == (200, b"site::tcp")


def test_health_is_told():
    """To whoever embeds us."""
    comet = embedded({}, {}, MemoryReactorClock())
    assert comet.health()["status"] == "ok"
    comet.service.startService()
    comet.service.stopService()
    assert comet.health()["status"] == "stopping"


def test_keys_are_taken_out_of_paths():
    """For the log; the static tree keeps its names."""
    redact = _redactor(b"/orbited/tcp/")
    assert redact(b"/orbited/tcp/0123/longpoll") == b"/orbited/tcp/.../longpoll"
    assert redact(b"/orbited/tcp/0123") == b"/orbited/tcp/..."
    assert redact(b"/orbited/tcp/static/Orbited.js") == b"/orbited/tcp/static/Orbited.js"
    assert redact(b"/other") == b"/other"


def test_notes_are_only_for_the_same_headers():
    """Requests of one connection whose origins differ are told apart, whoever came before."""
    reactor = MemoryReactorClock()
    options = {"access": "http://good.example -> localhost:1"}
    site = embedded(options, {}, reactor).site(Leaf(), "/")
    site.startFactory()
    protocol, transport = site.buildProtocol(None), StringTransport()
    protocol.makeConnection(transport)

    def ask_for(origin):
        transport.clear()
        head = f"GET /tcp/KEY/longpoll HTTP/1.1\r\nHost: x\r\nOrigin: {origin}\r\n\r\n"
        protocol.dataReceived(head.encode())
        answer = transport.value()
        return int(answer.split()[1]), b"Allow-Origin: http://good.example" in answer

    for _ in range(3):
        assert ask_for("http://good.example") == (404, True)
        assert ask_for("http://bad.example") == (403, False)
    site.stopFactory()
