"""``manage.py thywill tail`` and ``clients`` beside a real site."""

from __future__ import annotations

import re
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.ports import free_port
from tests.support.site_process import (
    HttpPage,
    Process,
    SiteProcess,
    manage,
    migrate,
    write_settings,
)

pytestmark = pytest.mark.functional

SETTINGS = {"DJANGO_SETTINGS_MODULE": "tests.support.site_settings"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SiteProcess]:
    """A site with rooms."""
    with SiteProcess(tmp_path_factory.mktemp("site"), "--no-reload", **SETTINGS) as process:
        yield process


def say(site: SiteProcess, page: HttpPage, command: str, text: str, times: int = 1) -> None:
    """Publish."""
    message = {"room": "tail", "text": text, "times": times}
    assert page.post("send", message=message, command=command).status == 200


def tail(site: SiteProcess, *options: str) -> Process:
    """Start the command beside the site; its broker has a port of its own."""
    source = f'THYWILL["push"]["stomp_port"] = {site.stomp_port}'
    module = f"from tests.support.site_settings import *\n{source}\n"
    (site.home / "tail_settings.py").write_text(module)
    environment = {"DJANGO_SETTINGS_MODULE": "tail_settings", "PYTHONPATH": str(site.home)}
    arguments = [sys.executable, "manage.py", "thywill", "tail", *options]
    return Process(arguments, site.home, **environment)


def test_history_first_then_what_comes(site: SiteProcess) -> None:
    """The newest of the history, then each message as it is published, until Ctrl-C."""
    page = HttpPage(site.url, "/thywill/init/rooms/")
    say(site, page, "say", "old", times=5)
    with tail(site, "room:tail", "--lines", "2") as process:
        assert process.wait_for_line(r"#(\d+)  said  ")[1] == "4"
        assert process.wait_for_line(r"#(\d+)  said  ")[1] == "5"
        say(site, page, "say", "new\nline", times=2)
        for number in (6, 7):
            line = process.wait_for_line(r"^\d\d:\d\d:\d\d +#(\d+)  said  (.*)$")
            assert int(line[1]) == number
            assert line[2] == f'{{"text":"new\\nline","number":{number - 6}}}'
        assert process.stop(signal.SIGINT) == 0
        assert "Traceback" not in process.log


def test_a_channel_without_history(site: SiteProcess) -> None:
    """What is published is shown from then on; it has no offsets."""
    page = HttpPage(site.url, "/thywill/init/rooms/")
    with tail(site, "live:tail") as process:
        process.wait_for_line("^live:tail has no history: from now on$")
        say(site, page, "live", "hello")
        assert process.wait_for_line(r" -  said  (.*)$")[1] == '"hello"'
        assert process.stop(signal.SIGINT) == 0


def test_a_broker_that_comes_late(tmp_path: Path) -> None:
    """It says that nobody answers, and "from now on" once what comes will be shown."""
    port = free_port()
    source = f"""
from tests.support.site_settings import *
THYWILL["push"]["stomp_port"] = {port}
"""
    settings = write_settings(tmp_path, source)
    migrate(tmp_path, **settings)
    command = [sys.executable, "manage.py", "thywill", "tail", "live:tail"]
    with Process(command, tmp_path, **settings) as process:
        process.wait_for_log("no broker answers at 127.0.0.1:")
        with SiteProcess(tmp_path, "--no-reload", "--stomp-port", str(port), **settings) as site:
            process.wait_for_line("^live:tail has no history: from now on$")
            say(site, HttpPage(site.url, "/thywill/init/rooms/"), "live", "hello")
            assert process.wait_for_line(r" -  said  (.*)$")[1] == '"hello"'
            assert process.stop(signal.SIGINT) == 0


def test_no_follow_and_no_such_channel(site: SiteProcess) -> None:
    """It ends after the history; and a channel that no application has is refused."""
    page = HttpPage(site.url, "/thywill/init/rooms/")
    say(site, page, "say", "shown")
    shown = manage(site.home, "thywill", "tail", "room:tail", "-n", "1", "--no-follow", **SETTINGS)
    assert re.fullmatch(r"\S+ +#\d+  said  \{\"text\":\"shown\",\"number\":0\}\n", shown.stdout)
    refused = manage(site.home, "thywill", "tail", "nowhere", **SETTINGS)
    assert refused.returncode == 1
    assert refused.stderr == (
        'CommandError: no application has a channel "nowhere": declare it with @app.channel\n'
    )


def test_who_is_connected(site: SiteProcess) -> None:
    """A page that listens is listed."""
    page = HttpPage(site.url, "/thywill/init/rooms/")
    with page.listen("websocket"):
        listed = ""
        while page.uuid not in listed:  # the broker's report is on its way
            listed = manage(site.home, "thywill", "clients", **SETTINGS).stdout
        assert re.search(rf"^{page.uuid}  rooms +- ", listed, re.MULTILINE)
