"""Push by long polling, in threads as a web server has them."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from thywill_server.client import Client
from thywill_server.client_configuration import ClientConfiguration
from thywill_server.connections.base import session_claim
from thywill_server.errors import Refusal
from thywill_server.push.base import PushUnavailable
from thywill_server.push.in_memory import InMemory

ALICE, BOB = "alice", "bob"


@pytest.fixture
def component():
    """Give a component with small bounds and a clock that stands still."""
    made = InMemory(
        {"max_queued_messages": 3, "max_clients": 2, "max_silence_seconds": 60, "max_waiting": 1}
    )
    made.clock = lambda: 1000.0
    return made


@pytest.fixture
def threads(component):
    """Give web threads, which end with the test because the component answers what waits."""
    with ThreadPoolExecutor(4) as pool:
        yield pool
        component.stop()


def ask(component, uuid=ALICE, after=0, timeout_seconds=0.0):
    """Ask as a page does, and give (id, body) of what comes."""
    deliveries = component.wait_for_messages(uuid, after, timeout_seconds)
    return [(delivery.id, delivery.message.body.decode()) for delivery in deliveries]


def bodies(component, **question):
    """Ask, and give the bodies alone."""
    return [body for _, body in ask(component, **question)]


def when_waiting(component, count=1):
    """Return once so many questions wait."""
    for _ in range(60_000):
        if component.health()["waiting"] == count:
            return
        threading.Event().wait(0.001)
    raise AssertionError("no question waits")


def load_page(component, uuid=ALICE):
    """Bootstrap one page and return what it is told."""
    configuration = ClientConfiguration(uuid)
    component.bootstrap_client(Client(uuid, "session", None, "echo"), configuration)
    return configuration


def test_the_page_is_told_its_script(component):
    """The bootstrap adds the script of this component, and its name."""
    configuration = load_page(component)
    assert configuration.bootstrap_resources == [
        {"type": "javascript", "resource": "thywill/push/in_memory.js"}
    ]
    assert configuration.bootstrap_parameters["push"] == {"component": "in_memory"}


def test_messages_arrive_in_order_and_until_confirmed(component):
    """What is not confirmed by ``after`` is given again, so a broken answer loses nothing."""
    load_page(component)
    component.push(ALICE, "one")
    component.push(ALICE, {"n": 2}, "counted")
    first, second = ask(component)
    assert (first[1], second[1]) == ("one", '{"n":2}')
    assert ask(component) == [first, second]
    assert ask(component, after=first[0]) == [second]
    assert ask(component, after=second[0]) == []


def test_event_and_type_come_along(component):
    """A delivery holds the whole message."""
    load_page(component)
    component.push(ALICE, {"n": 2}, "counted")
    (delivery,) = component.wait_for_messages(ALICE, 0, 0)
    assert (delivery.message.event, delivery.message.content_type) == (
        "counted",
        "application/json",
    )


def test_what_is_pushed_before_the_first_question_is_kept(component):
    """From the bootstrap on nothing is missed."""
    load_page(component)
    component.push(ALICE, "early")
    assert bodies(component) == ["early"]


def test_each_page_has_its_own(component):
    """A page sees nothing of what another gets; what goes to nobody is dropped."""
    load_page(component, ALICE)
    load_page(component, BOB)
    component.push(BOB, "for bob")
    component.push("nobody", "lost")
    assert bodies(component, uuid=ALICE) == []
    assert bodies(component, uuid=BOB) == ["for bob"]
    assert bodies(component, uuid="nobody") == []


def test_ids_grow_over_a_restart(component):
    """A page that stays open while the site restarts does not drop what is new."""
    load_page(component)
    component.push(ALICE, "before")
    ((last, _),) = ask(component)
    restarted = InMemory({})
    restarted.wait_for_messages(ALICE, last, 0)
    restarted._queues[restarted.destination_of(ALICE)].last_id += 1  # a millisecond is enough
    restarted.push(ALICE, "after")
    assert bodies(restarted, after=last) == ["after"]


def test_a_question_waits_for_the_next_message(component, threads):
    """A push from another thread ends the wait."""
    load_page(component)
    answer = threads.submit(bodies, component, timeout_seconds=20)
    when_waiting(component)
    component.push(ALICE, "now")
    assert answer.result(10) == ["now"]
    assert component.health() == {"status": "ok", "clients": 1, "waiting": 0}


def test_a_wait_ends_empty(component):
    """Without a message the answer is empty after the time asked for, or the setting's."""
    component.settings["max_wait_seconds"] = 0.01
    assert bodies(component, timeout_seconds=3600) == []


def test_a_later_question_takes_over(component, threads):
    """The earlier question of a page is answered, and only the later one gets the message."""
    component.settings["max_waiting"] = 2
    load_page(component)
    earlier = threads.submit(bodies, component, timeout_seconds=20)
    when_waiting(component)
    later = threads.submit(bodies, component, timeout_seconds=20)
    assert earlier.result(10) == []
    when_waiting(component)
    component.push(ALICE, "now")
    assert later.result(10) == ["now"]


def test_waiting_threads_are_bounded(component, threads):
    """With ``max_waiting`` questions waiting, one more is answered at once."""
    load_page(component)
    threads.submit(bodies, component, timeout_seconds=20)
    when_waiting(component)
    assert bodies(component, uuid=BOB, timeout_seconds=3600) == []


