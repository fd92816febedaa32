"""Browsers that are none: what stands in requests that HTTP itself has no quarrel with.

One server for all of them, and one well-behaved browser that is served throughout. Whatever the
others send, the server answers with a sentence or ends their session, logs no traceback, and has
its memory and its timers back when they are gone. HTTP-level mischief is in
``tests/functional/test_hostile_peers.py``.
"""

from __future__ import annotations

import http.client
import json
import random
import socket
import struct
import subprocess
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from orbited.protocol.packets import CLOSE, DATA, PING, TEXT, Packet
from tests.support.comet import Browser, connect, decode, serving
from tests.support.companion import Companion

pytestmark = pytest.mark.functional

SECONDS = 20
CROWD = 1500

OPTIONS = {
    "session": {
        "ping_interval": 2,
        "ping_timeout": 2,
        "unused_timeout": 5,
        "close_timeout": 1,
        "pause_bytes": 1 << 14,
        "queued_bytes": 1 << 20,
        "unacknowledged_bytes": 1 << 20,
    },
    "limits": {"sessions_per_address": CROWD, "post_bytes": 1 << 20, "argument_bytes": 1 << 19},
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """A server whose sessions end soon when nobody wants them."""
    path = tmp_path_factory.mktemp("hostile") / "server.log"
    with path.open("w") as stderr, serving(OPTIONS, stderr) as server:
        yield server
    assert "Traceback" not in path.read_text()


@pytest.fixture(scope="module")
def timers(server: dict[str, Any]) -> int:
    """How many timers it has before anybody comes."""
    return int(ask(server, "/measure")["timers"])


@pytest.fixture(scope="module")
def companion(server: dict[str, Any], timers: int) -> Iterator[Companion]:
    """Somebody who behaves."""
    with Companion(server["http"], "localhost:18001") as companion:
        yield companion


@pytest.fixture(autouse=True)
def others_are_served(server: dict[str, Any], companion: Companion) -> Iterator[None]:
    """After each test somebody new is served, and the one who was there still is."""
    yield
    companion.wait_for_rounds()
    somebody(server).create()


def somebody(server: dict[str, Any], source: str = "127.0.0.2") -> Browser:
    """A browser at an address that is not the companion's."""
    return Browser(server["http"], source=source)


def echoing(server: dict[str, Any]) -> Browser:
    """A browser with a session that the echo is behind."""
    browser = somebody(server)
    browser.shake_hands("localhost:18001")
    return browser


def still_echoes(browser: Browser, text: bytes = b"still here") -> None:
    """The session goes on: what it says now comes back, and nothing else."""
    browser.received = b""
    browser.send(text)
    while len(browser.received) < len(text):
        browser.poll()
    assert browser.received == text


def argument(flag: bytes, text: bytes) -> bytes:
    """One argument, as it should be."""
    return b"%b%d,%b" % (flag, len(text), text)


def packet(*arguments: bytes) -> bytes:
    """One packet in the text framing, whatever its arguments are."""
    flags = [b"1"] * (len(arguments) - 1) + [b"0"]
    return b"".join(map(argument, flags, arguments))


# -- bodies ---------------------------------------------------------------------------------------

GOOD = packet(b"2", b"data", b"QQ==")

BODIES = {
    "garbage": b"garbage",
    "binary": bytes(range(256)),
    "nul": b"\0" * 100,
    "no comma": b"11",
    "flag 7": b"71,2",
    "flag of another script": "\u06611,2".encode(),
    "negative length": b"1-1,2",
    "signed length": b"1+1,214,data04,QQ==",
    "blank in length": b"1 1,214,data04,QQ==",
    "underscore in length": b"11_0,2222222222",
    "leading zero": b"101,214,data04,QQ==",
    "length beyond 2^53": b"19007199254740993,2",
    "length of a hundred digits": b"1" + b"9" * 100 + b",2",
    "length in another script": "1\u0661,2".encode(),
    "argument over its limit": b"11,214,data0524289," + b"A" * 524_289,
    "one argument": packet(b"2"),
    "no argument": b"00,",
    "four arguments": packet(b"2", b"data", b"QQ==", b"x"),
    "a thousand arguments": packet(b"2", b"data", *[b"x"] * 1000),
    "arguments without end": b"11,2" * 100_000,
    "more packets than allowed": b"".join(packet(b"%d" % n, b"ping") for n in range(2, 10_005)),
    "id 0": packet(b"0", b"data", b"QQ=="),
    "negative id": packet(b"-2", b"data", b"QQ=="),
    "id with exponent": packet(b"2e1", b"data", b"QQ=="),
    "id beyond 2^53": packet(b"9007199254740993", b"data", b"QQ=="),
    "id of a thousand digits": packet(b"9" * 1000, b"data", b"QQ=="),
    "id in hexadecimal": packet(b"0x2", b"data", b"QQ=="),
    "no id": packet(b"", b"data", b"QQ=="),
    "unknown name": packet(b"2", b"open"),
    "server's name": packet(b"2", b"opt", b"pingInterval,0"),
    "name in capitals": packet(b"2", b"DATA", b"QQ=="),
    "name with a newline": packet(b"2", b"data\n", b"QQ=="),
    "ack with an id": packet(b"2", b"ack", b"1"),
    "ack without a number": packet(b"0", b"ack", b"-1"),
    "ack beyond 2^53": packet(b"0", b"ack", b"9" * 17),
    "data without data": packet(b"2", b"data"),
    "base64 of another alphabet": packet(b"2", b"data", b"-_-_"),
    "base64 without padding": packet(b"2", b"data", b"QQ"),
    "base64 with too much padding": packet(b"2", b"data", b"QQ==="),
    "base64 with a newline": packet(b"2", b"data", b"QUFB\nQUFB"),
    "base64 in two parts": packet(b"2", b"data", b"QQ==QQ=="),
    "not base64": packet(b"2", b"data", b"<script>"),
    "cut short": GOOD[:-1],
    "something behind": GOOD + b"\r\n",
    "good, then bad": GOOD + packet(b"3", b"nonsense"),
}


@pytest.mark.parametrize("name", BODIES)
def test_a_bad_body_is_refused_whole(server: dict[str, Any], name: str) -> None:
    """It gets a sentence, none of it is applied, and the session goes on where it was."""
    browser = echoing(server)
    status, sentence = browser.post(BODIES[name])
    assert (status, sentence[:30]) == (400, b"This is not a list of packets:")
    assert len(sentence) < 300
    still_echoes(browser)


def test_a_body_over_the_limit(server: dict[str, Any]) -> None:
    """413, and the session goes on."""
    browser = echoing(server)
    assert browser.post(b"x" * ((1 << 20) + 1))[0] == 413
    still_echoes(browser)


def test_a_body_of_nothing(server: dict[str, Any]) -> None:
    """An empty list of packets is one."""
    browser = echoing(server)
    assert browser.post(b"") == (200, b"OK")
    still_echoes(browser)


def test_ids_that_jump_and_fall(server: dict[str, Any]) -> None:
    """A page that lies about its ids harms itself alone: what is not greater counts as repeated."""
    browser = echoing(server)
    assert browser.post(TEXT.encode([Packet(10**14, DATA, b"last")]))[0] == 200
    for number in (2, 3, 10**14):
        assert browser.post(TEXT.encode([Packet(number, DATA, b"ignored")]))[0] == 200
    browser.poll()
    assert browser.received == b"last"


def test_packets_behind_a_close(server: dict[str, Any]) -> None:
    """In the same body or in a later one: nothing of them arrives, the key means nothing."""
    browser = echoing(server)
    body = TEXT.encode([Packet(2, CLOSE), Packet(3, DATA, b"x"), Packet(4, PING)])
    assert browser.post(body) == (200, b"OK")
    assert browser.post(TEXT.encode([Packet(5, DATA, b"x")]))[0] == 404
    with browser.open("longpoll") as response:
        assert response.status == 404


# -- keys, names and acknowledgements -------------------------------------------------------------

KEYS = [
    "0" * 32,
    "F" * 32,
    "..",
    "%2e%2e",
    "%00",
    "%0d%0aX:%20y",
    "x" * 8000,
    "{KEY}%00",
    "{KEY}%20",
    "{KEY};a=b",
    "{UPPER}",
    "{SHORT}",
    "static",
    "static/..%2f..%2fconfig.py",
    "%F0%9F%98%80",
    "%ff%fe",
]


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key[:20])
@pytest.mark.parametrize("rest", ["", "/longpoll", "/htmlfile", "/websocket", "/LONGPOLL"])
def test_forged_keys(server: dict[str, Any], key: str, rest: str) -> None:
    """A key that is not exactly one is none."""
    real = somebody(server).create()
    key = key.format(KEY=real, UPPER=real.upper() + "A", SHORT=real[:-1])
    with somebody(server).request("GET", f"/tcp/{key}{rest}") as response:
        body = response.read()
    # The frame of htmlfile cannot see a status: for it the page says what the status would.
    assert response.status == 404 or (rest == "/htmlfile" and b"HTMLFileClose.js" in body)
    assert b"Traceback" not in body


