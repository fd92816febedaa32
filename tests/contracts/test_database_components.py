"""What holds for every database component; on a real database, through Django's connections."""

import copy
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_django
from django.db import DatabaseError
from django.db.utils import ConnectionHandler

from tests.contracts.implementations import SETTINGS
from thywill_server.component import Component
from thywill_server.database.base import DatabaseComponent

SECTION = "database"
SERVERS = {"Mysql": "mariadb", "Postgresql": "postgresql"}


@pytest.fixture
def least(
    implementation: type[Component], tmp_path: Path, request: pytest.FixtureRequest
) -> dict[str, Any]:
    """The least settings, and an empty database on a private server where one is needed."""
    server = SERVERS.get(implementation.__name__)
    if server is None:
        return SETTINGS[implementation.__name__](tmp_path)
    settings: dict[str, Any] = request.getfixturevalue(server).new_database()
    return settings


@pytest.fixture
def connection(
    component: Component, django_db_blocker: pytest_django.DjangoDbBlocker
) -> Iterator[Any]:
    """A connection to an empty database with one table."""
    assert isinstance(component, DatabaseComponent)
    handler = ConnectionHandler({"default": component.django_database()})
    with django_db_blocker.unblock():  # not the site's database, but one of this test's own
        connection = handler["default"]
        execute(connection, "create table note (id integer primary key, body varchar(200))")
        yield connection
        handler.close_all()


def execute(connection: Any, sql: str, *parameters: Any) -> list[Any]:
    """The rows of one statement."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return list(cursor.fetchall()) if cursor.description else []


@pytest.mark.parametrize("text", ["", "héllo <b>&\"' 你好", "\U0001f600\U0001f468\u200d\U0001f469"])
def test_any_text_comes_back(connection: Any, text: str) -> None:
    """Letters of every script, and emoji."""
    execute(connection, "insert into note values (1, %s)", text)
    assert execute(connection, "select body from note") == [(text,)]


def test_a_transaction_is_all_or_nothing(connection: Any) -> None:
    """What is rolled back never was."""
    for ends, expected in (("rollback", []), ("commit", [(1,)])):
        connection.set_autocommit(False)
        execute(connection, "insert into note values (1, 'x')")
        getattr(connection, ends)()
        connection.set_autocommit(True)
        assert execute(connection, "select id from note") == expected


def test_a_double_key_is_an_error(connection: Any) -> None:
    """The database is strict about its constraints."""
    execute(connection, "insert into note values (1, 'x')")
    with pytest.raises(DatabaseError):
        execute(connection, "insert into note values (1, 'y')")


def test_threads_write_at_the_same_time(connection: Any) -> None:
    """Writers wait for each other; none fails, and nothing is lost."""
    settings, wrapper = connection.settings_dict, type(connection)
    barrier = threading.Barrier(4)
    failures: list[BaseException] = []

    def write(first: int) -> None:
        own = wrapper(copy.deepcopy(settings), "own")
        try:
            barrier.wait()
            for number in range(first, first + 25):
                execute(own, "insert into note values (%s, 'x')", number)
        except BaseException as error:
            failures.append(error)
        finally:
            own.close()

    threads = [threading.Thread(target=write, args=(100 * index,)) for index in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert execute(connection, "select count(*) from note") == [(100,)]
