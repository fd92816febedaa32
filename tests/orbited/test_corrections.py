"""What 0.7.10 did wrong, and what is done now: one test, or some, for each entry of the list.

The list was made with the original running; its numbers stand in the names of the tests. Most of
them are told to a server with a clock of the test's own, some to a real one.
"""

from __future__ import annotations

import json
import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.protocol import Protocol, ServerFactory
from twisted.internet.testing import MemoryReactorClock
from twisted.web.resource import Resource

from orbited.cometsession import Port
from orbited.protocol.handshake import Target, parse_handshake
from orbited.protocol.packets import CLOSE, DATA, TEXT, Packet, decode_body
from orbited.protocol.settings import PacketLimits
from orbited.site import STATIC_FOLDER
from tests.orbited.test_proxy import OPTIONS, Proxy, refused
from tests.support.comet import Browser, decode, send, serving
from tests.support.downstream import read_json
from tests.support.exchange import MemoryExchange

NUMBERS = {*map(str, range(1, 31)), "11a"}

#: Entries whose tests need more than fits here: other accounts, and certificates.
ELSEWHERE = {
    "9": "test_privileges.py::test_root_becomes_the_configured_user",
    "10": "test_tls.py::test_old_versions_of_tls_are_refused",
}

EVIL = {"origin": "https://evil.example"}
HTML = b"<"


@pytest.fixture(scope="module")
def server() -> Iterator[dict[str, Any]]:
    """A real server."""
    with serving({"limits": {"post_bytes": 100_000}}) as server:
        yield server


@pytest.fixture(scope="module")
def hasty_server() -> Iterator[dict[str, Any]]:
    """One that does not wait long for a request, but for longer than a busy machine takes."""
    with serving({"limits": {"header_seconds": 2, "keep_alive_seconds": 2}}) as server:
        yield server


@pytest.fixture
def proxy():
    """The proxy, with a reactor in memory."""
    return Proxy(OPTIONS)


def packets_of(exchange: MemoryExchange) -> list[tuple[bytes, ...]]:
    """Names and data of what a poll has brought."""
    return [packet[1:] for packet in decode(exchange.content)]


def test_every_entry_has_its_test():
    """Here, or where the table says."""
    here = {match[1] for name in globals() if (match := re.match(r"test_(\d+a?)_", name))}
    assert here | ELSEWHERE.keys() == NUMBERS
    for place in ELSEWHERE.values():
        file, _, name = place.partition("::")
        assert f"def {name}(" in (Path(__file__).parent / file).read_text()


# -- security -------------------------------------------------------------------------------------


def test_1_a_page_of_another_site_reaches_nothing(comet):
    """It cannot read the key; with one it can neither post, nor listen, nor use it up."""
    key = comet.create()
    assert "Access-Control-Allow-Origin" not in comet.ask(headers=EVIL).headers
    assert comet.post(key, Packet(1, CLOSE), headers=EVIL).status == 403
    assert comet.open(key, ack=2, headers=EVIL).status == 403
    assert comet.open(key, "poll").status == 200


def test_1_nor_does_it_connect_to_anything(proxy):
    """A session that such a page has created itself is connected nowhere."""
    key = proxy.create(headers=EVIL)
    proxy.say(key, b"127.0.0.1:7\n")
    assert proxy.poll(key)[-2:] == refused(106)


def test_2_the_key_is_told_once(comet, caplog):
    """Whoever creates a session reads it; no page, header or log has it."""
    caplog.set_level("DEBUG")
    keys = [comet.create() for _ in range(50)]
    assert len(set(keys)) == 50
    assert all(re.fullmatch("[0-9a-f]{32}", key) for key in keys)
    answers = [comet.open(keys[0], name) for name in ("longpoll", "htmlfile", "sse", "unknown")]
    comet.post(keys[0], Packet(1, CLOSE))
    comet.turn()
    answers.append(comet.open(keys[0], "longpoll"))
    for answer in answers:
        assert keys[0] not in f"{answer.headers} {answer.content!r}"
    assert not any(key in caplog.text for key in keys)


def test_3_a_transport_is_taken_over_by_admitted_pages_only(comet):
    """And the page that had it sees its response end."""
    key = comet.create()
    first = comet.open(key)
    assert comet.open(key, headers=EVIL).status == 403
    assert not first.is_finished
    comet.open(key)
    assert first.is_finished


@pytest.mark.parametrize(
    "path", ["/tcp/", "/tcp/x/longpoll", "/tcp/<script>", "/static/<b>", "/system/x"]
)
def test_4_pages_for_what_is_not_there_are_plain_text(server, path):
    """No script and no HTML stands in a 404."""
    with Browser(server["http"]).request("GET", path) as response:
        assert response.status == 404
        assert response.headers["content-type"].startswith("text/plain")
        assert response.headers["x-content-type-options"] == "nosniff"
        assert HTML not in response.read()