ACKS = [
    "1000000",
    "9007199254740993",
    "999999999999999",
    "9" * 400,
    "-1",
    "1.5",
    "1e3",
    "NaN",
    "",
    "%D9%A1",
    "%00",
    "1%0a",
    "0x1",
    "1&ack=999999",
    "[]",
]


@pytest.mark.parametrize("ack", ACKS)
def test_acknowledgements_of_what_was_never_sent(server: dict[str, Any], ack: str) -> None:
    """They reach no further than what was sent: what comes later is sent all the same."""
    browser = somebody(server)
    browser.create()
    browser.poll()
    for _ in range(2):
        with browser.request("POST", f"/tcp/{browser.key}?ack={ack}") as response:
            assert response.status == 200
    browser.send(b"localhost:18001\n")
    while browser.received != b"1":
        browser.poll()
    still_echoes(browser)
    with browser.request("POST", f"/tcp/{browser.key}?ack={ack}") as response:
        assert response.status == 200
    still_echoes(browser, b"and again")


# -- the handshake --------------------------------------------------------------------------------

HANDSHAKES = {
    "nothing": b"\n",
    "no port": b"localhost\n",
    "empty port": b"localhost:\n",
    "no host": b":18001\n",
    "port 0": b"localhost:0\n",
    "port beyond": b"localhost:65536\n",
    "negative port": b"localhost:-18001\n",
    "signed port": b"localhost:+18001\n",
    "port with blank": b"localhost: 18001\n",
    "port in another script": "localhost:\u0661\u0668\u0660\u0660\u0661\n".encode(),
    "long port": b"localhost:000000000000018001\n",
    "two ports": b"localhost:18001:18001\n",
    "nul": b"localhost\0:18001\n",
    "nul behind": b"localhost:18001\0\n",
    "carriage return inside": b"local\rhost:18001\n",
    "blank inside": b"local host:18001\n",
    "not UTF-8": b"\xff\xfe:18001\n",
    "escape sequence": b"\x1b[2Jlocalhost:18001\n",
    "right to left": "\u202elocalhost:18001\n".encode(),
    "open bracket": b"[::1\n",
    "bracket without port": b"[::1]:\n",
    "empty bracket": b"[]:18001\n",
    "host of 100 kB": b"x" * 100_000 + b":18001\n",
    "100 kB without an end": b"localhost" * 11_000,
    "an HTTP request": b"GET / HTTP/1.1\r\nHost: localhost:18001\r\n\r\n",
}

