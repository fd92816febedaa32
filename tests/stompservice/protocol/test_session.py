"""The client's side of a connection."""

from itertools import product

import pytest

from stompservice.errors import (
    BrokerError,
    ConnectionFailedError,
    EncodeError,
    FrameError,
    HeartBeatError,
    ProtocolError,
    QueueFull,
    UsageError,
)
from stompservice.protocol import Frame
from stompservice.protocol.events import (
    Connected,
    Ended,
    Error,
    Message,
    NotSent,
    Receipt,
)
from stompservice.protocol.session import (
    ERROR_1_0,
    LAST_RECEIPT,
    RECEIVING,
    SENDING,
    ClientOptions,
    ClientSession,
    State,
)
from stompservice.protocol.spec import CLIENT_COMMANDS, SERVER_COMMANDS

CONNECTED = b"CONNECTED\nversion:1.2\n\n\0\n"
CONNECTED_1_1 = b"CONNECTED\nversion:1.1\n\n\0\n"
CONNECTED_1_0 = b"CONNECTED\nsession:1\n\n\0\n"


def sent(session: ClientSession) -> bytes:
    """What the session wants written."""
    return b"".join(session.data_to_send())


def session_in(state: State, connected: bytes = CONNECTED, **options: object) -> ClientSession:
    """A session that has come as far as this, with nothing left to write or to tell."""
    session = ClientSession(ClientOptions(**options))
    if state is not State.NEW:
        session.connect(0.0)
    if state in (State.CONNECTED, State.DISCONNECTING):
        session.receive_data(connected, 0.0)
    if state is State.DISCONNECTING:
        session.disconnect(0.0)
    if state is State.CLOSED:
        session.receive_eof()
    assert session.state is state
    session.data_to_send()
    session.events_received()
    return session


@pytest.fixture
def session() -> ClientSession:
    """A session that is connected with STOMP 1.2."""
    return session_in(State.CONNECTED)


# Connecting


def test_connect():
    """CONNECT offers the versions, and says who we are and how often we beat."""
    session = ClientSession(ClientOptions("me", "secret:x", heart_beat=(10, 20)))
    session.connect(0.0)
    assert sent(session) == (
        b"CONNECT\naccept-version:1.0,1.1,1.2\nhost:/\nlogin:me\npasscode:secret:x\n"
        b"heart-beat:10,20\n\n\0\n"
    )


def test_connect_without_login():
    """Without a login the broker's default user is taken."""
    session = ClientSession()
    session.connect(0.0)
    assert sent(session) == b"CONNECT\naccept-version:1.0,1.1,1.2\nhost:/\n\n\0\n"


def test_connect_as_in_1_0():
    """With no versions to offer, CONNECT is what it was in 1.0."""
    session = ClientSession(ClientOptions("u", "p", versions=()))
    session.connect(0.0)
    assert sent(session) == b"CONNECT\nlogin:u\npasscode:p\n\n\0\n"


def test_further_headers():
    """CONNECT may have headers of the caller's."""
    session = ClientSession(ClientOptions(headers={"client-id": "7"}))
    session.connect(0.0)
    assert b"client-id:7\n" in sent(session)


def test_connected():
    """CONNECTED says the version and the beats."""
    session = session_in(State.CONNECTING, heart_beat=(10, 20))
    session.receive_data(b"CONNECTED\nversion:1.1\nheart-beat:30,40\n\n\0\n", 0.0)
    (event,) = session.events_received()
    assert isinstance(event, Connected)
    assert (event.version, event.heart_beat) == ("1.1", (40, 30))
    assert session.version == "1.1"


def test_old_broker():
    """A CONNECTED without version is 1.0: nothing is escaped or unescaped."""
    session = session_in(State.CONNECTED, CONNECTED_1_0)
    assert session.version == "1.0"
    session.send("/a", "x", {"k": "a\\b:c"})
    assert b"k:a\\b:c\n" in sent(session)
    session.receive_data(b"MESSAGE\ndestination: /a\nk:a\\tb\n\n\0\n", 0.0)
    (event,) = session.events_received()
    assert event.frame.headers == {"destination": "/a", "k": "a\\tb"}


@pytest.mark.parametrize("line", [b"version:9.9", b"version:1.2\nheart-beat:often"])
def test_nonsense_in_connected(line):
    """A version that was not offered, or unreadable beats, end the connection."""
    session = session_in(State.CONNECTING)
    session.receive_data(b"CONNECTED\n" + line + b"\n\n\0", 0.0)
    (event,) = session.events_received()
    assert isinstance(event.reason, ProtocolError)


