"""``/system``: what is shown, how it is written, and to whom."""

import json
import re
from urllib.parse import urljoin

import pytest
from twisted.internet.protocol import ServerFactory
from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.web.resource import Resource

from orbited.config import from_mapping
from orbited.protocol.packets import DATA, TEXT, Packet
from orbited.service import Comet, embedded
from orbited.system import metrics
from orbited.system.counters import Counters
from orbited.system.readings import memory_bytes
from tests.support.exchange import MemoryExchange
from tests.support.prometheus import parse


class Broker:
    """Takes messages."""

    def __init__(self):
        self.published = []

    def publish(self, destination, headers, body):
        """Remember one, or refuse it."""
        if destination == "/queue/full":
            raise ValueError("full")
        self.published.append((destination, body))


class System:
    """The pages of a server that nobody listens for."""

    def __init__(self, options=None, services=None):
        self.comet = Comet(from_mapping(options or {}), services or {}, Clock())

    def ask(self, path="", method="GET", headers=None, **options):
        """Ask as somebody on this machine, unless told otherwise."""
        options = {"address": "127.0.0.1", **options}
        headers = {"host": "127.0.0.1:8001", **(headers or {})}
        exchange = MemoryExchange(method, path, headers=headers, **options)
        self.comet.system.respond(exchange)
        return exchange

    def browse(self, key="", method="GET", body=b""):
        """A request of a page under /tcp."""
        exchange = MemoryExchange(method, key, body)
        self.comet.tcp.respond(exchange)
        return exchange


def publish(system, query, method="GET", headers=None):
    """Ask for /system/test/stomp."""

    class Asking(MemoryExchange):
        target = f"/system/test/stomp?{query}"

    headers = {"host": "127.0.0.1:8001", **(headers or {})}
    exchange = Asking(method, "test/stomp", address="127.0.0.1", headers=headers)
    system.comet.system.respond(exchange)
    return exchange


# -- who may look -------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["", "monitor", "metrics", "counters", "health", "test"])
def test_every_page_is_there_for_this_machine(path):
    """None is kept by a browser or a proxy."""
    exchange = System().ask(path)
    assert exchange.status == 200
    assert exchange.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", ["", "monitor", "metrics", "counters", "health", "test/stomp"])
def test_no_page_is_there_for_those_outside(path):
    """And a sentence says what would change that."""
    exchange = System().ask(path, address="192.0.2.1")
    assert exchange.status == 404
    assert b"[system] allow" in exchange.content


@pytest.mark.parametrize("trusted", [[], ["192.0.2.9"]])
@pytest.mark.parametrize("name", ["x-forwarded-for", "forwarded", "x-real-ip", "via"])
def test_a_stranger_passes_nothing_on(trusted, name):
    """A proxy on this machine that nobody trusts makes everybody look local: it sees nothing."""
    system = System({"http": {"trusted_proxies": trusted}})
    exchange = system.ask(headers={name: "192.0.2.1"})
    assert exchange.status == 404
    assert b"[http] trusted_proxies" in exchange.content


def test_a_trusted_proxy_names_who_asks():
    """The edge has taken its word; who is named may look."""
    options = {"http": {"trusted_proxies": ["127.0.0.1"]}, "system": {"allow": ["10.0.0.0/8"]}}
    forwarded = {"x-forwarded-for": "6.6.6.6, 10.1.2.3"}
    assert System(options).ask(headers=forwarded, address="10.1.2.3").status == 200


def test_a_site_elsewhere_cannot_give_us_its_name():
    """A name of its own that leads here would let its pages read ours."""
    exchange = System().ask("counters", headers={"host": "evil.example:8001"})
    assert exchange.status == 404
    assert b"[http] hosts" in exchange.content
    named = System({"http": {"hosts": ["comet.example"]}})
    assert named.ask("counters", headers={"host": "comet.example"}).status == 200


def test_everybody_may_be_let_in():
    """When the configuration says so."""
    system = System({"system": {"allow": "*"}})
    headers = {"x-forwarded-for": "1.2.3.4", "host": "any.example"}
    assert system.ask("health", address="192.0.2.1", headers=headers).status == 200


def test_only_get_is_answered():
    """HEAD is one, too."""
    assert System().ask("counters", "HEAD").status == 200
    refused = System().ask("counters", "POST")
    assert (refused.status, refused.headers["Allow"]) == (405, "GET, HEAD")
    assert System().ask("nothing").status == 404
    assert System().ask("monitor/").status == 404


# -- figures ------------------------------------------------------------------------------------