FORBIDDEN = {
    "another port": b"localhost:22\n",
    "a user": b"user@localhost:18001\n",
    "another spelling": b"LOCALHOST:18001\n",
    "a dot behind": b"localhost.:18001\n",
    "the address of the name": b"127.0.0.1:18001\n",
    "a short address": b"127.1:18001\n",
    "an address as a number": b"2130706433:18001\n",
    "an address in hexadecimal": b"0x7f000001:18001\n",
    "an address of version 6": b"[::ffff:127.0.0.1]:18001\n",
    "a wildcard": b"*:18001\n",
    "a path": b"localhost/:18001\n",
    "a look-alike": "l\u043ecalhost:18001\n".encode(),
    "everywhere": b"0.0.0.0:18001\n",
}


@pytest.mark.parametrize(
    ("line", "code"),
    [
        *(pytest.param(line, b"0102", id=name) for name, line in HANDSHAKES.items()),
        *(pytest.param(line, b"0106", id=name) for name, line in FORBIDDEN.items()),
    ],
)
def test_handshakes(server: dict[str, Any], line: bytes, code: bytes) -> None:
    """Only an address that stands in the list, as it stands there, is connected to."""
    browser = somebody(server)
    browser.create()
    browser.poll()
    browser.send(line)
    packets = [packet[1:] for packet in browser.poll()]
    assert packets == [(b"data", b64encode(code)), (b"close", b"loseConnection")]
    assert browser.post(browser.packets(b"on we go"))[0] in (200, 404)
    with browser.open("longpoll") as response:
        assert response.status == 404


