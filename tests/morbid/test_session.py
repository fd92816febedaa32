"""The life of one connection: logging in, frames, time, the way out."""

from types import SimpleNamespace

import pytest

from morbid.events import Closed, LoggedIn
from morbid.mqsecurity import Identity
from stompservice.protocol import V10, V11, V12, Frame, encode


@pytest.mark.parametrize(
    ("accept", "version"),
    [("1.0", V10), ("1.1", V11), ("1.0,1.1,1.2", V12), ("1.2,2.7", V12), (" 1.0 , 1.1", V11)],
)
def test_highest_common_version(client, accept, version):
    """CONNECTED names the highest version that both sides speak."""
    client.send("CONNECT", accept_version=accept, host="x")
    frame = client.one()
    assert frame.command == "CONNECTED"
    assert frame.headers["version"] == version
    assert client.session.version == version


def test_stomp_is_connect(client):
    """STOMP logs in as CONNECT does."""
    client.send("STOMP", accept_version="1.2", host="x", login="me")
    assert client.commands() == ["CONNECTED"]
    assert client.session.events_received() == [LoggedIn("me", V12)]


def test_client_of_old_gets_what_it_always_got(client):
    """A CONNECT without accept-version is answered with a session number and nothing else."""
    client.feed(b"CONNECT\nlogin:guest\npasscode:guest\n\n\0")
    assert client.session.data_to_send() == [b"CONNECTED\nsession:1\n\n\0\n"]


def test_no_common_version(client):
    """A client of a future version is told which ones there are, and closed."""
    client.send("CONNECT", accept_version="3.0", host="x")
    frame = client.one()
    assert frame.headers["code"] == "unsupported-version"
    assert frame.headers["version"] == "1.0,1.1,1.2"
    assert client.is_closed


@pytest.mark.parametrize("version", [V10, V11, V12])
def test_frames_end_with_nul_and_one_line_end(client, version):
    """Every frame ends with NUL LF, for clients that wait for it, in every version."""
    client.connect(version)
    client.subscribe("/topic/a", receipt="r").send("SEND", b"x", destination="/topic/a")
    client.send("BOGUS")
    written = client.session.data_to_send()
    assert len(written) == 3
    assert all(data.endswith(b"\0\n") and not data.startswith(b"\n") for data in written)


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("SEND", "not-connected"),
        ("DISCONNECT", "not-connected"),
        ("BOGUS", "not-connected"),
    ],
)
def test_connect_comes_first(client, command, code):
    """Anything before CONNECT is refused and closes."""
    assert client.send(command).refusal() == code


@pytest.mark.parametrize("command", ["CONNECT", "STOMP"])
def test_second_connect(client, command):
    """A second login on one connection is refused."""
    client.connect()
    client.send(command, accept_version="1.2")
    assert client.refusal() == "already-connected"


@pytest.mark.parametrize("command", ["BOGUS", "MESSAGE", "CONNECTED", "RECEIPT", "ERROR"])
def test_unknown_command(client, command):
    """A word that is no client command is refused; nothing is looked up by it."""
    client.connect()
    assert client.send(command).refusal() == "unknown-command"


def test_nothing_is_read_after_an_error(client):
    """Frames behind the one that was refused have no effect."""
    client.connect()
    client.feed(b"BOGUS\n\n\0SEND\ndestination:/queue/a\n\nx\0")
    assert client.commands() == ["ERROR"]
    assert client.session.broker.destinations == {}


@pytest.mark.parametrize("version", [V10, V11, V12])
def test_error_names_the_receipt(client, version):
    """An ERROR carries the receipt id of the frame that caused it."""
    client.connect(version)
    client.send("SEND", receipt="r:1" if version != V10 else "r1")
    assert client.one().headers["receipt-id"] == ("r:1" if version != V10 else "r1")


def test_malformed_frame(client):
    """Bytes that are no frame end in ERROR, with the receipt when it was readable."""
    client.connect()
    client.feed(b"SEND\nreceipt:r\nno colon\n\n\0")
    frame = client.one()
    assert frame.headers["code"] == "malformed-frame"
    assert frame.headers["receipt-id"] == "r"
    assert client.is_closed


def test_disconnect_with_receipt(client, leaves_nothing):
    """DISCONNECT is answered before the connection closes."""
    client.connect().send("DISCONNECT", receipt="bye")
    assert client.one().headers == {"receipt-id": "bye"}
    assert client.is_closed
    assert Closed(None) in client.events


