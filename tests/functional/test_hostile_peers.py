"""Peers that break every rule, against a whole site from outside: it answers, and serves others."""

import json
import re
import socket
from urllib.parse import urlsplit

import pytest

from tests.support.site_process import SiteProcess

pytestmark = pytest.mark.functional

SEND = "POST /thywill/send/"
CROWD = 300
SECONDS = 60


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """One site for all of them; whatever they do, no traceback gets into its log."""
    with SiteProcess(tmp_path_factory.mktemp("home"), "--no-reload") as running:
        yield running
        assert running.stop() == 0
        assert "Traceback" not in running.log


@pytest.fixture(autouse=True)
def others_are_served(site):
    """After each of them, a page loads and its message is handled."""
    yield
    assert site.open_page().post("send", message="still there", id="1").status == 200


def connect(site):
    """Connect to the site, as a peer that speaks for itself."""
    parts = urlsplit(site.url)
    return socket.create_connection((parts.hostname, parts.port), timeout=SECONDS)


def ask(site, request_line, *headers, body=b"", host=None):
    """Send one request; gives status and body of the answer, or (0, b"") for none."""
    host = urlsplit(site.url).netloc if host is None else host
    lines = [f"{request_line} HTTP/1.1", f"Host: {host}", "Connection: close", *headers, "", ""]
    with connect(site) as connection:
        received = b""
        try:
            connection.sendall("\r\n".join(lines).encode("latin-1") + body)
            while piece := connection.recv(65536):
                received += piece
        except (BrokenPipeError, ConnectionResetError):
            pass
    status = re.match(rb"HTTP/1\.1 (\d+)", received)
    assert b"Traceback" not in received
    assert b"DJANGO_SETTINGS_MODULE" not in received
    return int(status[1]) if status else 0, received.partition(b"\r\n\r\n")[2]


def post(site, page, body, content_type="application/json", **options):
    """POST to /thywill/send/ with everything that a page shows."""
    cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in page._cookies)
    headers = [
        f"Cookie: {cookies}",
        f"X-CSRFToken: {page.parameters['csrf_token']}",
        f"Content-Type: {content_type}",
        f"Content-Length: {options.pop('length', len(body))}",
    ]
    return ask(site, SEND, *headers, body=body, **options)


def message(page, value):
    """A body with this JSON text as the message."""
    about = json.dumps({"uuid": page.uuid, "token": page.parameters["client_token"], "id": "1"})
    return b'%s,"message":%s}' % (about[:-1].encode(), value)


@pytest.mark.parametrize(
    ("value", "status", "code"),
    [
        (b"[" * 30_000 + b"]" * 30_000, 400, "malformed-message"),
        (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, 400, "malformed-message"),
        (b"NaN", 400, "malformed-message"),
        (b"1e999", 400, "malformed-message"),
        (b"9" * 60_000, 400, "malformed-message"),
        (b'{"a":1,"a":2}', 400, "malformed-message"),
        (b'"\xff"', 400, "malformed-message"),
        (b'"\x00"', 400, "malformed-message"),
        (b'"\\ud800"', 400, "malformed-message"),
        (b'"%b"' % (b"x" * 70_000), 413, "message-too-large"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_messages_of_every_wrong_shape(site, value, status, code):
    """A message that is none is refused with code and sentence."""
    page = site.open_page()
    answered, body = post(site, page, message(page, value))
    fields = json.loads(body)
    assert (answered, fields["status"], fields["code"]) == (status, "error", code)
    assert fields["message"].endswith(".")


@pytest.mark.parametrize(
    ("line", "headers", "body", "statuses"),
    [
        (SEND, ["Content-Length: -5"], b"", {400}),
        (SEND, ["Content-Length: +5"], b"hello", {400}),
        (SEND, ["Content-Length: " + "9" * 40], b"", {400}),
        (SEND, ["Content-Length: " + "9" * 5000], b"", {400}),
        (SEND, ["Content-Length: 3", "Content-Length: 5"], b"hello", {400}),
        (SEND, ["Content-Length: 5", "Transfer-Encoding: chunked"], b"0\r\n\r\n", {400}),
        (SEND, ["Transfer-Encoding: gzip, chunked"], b"0\r\n\r\n", {501}),
        (SEND, ["Transfer-Encoding: chunked"], b"zz\r\n", {400}),
        (
            SEND,
            ["Transfer-Encoding: chunked"],
            (b"10000\r\n" + b"x" * 65536 + b"\r\n") * 300,
            {413},
        ),
        (SEND, ["Content-Length: 2"], b"{}", {415}),
        ("GET /thywill/send/", [], b"", {405}),
        ("GET http://evil.example/thywill/init/", [], b"", {400}),
        ("CONNECT 127.0.0.1:61613", [], b"", {400}),
        ("GET /" + "x" * 100_000, [], b"", {414}),
        ("GET /thywill/health/", ["X: " + "y" * 100_000], b"", {431}),
        ("GET /thywill/health/", ["X: y"] * 1000, b"", {431}),
        ("GET /thywill/health/", ["Host: other.example"], b"", {400}),
        ("BREW /thywill/init/", [], b"", {501}),
        ("GET /thywill/init/%ff%00/../", [], b"", {404}),
        ("GET /thywill/init/?" + "a=1&" * 1500, [], b"", {400}),
        ("GET /static/..%2f..%2fsettings.py", [], b"", {404}),
        ("GET /static/thywill/thywill.js", ["If-None-Match: \xff"], b"", {200}),
        ("GET /static/thywill/thywill.js", ["Range: bytes=0-" + "9" * 5000], b"", {200}),
        ("GET /orbited/static/..%2f..%2fsettings.py", [], b"", {404}),
        ("POST /orbited/tcp/nothing", ["Content-Length: 3"], b"abc", {404}),
    ],
    ids=lambda value: str(value)[:40],
)
def test_requests_of_every_wrong_shape(site, line, headers, body, statuses):
    """A request that breaks a rule of HTTP, or leads nowhere, gets its status."""
    assert ask(site, line, *headers, body=body)[0] in statuses


@pytest.mark.parametrize("host", ["evil.example", "", "a b", "127.0.0.1;script-src *"])
def test_other_names(site, host):
    """A page that was made to believe that it is this site learns nothing of it."""
    status, body = ask(site, "GET /thywill/init/", host=host)
    assert status == 400
    assert b'"unknown-host"' in body


@pytest.mark.parametrize(
    "opening",
    [
        b"",
        b"GET /thywill/init/ HTTP/1.1\r\nHost: x\r\nX-",
        b"POST /thywill/send/ HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n{",
        b"GET /orbited/tcp/nothing/websocket HTTP/1.1\r\nUpgrade: websocket\r\n",
        b"\x16\x03\x01\x02\x00",
    ],
    ids=["idle", "head", "body", "websocket", "tls"],
)
def test_a_crowd_that_never_finishes(site, opening):
    """Hundreds of connections that wait for nothing hold up nobody."""
    crowd = [connect(site) for _ in range(CROWD)]
    try:
        for connection in crowd:
            connection.sendall(opening)
        page = site.open_page()
        with page.listen("websocket") as listening:
            page.post("send", message="through the crowd", id="1")
            assert listening.receive().body == b"through the crowd"
    finally:
        for connection in crowd:
            connection.close()
