"""Creating sessions, finding them, refusing what is too much, stopping."""

import re

import pytest
from twisted.internet.protocol import ServerFactory
from twisted.internet.testing import MemoryReactorClock
from twisted.web.resource import Resource

from orbited.cometsession import Port
from orbited.protocol.packets import CLOSE, DATA, Packet
from orbited.servers import Echo

LISTED = "https://listed.example"
ACCESS = {"access": [f"{LISTED} -> 127.0.0.1:7"]}


def test_the_body_is_the_key_and_nothing_else(comet):
    """32 hexadecimal digits, no line end; each session has its own."""
    keys = {comet.create() for _ in range(3)}
    assert len(keys) == 3
    assert all(re.fullmatch("[0-9a-f]{32}", key) for key in keys)
    assert set(comet.tcp.connections) == keys


@pytest.mark.parametrize("method", ["HEAD", "PUT", "DELETE", "PATCH"])
def test_other_methods_create_nothing(comet, method):
    """GET and POST create; everything else is told so."""
    exchange = comet.ask(method)
    assert (exchange.status, exchange.headers["Allow"]) == (405, "GET, POST")
    assert not comet.tcp.connections


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "KEY/", 404),
        ("GET", "KEY/bogus", 404),
        ("GET", "KEY/longpoll/more", 404),
        ("GET", "KEY", 405),
        ("POST", "KEY/longpoll", 405),
        ("HEAD", "KEY/longpoll", 405),
        ("GET", "unknown/longpoll", 404),
        ("POST", "unknown", 404),
    ],
)
def test_what_is_not_there_or_not_meant_so(comet, method, path, status):
    """Wrong paths are 404 and wrong methods 405, in plain text."""
    exchange = comet.ask(method, path.replace("KEY", comet.create()))
    assert exchange.status == status
    assert exchange.headers["Content-Type"].startswith("text/plain")


def test_an_unknown_key_on_htmlfile_answers_a_page(comet):
    """A frame cannot see a status, so a script tells its transport to close."""
    exchange = comet.open("0" * 32, "htmlfile")
    assert exchange.status == 200
    assert b"../../static/HTMLFileClose.js" in exchange.content


# -- limits -----------------------------------------------------------------------------------


def test_the_number_of_sessions_is_bounded(make_comet):
    """One too many gets 503 and when to come back; when one ends there is room again."""
    comet = make_comet({"limits": {"sessions": 2, "retry_after": 9}})
    key = comet.create()
    comet.create()
    exchange = comet.ask()
    assert (exchange.status, exchange.headers["Retry-After"]) == (503, "9")
    assert comet.tcp.counters.sessions_refused == 1
    comet.post(key, Packet(1, CLOSE))
    comet.turn()
    comet.create()


def test_the_number_of_sessions_of_one_address_is_bounded(make_comet):
    """One too many gets 429; other addresses go on."""
    comet = make_comet({"limits": {"sessions_per_address": 1}})
    key = comet.create(address="192.0.2.1")
    assert comet.ask(address="192.0.2.1").status == 429
    comet.create(address="192.0.2.2")
    comet.session(key).abortConnection()
    comet.turn()
    comet.create(address="192.0.2.1")


def test_a_network_of_ipv6_counts_as_one_address(make_comet):
    """Whoever has one of its addresses has all of them."""
    comet = make_comet({"limits": {"sessions_per_address": 2}})
    keys = [comet.create(address=f"2001:db8:1:2::{number}") for number in range(1, 3)]
    assert comet.ask(address="2001:db8:1:2:ffff::1").status == 429
    comet.create(address="2001:db8:1:3::1")
    comet.session(keys[0]).abortConnection()
    comet.turn()
    comet.create(address="2001:db8:1:2:ffff::1")


def test_the_number_of_unused_sessions_is_bounded(make_comet):
    """One too many gets 503; a transport makes room, and so does the end of one."""
    comet = make_comet({"limits": {"unused_sessions": 2, "retry_after": 9}})
    used, unused = comet.create(), comet.create()
    exchange = comet.ask()
    assert (exchange.status, exchange.headers["Retry-After"]) == (503, "9")
    assert b"unused" in exchange.content
    comet.open(used)
    comet.create()
    assert comet.ask().status == 503
    comet.session(unused).abortConnection()
    comet.turn()
    comet.create()


def test_sessions_that_are_never_used_go_away(make_comet):
    """Creating and leaving costs memory for a short time only."""
    comet = make_comet({"session": {"unused_timeout": 5}})
    for _ in range(10):
        comet.create()
    comet.clock.advance(5)
    assert not comet.tcp.connections
    assert not comet.clock.getDelayedCalls()
    assert comet.tcp.counters.sessions_ended == 10


