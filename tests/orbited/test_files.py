"""Files over HTTP."""

import os

import pytest

from orbited.files import Files
from tests.support.exchange import MemoryExchange


@pytest.fixture
def folder(tmp_path):
    """A folder with a few files, and a secret beside it."""
    root = tmp_path / "public"
    (root / "sub").mkdir(parents=True)
    (root / "a.js").write_bytes(b"let a;")
    (root / "sub" / "b.html").write_bytes(b"<p>")
    (root / "a.d.ts").write_bytes(b"let a: 1;")
    (root / "large.bin").write_bytes(b"x" * 200_000)
    (root / ".hidden").write_bytes(b"hidden")
    (tmp_path / "secret.txt").write_bytes(b"secret")
    (tmp_path / "public-too").mkdir()
    (tmp_path / "public-too" / "c.txt").write_bytes(b"secret")
    os.symlink(tmp_path / "secret.txt", root / "link.txt")
    return root


def ask(folder, path, method="GET", **headers):
    """One request."""
    exchange = MemoryExchange(method, headers=headers)
    exchange.path = tuple(path.split("/"))
    Files(folder).respond(exchange)
    return exchange


@pytest.mark.parametrize(
    ("path", "content_type", "content"),
    [
        ("a.js", "text/javascript; charset=utf-8", b"let a;"),
        ("a.d.ts", "text/plain; charset=utf-8", b"let a: 1;"),
        ("sub/b.html", "text/html; charset=utf-8", b"<p>"),
        ("large.bin", "application/octet-stream", b"x" * 200_000),
    ],
)
def test_a_file_is_sent_with_its_type(folder, path, content_type, content):
    """Whole, with its length, not to be guessed at, to be asked for again."""
    exchange = ask(folder, path)
    assert (exchange.status, exchange.length) == (200, len(content))
    assert exchange.content == content
    assert exchange.is_finished
    assert exchange.headers["Content-Type"] == content_type
    assert exchange.headers["X-Content-Type-Options"] == "nosniff"
    assert exchange.headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize(
    "path",
    [
        "",
        "sub",
        "sub/",
        "nothing",
        "../secret.txt",
        "sub/../../secret.txt",
        "../public-too/c.txt",
        "..",
        "a.js/",
        "a.js/x",
        "link.txt",
        ".hidden",
        "a.js\0",
        "/etc/passwd",
        "..\\secret.txt",
        pytest.param("x" * 5000, id="long"),
    ],
)
def test_what_is_no_file_of_the_folder_is_not_found(folder, path):
    """Folders, parents, links to outside, hidden files, nonsense."""
    exchange = ask(folder, path)
    assert exchange.status == 404
    assert b"secret" not in exchange.content


def test_slashes_inside_a_segment_are_no_way_out(folder):
    """A percent-encoded slash is part of a name, and no name has one."""
    exchange = MemoryExchange()
    exchange.path = ("../secret.txt",)
    Files(folder).respond(exchange)
    assert exchange.status == 404


def test_a_known_version_is_not_sent_again(folder):
    """The tag of the first answer makes the second a 304."""
    tag = ask(folder, "a.js").headers["ETag"]
    exchange = ask(folder, "a.js", **{"if-none-match": tag})
    assert (exchange.status, exchange.content) == (304, b"")
    (folder / "a.js").write_bytes(b"let a, b;")
    assert ask(folder, "a.js", **{"if-none-match": tag}).status == 200


def test_head_is_get_without_the_body(folder):
    """The same headers and length."""
    exchange = ask(folder, "a.js", "HEAD")
    assert (exchange.status, exchange.length, exchange.content) == (200, 6, b"")
    assert exchange.is_finished


def test_other_methods_are_refused(folder):
    """With what is allowed."""
    exchange = ask(folder, "a.js", "POST")
    assert (exchange.status, exchange.headers["Allow"]) == (405, "GET, HEAD")


def test_a_slow_browser_is_waited_for(folder):
    """No more of a large file is read than the browser takes; one that leaves is forgotten."""
    exchange = MemoryExchange()
    exchange.path = ("large.bin",)
    original = exchange.write

    def write(data):
        original(data)
        exchange.producer.pauseProducing()

    exchange.write = write
    Files(folder).respond(exchange)
    assert len(exchange.written) == 1
    exchange.producer.resumeProducing()
    assert len(exchange.written) == 2
    exchange.lose()
    exchange.producer.resumeProducing()
    assert len(exchange.written) == 2


def test_a_single_file_may_be_mounted(folder):
    """As the index page of a server."""
    exchange = MemoryExchange()
    Files(folder / "a.js").respond(exchange)
    assert exchange.content == b"let a;"
