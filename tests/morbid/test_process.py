"""The command ``morbid``: a broker in a process of its own."""

from __future__ import annotations

import contextlib
import errno
import signal
import socket
import subprocess
import sys

import pytest
from twisted.internet.error import CannotListenError

from morbid.passwords import PasswordHash
from morbid.start import _cannot_listen
from stompservice.protocol import Frame, FrameParser, encode

pytestmark = pytest.mark.functional

CONNECT = b"CONNECT\naccept-version:1.2\nhost:/\nlogin:me\npasscode:pw\n\n\0"


class Connection:
    """A STOMP client on a socket."""

    def __init__(self, port, receive_buffer=None):
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(60)
        self.socket.connect(("127.0.0.1", port))
        self.parser = FrameParser()
        self.waiting = []

    def write(self, data):
        self.socket.sendall(data)
        return self

    def send(self, command, body=b"", **headers):
        return self.write(encode(Frame(command, headers, body)))

    def frame(self):
        """The next frame; None at the end of the connection."""
        while not self.waiting:
            data = self.socket.recv(65536)
            if not data:
                return None
            self.parser.receive_data(data)
            self.waiting += self.parser.events_received()
        return self.waiting.pop(0)

    def connect(self):
        assert self.write(CONNECT).frame().command == "CONNECTED"
        return self

    def subscribe(self, destination):
        self.send("SUBSCRIBE", id="0", destination=destination, receipt="s")
        assert self.frame().command == "RECEIPT"
        return self


@pytest.fixture
def new_connection():
    """Connect to a port; closed at the end."""
    with contextlib.ExitStack() as stack:

        def connect(port, **settings):
            connection = Connection(port, **settings)
            stack.enter_context(contextlib.closing(connection.socket))
            return connection

        yield connect


