"""Stopping: everybody is told, nothing accepted is lost, and it ends in time."""

import signal
import socket
import time

import pytest
from websockets.frames import CloseCode

from orbited.protocol.packets import ACK, CLOSE, DATA, RAW, TEXT, UNNUMBERED, Packet
from tests.support.comet import Browser, decode
from tests.support.downstream import TRANSPORTS, Downstream
from tests.support.orbited_process import OrbitedProcess
from tests.support.ports import free_port

LAST_WORDS = b"accepted before the signal"


# -- with a fake clock ------------------------------------------------------------------------


def test_browsers_are_told_in_batches(make_comet):
    """The first at once, the others at random moments of the first half of the time."""
    comet = make_comet({"limits": {"drain_seconds": 10, "drain_batch": 5}})
    streams = [comet.open(comet.create()) for _ in range(50)]
    comet.tcp.drain()

    def told() -> int:
        return sum(b"goingAway" in stream.content for stream in streams)

    comet.turn()
    assert told() == 5
    counts = []
    for _ in range(50):
        comet.clock.advance(0.1)
        comet.turn()
        counts.append(told())
    assert counts[-1] == 50
    assert len(set(counts)) >= 4
    assert all(stream.is_finished for stream in streams)


def test_very_many_browsers_are_told_in_larger_batches(make_comet):
    """Time is what is given; so many at once as it takes."""
    comet = make_comet({"limits": {"drain_seconds": 0.2, "drain_batch": 1}})
    streams = [comet.open(comet.create()) for _ in range(50)]
    drained = comet.tcp.drain()
    for _ in range(10):
        comet.clock.advance(0.01)
    comet.turn()
    assert all(b"goingAway" in stream.content for stream in streams)
    comet.clock.advance(0.2)
    assert drained.called
    assert not comet.clock.getDelayedCalls()


def test_browsers_that_are_gone_do_not_hold_it_up(make_comet):
    """Whoever has not been there for some seconds is given up at once."""
    comet = make_comet({"limits": {"drain_seconds": 60, "drain_absent_seconds": 3}})
    for _ in range(5):
        comet.open(comet.create()).lose()
    comet.clock.advance(3)
    drained = comet.tcp.drain()
    assert drained.called
    assert not comet.tcp.connections
    comet.turn()
    assert not comet.clock.getDelayedCalls()


def test_a_browser_between_two_polls_is_waited_for(make_comet):
    """It comes back, hears the reason, and then it is over."""
    comet = make_comet({"limits": {"drain_seconds": 60, "drain_absent_seconds": 3}})
    key = comet.create()
    comet.open(key, "longpoll")
    drained = comet.tcp.drain()
    comet.clock.advance(2.5)
    assert not drained.called
    poll = comet.open(key, "longpoll", ack=2)
    assert poll.content.endswith(b"close09,goingAway")
    comet.clock.advance(0.9)  # the answer may have been cut on its way
    assert not drained.called
    comet.clock.advance(0.2)
    assert drained.called


def test_back_ends_get_what_was_accepted_for_them(make_comet):
    """It is not over before they have it, unless the time is."""
    for seconds, is_over in ((1, False), (5, True)):
        comet = make_comet({"limits": {"drain_seconds": 5}})
        comet.tcp.is_flushed = lambda: False
        drained = comet.tcp.drain()
        comet.clock.pump([0.1] * (seconds * 10 + 1))
        assert drained.called is is_over
        comet.tcp.is_flushed = lambda: True
        comet.clock.advance(0.2)
        assert drained.called
        assert not comet.clock.getDelayedCalls()


def test_no_time_at_all_is_a_choice(make_comet):
    """With ``drain_seconds = 0`` nobody is waited for."""
    comet = make_comet({"limits": {"drain_seconds": 0}})
    stream = comet.open(comet.create())
    drained = comet.tcp.drain()
    comet.turn()
    assert drained.called
    assert stream.is_finished


#: Seconds that nothing here takes, however busy the machine is, unless it waits in vain.
MOST = 50

# -- for real ---------------------------------------------------------------------------------


def config(**limits: float) -> str:
    """A server with an echo behind it, and a back end of the test's own."""
    lines = "".join(f"{key} = {value}\n" for key, value in limits.items())
    port = free_port()
    return (
        f"[listen]\nhttp://127.0.0.1:0\necho://127.0.0.1:{port}\n[access]\n"
        f"* -> 127.0.0.1:{port}\n[limits]\n{lines}"
    )


