"""``manage.py thywill doctor`` beside real sites: it finds each hop that does not work, by name."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.functional.test_two_processes import TwoProcesses
from tests.support.buffering_proxy import BufferingProxy
from tests.support.nginx import MISSING, NGINX, Nginx
from tests.support.ports import free_port
from tests.support.site_process import SiteProcess, manage, write_settings

pytestmark = pytest.mark.functional

IN_MEMORY = 'THYWILL["push"] = {"component": "thywill_server.push.in_memory.InMemory"}'
PROXY = """
server {{
    listen 127.0.0.1:{port};
    proxy_http_version 1.1;
    proxy_set_header Host $http_host;
    location / {{ proxy_pass {url}; }}
    location /orbited/ {{ {orbited} }}
}}
"""


class Doctor:
    """Runs the command for one site, beside it."""

    def __init__(self, home: Path, url: str, environment: dict[str, str]) -> None:
        self.home, self.url, self.environment = home, url, environment

    def run(self, *options: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Examine the site."""
        url = [] if "--url" in options else ["--url", self.url]
        environment = {**self.environment, **more}
        return manage(self.home, "thywill", "doctor", *url, *options, **environment)

    def complaint(self, *options: str, **more: str) -> tuple[str, str, str]:
        """The hop that fails, what is seen, and what to do; only one fails."""
        examined = self.run(*options, **more)
        assert examined.returncode == 1, examined.stdout + examined.stderr
        pattern = r"^FAILED  (.+?) +[\d.]+ ms   (.+)\n +what to do: (.+)$"
        found = re.findall(pattern, examined.stdout, re.MULTILINE)
        assert len(found) == 1, examined.stdout
        hop, what, remedy = found[0]
        assert "All is well" not in examined.stdout
        assert "Traceback" not in examined.stderr
        return hop, what, remedy


@contextmanager
def orbited_beside(web: Any, pair: Any) -> Iterator[None]:
    """Another Orbited, without a broker, for the pages of another Django."""
    config = web.home / "orbited.cfg"
    config.write_text(
        f"[listen]\nhttp://127.0.0.1:{web.comet_port}\n"
        f"[access]\n{web.url} -> 127.0.0.1:{pair.stomp_port}\n"
    )
    with web.orbited():
        yield


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Django and Orbited in processes of their own, which both run."""
    made = TwoProcesses(tmp_path_factory.mktemp("pair"))
    made.migrate()
    with made.orbited(), made.django():
        made.wait_until_well()
        yield made


@pytest.fixture(scope="module")
def doctor(pair: Any) -> Doctor:
    """The doctor of the pair."""
    return Doctor(pair.home, pair.url, pair.environment)


def test_all_is_well(doctor: Doctor, pair: Any) -> None:
    """Every hop is named with its milliseconds, for each transport of the pages."""
    examined = doctor.run()
    assert examined.returncode == 0, examined.stdout + examined.stderr
    found = re.findall(r"^ok      (.+?) +[\d.]+ ms", examined.stdout, re.MULTILINE)
    transports = ["websocket", "xhrstream", "longpoll"]
    each = [hop for name in transports for hop in (name, f"message, {name}")]
    assert found == ["settings", "database", "page", "broker", *each]
    table = examined.stdout.partition("one message, ms")[2].splitlines()
    assert table[0].split() == transports
    rows = {line[:26].strip(): [float(cell) for cell in line[26:].split()] for line in table[1:7]}
    total = rows.pop("there and back")
    assert list(rows) == [
        "to the view",
        "to the application",
        "to the push component",
        "through the broker",
        "through Orbited",
    ]
    for number, seconds in enumerate(total):
        assert sum(row[number] for row in rows.values()) == pytest.approx(seconds, abs=0.3)
    assert examined.stdout.endswith("All is well.\n")


def test_wrong_component_path(doctor: Doctor, tmp_path: Path) -> None:
    """A dotted path that leads nowhere is the first thing to be said."""
    source = 'THYWILL["push"]["component"] = "thywill_server.push.orbitd.OrbitedStomp"'
    hop, what, remedy = doctor.complaint(**write_settings(tmp_path, source))
    assert hop == "settings"
    assert what.startswith('THYWILL["push"]["component"]: cannot import')
    assert remedy.startswith("Correct settings.py")


def test_database_not_migrated(doctor: Doctor, tmp_path: Path) -> None:
    """What is missing is named, and the command that mends it."""
    hop, what, remedy = Doctor(tmp_path, doctor.url, doctor.environment).complaint()
    assert hop == "database"
    assert "lacks migrations: " in what
    assert remedy == "Run: python manage.py migrate"


def test_no_site(doctor: Doctor) -> None:
    """A site that does not run, or runs elsewhere."""
    url = f"http://127.0.0.1:{free_port()}/"
    hop, what, remedy = doctor.complaint("--url", url)
    assert (hop, what) == (
        "page",
        f"no answer from {url}thywill/init/ (Connection refused)",
    )
    assert remedy.startswith("Start the site")


def test_unknown_application(doctor: Doctor) -> None:
    """The site's own words are passed on."""
    hop, what, _ = doctor.complaint("--application", "nobody")
    assert hop == "page"
    assert "unknown-application" in what


def test_another_ticket_key(doctor: Doctor) -> None:
    """The broker checks tickets with another key than this process signs them with."""
    hop, what, remedy = doctor.complaint(THYWILL_TICKET_KEY="k" * 40)
    assert hop == "broker"
    assert "refuses this site" in what
    assert remedy.startswith("Its ticket key is another one")
    assert "THYWILL_TICKET_KEY" in remedy