def test_packets_and_bytes_are_counted_both_ways(comet):
    """Application bytes as they are, before any framing."""
    key = comet.create()
    comet.open(key, "xhrstream")
    comet.post(key, Packet(1, DATA, b"up"), Packet(2, DATA, b"up again"))
    comet.protocols[0].transport.write(b"down")
    comet.turn()
    counters = comet.tcp.counters
    assert comet.protocols[0].received == [b"up", b"up again"]
    assert counters.packets_received == 2
    assert (counters.packets_sent, counters.bytes_sent) == (4, len(b"down"))  # opt, opt, open


def test_the_reading_has_every_gauge():
    """Sessions by transport, buffers, the process."""
    system = System()
    key = system.browse().content.decode()
    system.browse()
    system.browse(f"{key}/longpoll")
    system.comet.tcp.clock.advance(5)
    reading = json.loads(system.ask("counters").content)
    assert reading["transports"] == {"none": 2}
    assert reading["sessions"] == 2
    assert reading["websockets"] == 0
    assert reading["unacknowledged_bytes"] > 0
    assert (reading["queued_bytes"], reading["slow_sessions"]) == (0, 0)
    assert reading["uptime_seconds"] == 5
    assert reading["memory_bytes"] > 1 << 20
    assert set(reading["versions"]) == {"orbited", "python", "twisted"}


def test_metrics_are_what_prometheus_reads():
    """The content type of the format, and every family with HELP and TYPE, once."""
    system = System()
    system.browse()
    exchange = system.ask("metrics")
    assert exchange.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    families = parse(exchange.content.decode())
    assert families["orbited_sessions"] == {(("transport", "none"),): 1}
    assert families["orbited_sessions_opened_total"] == {(): 1}
    assert families["orbited_accepting"] == {(): 1}
    assert list(families["orbited_info"].values()) == [1]
    for name in Counters().as_dict():
        assert f"orbited_{name}_total" in families
    as_json = system.ask("metrics", headers={"accept": "application/json"})
    assert json.loads(as_json.content)["counters"]["sessions_opened"] == 1


def test_labels_are_escaped():
    """Whatever a transport may be called."""
    reading = System().comet.system.counters()
    odd = 'a"b\\c\nd'
    families = parse(metrics.encode({**reading, "transports": {odd: 2}, "uptime_seconds": 0.5}))
    assert families["orbited_sessions"] == {(("transport", odd),): 2}
    assert families["orbited_uptime_seconds"] == {(): 0.5}


def test_health_is_503_while_stopping():
    """So that whoever balances load sends nobody here any more."""
    system = System()
    assert json.loads(system.ask("health").content)["status"] == "ok"
    system.comet.tcp.drain()
    exchange = system.ask("health")
    assert (exchange.status, json.loads(exchange.content)["status"]) == (503, "stopping")
    assert parse(system.ask("metrics").content.decode())["orbited_accepting"] == {(): 0}


def test_memory_is_a_number_on_every_system(monkeypatch):
    """Where nothing tells what is used now, the peak is."""
    monkeypatch.setattr("orbited.system.readings._STATM.__class__.read_text", _missing)
    assert memory_bytes() > 1 << 20


def _missing(*_, **__):
    raise FileNotFoundError


# -- pages --------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["", "monitor"])
def test_pages_run_nothing_inline(path):
    """Scripts and styles come as files of this server, and nobody may frame the page."""
    exchange = System().ask(path)
    assert exchange.headers["Content-Type"] == "text/html; charset=utf-8"
    policy = exchange.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    page = exchange.content
    assert b"<script>" not in page
    assert b"style=" not in page
    assert b" on" + b"click" not in page


def front(options, **asking):
    """Ask for the page at /."""
    comet = Comet(from_mapping(options), {}, Clock())
    comet.pages.show_front()
    headers = {"host": "127.0.0.1:8001"}
    exchange = MemoryExchange("GET", "", headers=headers, **{"address": "127.0.0.1", **asking})
    comet.pages.respond(exchange)
    return exchange


