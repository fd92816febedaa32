"""The whole command on the wire: limits of the configuration, and what its log keeps to itself."""

import re
import signal

import pytest
from websockets.frames import CloseCode

from orbited.protocol.packets import CLOSE, DATA, RAW, Packet
from tests.support.comet import Browser, Response
from tests.support.orbited_process import OrbitedProcess
from tests.support.ports import free_port


def configuration(lines: str, **limits: int) -> str:
    """A server with an echo behind it, and these lines and limits."""
    echo = free_port()
    bounds = "".join(f"{key} = {value}\n" for key, value in limits.items())
    return (
        f"[listen]\nhttp://127.0.0.1:0\necho://127.0.0.1:{echo}\n[access]\n"
        f"* -> 127.0.0.1:{echo}\n[limits]\n{bounds}{lines}"
    )


def browser_at(server: OrbitedProcess, address: str, forged: str = "") -> Browser:
    """A browser behind the trusted proxy, which perhaps has forged where it comes from."""
    told = f"{forged}, {address}" if forged else address
    return Browser(server.ports["http"][0], headers={"X-Forwarded-For": told})


def refusal(response: Response) -> tuple[int, str | None]:
    """Status and Retry-After; the sentence must be one."""
    with response:
        text = response.read().decode()
        assert re.fullmatch(r"[A-Z][^\n]+\.\n", text), text
        return response.status, response.headers.get("retry-after")


@pytest.mark.functional
def test_limits_are_said_and_everybody_else_goes_on(tmp_path):
    """429 for an address, 503 for the server, 413 and 400 for a body, 1009 for a message."""
    text = configuration(
        "[http]\ntrusted_proxies = 127.0.0.0/8\n",
        sessions=4,
        sessions_per_address=2,
        post_bytes=4096,
        argument_bytes=1024,
        packets_per_post=20,
        retry_after=7,
    )
    with OrbitedProcess(tmp_path, text) as server:
        (echo,) = server.ports["echo"]
        witness = browser_at(server, "192.0.2.1")
        witness.shake_hands(f"127.0.0.1:{echo}")

        def goes_on() -> None:
            witness.received = b""
            witness.send(b"still here")
            while not witness.received:
                witness.poll()
            assert witness.received == b"still here"

        # One address; what stands left of it in the header was written by that browser itself.
        browser_at(server, "192.0.2.2").create()
        browser_at(server, "192.0.2.2", forged="192.0.2.77").create()
        for forged in ("", "192.0.2.78", "127.0.0.1"):
            response = browser_at(server, "192.0.2.2", forged).request("GET", "/tcp")
            assert refusal(response) == (429, "7")
        goes_on()
        # All sessions.
        sender = browser_at(server, "192.0.2.3")
        sender.create()
        sender.poll()
        assert refusal(browser_at(server, "192.0.2.4").request("GET", "/tcp")) == (503, "7")
        goes_on()
        # Bodies: by their announced length, and by what is in them. Nothing of them is applied.
        path = f"/tcp/{sender.key}"
        assert refusal(sender.request("POST", path, b"x" * 5000)) == (413, None)
        long = sender.packets(b"y" * 1200)
        assert refusal(sender.request("POST", path, long)) == (400, None)
        sender.next_id = 1
        assert refusal(sender.request("POST", path, sender.packets(*[b"z"] * 21))) == (400, None)
        goes_on()
        # A message of a WebSocket.
        with sender.socket() as stream:
            stream.send(b"x" * 5000)
            while stream.receive() is not None:
                pass
            assert stream.close_code == CloseCode.MESSAGE_TOO_BIG
        goes_on()
        # The session of the one who did all that is as it was.
        sender.next_id = 1
        sender.send(f"127.0.0.1:{echo}\n".encode())
        assert (b"data", b"MQ==") in [packet[1:] for packet in sender.poll()]


@pytest.mark.functional
def test_an_untrusted_peer_is_not_believed(tmp_path):
    """Without ``trusted_proxies`` everybody on this machine is this machine."""
    with OrbitedProcess(tmp_path, configuration("", sessions_per_address=2)) as server:
        for number in range(2):
            browser_at(server, f"192.0.2.{number}").create()
        assert refusal(browser_at(server, "192.0.2.9").request("GET", "/tcp"))[0] == 429


@pytest.mark.functional
def test_a_name_that_points_here_reaches_nothing(tmp_path):
    """DNS rebinding: the page's own name leads to us, so its browser calls us its origin."""
    with OrbitedProcess(tmp_path, configuration("[http]\nhosts = .good.example\n")) as server:
        port, (echo,) = server.ports["http"][0], server.ports["echo"]
        for host, answer in (("evil.example", b"MDEwNg=="), ("www.good.example", b"MQ==")):
            name = f"{host}:{port}"
            browser = Browser(port, headers={"Host": name, "Origin": f"http://{name}"})
            browser.create()
            browser.poll()
            browser.send(b"127.0.0.1:%d\n" % echo)
            assert browser.poll()[0][1:] == (b"data", answer)
        assert "[http] hosts does not have 'evil.example:" in server.log


@pytest.mark.functional
def test_keys_are_in_no_log(tmp_path):
    """Whatever happens to a session, with every level on and every request written."""
    log = tmp_path / "all.log"
    places = "".join(f"{level} = {log}\n" for level in ("debug", "access", "warn", "error"))
    text = configuration(
        f"[http]\naccess_log = 1\n[logging]\n{places}info = SCREEN, {log}\n"
        "enabled.default = debug,info,access,warn,error\n"
        "[loggers]\ntwisted = debug,info,warn,error\nwebsockets = debug,info,warn,error\n",
        drain_seconds=1,
        drain_absent_seconds=0.1,
    )
    keys = []
    with OrbitedProcess(tmp_path, text) as server:
        port, (echo,) = server.ports["http"][0], server.ports["echo"]
        for name in ("xhrstream", "sse", "htmlfile", "longpoll", "poll", "websocket", "bogus"):
            browser = Browser(port, headers={"Referer": f"http://127.0.0.1:{port}/"})
            browser.shake_hands(f"127.0.0.1:{echo}")
            keys.append(browser.key)
            browser.send(b"words")
            if name == "websocket":
                stream = browser.socket()
                stream.receive()
                stream.send(b"not packets")
                while stream.receive() is not None:
                    pass
                stream.close()
            else:
                with browser.open(name) as response:
                    response.read_some()
            assert browser.post(b"nonsense")[0] == 400
            with browser.request("DELETE", f"/tcp/{browser.key}") as response:
                assert response.status == 405
        refused = Browser(port)
        keys.append(refused.create())
        refused.poll()
        refused.send(b"192.0.2.1:99\n")
        refused.poll()
        ended = Browser(port)
        keys.append(ended.create())
        with ended.socket() as stream:
            stream.receive()
            stream.send(RAW.encode([Packet(1, DATA, b"nonsense"), Packet(2, CLOSE)]))
        with ended.request("GET", f"/tcp/{ended.key}/longpoll", headers={"X": "y" * 99}) as gone:
            gone.read()
        server.send(signal.SIGTERM)
        assert server.wait() == 0
        written = log.read_text() + server.log
    assert written.count("GET /tcp/.../") >= len(keys)
    assert "may not connect" in written
    assert "DEBUG" in written
    for key in keys:
        assert key not in written
