"""The whole site in one process, as a newcomer starts it."""

import os
import signal
import socket
from pathlib import Path

import pytest

from tests.support.site_process import SiteProcess, manage, migrate, write_settings

pytestmark = pytest.mark.functional

TEXT = "héllo <b>&\"' 你好"
SECONDS = 60


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """One site that runs for all tests of this file that do not stop it."""
    options = ("--no-reload", "--max-body-bytes", "100000")
    with SiteProcess(tmp_path_factory.mktemp("home"), *options) as running:
        yield running
        assert running.stop() == 0


def test_it_says_where_it_is_and_how_to_stop_it(site):
    """The address, what it is, and the way out are printed."""
    assert site.url.startswith("http://127.0.0.1:")
    assert "the application proof_of_concept, push at /orbited/" in site.greeting
    assert site.stomp_port


@pytest.mark.parametrize("transport", ["websocket", "longpoll"])
def test_a_message_comes_back(site, transport):
    """What is posted to Django comes back through broker and comet, exactly, to its page only."""
    page, other = site.open_page(), site.open_page()
    with page.listen(transport) as connection, other.listen(transport) as others:
        sent = page.post("send", message=TEXT, id="1")
        assert (sent.status, sent.json["status"], sent.json["id"]) == (200, "ok", "1")
        frame = connection.receive()
        assert (frame.command, frame.body.decode()) == ("MESSAGE", TEXT)
        assert frame.headers["destination"] == page.push["destination"]
        assert frame.headers["content-type"] == "text/plain; charset=utf-8"
        other.post("send", message="mine", id="1")
        assert others.receive().body == b"mine"


def test_a_burst_comes_back_in_order(site):
    """Two hundred messages, each once, in the order in which they were sent."""
    page = site.open_page()
    with page.listen("websocket") as connection:
        for number in range(200):
            assert page.post("send", message=str(number), id=str(number)).status == 200
        heard = [int(connection.receive().body) for _ in range(200)]
    assert heard == list(range(200))


def test_static_files_are_served(site):
    """Modules of Django's apps and of Orbited arrive with the type that browsers insist on."""
    page = site.open_page()
    for resource in page.configuration["bootstrap_resources"]:
        answer = page.get(resource["resource"])
        assert answer.status == 200, resource
        assert answer.headers["Content-Type"].startswith("text/javascript")
        assert answer.headers["Cache-Control"] == "no-cache"
    assert page.get("/static/../settings.py").status == 404


def test_it_is_well(site):
    """Health is good, with the comet server's in it."""
    answer = site.open_page().get("/thywill/health/")
    assert answer.status == 200
    assert answer.json["components"]["push"]["comet"]["status"] == "ok"


def test_a_large_body_is_refused_before_it_is_kept(site):
    """Beyond ``--max-body-bytes`` the answer is 413, whatever the address."""
    assert site.open_page().post("send", message="x" * 100_000).status == 413


SLOW_APPLICATION = """
import os
from thywill_server.application import App

app = App(title="Slow")

@app.on("wait")
def wait(client, message):
    with open(message) as pipe:
        return pipe.read()
"""


SLOW_SETTINGS = """
THYWILL["application"] |= {"packages": ["slow_apps.slow"], "default": "slow"}
INSTALLED_APPS = [*INSTALLED_APPS, "slow_apps.slow"]
"""


@pytest.fixture
def slow_settings(tmp_path):
    """Settings with an application whose command ``wait`` answers when a pipe is written to."""
    package = tmp_path / "slow_apps" / "slow"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "thywill_interface.py").write_text(SLOW_APPLICATION)
    return write_settings(tmp_path, SLOW_SETTINGS)


def test_stopping_drains(tmp_path, slow_settings):
    """SIGTERM: not ready any more, browsers are told, the open request is answered, exit code 0."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    options = ("--no-reload", "--drain-seconds", "30")
    with SiteProcess(tmp_path, *options, **slow_settings) as site:
        page = site.open_page()
        with page.listen("longpoll") as connection:
            waiting = page.post_unanswered("send", command="wait", message=str(pipe))
            with pipe.open("w") as writing:  # opens once the handler reads
                site.process.send_signal(signal.SIGTERM)
                site.wait_for_log("stopping: [1-9] requests? (is|are) open")
                health = page.get("/thywill/health/")
                assert (health.status, health.json["status"]) == (503, "failed")
                with pytest.raises(EOFError):
                    connection.receive()
                writing.write("answered all the same")
            with waiting, waiting.makefile("rb") as reading:
                answer = reading.read()
        assert b"200 OK" in answer
        assert b"answered all the same" in answer
        assert site.process.wait(SECONDS) == 0


def test_stopping_is_bounded(tmp_path, slow_settings):
    """A request that never ends does not keep the process."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with SiteProcess(tmp_path, "--no-reload", "--drain-seconds", "1", **slow_settings) as site:
        page = site.open_page()
        waiting = page.post_unanswered("send", command="wait", message=str(pipe))
        with waiting, pipe.open("w"):
            assert site.stop() == 0
        assert "answering open requests takes too long" in site.log


