"""What the whole suite shares: how tests are spread over workers, and what a skipped test means.

Tests of trial run the reactor in the main thread. Once something has started it in a thread of its
own, as virtual browsers do, that is over for the whole process; so they come first on every worker.

A test that needs a program which this machine lacks skips, with the reason. On a person's machine
the reasons are named at the end of the run. Where ``THYWILL_REQUIRE_SERVERS`` is 1, or ``CI`` is
true, nothing may be missing, and a skipped test is a failed one.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections import Counter
from collections.abc import Generator, Iterator
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

if TYPE_CHECKING:
    from tests.support.mariadb import MariaDB
    from tests.support.postgresql import PostgreSQL

# A deadline of Hypothesis measures the machine: on two busy cores anything may take a second once,
# and so may the making of examples. They are the same in each run, so that a test fails for whoever
# has broken it and not for somebody else, by chance; `--hypothesis-profile=searching` tries others.
settings.register_profile("searching", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("thywill", settings.get_profile("searching"), derandomize=True)
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

DATABASES = {
    f"tests/{name}.py"
    for name in (
        "contracts/test_database_components",
        "functional/test_swapped_components",
        "thywill_apps/test_chat_on_servers",
        "thywill_server/database/test_concurrent_history",
        "thywill_server/database/test_real_servers",
        "thywill_server/database/test_server",
    )
}
"""What asks a MariaDB and a PostgreSQL, which take seconds to make: one worker makes them."""

FUNCTIONAL_WEIGHT = 30
"""A test that starts processes takes as long as about so many that start none."""


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


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, Any, Any]:
    """Keep the garbage collector away from some million objects of the tests themselves."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.hookimpl(tryfirst=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    """Spread groups of tests over the workers."""
    return GroupScheduling(config, log)


class GroupScheduling(LoadScopeScheduling):
    """Gives each group to one worker, in the order of the tests."""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)


def group_of(nodeid: str) -> str:
    """Keep a file's tests on one worker, database servers too, and what drives a browser on two.

    More browsers at once are slow enough on two cores to upset the tests that have deadlines.
    """
    path = nodeid.partition("::")[0]
    if path in DATABASES:
        return "tests/ databases"
    if not path.startswith(BROWSER):
        return path
    return f"{BROWSER} {'connections' if path in CONNECTIONS else 'pages'}"


class TrialFirst:
    """Puts the groups with tests of trial first, then browsers, then longer ones before shorter."""

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Sort; the order within a group stays."""
        weights: Counter[str] = Counter()
        for item in items:
            weights[group_of(item.nodeid)] += weight_of(item)
        trials = {group_of(item.nodeid) for item in items if is_trial(item)}
        items.sort(
            key=lambda item: (
                (group := group_of(item.nodeid)) not in trials,
                not group.startswith(BROWSER),
                -weights[group],
                group,
            )
        )


def is_trial(item: pytest.Item) -> bool:
    """Whether this is a test that may run the reactor."""
    of_trial = "twisted.trial.unittest"  # which takes longer to import than most files of tests
    module = sys.modules.get(of_trial)
    return module is not None and issubclass(getattr(item, "cls", None) or object, module.TestCase)


def weight_of(item: pytest.Item) -> int:
    """How long a test takes, roughly, in such as start no process."""
    return FUNCTIONAL_WEIGHT if item.get_closest_marker("functional") else 1


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
def mariadb() -> Iterator[MariaDB]:
    """A private MariaDB; each test makes a database of its own in it."""
    from tests.support import mariadb as mariadb_server

    if mariadb_server.SERVER is None or find_spec("MySQLdb") is None:
        pytest.skip(mariadb_server.MISSING)
    with mariadb_server.MariaDB() as server:
        yield server


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    """A private PostgreSQL; each test makes a database of its own in it."""
    from tests.support import postgresql as postgresql_server

    if postgresql_server.SERVER is None or find_spec("psycopg") is None:
        pytest.skip(postgresql_server.MISSING)
    with postgresql_server.PostgreSQL() as server:
        yield server