def test_a_full_queue_refuses(component):
    """The message after ``max_queued_messages`` is refused at once, and room helps."""
    load_page(component)
    for number in range(3):
        component.push(ALICE, str(number))
    with pytest.raises(PushUnavailable):
        component.push(ALICE, "too many")
    ((first, _), *_) = ask(component)
    assert bodies(component, after=first) == ["1", "2"]
    component.push(ALICE, "3")
    assert bodies(component, after=first) == ["1", "2", "3"]


def test_the_page_silent_for_longest_makes_room(component):
    """With ``max_clients`` pages, a new one ends the queue of the one that asked least lately."""
    load_page(component, ALICE)
    load_page(component, BOB)
    bodies(component, uuid=ALICE)
    load_page(component, "carol")
    for uuid in (ALICE, BOB, "carol"):
        component.push(uuid, "hello")
    assert component.health()["clients"] == 2
    assert bodies(component, uuid=ALICE) == ["hello"]
    assert bodies(component, uuid="carol") == ["hello"]


def test_a_silent_page_is_forgotten(component):
    """A page that has not asked for ``max_silence_seconds`` is gone when the next one comes."""
    load_page(component, ALICE)
    component.clock = lambda: 1061.0
    load_page(component, BOB)
    assert component.health()["clients"] == 1


def test_stopping_answers_what_waits(component, threads):
    """A stopping site does not keep its threads waiting, and its health says so."""
    load_page(component)
    answer = threads.submit(bodies, component, timeout_seconds=20)
    when_waiting(component)
    component.stop()
    assert answer.result(10) == []
    assert bodies(component, timeout_seconds=20) == []
    assert component.health()["status"] == "failed"
    component.start()
    assert component.health()["status"] == "ok"


def test_the_defaults_are_fine():
    """Without settings there is no problem, and a wrong one is a sentence."""
    assert InMemory({}).check() == []
    assert InMemory.settings_problems({"max_waiting": -1}) == [
        'THYWILL["push"]["max_waiting"]: expected a whole number of at least 0, got -1'
    ]


CHANNEL = "/topic/thywill.channel.echo.a"


def join(component, uuid=ALICE, destination=CHANNEL):
    """Let a page into a channel."""
    return component.channel_ticket(Client(uuid, "session", None, "echo"), destination)


def test_a_channel_is_heard_by_those_in_it(component):
    """From the ticket until they leave, each message once, however often they have joined."""
    load_page(component)
    load_page(component, BOB)
    assert join(component) == ""
    join(component)
    component.publish(CHANNEL, "one")
    component.leave(Client(ALICE, "session", None, "echo"), CHANNEL)
    component.publish(CHANNEL, "two")
    assert (bodies(component), bodies(component, uuid=BOB)) == (["one"], [])


def test_the_pages_of_an_application_hear_it(component):
    """Without asking for it."""
    load_page(component)
    load_page(component, BOB)
    component.publish(component.application_destination("echo"), "news")
    component.publish(component.application_destination("other"), "no news")
    assert (bodies(component), bodies(component, uuid=BOB)) == (["news"], ["news"])


def test_what_a_page_listens_on_is_bounded():
    """One channel more than it may is refused, and the others stay."""
    component = InMemory({"max_destinations": 3})
    load_page(component)
    join(component, destination="a")
    join(component, destination="b")
    with pytest.raises(PushUnavailable, match="as many channels as it may"):
        join(component, destination="c")
    component.publish("a", "hello")
    assert bodies(component) == ["hello"]


def test_a_page_that_does_not_fetch_does_not_stop_a_channel(component):
    """Its queue ends; the next one has another number, hears its application, and no channel."""
    client = Client(ALICE, "session", None, "echo")
    number = component.keep_for(client)
    assert component.keep_for(client) == number
    load_page(component, BOB)
    for uuid in (ALICE, BOB):
        join(component, uuid)
    for text in "1234":
        component.publish(CHANNEL, text)
        last, _ = ask(component, uuid=BOB)[-1]
        ask(component, uuid=BOB, after=last)
    assert component.keep_for(client) != number
    component.publish(CHANNEL, "5")
    component.publish(component.application_destination("echo"), "news")
    assert bodies(component) == ["news"]
    assert bodies(component, uuid=BOB) == ["5", "news"]


def test_ended_clients_are_answered_no_more(component, threads):
    """The question that waits is refused at once, later ones too; others go on."""
    for uuid, identity in ((ALICE, "one"), (BOB, "two")):
        client = Client(uuid, "key", None, "chat", session_identity=identity)
        component.bootstrap_client(client, ClientConfiguration(uuid))
    waiting = threads.submit(ask, component, ALICE, 0, 20)
    when_waiting(component)
    component.disconnect([], session_claim("one"))
    with pytest.raises(Refusal, match="ended this connection"):
        waiting.result(20)
    with pytest.raises(Refusal, match="ended this connection"):
        ask(component)
    component.push(ALICE, "nobody hears it")
    assert ask(component, BOB) == []
    component.disconnect([BOB])
    with pytest.raises(Refusal, match="ended this connection"):
        ask(component, BOB)
