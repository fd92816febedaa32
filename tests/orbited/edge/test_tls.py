"""The bounds of the edge behind TLS: the same answers, and the same ends."""

import contextlib
import select
import socket
import ssl

import pytest

from tests.support.certificates import Chain
from tests.support.http_corpus import GET
from tests.support.orbited_process import OrbitedProcess

pytestmark = pytest.mark.functional

CONFIG = """\
[listen]
https://127.0.0.1:0
[ssl]
key = leaf.key
crt = full.crt
[limits]
header_seconds = {header_seconds}
stalled_seconds = 0.5
linger_seconds = 0.5
"""

PATIENT, HASTY = 60, 3
"""Seconds for a head: more than a handshake and a request take on any machine, and few enough to
be waited for; a busy machine has time for a handshake then, too."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where the certificates are."""
    folder = tmp_path_factory.mktemp("tls")
    Chain.fresh().write(folder)
    return folder


@contextlib.contextmanager
def serving(folder, header_seconds):
    """A server; nothing of TLS goes wrong in it."""
    with OrbitedProcess(folder, CONFIG.format(header_seconds=header_seconds)) as server:
        yield server
        assert "Unhandled" not in server.log
        assert "Traceback" not in server.log


@contextlib.contextmanager
def connected(folder, server):
    """A browser's connection."""
    context = ssl.create_default_context(cafile=str(folder / "root.crt"))
    plain = socket.socket()
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    plain.settimeout(60)
    plain.connect(("127.0.0.1", server.ports["https"][0]))
    with context.wrap_socket(plain, server_hostname="127.0.0.1") as connection:
        yield connection


@pytest.fixture(scope="module")
def server(folder):
    """One for requests."""
    with serving(folder, PATIENT) as server:
        yield server


@pytest.fixture
def connection(folder, server):
    """A connection to it."""
    with connected(folder, server) as connection:
        yield connection


def read_to_end(connection):
    """All that comes, to the end that TLS itself announces."""
    received = b""
    while data := connection.recv(65536):
        received += data
    return received


def test_requests_in_one_piece_are_answered_in_order(connection):
    """And the connection is kept for them."""
    last = b"GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    connection.sendall(GET * 20 + last)
    assert read_to_end(connection).count(b"HTTP/1.1 404 Not Found\r\n") == 21


@pytest.mark.parametrize(
    ("data", "status"),
    [(b"nonsense\r\n\r\n", 400), (b"GET /" + b"x" * 9000, 414)],
)
def test_a_refusal_arrives(connection, data, status):
    """Whole, with the end of the connection behind it."""
    connection.sendall(data)
    answer = read_to_end(connection)
    assert answer.startswith(b"HTTP/1.1 %d " % status)
    assert answer.endswith(b".\n")


def test_a_connection_that_says_too_little_is_closed(folder):
    """In order, whether it has said half of a head, which is answered, or nothing."""
    with (
        serving(folder, HASTY) as server,
        connected(folder, server) as silent,
        connected(folder, server) as dawdling,
    ):
        dawdling.sendall(b"GET /a HTTP/1.1\r\nHost")
        assert read_to_end(silent) == b""
        answer = read_to_end(dawdling)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert answer.endswith(b".\n")


def test_a_browser_that_never_reads_is_cut(connection):
    """However TLS buffers what waits for it."""
    request = b"GET /static/Orbited.js HTTP/1.1\r\nHost: x\r\n\r\n"
    connection.setblocking(False)
    with contextlib.suppress(ConnectionError):  # cut already: this process was held up
        with contextlib.suppress(ssl.SSLWantWriteError):
            for _ in range(100_000):
                connection.send(request * 100)
        poll = select.poll()
        poll.register(connection, 0)  # nothing but the end
        assert poll.poll(60_000) == [(connection.fileno(), select.POLLERR | select.POLLHUP)]
