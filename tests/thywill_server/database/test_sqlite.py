"""SQLite as Django's database."""

import copy
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_django
from django.db import IntegrityError
from django.db.backends.sqlite3.base import DatabaseWrapper
from django.db.utils import ConnectionHandler

from thywill_server.apps import leave_connections
from thywill_server.database.sqlite import Sqlite


@pytest.fixture
def database(
    tmp_path: Path, django_db_blocker: pytest_django.DjangoDbBlocker
) -> Iterator[ConnectionHandler]:
    """A database in a folder that did not exist, as Django opens it."""
    component = Sqlite({"name": tmp_path / "new" / "x.sqlite3"})
    assert component.check() == []
    handler = ConnectionHandler({"default": component.django_database()})
    with django_db_blocker.unblock():  # not the site's database, but one of this test's own
        yield handler
        handler.close_all()


def rows(connection: Any, sql: str) -> list[Any]:
    """What one statement gives."""
    with connection.cursor() as cursor:
        return list(cursor.execute(sql).fetchall())


def test_the_file_and_its_folder_are_made(database: ConnectionHandler, tmp_path: Path) -> None:
    """A site starts from nothing."""
    rows(database["default"], "select 1")
    assert (tmp_path / "new" / "x.sqlite3").is_file()


def test_readers_do_not_wait_for_the_writer(database: ConnectionHandler) -> None:
    """The write-ahead log is on, and so are foreign keys."""
    connection = database["default"]
    assert rows(connection, "pragma journal_mode") == [("wal",)]
    assert rows(connection, "pragma synchronous") == [(1,)]
    assert rows(connection, "pragma foreign_keys") == [(1,)]
    assert rows(connection, "pragma busy_timeout") == [(20_000,)]


def test_foreign_keys_are_enforced(database: ConnectionHandler) -> None:
    """A row cannot point at nothing."""
    connection = database["default"]
    rows(connection, "create table room (id integer primary key)")
    rows(connection, "create table seat (room integer references room(id))")
    with pytest.raises(IntegrityError):
        rows(connection, "insert into seat values (5)")


def test_a_thread_keeps_its_connection(database: ConnectionHandler) -> None:
    """The next request finds it open, and what another connection has committed by then."""
    rows(database["default"], "create table room (id integer)")
    kept = database["default"].connection
    other: Any = DatabaseWrapper(copy.deepcopy(database["default"].settings_dict), "other")
    rows(other, "insert into room values (7)")
    other.close()
    database["default"].close_if_unusable_or_obsolete()
    assert rows(database["default"], "select id from room") == [(7,)]
    assert database["default"].connection is kept


def test_a_forked_child_leaves_the_connection_to_its_parent(database: ConnectionHandler) -> None:
    """It opens its own; SQLite's locks do not survive a fork. A transaction goes on."""
    connection: Any = database["default"]
    rows(connection, "create table room (id integer)")
    mine = connection.connection
    connection.in_atomic_block = True
    leave_connections(database)
    assert connection.connection is mine
    connection.in_atomic_block = False
    leave_connections(database)
    assert connection.connection is None
    assert rows(connection, "select count(*) from room") == [(0,)]
    assert connection.connection is not mine
    rows_of_parent = mine.execute("insert into room values (1)").rowcount
    assert rows_of_parent == 1  # nobody has closed it


def test_a_database_in_memory_outlives_a_fork(
    django_db_blocker: pytest_django.DjangoDbBlocker,
) -> None:
    """There is no other way to it."""
    handler = ConnectionHandler({"default": Sqlite({"name": ":memory:"}).django_database()})
    connection: Any = handler["default"]
    with django_db_blocker.unblock():
        connection.connect()
    mine = connection.connection
    leave_connections(handler)
    assert connection.connection is mine
    mine.close()


def test_writers_take_turns(database: ConnectionHandler) -> None:
    """Threads that read and then write in one transaction all succeed: none is refused."""
    rows(database["default"], "create table counter (value integer)")
    rows(database["default"], "insert into counter values (0)")
    settings = database["default"].settings_dict
    barrier = threading.Barrier(4)
    failures: list[BaseException] = []

    def count() -> None:
        connection: Any = DatabaseWrapper(copy.deepcopy(settings), "other")
        try:
            barrier.wait()
            for _ in range(10):
                connection.set_autocommit(
                    False, force_begin_transaction_with_broken_autocommit=True
                )
                ((value,),) = rows(connection, "select value from counter")
                rows(connection, f"update counter set value = {value + 1}")
                connection.commit()
                connection.set_autocommit(True)
        except BaseException as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert rows(database["default"], "select value from counter") == [(40,)]


def test_settings_reach_the_database(tmp_path: Path) -> None:
    """Each setting is what Django is told."""
    settings = {
        "name": str(tmp_path / "x"),
        "busy_timeout_seconds": 3,
        "connection_max_age_seconds": 5,
        "transaction_mode": "DEFERRED",
        "synchronous": "FULL",
    }
    told = Sqlite(settings).django_database()
    options = told["OPTIONS"]
    assert told["CONN_MAX_AGE"] == 5
    assert (options["timeout"], options["transaction_mode"]) == (3.0, "DEFERRED")
    assert "PRAGMA synchronous=FULL;" in options["init_command"]


def test_a_relative_name_is_made_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that changes its folder later keeps its database."""
    monkeypatch.chdir(tmp_path)
    assert Sqlite({}).django_database()["NAME"] == str(tmp_path / "thywill.sqlite3")


def test_a_database_may_be_in_memory() -> None:
    """:memory: stays what it is and needs no folder."""
    component = Sqlite({"name": ":memory:"})
    assert component.check() == []
    assert component.django_database()["NAME"] == ":memory:"


def test_a_place_that_cannot_be_is_one_sentence(tmp_path: Path) -> None:
    """The check tells; building the settings does no harm."""
    (tmp_path / "file").touch()
    component = Sqlite({"name": tmp_path / "file" / "x.sqlite3"})
    assert component.check() == [
        f'THYWILL["database"]["name"]: cannot make "{tmp_path}/file/x.sqlite3": '
        f'"{tmp_path}/file" is no folder'
    ]
    component.django_database()


def test_wrong_settings_are_told() -> None:
    """Every setting is checked."""
    wrong = {"name": 5, "busy_timeout_seconds": -1, "transaction_mode": "NOW"}
    assert Sqlite(wrong).check() == [
        'THYWILL["database"]["name"]: expected a path, got 5',
        'THYWILL["database"]["busy_timeout_seconds"]: expected 0-600, got -1',
        'THYWILL["database"]["transaction_mode"]: expected one of "DEFERRED", "IMMEDIATE", '
        "\"EXCLUSIVE\", got 'NOW'",
    ]
