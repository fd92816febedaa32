"""The components for MySQL and PostgreSQL: settings, sentences, and connections to real servers."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_django
from django.db import OperationalError
from django.db.utils import ConnectionHandler

from tests.support.certificates import make
from tests.support.private_server import PrivateServer
from thywill_server.database.mysql import Mysql
from thywill_server.database.postgresql import Postgresql
from thywill_server.database.server import DatabaseServer

LEAST = {"name": "thywill", "user": "thywill"}
WHERE = 'THYWILL["database"]'
BOTH = [Mysql, Postgresql]

Connect = Callable[..., Any]


@pytest.fixture(params=["mariadb", "postgresql"])
def server(request: pytest.FixtureRequest) -> PrivateServer:
    """Each private server in turn."""
    found: PrivateServer = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def connect(server: PrivateServer, django_db_blocker: pytest_django.DjangoDbBlocker) -> Connect:
    """Open a connection with some settings; for a ``with`` block."""
    cls = Mysql if server.component.endswith("Mysql") else Postgresql
    given = server.new_database()

    @contextmanager
    def opened(**settings: Any) -> Iterator[Any]:
        component = cls({**given, **settings})
        assert component.check() == []
        handler = ConnectionHandler({"default": component.django_database()})
        with django_db_blocker.unblock():  # not the site's database, but one of this test's own
            try:
                yield handler["default"]
            finally:
                handler.close_all()

    return opened


def one(connection: Any, sql: str) -> Any:
    """The only row of a statement, or its only field."""
    with connection.cursor() as cursor:
        cursor.execute(sql)
        row = cursor.fetchone()
    return row[0] if len(row) == 1 else row


@pytest.mark.parametrize("cls", BOTH)
def test_a_missing_driver_is_one_sentence(
    cls: type[DatabaseServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It names the module, the system's packages where there are any, and the file for pip."""
    monkeypatch.setitem(sys.modules, cls.DRIVER, None)
    (sentence,) = cls(LEAST).check()
    assert sentence.startswith(f'{WHERE}["component"]: {cls.__name__} needs the Python module ')
    assert f"pip install -r requirements-{cls.__name__.lower()}.txt" in sentence
    assert ("libmysqlclient-dev" in sentence) is (cls is Mysql)


@pytest.mark.parametrize("cls", BOTH)
def test_what_does_not_go_together_is_told(cls: type[DatabaseServer], tmp_path: Path) -> None:
    """Files that are missing, half a pair, a comparison without something to compare with."""
    verify = cls.SETTINGS["tls_mode"].choices[-1]
    given = {
        **LEAST,
        "name": "",
        "tls_mode": verify,
        "tls_key": tmp_path / "key",
        "statement_timeout_seconds": 5,
    }
    assert cls(given).check() == [
        f"{WHERE}[\"name\"]: expected text, got ''",
        f'{WHERE}["tls_key"]: there is no file "{tmp_path}/key"',
        f'{WHERE}["tls_certificate"]: missing; tls_key needs it',
        f'{WHERE}["tls_ca"]: missing; tls_mode "{verify}" compares with it',
        f'{WHERE}["statement_timeout_seconds"]: expected more than lock_timeout_seconds (20), '
        "got 5",
    ]


@pytest.mark.parametrize("cls", BOTH)
def test_a_password_is_never_shown(cls: type[DatabaseServer]) -> None:
    """Not in the sentence that says it is of a wrong kind either."""
    (sentence,) = cls({**LEAST, "password": 20111130}).check()
    assert sentence == f'{WHERE}["password"]: expected text, got something else'


def test_a_socket_replaces_the_address(tmp_path: Path) -> None:
    """A socket whose path no address has room for is refused."""
    made = Mysql({**LEAST, "unix_socket": tmp_path / "s"}).django_database()
    assert (made["HOST"], made["PORT"]) == (str(tmp_path / "s"), "")
    (sentence,) = Mysql({**LEAST, "unix_socket": "/" + "x" * 107}).check()
    assert sentence == f'{WHERE}["unix_socket"]: expected at most 107 bytes, got 108'


def test_what_mysql_is_told(mariadb: PrivateServer, request: pytest.FixtureRequest) -> None:
    """Strict, four bytes for a letter, READ COMMITTED, and the time to wait for a row."""
    settings = {**mariadb.new_database(), "lock_timeout_seconds": 7}
    handler = ConnectionHandler({"default": Mysql(settings).django_database()})
    with request.getfixturevalue("django_db_blocker").unblock():
        connection = handler["default"]
        assert "STRICT_ALL_TABLES" in one(connection, "SELECT @@sql_mode")
        asked = "@@character_set_client, @@character_set_connection, @@innodb_lock_wait_timeout"
        assert one(connection, f"SELECT {asked}") == ("utf8mb4", "utf8mb4", 7)
        assert one(connection, "SELECT @@tx_isolation") == "READ-COMMITTED"
        handler.close_all()


def test_a_lock_is_not_waited_for_for_ever(connect: Connect) -> None:
    """Who waits longer than the setting for another's row fails, and can go on."""
    with connect() as holder, connect(lock_timeout_seconds=1) as waiter:
        with holder.cursor() as cursor:
            cursor.execute("CREATE TABLE held (id integer primary key)")
            cursor.execute("INSERT INTO held VALUES (1)")
        holder.set_autocommit(False)
        one(holder, "SELECT id FROM held FOR UPDATE")
        with pytest.raises(OperationalError):
            one(waiter, "SELECT id FROM held FOR UPDATE")
        holder.rollback()
        assert one(waiter, "SELECT id FROM held FOR UPDATE") == 1


def test_a_statement_is_not_waited_for_for_ever(connect: Connect) -> None:
    """A statement that takes longer than the setting fails."""
    with connect(lock_timeout_seconds=1, statement_timeout_seconds=2) as connection:
        sleep = "SELECT SLEEP(30)" if connection.vendor == "mysql" else "SELECT pg_sleep(30)"
        with pytest.raises(OperationalError):
            one(connection, sleep)


ENCRYPTED = {
    "mysql": "SELECT VARIABLE_VALUE <> '' FROM information_schema.SESSION_STATUS "
    "WHERE VARIABLE_NAME = 'Ssl_cipher'",
    "postgresql": "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()",
}


@pytest.mark.parametrize("mode", range(5))
def test_tls(server: PrivateServer, connect: Connect, mode: int) -> None:
    """Each mode but the first encrypts, and the last two know the right authority."""
    cls = Mysql if server.component.endswith("Mysql") else Postgresql
    settings = {"tls_mode": cls.SETTINGS["tls_mode"].choices[mode], "tls_ca": server.authority}
    with connect(**settings) as connection:
        assert bool(one(connection, ENCRYPTED[connection.vendor])) is (mode > 0)


@pytest.mark.parametrize("mode", [3, 4])
def test_a_false_server_is_refused(
    server: PrivateServer, connect: Connect, mode: int, tmp_path: Path
) -> None:
    """A certificate that another authority has signed is not taken."""
    cls = Mysql if server.component.endswith("Mysql") else Postgresql
    other = tmp_path / "other.crt"
    other.write_text(make("another root").pem)
    settings = {"tls_mode": cls.SETTINGS["tls_mode"].choices[mode], "tls_ca": other}
    with connect(**settings) as connection, pytest.raises(OperationalError):
        one(connection, "SELECT 1")