def test_whole_bytewise_and_cut(new_client, broker):
    """The same bytes have the same effect however they are cut."""
    conversation = (
        b"CONNECT\naccept-version:1.2\nhost:x\n\n\0\n"
        b"SUBSCRIBE\r\nid:1\r\ndestination:/topic/a\r\nreceipt:1\r\n\r\n\0"
        b"SEND\ndestination:/topic/a\ncontent-length:3\n\na\0b\0\n\n\n"
        b"DISCONNECT\nreceipt:2\n\n\0"
    )
    for cut in range(len(conversation)):
        whole = new_client()
        whole.feed(conversation[:cut]).feed(conversation[cut:])
        assert whole.commands() == ["CONNECTED", "RECEIPT", "MESSAGE", "RECEIPT"]
        assert whole.is_closed
    single = new_client()
    for byte in conversation:
        single.feed(bytes([byte]))
    assert single.commands() == ["CONNECTED", "RECEIPT", "MESSAGE", "RECEIPT"]


# Heart-beats.


@pytest.mark.parametrize(
    ("header", "beat_at", "dead_at"),
    [
        ("0,0", None, None),
        ("5000,0", None, 20.0),  # we want one each 10 s, and forgive one
        ("20000,0", None, 40.0),
        ("0,5000", 4.5, None),
        ("0,1", 0.9, None),  # bounded from below by heart_beat_send_ms
    ],
)
def test_heart_beats(client, header, beat_at, dead_at):
    """Each direction has the slower of promise and wish; silence ends the connection."""
    client.connect(heart_beat=header)
    deadline = client.session.next_deadline()
    assert deadline == (beat_at if beat_at is not None else dead_at)
    if beat_at is not None:
        client.session.tick(beat_at)
        assert client.session.data_to_send() == [b"\n"]
        assert client.session.next_deadline() == pytest.approx(beat_at * 2)
    if dead_at is not None:
        client.session.tick(dead_at - 0.01)
        assert not client.is_closed
        client.session.tick(dead_at)
        assert client.refusal() == "heart-beat-timeout"


def test_any_byte_is_life(client):
    """A line end between frames counts as a heart-beat."""
    client.connect(heart_beat="10000,0")
    client.now = 19.0
    client.feed(b"\n")
    client.session.tick(20.0)
    assert not client.is_closed
    assert client.session.next_deadline() == 39.0


def test_no_heart_beat_unasked(client):
    """1.0 has no heart-beats, even if the header is there."""
    client.connect(V10, heart_beat="1000,1000")
    assert client.session.next_deadline() is None


@pytest.mark.parametrize("header", ["", "1", "a,b", "-1,0", "1,2,3", "1.5,0"])
def test_malformed_heart_beat(client, header):
    """A heart-beat header that is not two numbers is refused."""
    client.send("CONNECT", accept_version="1.2", host="x", heart_beat=header)
    assert client.refusal() == "bad-header"


# Time limits.


def test_login_timeout(new_client):
    """Who does not log in in time is told so."""
    client = new_client(login_seconds=3)
    assert client.session.next_deadline() == 3.0
    client.feed(b"CONNECT\naccept")
    client.session.tick(3.0)
    assert client.refusal() == "login-timeout"


def test_frame_timeout(new_client):
    """Who begins a frame and does not end it in time is told so."""
    client = new_client(frame_seconds=5).connect()
    client.now = 100.0
    client.feed(b"SEND\ndestination:/a\n\nxx")
    assert client.session.deadline_moved
    assert client.session.next_deadline() == 105.0
    client.now = 104.0
    client.feed(b"x")
    assert client.session.next_deadline() == 105.0
    client.session.tick(105.0)
    assert client.refusal() == "frame-timeout"


def test_frame_time_begins_anew_with_each_frame(new_client):
    """A busy connection is never within one frame for long."""
    client = new_client(frame_seconds=5).connect()
    client.feed(b"SEND\ndestination:/a\n\nxx")
    client.now = 4.0
    client.feed(b"\0SEND\n")
    assert client.session.next_deadline() == 9.0
    client.feed(b"destination:/a\n\n\0\n")
    assert client.session.next_deadline() is None


def test_identity_expires(guarded):
    """A connection ends when what it logged in with has expired."""

    class Doorkeeper:
        def authenticate(self, login, passcode, peer):
            return Identity(login, expires_at=50.0)

    client = guarded(authenticator=Doorkeeper())
    assert client.session.next_deadline() == 50.0
    client.session.tick(49.9)
    assert not client.is_closed
    client.session.tick(50.0)
    assert client.refusal() == "session-expired"


def test_authorizer_prolongs_identity(guarded):
    """The expiry is read again after each authorize()."""

    class Doorkeeper:
        def authenticate(self, login, passcode, peer):
            return Identity(login, expires_at=50.0)

        def authorize(self, identity, operation, destination, headers):
            identity.expires_at = 90.0 if "ticket" in headers else None
            return True

    doorkeeper = Doorkeeper()
    client = guarded(authenticator=doorkeeper, authorizer=doorkeeper)
    client.subscribe("/topic/renew", ticket="new")
    assert client.session.deadline_moved
    assert client.session.next_deadline() == 90.0
    client.subscribe("/topic/other", "1")
    assert client.session.next_deadline() is None