def test_the_same_signal_again_ends_it_at_once(tmp_path, slow_settings):
    """Whoever presses Ctrl-C twice means it."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    options = ("--no-reload", "--drain-seconds", "60")
    with SiteProcess(tmp_path, *options, **slow_settings) as site:
        waiting = site.open_page().post_unanswered("send", command="wait", message=str(pipe))
        with waiting, pipe.open("w"):
            site.process.send_signal(signal.SIGTERM)
            site.wait_for_log("stopping: [1-9] requests? (is|are) open")
            site.process.send_signal(signal.SIGTERM)
            assert site.process.wait(30) == 128 + signal.SIGTERM


def test_code_is_reloaded_and_signals_still_drain(tmp_path, slow_settings):
    """Under DEBUG a change starts the site anew on the same ports; broken code is waited out."""
    interface = tmp_path / "slow_apps" / "slow" / "thywill_interface.py"
    with SiteProcess(tmp_path, **slow_settings) as site:
        before = (site.url, site.stomp_port)
        assert b"<title>Slow</title>" in site.open_page().answer.body
        change(interface, SLOW_APPLICATION.replace("Slow", "Changed"))
        site.wait_until_ready()
        assert (site.url, site.stomp_port) == before
        assert b"<title>Changed</title>" in site.open_page().answer.body
        change(interface, "app = (")
        site.wait_for_log("does not start with this change")
        assert "SyntaxError" in site.log
        change(interface, SLOW_APPLICATION)
        site.wait_until_ready()
        assert b"<title>Slow</title>" in site.open_page().answer.body
        said = len(site.log)
        assert site.stop() == 0
        assert "stopping:" in site.log[said:]


def change(path: Path, source: str) -> None:
    """Write a file so that its time differs."""
    path.write_text(source)
    newer = path.stat().st_mtime + 10
    os.utime(path, (newer, newer))


@pytest.mark.parametrize("options", [("--no-reload",), ()], ids=["one process", "with reloader"])
def test_ctrl_c_ends_it_well(tmp_path, options):
    """SIGINT for all processes of the terminal: the exit code is 0, and nothing is left."""
    with SiteProcess(tmp_path, *options) as site:
        os.killpg(site.process.pid, signal.SIGINT)
        assert site.process.wait(SECONDS) == 0
        assert site.log.count("stopping:") == 1
        assert "Traceback" not in site.log
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", site.stomp_port))


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A folder with a database."""
    folder = tmp_path_factory.mktemp("home")
    migrate(folder)
    return folder


