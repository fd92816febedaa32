"""What holds for every push component: what is pushed arrives, once, in order, and only there.

Each implementation has a way to be run, and a way to hear what a page of it hears. The one that
needs a broker gets a real one.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import pytest

from tests.contracts.implementations import implementations
from tests.support.push_process import PushProcess, perform
from tests.support.stomp_page import StompPage
from thywill_server.client import Client
from thywill_server.client_configuration import ClientConfiguration
from thywill_server.push.base import JSON_TYPE, TEXT_TYPE
from thywill_server.push.in_memory import InMemory

ROOT = Path(__file__).parents[2]


class Heard(NamedTuple):
    """One message as a page gets it."""

    body: bytes
    content_type: str
    event: str | None


class Site(Protocol):
    """A push component that runs, and its pages."""

    def call(self, method: str, *arguments: Any) -> Any:
        """Call a method of the component; an exception is a RuntimeError with its class's name."""

    def open_page(self, uuid: str) -> None:
        """Load a page, and listen as it does."""

    def join(self, uuid: str, destination: str) -> None:
        """Let a page listen on a channel's destination."""

    def hear(self, uuid: str, count: int) -> list[Heard]:
        """Wait until a page has heard so many messages, and give them."""


class InMemorySite:
    """The component in this process; pages ask it as the long poll does."""

    def __init__(self, **settings: Any) -> None:
        self.component = InMemory(settings)
        self.component.start()
        self.last: dict[str, int] = {}

    def call(self, method: str, *arguments: Any) -> Any:
        """Call the component."""
        try:
            return perform(self.component, method, *arguments)
        except Exception as error:
            raise RuntimeError(f"{type(error).__name__}: {error}") from error

    def open_page(self, uuid: str) -> None:
        """Bootstrap a page."""
        client = Client(uuid, "session", None, "contract")
        self.component.bootstrap_client(client, ClientConfiguration(uuid))
        self.last[uuid] = 0

    def join(self, uuid: str, destination: str) -> None:
        """The ticket is all that it takes."""
        self.call("channel_ticket", uuid, destination)

    def hear(self, uuid: str, count: int) -> list[Heard]:
        """Ask until there are so many."""
        heard: list[Heard] = []
        while len(heard) < count:
            deliveries = self.component.wait_for_messages(uuid, self.last[uuid], 20)
            assert deliveries, f"only {len(heard)} of {count} messages came"
            self.last[uuid] = deliveries[-1].id
            messages = [delivery.message for delivery in deliveries]
            heard += [Heard(m.body, m.content_type, m.event) for m in messages]
        return heard


