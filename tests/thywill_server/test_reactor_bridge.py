"""The hop to the reactor, in processes of their own: a reactor starts only once."""

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def run(program, timeout=60):
    """Run a program in a fresh interpreter and return the lines it prints.

    A program that hangs, fails or says anything on stderr fails the test.
    """
    finished = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=timeout,
        check=False,
    )
    assert (finished.returncode, finished.stderr) == (0, "")
    return finished.stdout.splitlines()


def test_importing_it_imports_no_reactor():
    """Importing the bridge installs no reactor and starts no thread."""
    lines = run("""
        import sys, threading
        import thywill_server.reactor_bridge
        print([name for name in sys.modules if name.startswith("twisted")])
        print(threading.active_count())
    """)
    assert lines == ["[]", "1"]


def test_the_first_call_starts_a_reactor():
    """Without a running reactor, a call runs in another thread, which does not keep the process."""
    lines = run("""
        import threading
        from thywill_server import reactor_bridge
        done = threading.Event()
        def note():
            print(threading.current_thread().name)
            done.set()
        reactor_bridge.call(note)
        assert done.wait(60)
    """)
    assert lines == ["thywill-reactor"]


def test_many_threads_start_one_reactor_and_keep_their_order():
    """Calls of eight threads run in one thread, and those of each thread in their order."""
    lines = run("""
        import threading
        from thywill_server import reactor_bridge
        seen, threads = {}, set()
        def note(sender, number):
            threads.add(threading.get_ident())
            seen.setdefault(sender, []).append(number)
        def send(sender):
            for number in range(500):
                reactor_bridge.call(note, sender, number)
        senders = [threading.Thread(target=send, args=(n,)) for n in range(8)]
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join()
        reactor_bridge.call_and_wait(lambda: None, timeout_seconds=10)
        print(len(threads), all(seen[n] == list(range(500)) for n in range(8)))
    """)
    assert lines == ["1 True"]


def test_waiting_gives_results_and_errors():
    """call_and_wait returns a value or what a Deferred gives, and raises what was raised."""
    lines = run("""
        from thywill_server import reactor_bridge
        from twisted.internet.task import deferLater
        def wait(*call, timeout_seconds=10):
            return reactor_bridge.call_and_wait(*call, timeout_seconds=timeout_seconds)
        def later():
            return deferLater(reactor_bridge.get_reactor(), 0, lambda: "later")
        print(wait(max, 1, 2), wait(later))
        try:
            wait(int, "x")
        except ValueError as error:
            print(error)
    """)
    assert lines == ["2 later", "invalid literal for int() with base 10: 'x'"]


def test_waiting_is_bounded():
    """A Deferred that never fires ends in a TimeoutError that names the function."""
    lines = run("""
        from thywill_server import reactor_bridge
        from twisted.internet.defer import Deferred
        def never():
            return Deferred()
        try:
            reactor_bridge.call_and_wait(never, timeout_seconds=0.01)
        except TimeoutError as error:
            print(error)
    """)
    assert lines == ["never took more than 0.01 s"]


def test_the_reactor_thread_does_not_wait_for_itself():
    """In the reactor thread call_and_wait runs on the spot, and refuses what would block."""
    lines = run("""
        from thywill_server import reactor_bridge
        from twisted.internet.defer import Deferred
        def inside():
            print(reactor_bridge.call_and_wait(max, 1, 2, timeout_seconds=5))
            try:
                reactor_bridge.call_and_wait(Deferred, timeout_seconds=5)
            except RuntimeError as error:
                print(error)
        reactor_bridge.call_and_wait(inside, timeout_seconds=10)
    """)
    assert lines == ["2", "the reactor thread cannot wait for itself"]


def test_a_running_reactor_is_used():
    """In a process that runs the reactor, calls of other threads run in that very thread."""
    lines = run("""
        import threading
        from twisted.internet import reactor
        from thywill_server import reactor_bridge
        def note():
            print(threading.current_thread() is threading.main_thread())
            reactor.stop()
        def started():
            threading.Thread(target=reactor_bridge.call, args=(note,)).start()
        reactor.callWhenRunning(started)
        reactor.run()
    """)
    assert lines == ["True"]


def test_an_adopted_reactor_is_not_started():
    """Calls made before the owner runs its reactor wait for it, in order."""
    lines = run("""
        from twisted.internet import reactor
        from thywill_server import reactor_bridge
        reactor_bridge.adopt(reactor)
        for number in range(3):
            reactor_bridge.call(print, number)
        reactor_bridge.call(reactor.stop)
        print("running", reactor.running)
        reactor.run()
    """)
    assert lines == ["running False", "0", "1", "2"]


@pytest.mark.parametrize("first", ["pass", "reactor_bridge.call_and_wait(int, timeout_seconds=9)"])
def test_each_forked_process_has_its_own_reactor(first):
    """After a fork, parent and children use reactors of their own, also when one ran before."""
    lines = run(f"""
        import os, warnings
        from twisted.internet import reactor as before
        from twisted.internet.threads import deferToThreadPool
        from thywill_server import reactor_bridge
        warnings.simplefilter("ignore", DeprecationWarning)  # fork in a process with threads
        {first}
        def through_a_socket_pair():
            # A pool thread answers through the reactor's own wake-up pipe.
            own = reactor_bridge.get_reactor()
            return deferToThreadPool(own, own.getThreadPool(), os.getpid)
        children = []
        for _ in range(2):
            child = os.fork()
            if not child:
                pid = reactor_bridge.call_and_wait(through_a_socket_pair, timeout_seconds=10)
                own = reactor_bridge.get_reactor()
                os._exit(0 if pid == os.getpid() and own is not before else 1)
            children.append(child)
        print([os.waitpid(child, 0)[1] for child in children])
        pid = reactor_bridge.call_and_wait(through_a_socket_pair, timeout_seconds=10)
        print(pid == os.getpid(), reactor_bridge.get_reactor() is before)
    """)
    assert lines == ["[0, 0]", "True True"]


def test_the_end_of_the_process_lets_the_reactor_finish():
    """When the main thread ends, shutdown triggers run to their end, and pool threads stop."""
    lines = run("""
        from thywill_server import reactor_bridge
        from twisted.internet.task import deferLater
        from twisted.internet.threads import deferToThreadPool
        def arrange():
            reactor = reactor_bridge.get_reactor()
            def flush():
                return deferLater(reactor, 0.05, print, "flushed")
            reactor_bridge.call_before_end(flush)
            return deferToThreadPool(reactor, reactor.getThreadPool(), int)
        reactor_bridge.call_and_wait(arrange, timeout_seconds=10)
        print("main thread ends")
    """)
    assert lines == ["main thread ends", "flushed"]


def test_what_twisted_logs_goes_to_logging():
    """An error in a call is in Python's log, with its traceback."""
    lines = run("""
        import logging, sys
        form = "%(levelname)s %(message)s"
        logging.basicConfig(stream=sys.stdout, level=logging.ERROR, format=form)
        from thywill_server import reactor_bridge
        reactor_bridge.call(int, "x")
        reactor_bridge.call_and_wait(int, timeout_seconds=10)
    """)
    assert lines[0].startswith(("ERROR", "CRITICAL"))
    assert any("invalid literal for int()" in line for line in lines)