def test_more_than_may_wait_for_the_handshake(server: dict[str, Any]) -> None:
    """Bytes that come with the line, or before the answer, are bounded."""
    browser = somebody(server)
    browser.create()
    browser.poll()
    browser.send(b"localhost:18001\n" + b"x" * 300_000)
    assert [packet[1] for packet in browser.poll()][-1] == b"close"


# -- transports -----------------------------------------------------------------------------------


def test_two_transports_at_once(server: dict[str, Any]) -> None:
    """The newer one has the session, the older one ends properly; however often that goes on."""
    browser = echoing(server)
    for name in ["xhrstream", "htmlfile", "sse"] * 10:
        first, second = browser.open(name), browser.open("xhrstream")
        with first, second:
            first.read()
            assert second.read_at_least(256) == b" " * 256
    still_echoes(browser)


def test_many_transports_at_the_same_time(server: dict[str, Any]) -> None:
    """Threads that take the one session from each other all get whole answers."""
    browser = echoing(server)
    failures: list[BaseException] = []

    def grab() -> None:
        try:
            for _ in range(20):
                with browser.open("longpoll") as response:
                    assert response.status == 200
                    decode(response.read())
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=grab) for _ in range(8)]
    for thread in threads:
        thread.start()
    until_over = time.monotonic() + SECONDS
    while any(thread.is_alive() for thread in threads) and time.monotonic() < until_over:
        # The last of them is answered by what comes next.
        assert browser.post(browser.packets(b"x"))[0] == 200
    for thread in threads:
        thread.join(SECONDS)
    assert not failures


def test_readers_that_do_not_read(server: dict[str, Any]) -> None:
    """A back end that sends 16 MiB to each of them, unasked, fills no more than its bounds."""
    crowd = []
    for name in ["xhrstream", "sse", "htmlfile", "longpoll", "websocket"] * 4:
        browser = somebody(server)
        browser.create()
        browser.poll()
        browser.send(b"flood:1\n")
        if name == "websocket":
            crowd.append(browser.socket().connection)
        else:
            connection = connect(server["http"], source="127.0.0.2")
            path = f"/tcp/{browser.key}/{name}"
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            crowd.append(connection)
        state = ask(server, "/system/counters")
        most = OPTIONS["session"]["queued_bytes"] + OPTIONS["session"]["unacknowledged_bytes"]
        assert state["queued_bytes"] + state["unacknowledged_bytes"] < state["sessions"] * most
    for connection in crowd:
        connection.close()


def test_readers_that_make_the_back_end_wait(server: dict[str, Any]) -> None:
    """A back end that can be paused is paused, for each of them, and goes on when they read."""
    browser = somebody(server)
    browser.shake_hands("numbers:1")
    browser.send(b"0 400000\n")
    before = 0
    while (now := ask(server, "/system/counters"))["queued_bytes"] > before:
        before = now["queued_bytes"]
        time.sleep(0.1)
    assert before < 2 * OPTIONS["session"]["pause_bytes"]
    while len(browser.received) < 4 * before:
        browser.poll()
    lines = browser.received.split(b"\n")[:-1]
    assert lines == [b"%d" % number for number in range(len(lines))]


def test_writers_that_dawdle(server: dict[str, Any], companion: Companion) -> None:
    """Frames that come byte by byte, and never come to an end, hold up nobody."""
    sockets = []
    for _ in range(50):
        browser = somebody(server)
        browser.create()
        sockets.append(browser.socket())
    frame = b"\x82\xfe\x10\x00\1\2\3\4" + b"x" * 12
    for byte in frame:
        for opened in sockets:
            opened.connection.sendall(bytes([byte]))
    companion.wait_for_rounds()
    for opened in sockets:
        opened.close()