class TestWhatIsWrong:
    """What keeps it from starting is one sentence, and exit code 1."""

    def run(self, home, *options, **more):
        """Run it, and give code and lines of stderr."""
        command = ("runthywill", "--no-reload", "--stomp-port", "0", *options)
        finished = manage(home, *command, **more)
        return finished.returncode, finished.stderr.strip().splitlines()

    @pytest.mark.parametrize("option", ["--port", "--stomp-port"])
    def test_a_port_in_use(self, home, option):
        """Another program has the port."""
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]
            assert self.run(home, "--port", "0", option, str(port)) == (
                1,
                [
                    f"thywill: Port {port} on 127.0.0.1 is in use: stop what uses it, or choose "
                    f"another by {option}."
                ],
            )

    @pytest.mark.parametrize("host", ["192.0.2.1", "no.such.host.invalid"])
    def test_an_address_of_another_machine(self, home, host):
        """The address, or name, is not this machine's."""
        hasty = {"RES_OPTIONS": "timeout:1 attempts:1"}  # whether or not somebody knows names
        code, lines = self.run(home, "--port", "0", "--host", host, **hasty)
        assert (code, len(lines)) == (1, 1), lines
        assert lines[0].startswith(f'thywill: "{host}" is not an address of this machine: ')

    def test_missing_migrations_are_named(self, tmp_path):
        """Tables that are there but not the latest are a warning, and it goes on."""
        migrate(tmp_path)
        undone = manage(tmp_path, "migrate", "sessions", "zero", "--verbosity", "0")
        assert undone.returncode == 0, undone.stderr
        with socket.create_server(("127.0.0.1", 0)) as other:
            code, lines = self.run(tmp_path, "--port", str(other.getsockname()[1]))
        assert (code, len(lines)) == (1, 2)
        assert lines[0] == (
            'thywill: 1 migrations are not applied (sessions): run "python manage.py migrate".'
        )

    def test_no_collected_static_files(self, home, tmp_path):
        """Without DEBUG static files come from STATIC_ROOT, so they have to be there."""
        settings = write_settings(tmp_path, "STATIC_ROOT = HOME / 'nowhere'")
        code, lines = self.run(home, "--port", "0", **PRODUCTION, **settings)
        assert (code, lines) == (
            1,
            ['thywill: There are no static files yet: run "manage.py collectstatic" first.'],
        )

    def test_a_database_without_tables(self, tmp_path):
        """Nobody has run migrate."""
        assert self.run(tmp_path, "--port", "0") == (
            1,
            ['thywill: The database has no tables yet: run "python manage.py migrate" first.'],
        )

    @pytest.mark.parametrize(
        ("setting", "reason"),
        [
            ("component", 'cannot import "thywill_server.push.orbitd"'),
            ("broker", 'cannot import "thywill_server.push.orbitd"'),
            ("comet", 'cannot import "thywill_server.push.orbitd"'),
            ("reactor", 'cannot import "thywill_server.push.orbitd"'),
        ],
    )
    def test_a_mistyped_path(self, home, tmp_path, setting, reason):
        """A dotted path that leads nowhere is named, at start-up."""
        source = f'THYWILL["push"]["{setting}"] = "thywill_server.push.orbitd.Push"'
        code, lines = self.run(home, "--port", "0", **write_settings(tmp_path, source))
        assert (code, len(lines)) == (1, 1), lines
        assert lines[0].startswith(f'thywill: THYWILL["push"]["{setting}"]: {reason} (')


PRODUCTION = {
    "THYWILL_DEBUG": "0",
    "THYWILL_SECRET_KEY": "s" * 60,
    "THYWILL_ALLOWED_HOSTS": "127.0.0.1",
}
COLLECTED = """
STATIC_ROOT = HOME / "collected"
SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = False  # no proxy ends TLS here
STORAGES = {"staticfiles": {
    "BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage",
}}
"""


def test_collected_files_are_kept_by_browsers(tmp_path):
    """Without DEBUG it serves what was collected; hashed names may be kept for ever."""
    settings = {**PRODUCTION, **write_settings(tmp_path, COLLECTED)}
    collected = manage(tmp_path, "collectstatic", "--no-input", **settings)
    assert collected.returncode == 0, collected.stderr
    with SiteProcess(tmp_path, **settings) as site:
        assert "starts anew" not in site.greeting
        page = site.open_page()
        hashed = next(
            resource["resource"]
            for resource in page.configuration["bootstrap_resources"]
            if resource["resource"].startswith("/static/thywill/thywill.")
        )
        assert hashed != "/static/thywill/thywill.js"
        answer = page.get(hashed)
        assert (answer.status, answer.headers["Cache-Control"]) == (
            200,
            "public, max-age=31536000, immutable",
        )
        plain = page.get("/static/thywill/thywill.js")
        assert (plain.status, plain.headers["Cache-Control"]) == (200, "no-cache")
        with page.listen("websocket") as connection:
            page.post("send", message=TEXT, id="1")
            assert connection.receive().body.decode() == TEXT
        assert site.stop() == 0


SWAPPED = """
THYWILL["push"] = {"component": "thywill_server.push.in_memory.InMemory"}
THYWILL["log"] = {
    "component": "thywill_server.log.logfile.Logfile", "path": HOME / "site.log", "level": "INFO",
}
LOGGING = logging_config(THYWILL)
"""


def test_components_are_swapped_by_settings(tmp_path):
    """With push in memory and log in a file the echo works, without broker and comet."""
    with SiteProcess(tmp_path, "--no-reload", **write_settings(tmp_path, SWAPPED)) as site:
        assert site.stomp_port == 0
        page = site.open_page()
        assert page.push["component"] == "in_memory"
        first = page.post("push", after=0, wait=False)
        assert first.json["messages"] == []
        page.post("send", message=TEXT, id="1")
        answer = page.post("push", after=0, wait=True)
        assert [message["body"] for message in answer.json["messages"]] == [TEXT]
        assert page.get("/orbited/static/Orbited.js").status == 404
        assert site.stop() == 0
        assert "GET /thywill/init/ 200" in (tmp_path / "site.log").read_text()
        assert "GET" not in site.log
