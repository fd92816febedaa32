"""``/ws/HOST:PORT`` and ``/stomp`` of a real server, over real sockets."""

import contextlib
import random
import signal
import socket
import threading

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from tests.support.comet import serving
from tests.support.ports import free_port

pytestmark = pytest.mark.functional

SECONDS = 60
BYTES = random.Random(1).randbytes(3_000_000)


@pytest.fixture(scope="module")
def six():
    """A back end on the loopback address of IPv6."""
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as listener:
        listener.settimeout(SECONDS)
        yield listener


@pytest.fixture(scope="module", params=[False, True], ids=["plain", "compressed"])
def server(request, six):
    """Orbited with back ends of every kind, in its process and over TCP."""
    closed, port = free_port(), six.getsockname()[1]
    options = {
        "broker": True,
        "access": [f"* -> [::1]:{port}", f"* -> 127.0.0.1:{closed}"],
        "websocket": {"stomp_broker": "morbid:61613"},
        "transports": {"websocket_compression": request.param},
        "limits": {"drain_seconds": 5},
    }
    with serving(options) as server:
        yield {**server, "closed": closed, "six": port, "is_compressed": request.param}


@pytest.fixture
def open_socket(server):
    """``open_socket("ws/localhost:18001")`` gives a connection."""
    with contextlib.ExitStack() as stack:

        def open_it(path, **options):
            url = f"ws://127.0.0.1:{server['http']}/{path}"
            options = {"open_timeout": SECONDS, "proxy": None, "max_size": None, **options}
            return stack.enter_context(connect(url, **options))

        yield open_it


def read(connection, size):
    """So many bytes, whatever the messages are that they come in."""
    received = bytearray()
    while len(received) < size:
        received += connection.recv(timeout=SECONDS)
    return bytes(received)


@pytest.mark.parametrize("target", ["localhost:18001", "127.0.0.1:{echo}"])
def test_megabytes_both_ways(server, open_socket, target):
    """Through a service of the process and over TCP, written and read at the same time."""
    connection = open_socket("ws/" + target.format(**server))

    def write():
        for start in range(0, len(BYTES), 100_000):
            connection.send(BYTES[start : start + 100_000])

    writer = threading.Thread(target=write)
    writer.start()
    received = read(connection, len(BYTES))
    writer.join()
    assert received == BYTES


def test_ten_thousand_lines_in_order(server, open_socket):
    """Written a few at a time by a service that waits when it is told to."""
    connection = open_socket("ws/numbers:1")
    connection.send("0 10000")
    expected = b"".join(b"%d\n" % number for number in range(10_000))
    assert read(connection, len(expected)) == expected


def test_an_ipv6_literal(server, open_socket, six):
    """In brackets, as in every URL."""
    connection = open_socket(f"ws/[::1]:{server['six']}")
    back_end, _ = six.accept()
    with back_end:
        back_end.settimeout(SECONDS)
        connection.send(b"up")
        assert back_end.recv(10) == b"up"
        back_end.sendall(b"down")
        assert connection.recv(timeout=SECONDS) == b"down"
    with pytest.raises(ConnectionClosed) as closed:
        connection.recv(timeout=SECONDS)
    assert closed.value.rcvd.code == 1000


@pytest.mark.parametrize(
    ("path", "status"),
    [("ws/127.0.0.1:{closed}", 502), ("ws/127.0.0.1:1", 403), ("ws/nonsense", 404)],
)
def test_refusals(server, open_socket, path, status):
    """A status and a sentence, before the upgrade."""
    with pytest.raises(InvalidStatus) as caught:
        open_socket(path.format(**server))
    response = caught.value.response
    assert response.status_code == status
    assert response.body.endswith(b".\n")


def test_a_client_that_does_not_read(server, open_socket):
    """Of what a service pours out at once, 16 MiB, only so much waits; then comes 1013."""
    connection = open_socket("ws/flood:1")
    if server["is_compressed"]:  # so well that nothing has to wait
        assert read(connection, 16 << 20) == b"x" * (16 << 20)
        return
    with pytest.raises(ConnectionClosed) as closed:
        read(connection, 16 << 20)
    assert closed.value.rcvd.code == 1013


def test_frames_of_stomp_come_whole(server, open_socket):
    """Text is a text message, and bytes that are none a binary one."""
    connection = open_socket("stomp", subprotocols=["v12.stomp"])
    assert connection.subprotocol == "v12.stomp"
    connection.send("CONNECT\naccept-version:1.2\nhost:/\nlogin:a\npasscode:b\n\n\0")
    assert connection.recv(timeout=SECONDS).startswith("CONNECTED\n")
    connection.send("SUBSCRIBE\nid:0\ndestination:/topic/t\n\n\0")
    for body in (b"text" * 1000, b"\xff\0" * 1000):
        head = b"SEND\ndestination:/topic/t\ncontent-length:%d\n\n" % len(body)
        connection.send(head + body[:100])
        connection.send(body[100:] + b"\0")
        message = connection.recv(timeout=SECONDS)
        assert isinstance(message, str) is body.startswith(b"text")
        frame = message.encode() if isinstance(message, str) else message
        assert frame.startswith(b"MESSAGE\n")
        assert frame.rstrip(b"\n").endswith(b"\n\n" + body + b"\0")


def test_stopping_is_told(server):
    """Every client hears 1001, and the process ends when they have answered."""
    url = f"ws://127.0.0.1:{server['http']}"
    with contextlib.ExitStack() as stack:
        clients = [
            stack.enter_context(connect(f"{url}/{path}", proxy=None))
            for path in ("ws/localhost:18001", f"ws/127.0.0.1:{server['echo']}", "stomp")
        ]
        server["process"].send_signal(signal.SIGTERM)
        for client in clients:
            with pytest.raises(ConnectionClosed) as closed:
                client.recv(timeout=SECONDS)
            assert closed.value.rcvd.code == 1001
    assert server["process"].wait(SECONDS) == 0