def frame(first: int, payload: bytes, *, mask: bytes | None = b"\0\0\0\0") -> bytes:
    """One WebSocket frame, with whatever stands in its first byte."""
    bit = 0x80 if mask is not None else 0
    size = len(payload)
    if size < 126:
        head = bytes([first, bit | size])
    elif size < 65536:
        head = bytes([first, bit | 126]) + struct.pack("!H", size)
    else:
        head = bytes([first, bit | 127]) + struct.pack("!Q", size)
    return head + (mask or b"") + payload


FRAMES = {
    "text": (frame(0x81, b"11,2"), 1003),
    "not packets": (frame(0x82, b"garbage"), 1007),
    "half a packet": (frame(0x82, b"11,214,da"), 1007),
    "without a mask": (frame(0x82, b"", mask=None), 1002),
    "reserved bits": (frame(0xF2, b""), 1002),
    "reserved opcode": (frame(0x83, b""), 1002),
    "long ping": (frame(0x89, b"x" * 126), 1002),
    "ping in parts": (frame(0x09, b""), 1002),
    "nothing to go on with": (frame(0x80, b""), 1002),
    "close of one byte": (frame(0x88, b"x"), 1002),
    "close with a forbidden code": (frame(0x88, b"\x03\xed"), 1002),
    "too large": (frame(0x82, b"x" * 126)[:1] + b"\xff" + struct.pack("!Q", 1 << 40), 1009),
    "too large for any number": (b"\x82\xff" + b"\xff" * 8, 1009),
    "too large in parts": (
        frame(0x02, b"x" * 65535) + frame(0x00, b"x" * 65535) * 15 + frame(0x80, b"x" * 100),
        1009,
    ),
}


@pytest.mark.parametrize("name", FRAMES)
def test_websocket_frames(server: dict[str, Any], name: str) -> None:
    """Each is answered with its close code, and the session goes on by other ways."""
    data, code = FRAMES[name]
    browser = echoing(server)
    with browser.socket() as opened:
        try:
            opened.connection.sendall(data)
            while opened.receive() is not None:
                pass
        except (BrokenPipeError, ConnectionResetError):
            pytest.fail("the close frame was lost")
        assert opened.close_code == code
    still_echoes(browser)


def test_garbage_behind_an_upgrade(server: dict[str, Any]) -> None:
    """Bytes that are no frames end that connection."""
    chance = random.Random(2010)
    for _ in range(50):
        browser = somebody(server)
        browser.create()
        with browser.socket() as opened:
            opened.connection.settimeout(SECONDS)
            try:
                opened.connection.sendall(chance.randbytes(chance.randrange(1, 2000)))
                opened.connection.shutdown(socket.SHUT_WR)
                while opened.connection.recv(65536):
                    pass
            except OSError:
                pass


def test_a_websocket_for_nobody(server: dict[str, Any]) -> None:
    """Without a session there is no upgrade."""
    browser = somebody(server)
    browser.key = "0" * 32
    with pytest.raises(InvalidStatus, match="404"):
        browser.socket()


# -- many -----------------------------------------------------------------------------------------


def test_thousands_of_sessions_of_one_address(server: dict[str, Any]) -> None:
    """It gets as many as an address may have, then 429 with a hint; others get theirs at once."""
    statuses = create_sessions(server, "127.0.0.3", CROWD + 200)
    assert statuses.count(200) == CROWD
    assert set(statuses[CROWD:]) == {429}
    somebody(server, "127.0.0.4").create()
    with somebody(server, "127.0.0.3").request("GET", "/tcp") as response:
        assert response.headers["retry-after"].isdigit()


def create_sessions(server: dict[str, Any], source: str, count: int) -> list[int]:
    """Ask for sessions that nobody will use, on one connection."""
    connection = http.client.HTTPConnection(
        "127.0.0.1", server["http"], SECONDS, source_address=(source, 0)
    )
    statuses = []
    for _ in range(count):
        connection.request("GET", "/tcp")
        response = connection.getresponse()
        statuses.append(response.status)
        response.read()
    connection.close()
    return statuses