class OrbitedStompSite:
    """The component in a process of its own, morbid in another, and pages on its STOMP port."""

    def __init__(self, stack: ExitStack, folder: Path) -> None:
        key_file = folder / "ticket.key"
        configuration = folder / "morbid.cfg"
        configuration.write_text(
            "authenticator=thywill_server.push.orbited_stomp.tickets.TicketAuthenticator\n"
            f"authenticator.key_file={key_file}\n"
        )
        broker = subprocess.Popen(
            [sys.executable, "-m", "morbid", "--port", "0", "--config", str(configuration)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert broker.stdout is not None
        stack.enter_context(closing(broker.stdout))
        stack.callback(broker.wait, 60)
        stack.callback(broker.terminate)
        announced = broker.stdout.readline()
        self.port = int(announced.partition("port ")[2].partition(".")[0])
        settings = {"stomp_port": self.port, "ticket_key_file": str(key_file)}
        component = "thywill_server.push.orbited_stomp.OrbitedStomp"
        self.process = stack.enter_context(PushProcess(component, settings))
        self.opened = stack.enter_context(ExitStack())
        self.pages: dict[str, StompPage] = {}

    def call(self, method: str, *arguments: Any) -> Any:
        """Call the component in its process."""
        return self.process.call(method, *arguments)

    def open_page(self, uuid: str) -> None:
        """Connect with a ticket and subscribe."""
        page = self.opened.enter_context(StompPage(self.port, uuid, self.call("ticket", uuid)))
        assert page.answer.command == "CONNECTED", page.answer
        assert page.subscribe(self.call("destination_of", uuid)).command == "RECEIPT"
        self.pages[uuid] = page

    def close_pages(self) -> None:
        """Leave no page open for the next test."""
        self.opened.close()
        self.pages.clear()

    def join(self, uuid: str, destination: str) -> None:
        """Subscribe with the channel's ticket."""
        ticket = self.call("channel_ticket", uuid, destination)
        assert self.pages[uuid].subscribe(destination, ticket=ticket).command == "RECEIPT"

    def hear(self, uuid: str, count: int) -> list[Heard]:
        """Wait for so many MESSAGE frames."""
        frames = [self.pages[uuid].receive() for _ in range(count)]
        return [
            Heard(frame.body, frame.headers["content-type"], frame.headers.get("event"))
            for frame in frames
        ]


@pytest.fixture(scope="module")
def over_stomp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OrbitedStompSite]:
    """One broker and one process for all tests; no message outlives its page."""
    with ExitStack() as stack:
        yield OrbitedStompSite(stack, tmp_path_factory.mktemp("stomp"))


@pytest.fixture(params=["InMemory", "OrbitedStomp"])
def site(request: pytest.FixtureRequest) -> Iterator[Site]:
    """Each implementation, running, with no page open."""
    if request.param == "InMemory":
        yield InMemorySite()
        return
    shared = request.getfixturevalue("over_stomp")
    yield shared
    shared.close_pages()


def test_every_push_component_is_tried() -> None:
    """An implementation that nobody added here would go untested."""
    names = [cls.__name__ for cls in implementations() if cls.SECTION == "push"]
    assert names == ["InMemory", "OrbitedStomp"]


@pytest.mark.parametrize(
    "text", ["héllo <b>&\"' 你好 \U0001f600", "", "\x00\n\r\\c:", "x" * 50_000]
)
def test_text_arrives_as_it_is(site: Site, text: str) -> None:
    """Any text, empty and long ones too."""
    site.open_page("u-1")
    site.call("push", "u-1", text)
    assert site.hear("u-1", 1) == [Heard(text.encode(), TEXT_TYPE, None)]


def test_values_and_events_arrive_as_json(site: Site) -> None:
    """Values are JSON, and so is the data of an event, whose name comes along."""
    site.open_page("u-1")
    site.call("push", "u-1", {"a": [1, None, "é"]})
    site.call("push", "u-1", "text", "said: é\\n")
    site.call("push", "u-1", None, "nothing")
    heard = site.hear("u-1", 3)
    assert [json.loads(message.body) for message in heard] == [{"a": [1, None, "é"]}, "text", None]
    assert [message.event for message in heard] == [None, "said: é\\n", "nothing"]
    assert {message.content_type for message in heard} == {JSON_TYPE}


def test_each_page_hears_its_own(site: Site) -> None:
    """Nothing of one page is heard by another."""
    for uuid in ("u-1", "u-2"):
        site.open_page(uuid)
    for uuid in ("u-1", "u-2"):
        site.call("push", uuid, f"for {uuid}")
        site.call("publish", site.call("destination_of", uuid), f"more for {uuid}")
    for uuid in ("u-1", "u-2"):
        bodies = [message.body.decode() for message in site.hear(uuid, 2)]
        assert bodies == [f"for {uuid}", f"more for {uuid}"]


@pytest.mark.parametrize("name", ["room:a", "Ünï/cö*d#é.%2F", "x" * 200])
def test_a_channel_is_heard_by_those_in_it(site: Site, name: str) -> None:
    """Whatever its name, and nobody else hears it."""
    for uuid in ("u-1", "u-2"):
        site.open_page(uuid)
    destination = site.call("channel_destination", "contract", name)
    site.join("u-1", destination)
    site.call("publish", destination, {"n": 1}, "said")
    site.call("publish", site.call("channel_destination", "contract", name + "b"), "x")
    for uuid in ("u-1", "u-2"):
        site.call("push", uuid, "last")
    assert [message.body for message in site.hear("u-1", 2)] == [b'{"n":1}', b"last"]
    assert [message.body for message in site.hear("u-2", 1)] == [b"last"]


def test_order_is_kept(site: Site) -> None:
    """Five hundred messages arrive, each once, in the order in which they were pushed."""
    site.open_page("u-1")
    for number in range(500):
        site.call("push", "u-1", number)
    assert [int(message.body) for message in site.hear("u-1", 500)] == list(range(500))


def test_threads_keep_their_own_order(site: Site) -> None:
    """Messages pushed by several threads arrive all, those of each thread in its order."""
    site.open_page("u-1")
    site.call("push_from_threads", "u-1", 4, 100)
    heard = [json.loads(message.body) for message in site.hear("u-1", 400)]
    for thread in range(4):
        assert [number for own, number in heard if own == thread] == list(range(100))


def test_pushing_to_nobody_is_no_error(site: Site) -> None:
    """A page that is gone, or never was, is nobody's fault."""
    site.open_page("u-1")
    site.call("push", "u-2", "x")
    site.call("push", "u-1", "y")
    assert [message.body for message in site.hear("u-1", 1)] == [b"y"]


def test_what_has_no_form_is_refused_at_once(site: Site) -> None:
    """The caller gets the error, and the page nothing."""
    site.open_page("u-1")
    with pytest.raises(RuntimeError, match="TypeError: JSON has no form for object"):
        site.call("push_object", "u-1")
    with pytest.raises(RuntimeError, match="ValueError: event name"):
        site.call("push", "u-1", "x", "two\nlines")
    site.call("push", "u-1", "y")
    assert [message.body for message in site.hear("u-1", 1)] == [b"y"]


def test_tickets_and_destinations_are_text(site: Site) -> None:
    """Each client has a destination of its own; a ticket can be asked for again."""
    assert site.call("destination_of", "u-1") != site.call("destination_of", "u-2")
    assert isinstance(site.call("ticket", "u-1"), str)


def test_it_is_well(site: Site) -> None:
    """Once something was pushed and heard, its health is good."""
    site.open_page("u-1")
    site.call("push", "u-1", "x")
    site.hear("u-1", 1)
    assert site.call("health")["status"] == "ok"


def test_a_full_queue_is_refused_at_once() -> None:
    """In memory: the page does not fetch, and the sender hears of it."""
    site = InMemorySite(max_queued_messages=2)
    site.open_page("u-1")
    site.call("push", "u-1", "1")
    site.call("push", "u-1", "2")
    with pytest.raises(RuntimeError, match="PushUnavailable"):
        site.call("push", "u-1", "3")
    assert [message.body for message in site.hear("u-1", 2)] == [b"1", b"2"]
    site.component.wait_for_messages("u-1", site.last["u-1"], 0)
    site.call("push", "u-1", "4")
    assert [message.body for message in site.hear("u-1", 1)] == [b"4"]


def test_a_full_queue_without_a_broker_is_refused_at_once(tmp_path: Path) -> None:
    """Over STOMP: the broker is away, and the sender hears of it."""
    settings = {
        "stomp_port": 1,
        "ticket_key_file": str(tmp_path / "ticket.key"),
        "max_queued_messages": 2,
    }
    with PushProcess("thywill_server.push.orbited_stomp.OrbitedStomp", settings) as process:
        process.call("push", "u-1", "1")
        process.call("push", "u-1", "2")
        with pytest.raises(RuntimeError, match="PushUnavailable"):
            process.call("push", "u-1", "3")
        assert process.call("health")["status"] == "failed"


def test_flushing_waits_until_all_is_out(site: Site) -> None:
    """After many messages too; and without any."""
    site.open_page("u-1")
    assert site.call("flush") is None
    for number in range(100):
        site.call("push", "u-1", number)
    assert site.call("flush") is None
    assert len(site.hear("u-1", 100)) == 100
