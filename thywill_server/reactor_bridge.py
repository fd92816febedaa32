"""The one hop from a web thread to the reactor.

Django's views run in threads, or in a process where nobody runs a reactor at all. Whoever needs one
calls through here::

    reactor_bridge.call(publisher.send, destination, frame)
    reactor_bridge.call_and_wait(service.stopService, timeout_seconds=5)

* In a process that runs the reactor itself (``manage.py runthywill``) that reactor is used.
* Anywhere else (``runserver``, gunicorn, a shell) the first call starts it in a daemon thread. That
  happens after a fork, never before: a reactor shares its epoll set and its wake-up pipe with every
  process that is forked from it, so one that came over from the parent is replaced.
* When the main thread of such a process ends, the reactor is stopped; what wants to finish first
  says so by `call_before_end`.

Importing this module installs no reactor.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred

__all__ = [
    "adopt",
    "call",
    "call_and_wait",
    "call_before_end",
    "call_deferred",
    "get_reactor",
    "send_twisted_log",
]

SHUTDOWN_SECONDS = 10.0
"""How long a process waits at its end for the reactor it has in a daemon thread."""

_REACTOR_MODULE = "twisted.internet.reactor"

Result = TypeVar("Result")


class ReactorBridge:
    """Finds or starts this process's reactor; one instance, below."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._reactor: Any = None
        self._inherited: Any = None
        self._has_log = False
        self._is_adopted = False

    def adopt(self, reactor: Any) -> None:
        """Use this reactor: the caller is about to run it, and stops what it has started.

        None gives it back.
        """
        with self._lock:
            self._reactor = reactor
            self._is_adopted = reactor is not None

    def get_reactor(self) -> Any:
        """Return the reactor that runs in this process, starting one if there is none."""
        if self._reactor is None:
            with self._lock:
                if self._reactor is None:
                    self._reactor = self._find_or_start()
        return self._reactor

    def call(self, function: Callable[..., object], *args: Any) -> None:
        """Run a function in the reactor thread, soon, after everything called before it."""
        self.get_reactor().callFromThread(function, *args)

    def call_deferred(self, function: Callable[..., object], *args: Any) -> Deferred[Any]:
        """Run a function like `call` does; gives a Deferred of its result.

        The Deferred fires in the reactor thread; elsewhere hand it on and do nothing with it.
        """
        from twisted.internet.defer import Deferred, maybeDeferred

        outcome: Deferred[Any] = Deferred()
        self.call(lambda: maybeDeferred(function, *args).chainDeferred(outcome))
        return outcome

    def call_and_wait(
        self, function: Callable[..., Result], *args: Any, timeout_seconds: float
    ) -> Any:
        """Run a function in the reactor thread and return what it returns, or its Deferred gives.

        In the reactor thread itself the function runs on the spot.

        Raises:
            TimeoutError: it took too long; it is not interrupted.
            RuntimeError: called in the reactor thread, and the Deferred has not fired yet: waiting
                there would wait for ever.
        """
        outcome: Future[Any] = Future()
        is_reactor_thread = _is_reactor_thread(self.get_reactor())
        if is_reactor_thread:
            _run(function, args, outcome)
        else:
            self.call(_run, function, args, outcome)
        if is_reactor_thread and not outcome.done():
            raise RuntimeError("the reactor thread cannot wait for itself")
        try:
            return outcome.result(timeout_seconds)
        except TimeoutError:
            if outcome.done():
                raise
            name = getattr(function, "__qualname__", repr(function))
            raise TimeoutError(f"{name} took more than {timeout_seconds} s") from None

    def call_before_end(self, function: Callable[[], object]) -> None:
        """Call a function when the reactor stops, and wait for its Deferred; for a clean end.

        Whoever adopted the reactor ends things in an order of its own: then this does nothing.
        Called in the reactor thread.
        """
        if not self._is_adopted:
            self.get_reactor().addSystemEventTrigger("before", "shutdown", function)

    def forget(self) -> None:
        """Start anew in a forked process: the parent's threads and sockets are not ours."""
        self._lock = threading.Lock()
        self._reactor = None
        self._is_adopted = False
        self._inherited = sys.modules.get(_REACTOR_MODULE)

    def send_twisted_log(self) -> None:
        """Send what Twisted logs to `logging`, as logger ``twisted``.

        For whoever runs a reactor: this module, or the service of a one-process site. What is INFO
        there (this factory starts, that port closes) is DEBUG for a site.
        """
        from twisted.logger import LogEvent, LogLevel, STDLibLogObserver, globalLogBeginner

        observe = STDLibLogObserver()

        def observe_quietly(event: LogEvent) -> None:
            is_info = event.get("log_level") is LogLevel.info
            observe({**event, "log_level": LogLevel.debug} if is_info else event)

        if not self._has_log:
            self._has_log = True
            observers: list[Any] = [observe_quietly]
            globalLogBeginner.beginLoggingTo(observers, redirectStandardIO=False)

    def _find_or_start(self) -> Any:
        if self._inherited is not None and sys.modules.get(_REACTOR_MODULE) is self._inherited:
            _uninstall_reactor()
        from twisted.internet import reactor

        if not getattr(reactor, "running", False):
            self.send_twisted_log()
            _start_in_thread(reactor)
        return reactor


def _run(function: Callable[..., object], args: tuple[Any, ...], outcome: Future[Any]) -> None:
    from twisted.internet.defer import maybeDeferred
    from twisted.python.failure import Failure

    def failed(failure: Failure) -> None:
        outcome.set_exception(failure.value)

    maybeDeferred(function, *args).addCallbacks(outcome.set_result, failed)


def _is_reactor_thread(reactor: Any) -> bool:
    from twisted.python.threadable import isInIOThread

    return bool(reactor.running) and bool(isInIOThread())  # type: ignore[no-untyped-call]


def _uninstall_reactor() -> None:
    import twisted.internet

    del sys.modules[_REACTOR_MODULE]
    del twisted.internet.reactor


def _start_in_thread(reactor: Any) -> None:
    thread = threading.Thread(
        target=reactor.run,
        kwargs={"installSignalHandlers": False},
        name="thywill-reactor",
        daemon=True,
    )
    thread.start()
    # Not atexit: the interpreter joins all other threads before that, and those of the reactor's
    # own pool end only with the reactor.
    threading.Thread(
        target=_stop_after_main_thread, args=(reactor, thread), name="thywill-reactor-end"
    ).start()


def _stop_after_main_thread(reactor: Any, thread: threading.Thread) -> None:
    threading.main_thread().join()
    reactor.callFromThread(_stop, reactor)
    thread.join(SHUTDOWN_SECONDS)


def _stop(reactor: Any) -> None:
    if reactor.running:
        reactor.stop()


_bridge = ReactorBridge()
adopt = _bridge.adopt
call = _bridge.call
call_and_wait = _bridge.call_and_wait
call_before_end = _bridge.call_before_end
call_deferred = _bridge.call_deferred
get_reactor = _bridge.get_reactor
send_twisted_log = _bridge.send_twisted_log

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_bridge.forget)