def mutations(seed: int, count: int) -> Iterator[bytes]:
    """Recorded good bodies with some bytes changed, doubled, moved or left out."""
    chance = random.Random(seed)
    good = [
        TEXT.encode([Packet(1, DATA, b"localhost:18001\n")]),
        TEXT.encode([Packet(2, DATA, b"hello"), Packet(3, PING), Packet(4, DATA, b"x" * 200)]),
        TEXT.encode([Packet(5, CLOSE)]),
        packet(b"0", b"ack", b"3"),
    ]
    tokens = [b"0", b"1", b",", b"11,1", b"=", b"\0", b"\xff", b"9" * 9, b"data", b"-", b"04,"]
    changes: list[Callable[[bytearray, int], object]] = [
        lambda body, at: body.__setitem__(slice(at, at + 1), chance.choice(tokens)),
        lambda body, at: body.insert(at, chance.randrange(256)),
        lambda body, at: body.__delitem__(slice(at, at + chance.randrange(1, 9))),
        lambda body, at: body.extend(body[at:]),
        lambda body, at: body.__setitem__(slice(at, None), body[at:][::-1]),
    ]
    for _ in range(count):
        body = bytearray(b"".join(chance.choices(good, k=chance.randrange(1, 4))))
        for _ in range(chance.randrange(1, 5)):
            chance.choice(changes)(body, chance.randrange(len(body) + 1))
        yield bytes(body)


def post_mutations(server: dict[str, Any], seed: int, count: int) -> set[int]:
    """Send them to sessions, a new one whenever the last has ended; gives the statuses seen."""
    connection = http.client.HTTPConnection(
        "127.0.0.1", server["http"], SECONDS, source_address=("127.0.0.2", 0)
    )

    def ask(method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
        connection.request(method, path, body)
        response = connection.getresponse()
        return response.status, response.read()

    key, statuses = "", set()
    for number, body in enumerate(mutations(seed, count)):
        if not key:
            key = ask("GET", "/tcp")[1].decode()
        status, answer = ask("POST", f"/tcp/{key}?ack={number % 7}", body)
        assert b"Traceback" not in answer
        statuses.add(status)
        polled = ask("GET", f"/tcp/{key}/poll")[0] if number % 5 == 0 else 200
        if 404 in (status, polled):
            key = ""
    connection.close()
    return statuses


def test_good_traffic_with_mistakes(server: dict[str, Any]) -> None:
    """Whatever is changed in it: taken, refused, or the session is over."""
    assert post_mutations(server, seed=710, count=2000) <= {200, 400, 404, 503}


# -- afterwards -----------------------------------------------------------------------------------


def ask(server: dict[str, Any], path: str) -> dict[str, Any]:
    """What the server says of itself."""
    with Browser(server["http"]).request("GET", path) as response:
        return dict(json.loads(response.read()))


def when_quiet(server: dict[str, Any]) -> dict[str, int]:
    """What the server uses when nobody but the companion is left."""
    deadline = time.monotonic() + SECONDS
    while (state := ask(server, "/system/counters"))["sessions"] > 1:
        assert time.monotonic() < deadline, state
        time.sleep(0.05)
    timers = ask(server, "/measure")["timers"]
    return {"timers": timers, "kilobytes": resident_kilobytes(server["process"].pid)}


def resident_kilobytes(pid: int) -> int:
    """The memory of a process, in KiB."""
    ps = ["ps", "-o", "rss=", "-p", str(pid)]
    return int(subprocess.run(ps, capture_output=True, text=True, check=True).stdout)


def misbehave(server: dict[str, Any]) -> None:
    """One round of everything that takes memory."""
    create_sessions(server, "127.0.0.3", CROWD)
    post_mutations(server, seed=2010, count=300)
    test_readers_that_do_not_read(server)
    test_garbage_behind_an_upgrade(server)
    for _ in range(5):
        somebody(server).post(b"x" * (1 << 20))


def test_memory_comes_back(server: dict[str, Any], timers: int) -> None:
    """Two more rounds need no more than the first did, and no timer is left of any.

    A kilobyte and a half that each session kept would be too much.
    """
    misbehave(server)
    first = when_quiet(server)
    misbehave(server)
    misbehave(server)
    last = when_quiet(server)
    assert last["kilobytes"] - first["kilobytes"] < 4096
    assert last["timers"] <= timers + 3  # the companion's, and those of the question itself
