"""The site under gunicorn: workers forked before or after Django is loaded, and with threads."""

import os
import signal
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.gunicorn import GunicornSite

pytestmark = pytest.mark.functional

WORKERS = 4

KINDS = {
    "sync": ["--workers", str(WORKERS)],
    "preload": ["--workers", str(WORKERS), "--preload"],
    "gthread": ["--workers", str(WORKERS), "--worker-class", "gthread", "--threads", "4"],
}


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """The set-up, with Orbited and its broker running."""
    made = GunicornSite(tmp_path_factory.mktemp("site"))
    with made.orbited():
        yield made


@pytest.mark.parametrize("kind", KINDS)
def test_every_worker_pushes(running: GunicornSite, kind: str) -> None:
    """What a page sends comes back whichever worker has handled it, each message once; a worker
    that is killed is replaced, and its successor pushes as well."""
    with running.gunicorn(*KINDS[kind]) as gunicorn:
        page = running.open_page()
        with page.listen("websocket") as connection:
            first = running.pids_of(page, WORKERS)
            wanted = set(first.values())
            while wanted:
                wanted.discard(connection.receive().body.decode())
            victim = next(iter(first))
            os.kill(victim, signal.SIGKILL)
            gunicorn.wait_for_log(rf"\(pid:\s?{victim}\) was sent SIGKILL")
            second = running.pids_of(page, WORKERS)
            assert victim not in second
            wanted = set(second.values())
            while wanted:
                wanted.discard(connection.receive().body.decode())
        assert gunicorn.stop() == 0
        assert "Traceback" not in gunicorn.log, gunicorn.log


def test_the_end_waits_for_what_is_under_way(running: GunicornSite) -> None:
    """After SIGTERM a request that is being handled is answered, and what it pushes arrives."""
    pipe = running.home / "pipe"
    os.mkfifo(pipe)
    with running.gunicorn("--workers", "2") as gunicorn, ThreadPoolExecutor() as threads:
        page = running.open_page()
        with page.listen("websocket") as connection:
            fields = {"command": "hold", "message": str(pipe), "id": "1"}
            answer = threads.submit(page.post, "send", **fields)
            with pipe.open("w"):  # opens when the handler has
                gunicorn.process.send_signal(signal.SIGTERM)
                gunicorn.wait_for_log("Handling signal: term")
            assert answer.result().json["reply"] == "released"
            assert connection.receive().body.decode() == "held"
        assert gunicorn.process.wait(60) == 0
