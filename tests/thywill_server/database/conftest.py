"""Sites on each kind of database, with their tables, made once for the tests of a worker."""

import pytest

from tests.support.database_site import DatabaseSite

DATABASES = ("sqlite", "mariadb", "postgresql")


@pytest.fixture(scope="session")
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> DatabaseSite:
    """The site on the database that a test names as its parameter."""
    assert request.param in DATABASES
    server = None if request.param == "sqlite" else request.getfixturevalue(request.param)
    made = DatabaseSite(tmp_path_factory.mktemp(request.param), server)
    made.manage("migrate", "--verbosity", "0")
    return made