def run(*arguments, typed=""):
    """Run the command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "morbid", *arguments],
        capture_output=True,
        text=True,
        input=typed,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGINT])
def test_drains(start_broker, new_connection, signal_number):
    """A signal ends it cleanly: connections are told, what was written arrives, status 0."""
    broker = start_broker("-v")
    reader = new_connection(broker.port).connect().subscribe("/topic/a")
    sender = new_connection(broker.port).connect()
    sender.send("SEND", b"last words", destination="/topic/a", receipt="r")
    assert sender.frame().command == "RECEIPT"
    status, errors = broker.stop(signal_number)
    assert reader.frame().body == b"last words"
    assert reader.frame().headers["code"] == "shutting-down"
    assert reader.frame() is None
    assert status == 0
    assert "logged in" in errors
    assert "Traceback" not in errors


def test_listens_on_this_machine_only(start_broker):
    """Without a word about it, only programs on this machine can connect."""
    assert "STOMP on 127.0.0.1, port" in start_broker().greeting


def test_port_in_use(start_broker):
    """A port in use is one sentence that says what to do, and status 1."""
    ended = run("-p", str(start_broker().port))
    assert ended.returncode == 1
    assert "choose another port with -p" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_address_of_another_machine():
    """An address that is not ours is one sentence, with advice that fits."""
    ended = run("-i", "203.0.113.7", "-p", "0")
    assert ended.returncode == 1
    assert ended.stderr.startswith("morbid: cannot listen on 203.0.113.7, port 0: ")
    assert ended.stderr.endswith("choose another address with -i\n")
    assert ended.stderr.count("\n") == 1


def test_port_of_the_system():
    """A port that only the system may use is one sentence."""
    error = CannotListenError("127.0.0.1", 80, PermissionError(errno.EACCES, "Permission denied"))
    assert _cannot_listen(error) == (
        "cannot listen on 127.0.0.1, port 80: Permission denied; "
        "ports below 1024 are for the system; choose another with -p"
    )


def test_password_file(start_broker, new_connection, tmp_path):
    """A line that --hash-password makes lets its login in, and nobody else."""
    made = run("--hash-password", typed="me\npw\n")
    name, hashed, groups = made.stdout.strip().split(":")
    assert (name, groups) == ("me", "")
    assert PasswordHash.parse(hashed).matches("pw")
    (tmp_path / "passwords").write_text(made.stdout + made.stdout.replace("me:", "you:"))
    (tmp_path / "rights").write_text("everybody cr /topic/a\n")
    (tmp_path / "morbid.cfg").write_text("password_file=passwords\nrights_file=rights\n")
    broker = start_broker("-c", str(tmp_path / "morbid.cfg"))
    reader = new_connection(broker.port).connect().subscribe("/topic/a")
    reader.send("SEND", destination="/topic/a")
    assert reader.frame().headers["code"] == "write-refused"
    stranger = new_connection(broker.port).write(CONNECT.replace(b"passcode:pw", b"passcode:x"))
    assert stranger.frame().headers["code"] == "login-refused"
    assert stranger.frame() is None


@pytest.mark.parametrize("typed", ["\npw\n", "a:b\npw\n", "me\n\n"])
def test_password_line_of_nothing(typed):
    """A name or password that cannot be one is refused."""
    ended = run("--hash-password", typed=typed)
    assert (ended.returncode, ended.stdout) == (1, "")


def test_security_module(start_broker, new_connection, tmp_path):
    """``-a`` takes a security module of MorbidQ 0.8, without .py as it always was."""
    (tmp_path / "policy.py").write_text(
        "class Parms:\n    def checker_config(self): return {'sec_type': 'test'}\n"
    )
    broker = start_broker("-a", str(tmp_path / "policy"))
    stranger = new_connection(broker.port).write(CONNECT)
    assert stranger.frame().headers["code"] == "login-refused"
    known = CONNECT.replace(b"login:me\npasscode:pw", b"login:usr1\npasscode:pwd1")
    assert new_connection(broker.port).write(known).frame().command == "CONNECTED"


def test_restq_that_is_not_there(start_broker, new_connection):
    """``-r`` with a service that is down refuses logins, and the broker lives."""
    broker = start_broker("-r", "http://127.0.0.1:9/")
    for _ in range(2):
        stranger = new_connection(broker.port).write(CONNECT)
        assert stranger.frame().headers["code"] == "login-refused"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("port=x", "morbid.cfg:1: port: expected"),
        ("verbose=maybe", "morbid.cfg:1: verbose: expected"),
        (
            "# one\n\nmax_bodybytes=1",
            "morbid.cfg:3: there is no option 'max_bodybytes'",
        ),
        ("password_file=nowhere", "morbid.cfg:1: cannot read"),
        ("rights_file=nowhere", "morbid.cfg:1: cannot read"),
        ("auth=nowhere", "morbid.cfg:1: auth: there is no security module"),
        ("what", "morbid.cfg:1: expected option=value"),
    ],
)
def test_wrong_configuration(tmp_path, text, problem):
    """What is wrong in the configuration is one sentence, and status 1."""
    path = tmp_path / "morbid.cfg"
    path.write_text(text)
    ended = run("-c", str(path))
    assert ended.returncode == 1
    assert problem in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_help():
    """--help teaches; --help-options explains every option."""
    assert "/topic/NAME" in run("--help").stdout
    options = run("--help-options").stdout
    assert "max_body_bytes=4194304" in options
    assert "authenticator" in options


def test_subscriber_that_stops_reading(start_broker, new_connection, tmp_path):
    """Who stops reading is gone at the bound, with its code; the others miss nothing."""
    path = tmp_path / "morbid.cfg"
    path.write_text("max_outgoing_bytes=1000000\nclose_seconds=20\n")
    broker = start_broker("-c", str(path))
    stalled = new_connection(broker.port, receive_buffer=4096).connect().subscribe("/topic/a")
    reader = new_connection(broker.port).connect().subscribe("/topic/a")
    sender = new_connection(broker.port).connect()
    body = b"x" * 50_000
    for number in range(400):
        sender.send("SEND", b"%06d" % number + body, destination="/topic/a")
        assert reader.frame().body[:6] == b"%06d" % number
    received = []
    while (frame := stalled.frame()) is not None:
        received.append(frame)
    assert received[-1].headers["code"] == "slow-consumer"
    numbers = [int(frame.body[:6]) for frame in received[:-1]]
    assert numbers == list(range(len(numbers)))
    assert len(numbers) < 400
