"""POSTs, keys and acknowledgements that no page of ours sends."""

from __future__ import annotations

from typing import Any

import pytest

from orbited.protocol.packets import CLOSE, DATA, PING, TEXT, Packet
from tests.support.hostile import echoing, packet, somebody, still_echoes

pytestmark = pytest.mark.functional


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
    while not browser.received:
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
