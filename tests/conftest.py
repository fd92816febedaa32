"""What the whole suite shares: how tests are spread over workers, and what a skipped test means.

A test that needs a program which this machine lacks skips, with the reason. On a person's machine
the reasons are named at the end of the run. Where ``THYWILL_REQUIRE_SERVERS`` is 1, or ``CI`` is
true, nothing may be missing, and a skipped test is a failed one.
"""

import os
from collections import Counter
from collections.abc import Generator, Iterator
from importlib.util import find_spec
from typing import Any

import pytest
from hypothesis import settings

from tests.support import mariadb as mariadb_server
from tests.support import postgresql as postgresql_server

# A deadline of Hypothesis measures the machine: on two busy cores anything may take a second once.
settings.register_profile("thywill", deadline=None)
settings.load_profile("thywill")


def pytest_configure(config: pytest.Config) -> None:
    """Apply the rule on skips to every folder of tests, not only to this one."""
    required = os.environ.get("THYWILL_REQUIRE_SERVERS") == "1" or os.environ.get("CI") == "true"
    config.pluginmanager.register(SkipsFail() if required else SkipsAreNamed(), "thywill-skips")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep a file's tests on one worker, and everything that drives a browser on one as well.

    Two browsers at once are slow enough on two cores to upset the tests that have deadlines.
    """
    for item in items:
        where = f"{item.path.parent.name}/{item.path.name}"
        is_browser = item.get_closest_marker("browser") is not None
        item.add_marker(pytest.mark.xdist_group("browser" if is_browser else where))


@pytest.hookimpl(wrapper=True)
def pytest_report_to_serializable() -> Generator[None, Any, Any]:
    """Let a worker report what it has printed, even text that no encoding can carry."""
    return sendable((yield))


def sendable(value: Any) -> Any:
    """The same value with lone surrogates spelled out."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(value, dict):
        return {key: sendable(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(sendable(each) for each in value)
    return value


def reason_of(report: pytest.TestReport | pytest.CollectReport) -> str:
    """The sentence given to ``pytest.skip``."""
    longrepr = report.longrepr
    text = longrepr[2] if isinstance(longrepr, tuple) else str(longrepr)
    return text.removeprefix("Skipped: ")


class SkipsFail:
    """Turns each skipped test, or skipped module, into a failure."""

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(self) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Look at the report of a test after everybody else has had a say."""
        report = yield
        if report.skipped and not hasattr(report, "wasxfail"):
            report.longrepr = f"nothing may be skipped here, but: {reason_of(report)}"
            report.outcome = "failed"
        return report

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_make_collect_report(
        self,
    ) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        """The same for a module that skips itself as a whole."""
        report = yield
        if report.outcome == "skipped":
            report.longrepr = f"nothing may be skipped here, but: {reason_of(report)}"
            report.outcome = "failed"
        return report


class SkipsAreNamed:
    """Says at the end, loudly, what could not be tested on this machine."""

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Count the skipped tests by reason."""
        reasons = Counter(reason_of(report) for report in terminalreporter.getreports("skipped"))
        if not reasons:
            return
        terminalreporter.section("NOT TESTED HERE", sep="!", red=True)
        for reason, count in reasons.most_common():
            terminalreporter.line(f"{count} skipped: {reason}")


@pytest.fixture(scope="session")
def mariadb() -> Iterator[mariadb_server.MariaDB]:
    """A private MariaDB; each test makes a database of its own in it."""
    if mariadb_server.SERVER is None or find_spec("MySQLdb") is None:
        pytest.skip(mariadb_server.MISSING)
    with mariadb_server.MariaDB() as server:
        yield server


@pytest.fixture(scope="session")
def postgresql() -> Iterator[postgresql_server.PostgreSQL]:
    """A private PostgreSQL; each test makes a database of its own in it."""
    if postgresql_server.SERVER is None or find_spec("psycopg") is None:
        pytest.skip(postgresql_server.MISSING)
    with postgresql_server.PostgreSQL() as server:
        yield server