class Failing(Protocol):
    """An application with a mistake in it."""

    def dataReceived(self, data):
        raise RuntimeError("a secret of the application")


def test_5_what_fails_in_the_server_stays_there(make_comet):
    """The page is told that the connection ended; the log is told why."""
    comet = make_comet(protocol=Failing)
    key = comet.create()
    comet.open(key, "poll")
    answer = comet.post(key, Packet(1, DATA, b"x"))
    comet.turn()
    told = comet.open(key, "poll", ack=2)
    for exchange in (answer, told):
        assert b"Traceback" not in exchange.content
        assert b"secret" not in exchange.content
    assert packets_of(told) == [(b"close", b"loseConnection")]


@pytest.mark.parametrize(
    "path", ["/static", "/static/", "/static/comet", "/static/comet/", "/static/protocols/stomp/"]
)
def test_6_folders_are_not_listed(server, path):
    """Files are served by their names, and nothing of Python is among them."""
    with Browser(server["http"]).request("GET", path) as response:
        assert response.status == 404
        assert b"Orbited.js" not in response.read()
    assert not list(STATIC_FOLDER.rglob("*.py*"))


def test_7_nothing_of_a_peer_is_html(comet):
    """What is told of a mistake is text, and short; a reason to close is one of a few words."""
    key = comet.create()
    answer = comet.ask("POST", key, body=b"<script>alert(1)</script>")
    assert answer.status == 400
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    comet.session(key).close("loseConnection")
    comet.turn()
    stream = comet.open(key, "htmlfile")
    assert stream.content.count(b"<script") == 2  # the frame's own, and the one with the packets


@pytest.mark.parametrize(
    "path",
    [
        "../config.py",
        "..%2fconfig.py",
        "%2e%2e/config.py",
        "%2e%2e%2fconfig.py",
        "..%5cconfig.py",
        "comet/../../config.py",
        "%00",
        "Orbited.js%00.html",
        "//etc/passwd",
        "%2fetc%2fpasswd",
        ".hidden",
    ],
)
@pytest.mark.parametrize("folder", ["/static/", "/tcp/static/"])
def test_8_there_is_no_way_out_of_the_folder(server, folder, path):
    """However it is written."""
    with Browser(server["http"]).request("GET", folder + path) as response:
        assert response.status == 404


@pytest.mark.parametrize("host", ["x\nERROR forged", "x\r\nforged", "\x1b[2Jx", "x" * 10_000])
def test_11_a_host_cannot_forge_a_line_of_the_log(proxy, caplog, host):
    """What a page asked for is quoted there, and not long."""
    caplog.set_level("DEBUG")
    key = proxy.begin(f"{host}:7\n".encode())
    assert proxy.poll(key, 2)[-1] == (b"close", b"loseConnection")
    for record in caplog.records:
        assert "\n" not in record.getMessage()
        assert "\x1b" not in record.getMessage()
        assert len(record.getMessage()) < 500


@pytest.mark.parametrize("name", ["xhrstream", "htmlfile", "longpoll"])
def test_11a_a_browser_that_comes_back_finds_a_clean_stream(comet, name):
    """Its old transport is gone, and what it finds on the new one are packets."""
    key = comet.create()
    comet.open(key, name).lose()
    stream = comet.open(key, "xhrstream")
    assert stream.status == 200
    assert [packet[1] for packet in decode(stream.content)] == [b"opt", b"opt", b"open"]


# -- limits ---------------------------------------------------------------------------------------


def test_12_a_post_has_a_bound(server):
    """Of bytes: 413."""
    browser = Browser(server["http"])
    browser.create()
    assert browser.post(b"x" * 100_001)[0] == 413


def test_12_sessions_have_a_bound(make_comet):
    """In all, and of one address."""
    comet = make_comet({"limits": {"sessions": 3, "sessions_per_address": 2}})
    statuses = [comet.ask(address=address).status for address in "aaabb"]
    assert statuses == [200, 200, 429, 200, 503]


def test_12_what_waits_for_a_browser_has_a_bound(make_comet):
    """A back end that does not stop loses the browser, and the memory is free."""
    comet = make_comet({"session": {"queued_bytes": 10_000}})
    key = comet.create()
    session = comet.session(key)
    for _ in range(100):
        session.write(b"x" * 1000)
    comet.turn()
    assert session.core.outbox.queued_bytes == 0
    assert packets_of(comet.open(key, "poll"))[-1] == (b"close", b"slowConsumer")


