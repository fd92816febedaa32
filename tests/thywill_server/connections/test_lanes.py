"""Jobs in threads: in order for each key, bounded, and none is lost when another fails."""

import threading

from thywill_server.connections.lanes import Lanes

SECONDS = 60


def test_order_of_a_key():
    """What is submitted for one key is done one after the other."""
    lanes = Lanes(3, 1000)
    done: list[tuple[str, int]] = []
    for number in range(50):
        for key in ("ada", "bob", "cleo"):
            assert lanes.submit(key, lambda key=key, number=number: done.append((key, number)))
    lanes.stop()
    lanes.join(SECONDS)
    for key in ("ada", "bob", "cleo"):
        assert [number for name, number in done if name == key] == list(range(50))


def test_no_thread_without_a_job():
    """A process without clients has no threads for them."""
    before = threading.active_count()
    lanes = Lanes(3, 10)
    assert threading.active_count() == before
    lanes.stop()


def test_bounded():
    """What does not fit is refused at once."""
    lanes = Lanes(1, 2)
    is_free, has_begun = threading.Event(), threading.Event()

    def block():
        has_begun.set()
        is_free.wait(SECONDS)

    assert lanes.submit("a", block)
    assert has_begun.wait(SECONDS)
    assert lanes.submit("a", block)
    assert lanes.submit("a", block)
    assert not lanes.submit("a", block)
    assert lanes.waiting == 2
    is_free.set()
    lanes.stop()
    assert not lanes.submit("a", block)
    lanes.join(SECONDS)


def test_a_failure_ends_nothing(caplog):
    """A job that raises is logged, and the next one is done."""
    lanes, done = Lanes(1, 10), threading.Event()
    lanes.submit("a", lambda: 1 / 0)
    lanes.submit("a", done.set)
    assert done.wait(SECONDS)
    assert "a connection could not be followed" in caplog.text
    lanes.stop()
    lanes.join(SECONDS)