@pytest.mark.parametrize("prefix", ["/orbited/", "/"])
@pytest.mark.parametrize("page", ["system", "system/monitor"])
def test_what_a_page_asks_for_is_there(prefix, page):
    """Alone and under a prefix: styles, scripts, icon, links, and the counters."""
    reactor = MemoryReactorClock()
    site = embedded({"system": {"allow": "*"}}, {}, reactor).site(Resource(), prefix)
    site.startFactory()

    def get(path):
        transport = StringTransport()
        protocol = site.buildProtocol(None)
        protocol.makeConnection(transport)
        protocol.dataReceived(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        head, _, body = transport.value().partition(b"\r\n\r\n")
        return int(head.split()[1]), body.decode()

    status, text = get(prefix + page)
    assert status == 200
    references = re.findall(r'(?:src|href)="([^"]+)"', text)
    assert len(references) >= 4
    if page.endswith("monitor"):
        references += ["counters", "../static/pages/rates.js"]
    for reference in references:
        path = urljoin(prefix + page, reference)
        assert get(path)[0] == 200, path
    site.stopFactory()


LISTEN = {
    "listen": ["http://:8001", "echo://:7001", "lineecho://:7002", "stomp://:61613"],
    "access": ["* -> localhost:7001", "* -> 127.0.0.1:61613"],
}


def test_the_front_page_links_what_can_be_tried():
    """A demo for each server of [listen] that [access] lets pages reach."""
    page = front(LISTEN).content.decode()
    assert 'href="static/demos/echo.html?host=localhost&amp;port=7001"' in page
    assert 'href="static/demos/stomp.html?host=127.0.0.1&amp;port=61613"' in page
    assert "telnet.html" not in page
    assert 'href="system/monitor"' in page


def test_those_outside_are_told_no_ports():
    """Only that this is Orbited."""
    exchange = front(LISTEN, address="192.0.2.1")
    assert exchange.status == 200
    assert b"Orbited" in exchange.content
    assert b"<a " not in exchange.content


def test_the_index_of_the_configuration_comes_first(tmp_path):
    """[static] INDEX is somebody's own page."""
    (tmp_path / "own.html").write_text("own")
    assert front({"static": {"INDEX": str(tmp_path / "own.html")}}).content == b"own"


# -- /system/test/stomp -------------------------------------------------------------------------


@pytest.fixture
def broker():
    """A broker in this process."""
    return Broker()


@pytest.fixture
def testing(broker):
    """A server on which pages may publish."""
    factory = ServerFactory()
    factory.broker = broker
    services = {("localhost", 1): ServerFactory(), ("localhost", 61613): factory}
    return System({"test": {"stompdispatcher.enabled": "1"}}, services)


def test_a_message_is_published(testing, broker):
    """UTF-8, as the script of 0.7 asks for it; the answer is a script that does nothing."""
    exchange = publish(testing, "dest=%2Ftopic%2Fa&msg=gr%C3%BC%C3%9F+dich")
    assert (exchange.status, broker.published) == (
        200,
        [("/topic/a", "gr\u00fc\u00df dich".encode())],
    )
    assert exchange.headers["Content-Type"].startswith("text/javascript")
    assert publish(testing, "dest=a&msg=", "POST").status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"referer": "https://evil.example/127.0.0.1:8001/"},
    ],
)
def test_pages_of_other_sites_do_not_publish(testing, broker, headers):
    """However the browser tells that it is one."""
    assert publish(testing, "dest=a&msg=b", headers=headers).status == 403
    assert broker.published == []


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "same-origin", "referer": "http://127.0.0.1:8001/x"},
        {"origin": "http://127.0.0.1:8001"},
        {"referer": "http://127.0.0.1:8001/x"},
    ],
)
def test_our_own_pages_publish(testing, broker, headers):
    """And so does who sends no such header."""
    assert publish(testing, "dest=a&msg=b", headers=headers).status == 200
    assert broker.published == [("a", b"b")]


def test_what_cannot_be_published_is_said(testing, broker):
    """No destination, another method, a broker that refuses, no broker."""
    assert publish(testing, "msg=b").status == 400
    assert publish(testing, "dest=a", "PUT").status == 405
    assert publish(testing, "dest=/queue/full&msg=x").status == 503
    without = System({"test": {"stompdispatcher.enabled": "1"}})
    exchange = publish(without, "dest=a")
    assert exchange.status == 503
    assert b"stomp://" in exchange.content
    assert broker.published == []


def test_it_is_off_unless_configured():
    """And says which key that is."""
    system = System()
    exchange = publish(system, "dest=a&msg=b")
    assert exchange.status == 404
    assert b"stompdispatcher.enabled" in exchange.content
    assert b"is off" in system.ask("test").content


def test_text_framing_is_not_counted():
    """The body is; so its size is what the network has carried."""
    system = System()
    key = system.browse().content.decode()
    body = TEXT.encode([Packet(1, DATA, b"x")])
    system.browse(key, "POST", body)
    assert system.comet.tcp.counters.bytes_received == len(body)