# The way out.


def test_paused_connection_holds_frames(broker, new_client):
    """While the transport is full, frames are held, and come in order when it is not."""
    slow = new_client().connect().subscribe("/topic/a")
    fast = new_client().connect()
    slow.session.pause()
    fast.send("SEND", b"1", destination="/topic/a").send("SEND", b"2", destination="/topic/a")
    slow.send("UNSUBSCRIBE", id="0", receipt="r")
    assert slow.read() == []
    slow.session.resume()
    assert [(f.command, f.body) for f in slow.read()] == [
        ("MESSAGE", b"1"),
        ("MESSAGE", b"2"),
        ("RECEIPT", b""),
    ]


def test_transport_that_fills_while_it_is_resumed(new_client):
    """A transport that is full again at once gets no more than one frame."""
    client = new_client().connect().subscribe("/topic/a")
    session = client.session
    session.pause()
    for number in range(3):
        client.send("SEND", b"%d" % number, destination="/topic/a")
    written: list[bytes] = []

    def write(data: bytes) -> None:
        written.append(data)
        session.pause()

    session.write_to(write)
    session.pause()
    for expected in range(1, 4):
        session.resume()
        assert len(written) == expected
    client.send("SEND", b"3", destination="/topic/a")
    session.resume()
    assert [data[-4:-2] for data in written] == [b"\n0", b"\n1", b"\n2", b"\n3"]


def test_slow_consumer(new_client):
    """Who does not read is gone at the bound, with its own code; others go on."""
    slow = new_client(max_outgoing_bytes=1_000).connect().subscribe("/topic/a")
    broker = slow.session.broker
    other = new_client(broker).connect().subscribe("/topic/a")
    woken = []
    slow.session.shell = SimpleNamespace(wake=lambda: woken.append(slow.is_closed))
    slow.session.pause()
    for _ in range(20):
        other.send("SEND", b"x" * 100, destination="/topic/a")
    assert len(other.read()) == 20
    assert woken == [True]
    assert slow.refusal() == "slow-consumer"
    assert broker.counters.slow_consumers == 1
    assert broker.subscription_count == 1


def test_one_frame_is_always_taken(new_client):
    """A single frame larger than the bound is held: there may be no other way to send it."""
    client = new_client(max_outgoing_bytes=10).connect().subscribe("/topic/a")
    client.session.pause()
    client.send("SEND", b"x" * 100, destination="/topic/a")
    assert not client.is_closed
    client.session.resume()
    assert client.bodies() == [b"x" * 100]


def test_no_heart_beat_into_a_full_transport(client):
    """Heart-beats are not held for a transport that takes nothing."""
    client.connect(heart_beat="0,1000")
    client.session.pause()
    client.session.tick(5.0)
    client.session.resume()
    assert client.session.data_to_send() == []


def test_connection_that_vanishes(client, leaves_nothing):
    """A connection that is lost leaves nothing behind and hears no more."""
    client.connect().subscribe("/topic/a").subscribe("/queue/b", "1")
    client.send("BEGIN", transaction="t")
    client.session.connection_lost()
    client.session.connection_lost()
    client.feed(encode(Frame("SEND", {"destination": "/queue/b"}, b"x")))
    client.session.tick(1e9)
    client.session.pause()
    client.session.resume()
    assert client.session.next_deadline() is None
    assert client.read() == []
    assert client.session.broker.logins == {}


def test_heart_beat_settings(new_client):
    """The broker's own periods and its patience are settings; CONNECTED tells the periods."""
    client = new_client(heart_beat_send_ms=2_000, heart_beat_receive_ms=500, heart_beat_grace=3)
    client.send("CONNECT", accept_version="1.2", host="x", heart_beat="1000,1000")
    assert client.one().headers["heart-beat"] == "2000,500"
    assert client.session.next_deadline() == 1.8
    client.session.tick(3.0)
    assert client.is_closed


def test_no_heart_beats_at_all(new_client):
    """Both directions can be switched off."""
    client = new_client(heart_beat_send_ms=0, heart_beat_receive_ms=0)
    client.connect(heart_beat="1,1")
    assert client.session.next_deadline() is None


def test_nothing_is_kept_of_a_connection_that_has_ended(client):
    """Half a frame, and frames behind a DISCONNECT, are not kept in memory."""
    client.connect()
    client.feed(b"DISCONNECT\n\n\0" + b"SEND\ndestination:/a\n\nhalf")
    assert client.session._parser.bytes_buffered == 0