@pytest.mark.functional
def test_clients_on_every_transport_hear_it(tmp_path):
    """Behind what was accepted; each response ends properly, the WebSocket with 1001."""
    limits = {"drain_seconds": MOST, "drain_absent_seconds": MOST}
    with OrbitedProcess(tmp_path, config(**limits)) as server:
        port, (echo,) = server.ports["http"][0], server.ports["echo"]
        clients = []
        for name in TRANSPORTS:
            browser = Browser(port)
            browser.shake_hands(f"127.0.0.1:{echo}")
            clients.append((name, browser, Downstream(browser, name)))
        for name, browser, down in clients:
            if name not in ("longpoll", "poll"):  # these come back only when it has begun
                down.open()
            browser.send(LAST_WORDS)
        name, browser, down = clients[-1]  # once this one has its echo, the others have theirs
        down.read_until(bool)
        server.send(signal.SIGTERM)
        started = time.monotonic()
        server.wait_for(lambda: f"telling {len(clients)} browsers" in server.log)
        with Browser(port).request("GET", "/system/health") as health:
            assert health.status == 503
        with Browser(port).request("GET", "/tcp") as refusal:
            assert (refusal.status, refusal.headers["retry-after"]) == (503, "5")
        for name, browser, down in clients:
            down.read_until(lambda packets: packets and packets[-1].name == "close")
            data = b"".join(packet.data for packet in down.packets if packet.name == "data")
            assert data == LAST_WORDS, name
            assert down.packets[-1].data == b"goingAway", name
            goodbye = Packet(browser.next_id, CLOSE)
            if name == "websocket":
                socket = down.response
                socket.send(RAW.encode([Packet(UNNUMBERED, ACK, b"%d" % browser.ack), goodbye]))
                assert decode(socket.receive()) == [(b"0", b"ack", b"%d" % goodbye.id)]
                assert socket.receive() is None
                assert socket.close_code == CloseCode.GOING_AWAY
            else:
                if down.is_open:
                    assert down.response.read() == b"", name  # it ends, and properly
                status, _ = browser.post(TEXT.encode([goodbye]))
                assert status in (200, 404)  # the acknowledgement alone has ended it
            down.close()
        assert server.wait() == 0
        assert time.monotonic() - started < MOST  # nobody was waited for in vain
        assert "not said good-bye" not in server.log


@pytest.mark.functional
def test_what_was_accepted_reaches_the_back_end(tmp_path):
    """A slow one gets it all before the process ends."""
    sent = bytes(range(256)) * 2000
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        target = f"127.0.0.1:{listener.getsockname()[1]}"
        text = config(drain_seconds=MOST).replace("[limits]", f"* -> {target}\n[limits]")
        with OrbitedProcess(tmp_path, text) as server:
            browser = Browser(server.ports["http"][0])
            browser.shake_hands(target)
            back_end, _ = listener.accept()
            with back_end, browser.socket() as stream:
                stream.send(RAW.encode([Packet(browser.next_id, DATA, sent)]))
                accepted = (b"ack", b"%d" % browser.next_id)
                while decode(stream.receive())[-1][1:] != accepted:
                    pass
                server.send(signal.SIGTERM)
                server.wait_for(lambda: "telling 1 browsers" in server.log)
                stream.send(RAW.encode([Packet(browser.next_id + 1, CLOSE)]))
                received = b""
                while data := back_end.recv(4096):
                    received += data
                assert received == sent
            assert server.wait() == 0


@pytest.mark.functional
def test_gone_and_silent_browsers_do_not_hold_it_up_for_long(tmp_path):
    """One that closed is given up soon, one that says nothing at the end of the time."""
    for is_silent, most in ((False, MOST), (True, 1.5)):
        text = config(drain_seconds=most, drain_absent_seconds=0.3)
        with OrbitedProcess(tmp_path, text) as server:
            browser = Browser(server.ports["http"][0])
            browser.create()
            stream = browser.socket()
            if not is_silent:
                stream.close()
            started = time.monotonic()
            server.send(signal.SIGTERM)
            assert server.wait() == 0
            assert (time.monotonic() - started >= most) is is_silent
            assert ("1 browsers have not said good-bye" in server.log) is is_silent
            stream.close()


@pytest.mark.functional
def test_the_same_signal_again_ends_it_at_once(tmp_path):
    """Whoever presses Ctrl-C twice means it."""
    with OrbitedProcess(tmp_path, config(drain_seconds=2 * MOST)) as server:
        browser = Browser(server.ports["http"][0])
        browser.create()
        with browser.socket():
            server.send(signal.SIGTERM)
            server.wait_for(lambda: "telling 1 browsers" in server.log)
            server.send(signal.SIGTERM)
            assert server.wait(MOST) == 128 + signal.SIGTERM
