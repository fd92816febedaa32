"""The deployment of the documentation: nginx, gunicorn, Orbited and MySQL, and a browser."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest
from playwright.sync_api import Browser, expect

from tests.support.deployment import Deployment
from tests.support.mariadb import MariaDB
from tests.support.nginx import MISSING, NGINX, OPENSSL

pytestmark = [
    pytest.mark.browser,
    pytest.mark.functional,
    pytest.mark.skipif(NGINX is None or OPENSSL is None, reason=MISSING),
]


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory, mariadb: MariaDB) -> Deployment:
    """All that the documentation tells to do before the services are started."""
    made = Deployment(tmp_path_factory.mktemp("d"), mariadb)
    made.manage("migrate", "--verbosity", "0")
    made.manage("createcachetable")
    made.manage("collectstatic", "--noinput", "--verbosity", "0")
    return made


def test_the_deployment_has_no_warning(deployment: Deployment) -> None:
    """`check --deploy` finds nothing to say, and asks the database too."""
    options = ["--deploy", "--database", "default", "--fail-level", "DEBUG"]
    assert "no issues" in deployment.manage("check", *options)


def test_the_deployment_serves_pages(chromium: Browser, deployment: Deployment) -> None:
    """The page is live over each transport, what is typed comes back, and files are nginx's."""
    with deployment.running() as gunicorn:
        for transport, shown in {
            "websocket": "WebSocket",
            "xhrstream": "XHR streaming",
            "longpoll": "long polling",
        }.items():
            with chromium.new_context(ignore_https_errors=True) as context:
                page = context.new_page()
                answer = page.goto(f"{deployment.url}/thywill/init/?transport={transport}")
                assert answer is not None
                assert answer.headers["strict-transport-security"], answer.headers
                state = page.locator("#state")
                expect(state).to_have_attribute("data-state", "live")
                for number in range(1, 6):
                    page.get_by_label("Message", exact=True).fill(f"hello {number}")
                    page.get_by_role("button", name="Send", exact=True).click()
                    expect(page.locator("#count")).to_have_text(f"{number} of {number}")
                expect(page.locator("#transport")).to_have_text(shown)
        assert gunicorn.stop() == 0
        assert "Traceback" not in gunicorn.log, gunicorn.log


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd here")
def test_the_units_are_right(deployment: Deployment) -> None:
    """systemd has nothing to say against the units."""
    units = [deployment.folder / name for name in ("thywill.service", "orbited.service")]
    units.append(deployment.folder / "thywill.socket")
    found = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *units], capture_output=True, text=True
    )
    own = [line for line in found.stderr.splitlines() if re.search("thywill|orbited", line)]
    assert (found.returncode, own) == (0, [])