def test_version_that_was_not_offered():
    """A broker may fall back to 1.0, and to nothing else that we did not offer."""
    session = session_in(State.CONNECTING, versions=("1.2",))
    session.receive_data(CONNECTED_1_1, 0.0)
    assert session.state is State.CLOSED
    assert session_in(State.CONNECTED, CONNECTED_1_0, versions=("1.2",)).version == "1.0"


def test_refused():
    """ERROR instead of CONNECTED ends the connection."""
    session = session_in(State.CONNECTING)
    session.receive_data(b"ERROR\nmessage:Bad CONNECT\n\nwho?\0\n", 0.0)
    error, ended = session.events_received()
    assert isinstance(error, Error)
    assert isinstance(ended.reason, BrokerError)
    assert str(ended.reason) == "Bad CONNECT"
    assert ended.reason.frame.body == b"who?"


def test_no_answer_to_connect():
    """A broker that does not answer in time is given up."""
    session = session_in(State.CONNECTING, login_seconds=7.0)
    assert session.next_deadline() == 7.0
    session.tick(6.9)
    assert session.events_received() == []
    session.tick(7.0)
    (event,) = session.events_received()
    assert isinstance(event.reason, ConnectionFailedError)
    assert session.next_deadline() is None


def test_sent_before_connected():
    """What is sent early is written, in order, when the version is known."""
    session = session_in(State.CONNECTING)
    session.subscribe("/a", {"k": "x:y"})
    session.send("/a", "hi")
    assert sent(session) == b""
    session.receive_data(CONNECTED, 0.0)
    first, second = sent(session).split(b"\0\n")[:2]
    assert first.startswith(b"SUBSCRIBE\n")
    assert b"k:x\\cy\n" in first
    assert second.startswith(b"SEND\n")


def test_sent_before_connected_is_bounded():
    """More than max_held_frames is the caller's mistake."""
    session = session_in(State.CONNECTING, max_held_frames=2)
    session.send("/a", "1")
    session.send("/a", "2")
    with pytest.raises(QueueFull, match="2 frames wait"):
        session.send("/a", "3")


def test_sent_before_connected_but_not_writable():
    """What the version cannot carry is told, and the rest goes."""
    session = session_in(State.CONNECTING)
    session.subscribe("/a", {"k": "x\ny"})
    session.send("/b", "hi")
    session.receive_data(CONNECTED_1_0, 0.0)
    connected, not_sent = session.events_received()
    assert isinstance(connected, Connected)
    assert isinstance(not_sent, NotSent)
    assert not_sent.frame.command == "SUBSCRIBE"
    assert isinstance(not_sent.error, EncodeError)
    assert session.subscriptions == {}
    assert sent(session).startswith(b"SEND\ndestination:/b\n")


# The transition tables


@pytest.mark.parametrize(("state", "command"), SENDING)
def test_each_row_of_sending(state, command):
    """Each row of SENDING leads where it says."""
    session = session_in(state)
    session.send_frame(Frame(command, {"destination": "/a"}))
    assert session.state is SENDING[state, command]


@pytest.mark.parametrize(
    ("state", "command"), sorted(set(product(State, CLIENT_COMMANDS)) - set(SENDING), key=str)
)
def test_anything_else_is_not_sent(state, command):
    """What has no row is the caller's mistake, and nothing is written."""
    session = session_in(state)
    with pytest.raises(UsageError, match=f"{command} cannot be sent while {state.name}"):
        session.send_frame(Frame(command))
    assert sent(session) == b""
    assert session.state is state


def frame_for(trigger: str, session: ClientSession) -> bytes:
    """The bytes that pull this trigger."""
    if trigger == LAST_RECEIPT:
        return f"RECEIPT\nreceipt-id:{session._last_receipt}\n\n\0".encode()
    if trigger == ERROR_1_0:
        return b"ERROR\nmessage:no\n\n\0"
    return trigger.encode() + b"\nversion:1.2\nreceipt-id:r\n\n\0"


@pytest.mark.parametrize(("state", "trigger"), RECEIVING)
def test_each_row_of_receiving(state, trigger):
    """Each row of RECEIVING leads where it says, and CLOSED comes with Ended."""
    session = session_in(state, CONNECTED_1_0 if trigger == ERROR_1_0 else CONNECTED)
    session.receive_data(frame_for(trigger, session), 0.0)
    assert session.state is RECEIVING[state, trigger]
    events = session.events_received()
    assert isinstance(events[-1], Ended) is (session.state is State.CLOSED)


@pytest.mark.parametrize(
    ("state", "command"),
    sorted(
        set(product([State.CONNECTING, State.CONNECTED, State.DISCONNECTING], SERVER_COMMANDS))
        - set(RECEIVING),
        key=str,
    ),
)
def test_anything_else_is_not_received(state, command):
    """A frame that has no row ends the connection."""
    session = session_in(state)
    session.receive_data(frame_for(command, session), 0.0)
    (event,) = session.events_received()
    assert isinstance(event.reason, ProtocolError)
    assert str(event.reason) == f"{command} has no place while {state.name}"


