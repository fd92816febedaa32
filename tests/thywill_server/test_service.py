"""The service of a one-process site: what is said when it cannot listen, and bounded waiting.

That it starts, serves and stops is shown on real processes, in tests/functional.
"""

import errno
import logging
import socket
import subprocess
import sys

import pytest
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import CannotListenError
from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactorClock

from thywill_server.service import ListenError, SiteOptions, SiteService


class Refusing(MemoryReactorClock):
    """A reactor on which no port can be listened on."""

    reason: OSError

    def listenTCP(self, port, factory, backlog=50, interface=""):
        """Refuse."""
        raise CannotListenError(interface, port, self.reason)


class Factory:
    """Stands for what would listen."""

    noisy = True


@pytest.mark.parametrize(
    ("reason", "sentence"),
    [
        (OSError(errno.EADDRINUSE, "x"), "Port 80 on 127.0.0.1 is in use: stop what uses it, or"),
        (OSError(errno.EACCES, "x"), "Port 80 is not open to this account: choose one from 1024"),
        (OSError(errno.EADDRNOTAVAIL, "x"), '"127.0.0.1" is not an address of this machine'),
        (socket.gaierror(-2, "x"), '"127.0.0.1" is not an address of this machine'),
        (OSError(errno.EMFILE, "Too many files"), "Port 80 on 127.0.0.1 cannot be listened on: "),
    ],
)
def test_a_port_that_cannot_be_had_is_one_sentence(reason, sentence):
    """Each reason has its own words, with what to do where something can be done."""
    reactor = Refusing()
    reactor.reason = reason
    site = SiteService(SiteOptions(port=80), reactor)
    with pytest.raises(ListenError) as raised:
        site._listen("127.0.0.1", 80, Factory(), "--port")
    assert str(raised.value).startswith(sentence)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000"),
        ("0.0.0.0", "http://127.0.0.1:8000"),
        ("", "http://127.0.0.1:8000"),
        ("::", "http://[::1]:8000"),
        ("example.org", "http://example.org:8000"),
    ],
)
def test_the_address_can_be_clicked_on(host, url):
    """Listening everywhere is shown as an address of this machine."""
    site = SiteService(SiteOptions(host=host), MemoryReactorClock())
    site.port = 8000
    assert site.url == url


class TestBoundedWaiting:
    @pytest.fixture
    def clock(self):
        """Time that a test moves."""
        return MemoryReactorClock()

    @pytest.fixture
    def site(self, clock: Clock):
        """A service that has to be done in three seconds."""
        made = SiteService(SiteOptions(drain_seconds=3), clock)
        made._deadline = clock.seconds() + 3
        return made

    def test_a_step_that_is_done_is_not_waited_for(self, site, clock):
        """What has happened, or needs no waiting, goes on at once, and leaves no timer."""
        for step in (None, succeed("x")):
            assert site._within("a step", step).called
        assert clock.getDelayedCalls() == []

    def test_a_step_that_fails_is_logged(self, site, clock, caplog):
        """A failure does not keep the rest from stopping."""
        with caplog.at_level(logging.ERROR):
            assert site._within("a step", fail(ValueError("broken"))).called
        assert "a step failed: broken" in caplog.text
        assert clock.getDelayedCalls() == []

    def test_a_step_that_takes_too_long_is_left(self, site, clock, caplog):
        """After the time for all steps together the next one follows; a late end is no error."""
        step: Deferred[None] = Deferred()
        waiting = site._within("a step", step)
        clock.advance(2.9)
        assert not waiting.called
        clock.advance(0.2)
        assert waiting.called
        assert "a step takes too long" in caplog.text
        step.callback(None)

    def test_steps_share_the_time(self, site, clock):
        """A step that begins late has what is left."""
        clock.advance(2.5)
        waiting = site._within("a step", Deferred())
        clock.advance(0.6)
        assert waiting.called


def test_the_comet_server_knows_the_names_of_the_site(settings):
    """And how long it may take to stop; what the push component says comes first."""
    settings.ALLOWED_HOSTS = ["www.example.com"]
    site = SiteService(SiteOptions(drain_seconds=8), MemoryReactorClock())
    options = site._comet_options("127.0.0.1:1", {})
    assert options == {
        "access": ["* -> 127.0.0.1:1"],
        "http": {"hosts": ["www.example.com"]},
        "limits": {"drain_seconds": 4.0},
    }
    given = {"limits": {"drain_seconds": 1, "sessions": 5}, "http": {"hosts": ["*"]}}
    options = site._comet_options("127.0.0.1:1", given)
    assert {name: options[name] for name in given} == given


REACTOR = """
from types import SimpleNamespace
from thywill_server.service import install_reactor
push = SimpleNamespace(embedding=lambda: SimpleNamespace(reactor={path!r}))
install_reactor(push)
from twisted.internet import reactor
print(type(reactor).__name__)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="epoll is Linux's")
@pytest.mark.parametrize(
    ("path", "name"),
    [("orbited.start.install_reactor", "OrbitedReactor"), ("", "EPollReactor")],
)
def test_the_push_component_brings_the_reactor(path, name):
    """Nothing of the site has asked for Twisted's own before; without a path that is taken."""
    program = [sys.executable, "-c", REACTOR.format(path=path)]
    done = subprocess.run(program, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == f"{name}\n"
