"""``monitor://``, health and /system/test/stomp of the ``orbited`` command, over real sockets."""

import json
import socket
import urllib.request

import pytest

from tests.support.orbited_command import OrbitedCommand
from tests.support.prometheus import parse
from tests.support.stomp_page import StompPage

pytestmark = pytest.mark.functional


class Server(OrbitedCommand):
    """With a monitor on the other port, and publishing for tests."""

    def configuration(self) -> str:
        """What the command reads."""
        listen = f"[listen]\nmonitor://127.0.0.1:{self.other_port}"
        text = super().configuration().replace("[listen]", listen)
        return f"{text}[test]\nstompdispatcher.enabled = 1\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """One for the tests of this file."""
    server = Server.in_folder(tmp_path_factory.mktemp("system"))
    server.start()
    yield server
    server.kill()


def get(server, path, **headers):
    """Status, headers and body of an answer."""
    request = urllib.request.Request(f"{server.url}{path}", headers=headers)
    with urllib.request.urlopen(request, timeout=60) as response:
        return response.status, response.headers, response.read()


def test_the_monitor_tells_what_it_watches(server):
    """The names, then the values of this very process."""
    with socket.create_connection(("127.0.0.1", server.other_port), 20) as watching:
        received = b""
        while received.count(b"~") < 2:
            received += watching.recv(4096)
    init, update = (json.loads(array) for array in received.split(b"~")[:2])
    assert init == ["INIT", ["user", "pid", "cpu", "mem", "connections"]]
    assert update[0] == "UPDATE"
    assert update[1]["pid"] == server.process.pid
    assert float(update[1]["mem"]) > 0


def test_a_published_message_reaches_a_subscriber(server):
    """Through the broker of the same process."""
    with StompPage(server.stomp_port, "guest", "guest") as page:
        page.subscribe("/topic/test")
        path = "system/test/stomp?dest=/topic/test&msg=gr%C3%BC%C3%9F+dich"
        status, headers, _ = get(server, path)
        assert (status, headers.get_content_type()) == (200, "text/javascript")
        message = page.receive()
    assert message.command == "MESSAGE"
    assert message.body.decode() == "gr\u00fc\u00df dich"


def test_metrics_and_health_are_served(server):
    """The counters that a session leaves behind are among them."""
    get(server, "tcp")
    _, headers, body = get(server, "system/metrics")
    assert headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert parse(body.decode())["orbited_sessions_opened_total"][()] >= 1
    assert get(server, "system/health")[0] == 200