# -- origins ----------------------------------------------------------------------------------


def test_a_listed_origin_gets_cors_with_credentials(make_comet):
    """On every answer, the preflight's too."""
    comet = make_comet(ACCESS)
    headers = {"origin": LISTED}
    key = comet.create(headers=headers)
    for exchange in (
        comet.ask(headers=headers),
        comet.open(key, headers=headers),
        comet.post(key, Packet(1, DATA, b"x"), headers=headers),
        comet.ask("GET", "unknown/longpoll", headers=headers),
        comet.ask("OPTIONS", key, headers=headers),
    ):
        assert exchange.headers["Access-Control-Allow-Origin"] == LISTED
        assert exchange.headers["Access-Control-Allow-Credentials"] == "true"
        assert exchange.headers["Vary"] == "Origin"
    preflight = comet.ask("OPTIONS", key, headers=headers)
    assert preflight.headers["Access-Control-Allow-Methods"] == "GET, POST"


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://listed.example"])
def test_another_origin_gets_no_cors_and_reaches_no_session(make_comet, origin):
    """Its page cannot read a key, nor use one that it knows."""
    comet = make_comet(ACCESS)
    key = comet.create()
    headers = {"origin": origin}
    for exchange in (
        comet.ask(headers=headers),
        comet.open(key, headers=headers),
        comet.post(key, Packet(1, DATA, b"x"), headers=headers),
        comet.ask("OPTIONS", key, headers=headers),
    ):
        assert not any(name.startswith("Access-Control") for name in exchange.headers)
    assert comet.open(key, headers=headers).status == 403
    assert comet.post(key, Packet(1, DATA, b"x"), headers=headers).status == 403
    assert comet.protocols[0].received == []


def test_the_same_origin_needs_no_listing(comet):
    """A page of this host sends Origin with its POSTs."""
    headers = {"origin": "http://orbited.example"}
    key = comet.create(headers=headers)
    assert comet.post(key, Packet(1, DATA, b"x"), headers=headers).status == 200


# -- stopping ---------------------------------------------------------------------------------


def test_draining_tells_browsers_and_takes_no_new_ones(comet):
    """Streams end with the reason; new sessions get 503; it is done when all know."""
    streaming, polling = comet.create(), comet.create()
    stream = comet.open(streaming)
    comet.open(polling, "longpoll")
    drained = comet.tcp.drain()
    comet.turn()
    assert stream.content.endswith(b"close09,goingAway")
    assert stream.is_finished
    assert comet.ask().status == 503
    assert not drained.called
    poll = comet.open(polling, "longpoll", ack=2)
    assert poll.content == b"11,315,close09,goingAway"
    comet.open(polling, "longpoll", ack=3)
    comet.post(streaming, query={"ack": "3"})
    assert not comet.tcp.connections
    comet.clock.advance(0.1)
    assert drained.called
    assert not comet.clock.getDelayedCalls()


def test_draining_ends_in_time(make_comet):
    """Browsers that do not come are not waited for longer than allowed."""
    comet = make_comet({"limits": {"drain_seconds": 3}})
    comet.create()
    drained = comet.tcp.drain()
    comet.clock.advance(2.9)
    assert not drained.called
    comet.clock.advance(0.2)
    assert drained.called
    assert not comet.tcp.connections
    assert not comet.clock.getDelayedCalls()


def test_draining_without_sessions_is_done_at_once(comet):
    """Nobody is waited for."""
    assert comet.tcp.drain().called
    assert comet.tcp.is_draining


# -- Port -------------------------------------------------------------------------------------


def echo_factory() -> ServerFactory:
    """A factory of the kind that is handed to a Port."""
    factory = ServerFactory()
    factory.protocol = Echo
    factory.noisy = False
    return factory


def test_a_port_mounts_sessions_in_a_tree():
    """With a resource and a name it listens nowhere itself."""
    root, reactor = Resource(), MemoryReactorClock()
    port = Port(factory=echo_factory(), resource=root, childName="tcp", reactor=reactor)
    port.startListening()
    assert b"tcp" in root.children
    assert reactor.tcpServers == []
    port.getHost()
    assert port.stopListening().called


def test_a_port_may_listen_for_itself():
    """Given a number, it opens it."""
    reactor = MemoryReactorClock()
    port = Port(9999, echo_factory(), reactor=reactor)
    port.startListening()
    assert [server[0] for server in reactor.tcpServers] == [9999]
    port.stopListening()


@pytest.mark.parametrize("arguments", [{}, {"factory": echo_factory()}])
def test_a_port_needs_a_factory_and_a_place(arguments):
    """Called wrongly it says so."""
    with pytest.raises(TypeError):
        Port(**arguments)