@pytest.mark.parametrize("command", ["SEND", "BOGUS"])
def test_frames_that_no_broker_sends(session, command):
    """A client's command, or an unknown one, ends the connection."""
    session.receive_data(command.encode() + b"\n\n\0", 0.0)
    (event,) = session.events_received()
    assert isinstance(event.reason, ProtocolError)


def test_garbage(session):
    """Bytes that are no frame end the connection, after the frames before them."""
    session.receive_data(b"MESSAGE\nsubscription:1\n\n\0garbage", 0.0)
    message, ended = session.events_received()
    assert isinstance(message, Message)
    assert isinstance(ended.reason, FrameError)


def test_nothing_after_the_end(session):
    """After Ended nothing is read, told or written."""
    session.receive_data(b"ERROR\n\n\0MESSAGE\nsubscription:1\n\n\0", 0.0)
    assert [type(event) for event in session.events_received()] == [Error, Ended]
    session.receive_data(b"MESSAGE\nsubscription:1\n\n\0", 0.0)
    session.receive_eof()
    session.tick(1e9)
    session.disconnect(0.0)
    assert session.events_received() == []
    assert sent(session) == b""


# Verbs


def test_send(session):
    """SEND encodes text as UTF-8 and takes any headers."""
    session.send("/a", "héllo", {"content-type": "text/plain", "priority": 5})
    assert sent(session) == (
        b"SEND\ndestination:/a\ncontent-type:text/plain\npriority:5\ncontent-length:6\n\n"
        b"h\xc3\xa9llo\0\n"
    )


def test_send_passes_surrogates_back():
    """Text that came from bytes that are not UTF-8 goes back as those bytes."""
    session = session_in(State.CONNECTED)
    session.send("/a", Frame("MESSAGE", {}, b"\xff").text)
    assert b"\n\n\xff\0" in sent(session)


def test_subscribe(session):
    """Each subscription has an id of its own, and mode auto unless asked otherwise."""
    first = session.subscribe("/a")
    second = session.subscribe("/a", {"ack": "client"})
    assert first != second
    assert (
        sent(session)
        == (
            f"SUBSCRIBE\ndestination:/a\nid:{first}\nack:auto\n\n\0\n"
            f"SUBSCRIBE\ndestination:/a\nid:{second}\nack:client\n\n\0\n"
        ).encode()
    )


def test_subscribe_with_an_id(session):
    """An id of the caller's is taken, once."""
    assert session.subscribe("/a", {"id": "mine"}) == "mine"
    with pytest.raises(UsageError, match="subscription with the id 'mine'"):
        session.subscribe("/b", {"id": "mine"})


def test_unsubscribe(session):
    """A subscription is given up by id, or by destination."""
    first, second = session.subscribe("/a"), session.subscribe("/b")
    sent(session)
    session.unsubscribe(second)
    session.unsubscribe("/a")
    assert (
        sent(session)
        == (
            f"UNSUBSCRIBE\nid:{second}\ndestination:/b\n\n\0\n"
            f"UNSUBSCRIBE\nid:{first}\ndestination:/a\n\n\0\n"
        ).encode()
    )
    assert session.subscriptions == {}
    with pytest.raises(UsageError, match="no subscription '/a'"):
        session.unsubscribe("/a")


def test_messages_find_their_subscriptions(session):
    """By the subscription header, else by destination."""
    first, second = session.subscribe("/a"), session.subscribe("/a")
    session.receive_data(f"MESSAGE\nsubscription:{second}\ndestination:/a\n\n\0".encode(), 0.0)
    session.receive_data(b"MESSAGE\ndestination:/a\n\n\0MESSAGE\ndestination:/b\n\n\0", 0.0)
    assert [event.subscriptions for event in session.events_received()] == [
        (second,),
        (first, second),
        (),
    ]


MESSAGE = Frame("MESSAGE", {"message-id": "m1", "subscription": "s1", "ack": "a1"})


@pytest.mark.parametrize(
    ("connected", "line"),
    [
        (CONNECTED, b"ACK\nid:a1\n\n\0\n"),
        (CONNECTED_1_1, b"ACK\nmessage-id:m1\nsubscription:s1\n\n\0\n"),
    ],
)
def test_ack(connected, line):
    """ACK and NACK name the message as the version asks."""
    session = session_in(State.CONNECTED, connected)
    session.ack(MESSAGE)
    assert sent(session) == line
    session.nack(MESSAGE)
    assert sent(session) == b"N" + line


