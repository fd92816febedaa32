"""Two processes, as ever: ``manage.py runserver`` and ``orbited``, two ports and two origins."""

import signal
import sys
from contextlib import contextmanager
from urllib.request import ProxyHandler, build_opener

import pytest

from tests.support.comet_page import CometSocket
from tests.support.ports import free_port
from tests.support.site_process import HttpPage, Process, fetch, migrate, write_settings

pytestmark = pytest.mark.functional


class TwoProcesses:
    """The set-up, on free ports, in a folder of its own; each side is started by a test."""

    def __init__(self, home):
        self.home = home
        self.web_port, self.comet_port, self.stomp_port = free_port(), free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.web_port}"
        self.comet_url = f"http://127.0.0.1:{self.comet_port}/"
        source = f'THYWILL["push"]["stomp_port"] = {self.stomp_port}'
        self.environment = {**write_settings(home, source), "ORBITED_URL": self.comet_url}
        (home / "morbid.cfg").write_text(
            "authenticator=thywill_server.push.orbited_stomp.tickets.TicketAuthenticator\n"
            "authenticator.key_file=ticket.key\n"
        )
        (home / "orbited.cfg").write_text(
            f"[listen]\nhttp://127.0.0.1:{self.comet_port}\n"
            f"stomp://127.0.0.1:{self.stomp_port} {home / 'morbid.cfg'}\n"
            f"[access]\n{self.url} -> 127.0.0.1:{self.stomp_port}\n"
        )

    def migrate(self):
        """Prepare the database."""
        migrate(self.home, **self.environment)

    @contextmanager
    def django(self):
        """Run Django; it answers when the body is entered."""
        command = ["manage.py", "runserver", "--noreload", f"127.0.0.1:{self.web_port}"]
        with Process([sys.executable, *command], self.home, **self.environment) as process:
            process.wait_for_line("Quit the server")
            yield process

    @contextmanager
    def orbited(self):
        """Run Orbited with its broker; it answers when the body is entered."""
        command = ["-m", "orbited", "--config", str(self.home / "orbited.cfg")]
        with Process([sys.executable, *command], self.home, **self.environment) as process:
            while not self.answers(f"{self.comet_url}static/Orbited.js"):
                assert process.process.poll() is None, process.log
            yield process

    def answers(self, url):
        """Tell whether there is an answer at an address."""
        try:
            return fetch(build_opener(ProxyHandler({})), url).status == 200
        except OSError:
            return False

    def wait_until_well(self):
        """Ask for health until Django has found its broker."""
        while not self.answers(f"{self.url}/thywill/health/"):
            pass


@pytest.fixture
def pair(tmp_path):
    """The set-up, with a database that is ready."""
    made = TwoProcesses(tmp_path)
    made.migrate()
    return made


@pytest.mark.parametrize("transport", ["websocket", "longpoll"])
def test_a_message_comes_back_across_two_origins(pair, transport):
    """Django gives the page, Orbited the push; both find the same ticket key by themselves."""
    with pair.orbited() as orbited, pair.django() as django:
        page = HttpPage(pair.url)
        assert page.push["orbited_url"] == pair.comet_url
        policy = page.answer.headers["Content-Security-Policy"]
        origin = pair.comet_url.rstrip("/")
        assert f"script-src 'self' {origin};" in policy
        assert f"{origin} ws{origin.removeprefix('http')};" in policy
        with page.listen(transport) as connection:
            page.post("send", message="héllo", id="1")
            assert connection.receive().body.decode() == "héllo"
        assert django.stop(signal.SIGINT) == 0
        assert orbited.stop() == 0


def test_it_does_not_matter_who_comes_first(pair):
    """Django makes the ticket key, waits for its broker, and says meanwhile that it is not well."""
    with pair.django():
        page = HttpPage(pair.url)
        assert page.get("/thywill/health/").status == 503
        assert page.post("send", message="nobody hears this", id="1").status == 200
        with pair.orbited():
            pair.wait_until_well()
            with page.listen("websocket") as connection:
                page.post("send", message="hello", id="2")
                assert connection.receive().body == b"hello"


def test_another_site_is_not_let_in(pair):
    """Exactly the listed origin may connect; a page of another one is refused."""
    with pair.orbited():
        for origin in ("http://evil.example", f"http://localhost:{pair.web_port}"):
            with pytest.raises((ConnectionRefusedError, AssertionError)):
                CometSocket(pair.comet_url, "127.0.0.1", pair.stomp_port, "longpoll", origin)
        allowed = CometSocket(pair.comet_url, "127.0.0.1", pair.stomp_port, "longpoll", pair.url)
        allowed.close()


def test_the_publisher_survives_a_restart_of_the_broker(pair):
    """After a restart the publisher connects again by itself, and pushes in order."""
    with pair.django() as django:
        with pair.orbited() as orbited:
            pair.wait_until_well()
            page = HttpPage(pair.url)
            with page.listen("websocket") as connection:
                page.post("send", message="before", id="0")
                assert connection.receive().body == b"before"
                assert orbited.stop() == 0
        django.wait_for_log("STOMP connection|lost|ended")
        with pair.orbited():
            pair.wait_until_well()
            with page.listen("websocket") as connection:
                for number in range(20):
                    assert page.post("send", message=str(number), id=f"1-{number}").status == 200
                heard = [int(connection.receive().body) for _ in range(20)]
    assert heard == list(range(20))


def test_a_killed_broker_is_found_again(pair):
    """SIGKILL instead of a good end makes no difference to the publisher."""
    with pair.django():
        with pair.orbited() as orbited:
            pair.wait_until_well()
            orbited.process.kill()
            orbited.process.wait()
        page = HttpPage(pair.url)
        with pair.orbited():
            pair.wait_until_well()
            with page.listen("longpoll") as connection:
                page.post("send", message="again", id="1")
                assert connection.receive().body == b"again"
