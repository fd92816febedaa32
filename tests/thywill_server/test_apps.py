"""The components of one process."""

import copy
import os
import threading
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import override_settings

from tests.support.recording import RECORDING
from thywill_server import apps
from thywill_server.apps import ProcessComponents
from thywill_server.errors import ConfigurationError

ECHO = """
def message_from_client(uuid, raw_message):
    return raw_message
"""


class Counted:
    """Stands for a site's components and counts what happens to it."""

    def __init__(self) -> None:
        self.starts = 0
        self.stops = 0
        self.fails = False

    def start(self) -> None:
        """Count, or fail."""
        if self.fails:
            raise OSError("cannot start")
        self.starts += 1

    def stop(self) -> list[str]:
        """Count."""
        self.stops += 1
        return ["a Deferred"]


@pytest.fixture
def process() -> ProcessComponents:
    """A process that has built nothing yet."""
    return ProcessComponents(Counted)  # type: ignore[arg-type]


@pytest.fixture
def thywill(write_application: Callable[..., str]) -> Iterator[dict[str, Any]]:
    """A right ``THYWILL``, which is set."""
    settings = copy.deepcopy(RECORDING)
    settings["application"]["packages"] = [write_application("echo", ECHO)]
    with override_settings(THYWILL=settings):
        yield settings


def test_components_are_built_once(process: ProcessComponents) -> None:
    """Everybody gets the same components."""
    assert process.get() is process.get()


def test_threads_at_the_same_moment_get_the_same(process: ProcessComponents) -> None:
    """Threads that come first together wait for one of them to build and start."""
    barrier = threading.Barrier(8)
    found: list[Any] = []

    def ask() -> None:
        barrier.wait()
        found.append(process.start())

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert {id(components) for components in found} == {id(found[0])}
    assert found[0].starts == 1


def test_building_does_not_start(process: ProcessComponents) -> None:
    """Looking at the components starts nothing; starting happens once."""
    components: Any = process.get()
    assert components.starts == 0
    assert process.start() is components
    process.start()
    assert components.starts == 1


def test_a_failed_start_can_be_repeated(process: ProcessComponents) -> None:
    """The next request tries again."""
    components: Any = process.get()
    components.fails = True
    with pytest.raises(OSError, match="cannot start"):
        process.start()
    components.fails = False
    process.start()
    assert components.starts == 1


def test_stop_forgets(process: ProcessComponents) -> None:
    """After a stop the next user gets new components; what was never started is not stopped."""
    assert process.stop() == []
    first: Any = process.get()
    assert process.stop() == []
    second: Any = process.start()
    assert process.stop() == ["a Deferred"]
    assert (first.stops, second.stops) == (0, 1)
    assert process.get() is not second


def test_a_forked_child_starts_anew(process: ProcessComponents) -> None:
    """A child of a fork builds and starts its own, even if a thread was just building."""
    parent: Any = process.start()
    reading, writing = os.pipe()
    with process._lock, warnings.catch_warnings():
        # From 3.12 on Python warns of a fork beside threads, which is what this is about.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
        if not child:
            mine: Any = process.get()
            fresh = mine is not parent and mine.starts == 0 and process.start() is mine
            os.write(writing, b"fresh" if fresh else b"stale")
            os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reading, 5) == b"fresh"
    os.close(reading)
    os.close(writing)
    assert process.get() is parent


class Follower:
    """Stands for what follows connections."""

    def __init__(self, components: Any) -> None:
        self.components = components
        self.is_stopped = False

    def stop(self) -> None:
        """Note it."""
        self.is_stopped = True


def test_only_who_serves_follows_connections() -> None:
    """A shell or a command publishes and follows nothing; a server does, whatever comes first."""
    for steps in (("start", "serve"), ("serve", "start"), ("follower",)):
        process = ProcessComponents(Counted, Follower)  # type: ignore[arg-type]
        process.start()
        assert process.current_follower is None
        process.stop()
        for step in steps:
            getattr(process, step)()
        follower: Any = process.current_follower
        assert follower.components is process.get()
        process.serve()
        assert process.current_follower is follower
        process.stop()
        assert follower.is_stopped
        process.start()
        assert process.current_follower not in (None, follower)


def test_a_forked_child_does_not_follow() -> None:
    """What its parent follows is not its own; it begins with its first request."""
    process = ProcessComponents(Counted, Follower)  # type: ignore[arg-type]
    process.follower()
    process._forget()  # as after a fork
    process.start()
    assert process.current_follower is None


def test_there_need_not_be_forks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system has no fork, as Windows, components are built all the same."""
    monkeypatch.delattr(os, "register_at_fork")
    assert ProcessComponents(Counted).start().starts == 1  # type: ignore[arg-type,attr-defined]


def test_the_process_loads_from_settings(thywill: dict[str, Any]) -> None:
    """The components of this process are those of ``settings.THYWILL``."""
    components = apps.components()
    assert components.application.application_names() == ["echo"]
    assert apps.start_components() is components


def test_override_settings_changes_the_components(thywill: dict[str, Any]) -> None:
    """A changed THYWILL stops the components and builds others, there and back."""
    before = apps.start_components()
    stopped: list[str] = []
    before.push.stop = lambda: stopped.append("push")  # type: ignore[method-assign]
    with override_settings(THYWILL={**thywill}):
        assert stopped == ["push"]
        inside = apps.components()
        assert inside is not before
    assert apps.components() not in (before, inside)


def test_another_setting_changes_nothing(thywill: dict[str, Any]) -> None:
    """Only THYWILL matters."""
    before = apps.components()
    with override_settings(LANGUAGE_CODE="de"):
        assert apps.components() is before


def test_a_wrong_thywill_is_raised_at_every_use() -> None:
    """Nobody gets half a site; the sentence is the one of the system check."""
    with override_settings(THYWILL=None):
        for _ in range(2):
            with pytest.raises(ConfigurationError, match="THYWILL: expected a mapping"):
                apps.components()
