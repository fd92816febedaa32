"""Two Django processes behind one broker: each arrival and departure is told once, by one."""

import signal
import socket
import subprocess
import sys
from contextlib import suppress

import pytest

from tests.support.ports import free_port
from tests.support.site_process import SECONDS, HttpPage, Process, migrate

pytestmark = pytest.mark.functional

PAGES = 12


@pytest.fixture(scope="module")
def set_up(tmp_path_factory):
    """Orbited with its broker, and two processes of one site; gives (orbited, [django, django])."""
    home = tmp_path_factory.mktemp("home")
    comet_port, stomp_port = free_port(), free_port()
    ports = [free_port(), free_port()]
    (home / "several.py").write_text(
        "from tests.support.guests_settings import *\n"
        f'THYWILL["push"]["stomp_port"] = {stomp_port}\n'
        'THYWILL["client_interface"]["broker_lease_seconds"] = 8\n'
    )
    (home / "morbid.cfg").write_text(
        "authenticator=thywill_server.push.orbited_stomp.tickets.TicketAuthenticator\n"
        "authenticator.key_file=ticket.key\n"
        "advisory_destination=/queue/thywill.advisories\n"
        "control_destination=/queue/thywill.control\n"
        "site_logins=site\n"
    )
    access = "".join(f"http://127.0.0.1:{port} -> 127.0.0.1:{stomp_port}\n" for port in ports)
    (home / "orbited.cfg").write_text(
        f"[listen]\nhttp://127.0.0.1:{comet_port}\n"
        f"stomp://127.0.0.1:{stomp_port} {home / 'morbid.cfg'}\n[access]\n{access}"
    )
    environment = {
        "DJANGO_SETTINGS_MODULE": "several",
        "PYTHONPATH": f"{home}:.",
        "ORBITED_URL": f"http://127.0.0.1:{comet_port}/",
    }
    migrate(home, **environment)

    def orbited():
        command = [sys.executable, "-m", "orbited", "--config", str(home / "orbited.cfg")]
        process = Process(command, home, **environment)
        while not is_listening(stomp_port):
            assert process.process.poll() is None, process.log
        return process

    def django(port):
        command = ["manage.py", "runserver", "--noreload", f"127.0.0.1:{port}"]
        process = Process([sys.executable, *command], home, **environment)
        process.url = f"http://127.0.0.1:{port}"
        process.wait_for_line("Quit the server")
        return process

    with orbited() as comet, django(ports[0]) as first, django(ports[1]) as second:
        for process in (first, second):
            HttpPage(process.url)  # a process follows connections from its first request on
            process.wait_for_log("connected to the STOMP broker")
        yield comet, [first, second], orbited


def is_listening(port):
    """Whether somebody does."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def lines(processes, text):
    """How often a line is in the logs of all processes."""
    return sum(process.log.count(text) for process in processes)


def wait_for(processes, text):
    """Wait until one of the processes has said something."""
    wait_until(processes, lambda: lines(processes, text), f"nobody says {text!r}")


def wait_until(processes, is_so, otherwise):
    """Wait until something is so."""
    for _ in range(SECONDS * 50):
        if is_so():
            return
        with suppress(subprocess.TimeoutExpired):
            processes[0].process.wait(0.02)
            break
    raise AssertionError(f"{otherwise}:\n" + "\n".join(each.log for each in processes))


def test_each_is_told_once(set_up):
    """Whichever process hears of a page, its functions are called once in all."""
    _, processes, _ = set_up
    pages = [HttpPage(processes[number % 2].url) for number in range(PAGES)]
    connections = [page.listen("websocket") for page in pages]
    for page in pages:
        wait_for(processes, f"came {page.uuid}")
    for connection in connections:
        connection.send("DISCONNECT", {"receipt": "bye"})
    for page in pages:
        wait_for(processes, f"went {page.uuid}")
        assert lines(processes, f"came {page.uuid}") == 1
        assert lines(processes, f"went {page.uuid}") == 1
    for connection in connections:
        connection.close()


def test_a_broker_that_dies(set_up):
    """Nobody stays connected for ever at a broker that was killed, or has been started anew."""
    comet, processes, orbited = set_up
    gone, back = HttpPage(processes[0].url), HttpPage(processes[1].url)
    connections = [page.listen("websocket") for page in (gone, back)]
    for page in (gone, back):
        wait_for(processes, f"came {page.uuid}")
    comet.stop(signal.SIGKILL)
    with orbited():
        back.push["ticket"] = back.post("ticket").json["ticket"]
        again = back.listen("websocket")
        wait_for(processes, f"went {gone.uuid}")
        assert lines(processes, f"went {gone.uuid}") == 1
        again.send("DISCONNECT", {"receipt": "bye"})
        # Once; or twice, if the broker was away for longer than its connections were waited for.
        wait_until(
            processes,
            lambda: (
                0 < lines(processes, f"came {back.uuid}") == lines(processes, f"went {back.uuid}")
            ),
            "one page has come and not gone",
        )
        again.close()
    for connection in connections:
        connection.close()
