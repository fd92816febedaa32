"""Sites on each kind of database, with their tables, made once for the tests of a worker."""

from collections.abc import Callable
from functools import cache

import pytest

from tests.support.database_site import DatabaseSite

DATABASES = ("sqlite", "mariadb", "postgresql")


@pytest.fixture(scope="session")
def site_on(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], DatabaseSite]:
    """Give the site on a database, always the same one."""

    @cache
    def make(database: str) -> DatabaseSite:
        assert database in DATABASES
        server = None if database == "sqlite" else request.getfixturevalue(database)
        made = DatabaseSite(tmp_path_factory.mktemp(database), server)
        made.manage("migrate", "--verbosity", "0")
        return made

    return make


@pytest.fixture
def site(request: pytest.FixtureRequest, site_on: Callable[[str], DatabaseSite]) -> DatabaseSite:
    """The site on the database that a test names as its parameter."""
    return site_on(request.param)
