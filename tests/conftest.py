"""What the whole suite shares: how tests are spread over workers, and what a skipped test means.

Tests of trial run the reactor in the main thread. Once something has started it in a thread of its
own, as virtual browsers do, that is over for the whole process; so they come first on every worker.

A test that needs a program which this machine lacks skips, with the reason. On a person's machine
the reasons are named at the end of the run. Where ``THYWILL_REQUIRE_SERVERS`` is 1, or ``CI`` is
true, nothing may be missing, and a skipped test is a failed one.
"""

import os
import signal
from collections import Counter
from collections.abc import Generator, Iterator
from importlib.util import find_spec
from typing import Any

import pytest
from hypothesis import settings
from twisted.trial.unittest import TestCase
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from tests.support import mariadb as mariadb_server
from tests.support import postgresql as postgresql_server

# A deadline of Hypothesis measures the machine: on two busy cores anything may take a second once.
settings.register_profile("thywill", deadline=None)
settings.load_profile("thywill")

BROWSER = "tests/browser/"

CONNECTIONS = {
    f"{BROWSER}test_{name}.py"
    for name in (
        "at_full_size",
        "falling_back",
        "files_of_2010",
        "nothing_is_lost",
        "orbited_js",
        "page_life",
        "reconnect",
    )
}
"""What is about connections; the other files in that folder are about pages, and take as long."""


def pytest_configure(config: pytest.Config) -> None:
    """Apply the rule on skips to every folder of tests, not only to this one; keep our order."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # A shell ignores it for what it starts in the background, and the servers that tests start
        # would inherit that: they are stopped by SIGINT.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    config.option.loadscopereorder = False  # of xdist, which sorts by size alone
    required = os.environ.get("THYWILL_REQUIRE_SERVERS") == "1" or os.environ.get("CI") == "true"
    config.pluginmanager.register(TrialFirst(), "thywill-trial-first")
    config.pluginmanager.register(SkipsFail() if required else SkipsAreNamed(), "thywill-skips")


@pytest.hookimpl(tryfirst=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    """Spread groups of tests over the workers."""
    return GroupScheduling(config, log)


class GroupScheduling(LoadScopeScheduling):
    """Gives each group to one worker, in the order of the tests."""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)


def group_of(nodeid: str) -> str:
    """Keep a file's tests on one worker, and what drives a browser on two at most.

    More browsers at once are slow enough on two cores to upset the tests that have deadlines.
    """
    path = nodeid.partition("::")[0]
    if not path.startswith(BROWSER):
        return path
    return f"{BROWSER} {'connections' if path in CONNECTIONS else 'pages'}"


class TrialFirst:
    """Puts the groups with tests of trial first, then browsers, then larger ones before smaller."""

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Sort; the order within a group stays."""
        sizes = Counter(group_of(item.nodeid) for item in items)
        trials = {group_of(item.nodeid) for item in items if is_trial(item)}
        items.sort(
            key=lambda item: (
                (group := group_of(item.nodeid)) not in trials,
                not group.startswith(BROWSER),
                -sizes[group],
                group,
            )
        )


def is_trial(item: pytest.Item) -> bool:
    """Whether this is a test that may run the reactor."""
    return issubclass(getattr(item, "cls", None) or object, TestCase)


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