def test_12_two_lengths_are_no_two_requests(server):
    """Content-Length with Transfer-Encoding gets one answer, 400, and the connection ends."""
    head = (
        b"POST /tcp HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    with send(server["http"], head + b"0\r\n\r\nGET /tcp HTTP/1.1\r\nHost: x\r\n\r\n") as response:
        assert response.status == 400
        response.read()
        assert response.connection.recv(1000) == b""


@pytest.mark.parametrize(
    "sent", [b"", b"GET /tcp HTTP/1.1\r\nHo", b"GET /static/x HTTP/1.1\r\nHost: x\r\n\r\n"]
)
def test_13_a_connection_that_does_nothing_is_closed(hasty_server, sent):
    """Before, within and after a request."""
    with socket.create_connection(("127.0.0.1", hasty_server["http"]), 60) as connection:
        connection.sendall(sent)
        while connection.recv(65536):
            pass


def test_14_a_session_that_nobody_uses_goes_away(comet):
    """Within 20 seconds, where it was a minute."""
    key = comet.create()
    comet.clock.advance(20)
    assert comet.open(key).status == 404
    assert not comet.tcp.connections


def test_15_a_browser_that_goes_away_is_noticed(comet):
    """Nothing is written to it, and no timer but the session's own is left."""
    key = comet.create()
    for name in ("longpoll", "xhrstream", "longpoll", "htmlfile", "longpoll"):
        exchange = comet.open(key, name)
        comet.turn()
        exchange.lose()
        assert comet.session(key).transport_name is None
    written = len(exchange.written)
    comet.session(key).write(b"x")
    comet.turn()
    assert len(exchange.written) == written
    assert len(comet.clock.getDelayedCalls()) <= 1


def test_16_many_small_packets_cost_as_much_as_their_bytes():
    """Four times as many take about four times as long, not sixteen times."""

    def seconds(count: int) -> float:
        body = TEXT.encode([Packet(number, DATA, b"x") for number in range(1, count + 1)])
        times = []
        for _ in range(3):
            started = time.process_time()
            assert len(decode_body(body, PacketLimits(packets_per_post=count))) == count
            times.append(time.process_time() - started)
        return min(times)

    assert seconds(40_000) < 10 * seconds(10_000)


# -- correctness ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["longpoll", "poll", "xhrstream"])
def test_17_the_last_words_arrive(proxy, name):
    """What a back end said before it closed, the code of a refusal: they wait for the browser."""
    key = proxy.begin(b"local:1\n")
    proxy.services.built[0].transport.write(b"bye")
    proxy.services.built[0].transport.loseConnection()
    proxy.turn()
    exchange = proxy.open(key, name, ack=2)
    proxy.turn()
    assert packets_of(exchange)[-2:] == [(b"data", b"aGVsbG9ieWU="), (b"close", b"loseConnection")]
    assert exchange.is_finished


def test_17_they_wait_until_they_were_read(proxy):
    """A response that was lost is repeated; an acknowledged one ends the session."""
    key = proxy.begin(b"garbage\n")
    for _ in range(3):
        assert proxy.poll(key, 2) == refused(102)
    assert proxy.open(key, "poll", ack=4).status == 404


def test_18_open_is_repeated_until_it_was_read(comet):
    """Whatever response was lost."""
    key = comet.create()
    for name in ("longpoll", "poll", "xhrstream", "longpoll"):
        exchange = comet.open(key, name)
        assert [packet[0] for packet in packets_of(exchange)] == [b"opt", b"opt", b"open"]
        exchange.lose()
    assert b"open" not in [packet[0] for packet in packets_of(comet.open(key, "poll", ack=2))]


def test_19_a_repeated_post_is_delivered_once(comet):
    """Its packets have been seen by their numbers."""
    key = comet.create()
    for _ in range(3):
        assert comet.post(key, Packet(1, DATA, b"a"), Packet(2, DATA, b"b")).status == 200
    comet.post(key, Packet(2, DATA, b"b"), Packet(3, DATA, b"c"))
    assert comet.protocols[0].received == [b"a", b"b", b"c"]


def test_20_a_malformed_post_is_refused_whole(comet):
    """400; nothing of it was applied, and the same packets may be sent again in better shape."""
    key = comet.create()
    good = TEXT.encode([Packet(1, DATA, b"good")])
    for bad in (b"garbage", b"71,214,data04,QQ==", b"11,214,data0100,QQ==", b"11,214,data03,!!!"):
        assert comet.ask("POST", key, body=good + bad).status == 400
    assert comet.protocols[0].received == []
    assert comet.ask("POST", key, body=good).content == b"OK"
    assert comet.protocols[0].received == [b"good"]


@pytest.mark.parametrize("body", [b"11,104,data", b"01,1", b"00,", b"11,104,ping", b"11,103,ack"])
def test_21_packets_that_are_too_short_raise_nothing(comet, body):
    """They are understood, or refused with a sentence; the session goes on."""
    key = comet.create()
    assert comet.ask("POST", key, body=body).status == (200 if b"ping" in body else 400)
    comet.post(key, Packet(2, DATA, b"x"))
    assert comet.protocols[0].received == [b"x"]


def test_22_an_application_that_fails_ends_its_session_in_order(make_comet, caplog):
    """It is not fed the rest of a POST as if nothing had happened, and others are not hurt."""
    comet = make_comet(protocol=Failing)
    key, other = comet.create(), comet.create()
    comet.post(key, Packet(1, DATA, b"x"), Packet(2, DATA, b"y"))
    comet.turn()
    assert len(caplog.records) == 1
    assert packets_of(comet.open(key, "poll"))[-1] == (b"close", b"loseConnection")
    assert comet.open(other, "poll").status == 200


def test_23_closing_lets_out_what_was_written_before(comet):
    """Then the close packet; then nothing."""
    key = comet.create()
    comet.open(key, "poll")
    session = comet.session(key)
    session.write(b"last")
    session.loseConnection()
    session.write(b"too late")
    comet.turn()
    told = packets_of(comet.open(key, "poll", ack=2))
    assert told == [(b"data", b"bGFzdA=="), (b"close", b"loseConnection")]


def test_24_a_time_out_is_told(comet):
    """To the browser that comes too late, if it comes at all."""
    key = comet.create()
    comet.open(key, "longpoll")
    comet.clock.advance(61)
    assert comet.session(key).core.state.value == "closing"
    assert packets_of(comet.open(key, "longpoll", ack=2)) == [(b"close", b"timeout")]


@pytest.mark.parametrize(("name", "dialect"), [("sse", "old sse"), ("htmlfile", "htmlfile")])
def test_25_json_is_json(comet, name, dialect):
    """ASCII on the wire, and every element a string, whatever library there is."""
    key = comet.create()
    comet.session(key).write_alone(bytes(range(256)))
    stream = comet.open(key, name)
    assert stream.content.isascii()
    packets = read_json(dialect, stream.content)
    assert [packet.name for packet in packets] == ["opt", "opt", "data", "open"]
    assert packets[2].data == bytes(range(256))
    found = re.search(rb"\[\[.*\]\]", stream.content)
    assert found is not None
    assert all(isinstance(each, str) for packet in json.loads(found[0]) for each in packet)


def test_26_a_port_stops_and_has_an_address():
    """Both methods can be called."""
    factory = ServerFactory()
    port = Port(factory=factory, resource=Resource(), childName="tcp", reactor=MemoryReactorClock())
    port.startListening()
    assert port.getHost().type == "TCP"
    assert port.stopListening().called


def test_27_ipv6_addresses_stand_in_brackets(proxy):
    """As in a URL."""
    assert parse_handshake(b"[::1]:7\n") == Target("::1", 7)
    proxy.begin(b"[::1]:7\n")
    assert proxy.reactor.tcpClients[-1][:2] == ("::1", 7)


def test_28_a_sequence_is_written_piece_by_piece(comet):
    """As to any other transport of Twisted's."""
    key = comet.create()
    comet.open(key, "poll")
    comet.session(key).writeSequence([b"a", b"b", b"c"])
    comet.turn()
    assert packets_of(comet.open(key, "poll", ack=2)) == [(b"data", b"YWJj")]


def test_29_the_end_of_a_transport_is_told_to_its_session(make_comet):
    """Whoever ends it: the browser, its size, or another one."""
    comet = make_comet({"transports": {"stream_bytes": 1024}})
    key = comet.create()
    session = comet.session(key)
    comet.open(key).lose()
    assert session.transport_name is None
    comet.open(key)
    session.write(b"x" * 3000)
    comet.turn()
    assert session.transport_name is None


def test_30_a_back_end_that_does_not_answer_is_given_up(proxy):
    """After ``connect_seconds``, with 104."""
    key = proxy.begin(b"127.0.0.1:7\n")
    proxy.reactor.advance(3.9)
    assert proxy.poll(key, 2) == []
    proxy.reactor.advance(0.2)
    assert proxy.poll(key, 2) == refused(104)


# -- and what every answer has --------------------------------------------------------------------


@pytest.mark.parametrize("name", ["longpoll", "poll", "xhrstream", "htmlfile", "sse"])
def test_no_answer_is_kept_or_guessed_at_or_held_back(comet, name):
    """By a browser or by a proxy."""
    key = comet.create()
    for exchange in (comet.ask(), comet.open(key, name), comet.open("unknown", "longpoll")):
        assert exchange.headers["Cache-Control"] == "no-store"
        assert exchange.headers["X-Content-Type-Options"] == "nosniff"
        assert exchange.headers["X-Accel-Buffering"] == "no"


@pytest.mark.parametrize("method", ["HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"])
def test_only_get_and_post_create_a_session(comet, method):
    """Other methods are refused or answered, and leave nothing behind."""
    assert comet.ask(method).status in (200, 405)
    assert not comet.tcp.connections