def test_ack_in_1_0():
    """1.0 acknowledges by message-id, and cannot refuse."""
    session = session_in(State.CONNECTED, CONNECTED_1_0)
    session.ack(Frame("MESSAGE", {"message-id": "m1"}), {"transaction": "t"})
    assert sent(session) == b"ACK\nmessage-id:m1\ntransaction:t\n\n\0\n"
    with pytest.raises(UsageError, match=r"1\.0 has no NACK"):
        session.nack(MESSAGE)


def test_ack_of_nothing(session):
    """A message without an id cannot be acknowledged."""
    with pytest.raises(UsageError, match="nothing to acknowledge"):
        session.ack(Frame("MESSAGE", {"destination": "/a"}))


def test_transactions(session):
    """BEGIN, COMMIT and ABORT name their transaction."""
    session.begin("t")
    session.commit("t", {"receipt": "r"})
    session.abort("u")
    assert sent(session) == (
        b"BEGIN\ntransaction:t\n\n\0\nCOMMIT\ntransaction:t\nreceipt:r\n\n\0\n"
        b"ABORT\ntransaction:u\n\n\0\n"
    )


def test_receipts(session):
    """A RECEIPT names the frame that asked for it."""
    session.send("/a", "x", {"receipt": "r:1"})
    assert b"receipt:r\\c1\n" in sent(session)
    session.receive_data(b"RECEIPT\nreceipt-id:r\\c1\n\n\0", 0.0)
    (event,) = session.events_received()
    assert isinstance(event, Receipt)
    assert event.receipt_id == "r:1"


def test_error_in_1_0_is_not_the_end():
    """1.0 brokers go on after ERROR; the error may name a receipt."""
    session = session_in(State.CONNECTED, CONNECTED_1_0)
    session.receive_data(b"ERROR\nmessage:READ error\nreceipt-id:r\n\nno\0\n", 0.0)
    (event,) = session.events_received()
    assert isinstance(event, Error)
    assert event.receipt_id == "r"
    assert session.state is State.CONNECTED


# Heart-beats


@pytest.fixture
def beating() -> ClientSession:
    """A session that sends and expects a beat every ten seconds."""
    connected = b"CONNECTED\nversion:1.2\nheart-beat:10000,10000\n\n\0\n"
    return session_in(State.CONNECTED, connected, heart_beat=(10_000, 10_000))


def test_we_beat(beating):
    """One LF goes out within each interval."""
    assert beating.next_deadline() == 9.0
    beating.tick(8.9)
    assert sent(beating) == b""
    beating.tick(9.0)
    assert sent(beating) == b"\n"
    assert beating.next_deadline() == 18.0


def test_they_stop_beating(beating):
    """A broker that is silent for two intervals is dead; any byte is life."""
    beating.receive_data(b"\n", 15.0)
    beating.tick(34.9)
    assert beating.events_received() == []
    beating.tick(35.0)
    (event,) = beating.events_received()
    assert isinstance(event.reason, HeartBeatError)


def test_bytes_of_half_a_frame_are_life(beating):
    """A large frame that takes long to arrive does not look like silence."""
    for now in (15.0, 30.0, 45.0):
        beating.receive_data(b"M" if now == 15.0 else b"E", now)
        beating.tick(now + 10)
    assert beating.events_received() == []


# The end


def test_disconnect(session):
    """DISCONNECT asks for a receipt, messages still arrive, the receipt is the end."""
    session.disconnect(3.0)
    assert sent(session).startswith(b"DISCONNECT\nreceipt:bye-")
    assert session.next_deadline() == 8.0
    session.receive_data(b"RECEIPT\nreceipt-id:other\n\n\0MESSAGE\nsubscription:1\n\n\0", 4.0)
    session.receive_data(frame_for(LAST_RECEIPT, session), 4.0)
    assert [type(event) for event in session.events_received()] == [
        Receipt,
        Message,
        Receipt,
        Ended,
    ]


def test_disconnect_without_answer(session):
    """A broker that does not answer DISCONNECT is not waited for."""
    session.disconnect(3.0)
    session.tick(8.0)
    assert session.events_received() == [Ended(None)]


def test_disconnect_of_an_old_broker(session):
    """A broker that closes instead of sending the receipt has understood."""
    session.disconnect(3.0)
    session.receive_eof()
    assert session.events_received() == [Ended(None)]


@pytest.mark.parametrize("state", [State.NEW, State.CONNECTING])
def test_disconnect_before_connected(state):
    """Who disconnects early just ends."""
    session = session_in(state)
    session.disconnect(0.0)
    assert session.events_received() == [Ended(None)]
    assert sent(session) == b""


def test_connection_lost(session):
    """A connection that breaks is no normal end."""
    session.receive_eof()
    (event,) = session.events_received()
    assert isinstance(event.reason, ConnectionFailedError)
