"""The names that a site answers to."""

import logging

import pytest
from django.test import Client as Browser
from pytest_django import Settings

from tests.support.page import assert_refused

STRANGE = ["evil.example", "127.0.0.1;script-src *", "a b", "", "127.0.0.1 X: y", "x" * 300]


@pytest.mark.parametrize("debug", [True, False])
@pytest.mark.parametrize("host", STRANGE)
@pytest.mark.parametrize("path", ["/thywill/init/", "/thywill/nothing/", "/"])
def test_another_host_is_refused(
    browser: Browser, site: Settings, host: str, path: str, debug: bool
) -> None:
    """One sentence says what to do; the page with all settings that Django has is not shown."""
    site.DEBUG = debug
    site.ALLOWED_HOSTS = ["example.org"]
    fields = assert_refused(browser.get(path, headers={"host": host}), 400, "unknown-host")
    assert f'"{host[:80]}"' in fields["message"]
    assert len(fields["message"]) < 250


def test_a_known_host_is_let_through(browser: Browser, site: Settings) -> None:
    """The names in ALLOWED_HOSTS work, with any port."""
    site.ALLOWED_HOSTS = ["example.org"]
    for host in ("example.org", "example.org:8000"):
        assert browser.get("/thywill/init/", headers={"host": host}).status_code == 200


def test_the_log_has_one_line(
    browser: Browser, site: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    """An operator reads which name it was."""
    site.ALLOWED_HOSTS = ["example.org"]
    browser.get("/", headers={"host": "typo.example.org"})
    records = [one for one in caplog.records if one.name.startswith("thywill_server")]
    assert [one.levelno for one in records] == [logging.WARNING]
    assert "'typo.example.org'" in records[0].getMessage()