def test_refused_origin(doctor: Doctor, pair: Any) -> None:
    """The access list names the site by another name than browsers call it."""
    origin = f"http://localhost:{pair.web_port}"
    hop, what, remedy = doctor.complaint("--url", origin, "--transport", "longpoll")
    assert hop == "longpoll"
    assert origin in what
    assert f'Add "{origin} -> 127.0.0.1:{pair.stomp_port}" to [access] of orbited.cfg' in remedy


def test_page_with_another_key(pair: Any, tmp_path: Path) -> None:
    """A Django that signs with another key gives its pages tickets that the broker refuses."""
    other = TwoProcesses(tmp_path)
    other.environment = {
        **write_settings(tmp_path, f'THYWILL["push"]["stomp_port"] = {pair.stomp_port}'),
        "ORBITED_URL": other.comet_url,
        "THYWILL_TICKET_KEY": "k" * 40,
    }
    other.migrate()
    with other.django():
        mine = {"THYWILL_TICKET_KEY": (pair.home / "ticket.key").read_text().strip()}
        doctor = Doctor(tmp_path, other.url, other.environment)
        # Nobody listens where its pages are told that Orbited is, which is found first.
        hop, what, remedy = doctor.complaint("--transport", "longpoll", **mine)
        assert (hop, what) == (
            "longpoll",
            f"Orbited does not answer at {other.comet_url} (Connection refused)",
        )
        assert "orbited_url" in remedy
        with orbited_beside(other, pair):
            hop, what, remedy = doctor.complaint("--transport", "longpoll", **mine)
            assert hop == "longpoll"
            assert "refuses the page's ticket" in what
            assert "THYWILL_TICKET_KEY" in remedy


def test_no_broker(tmp_path: Path) -> None:
    """Django runs and the broker does not; or what listens on its port is something else."""
    alone = TwoProcesses(tmp_path)
    alone.migrate()
    with alone.django():
        doctor = Doctor(tmp_path, alone.url, alone.environment)
        hop, what, remedy = doctor.complaint()
        assert (hop, what) == (
            "broker",
            f"no broker listens on 127.0.0.1:{alone.stomp_port} (Connection refused)",
        )
        assert '["stomp_port"]' in remedy


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SiteProcess]:
    """A one-process site, to be put behind proxies."""
    with SiteProcess(tmp_path_factory.mktemp("site"), "--no-reload") as process:
        yield process


def test_buffering_proxy(site: SiteProcess) -> None:
    """A proxy that keeps answers until their end breaks streams, and long polling works."""
    with BufferingProxy(site.url) as proxy:
        doctor = Doctor(site.home, proxy.url, {})
        transports = ["--transport", "xhrstream", "--transport", "longpoll"]
        hop, what, remedy = doctor.complaint("--timeout", "4", *transports)
    assert hop == "xhrstream"
    assert what == "nothing of an open answer came through for 4 s"
    assert "proxy_buffering off" in remedy


@pytest.mark.skipif(NGINX is None, reason=MISSING)
def test_proxy_without_web_sockets(site: SiteProcess, tmp_path: Path) -> None:
    """A proxy that does not pass Upgrade on: the other transports work."""
    port = free_port()
    location = f"proxy_pass {site.url}; proxy_buffering off;"
    server = PROXY.format(port=port, url=site.url, orbited=location)
    with Nginx(tmp_path, server, port):
        hop, what, remedy = Doctor(site.home, f"http://127.0.0.1:{port}", {}).complaint()
    assert hop == "websocket"
    assert what.startswith("no WebSocket comes through")
    assert "Upgrade" in remedy


@pytest.mark.skipif(NGINX is None, reason=MISSING)
def test_orbited_is_not_passed_on(site: SiteProcess, tmp_path: Path) -> None:
    """A proxy answers at Orbited's path itself."""
    port = free_port()
    server = PROXY.format(port=port, url=site.url, orbited="return 404;")
    with Nginx(tmp_path, server, port):
        doctor = Doctor(site.home, f"http://127.0.0.1:{port}", {})
        hop, what, _ = doctor.complaint("--transport", "longpoll")
    assert hop == "longpoll"
    assert what == f"what answers at http://127.0.0.1:{port}/orbited/ is not Orbited (status 404)"


def test_no_stomp_broker_there(site: SiteProcess, tmp_path: Path) -> None:
    """What listens on the broker's port is something else: here the site itself."""
    port = int(site.url.rpartition(":")[2])
    environment = write_settings(tmp_path, f'THYWILL["push"]["stomp_port"] = {port}')
    other = TwoProcesses(tmp_path)
    other.environment = {**environment, "ORBITED_URL": f"{site.url}/orbited/"}
    other.migrate()
    with other.django():
        doctor = Doctor(tmp_path, other.url, other.environment)
        key = (site.home / "ticket.key").read_text().strip()
        hop, what, remedy = doctor.complaint("--timeout", "10", THYWILL_TICKET_KEY=key)
    assert hop == "broker"
    assert "stomp_port" in remedy
    assert "broker" in what


def test_push_in_memory(tmp_path: Path) -> None:
    """A site without a broker is examined as far as it goes: through the long poll."""
    environment = write_settings(tmp_path, IN_MEMORY)
    with SiteProcess(tmp_path, "--no-reload", **environment) as process:
        examined = Doctor(tmp_path, process.url, environment).run()
    assert examined.returncode == 0, examined.stdout + examined.stderr
    assert re.search(r"^ok      message +[\d.]+ ms   there and back$", examined.stdout, re.M)
    assert examined.stdout.endswith("All is well.\n")
