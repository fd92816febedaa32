"""thywill on a real MariaDB and a real PostgreSQL."""

import json
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from tests.support.database_site import DatabaseSite, finish
from tests.support.site_process import ROOT, HttpPage, SiteProcess, environment, manage

pytestmark = pytest.mark.functional

both = pytest.mark.parametrize("site", ["mariadb", "postgresql"], indirect=True)

SUITES = [
    "tests/thywill_server/database/test_history.py",
    "tests/thywill_server/database/test_state.py",
    "tests/thywill_server/database/test_members.py",
    "tests/thywill_server/database/test_clients.py",
    "tests/thywill_server/application/test_outbox.py",
    "tests/thywill_server/client_interface/django_site/test_channels.py",
    "tests/thywill_server/client_interface/django_site/test_shared_replies.py",
]


@both
def test_what_holds_for_sqlite_holds_here(site: DatabaseSite) -> None:
    """The tests of all that thywill keeps pass on this database as well, unchanged."""
    given = environment(site.home, **site.environment)
    given["PYTHONPATH"] += f":{ROOT}"
    finished = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n0", "--ds=variant", *SUITES],
        cwd=ROOT,
        env={**given, "THYWILL_REQUIRE_SERVERS": "1"},
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert finished.returncode == 0, finished.stdout[-5000:]
    assert " passed in " in finished.stdout


MIGRATE = """
from django.core.management import call_command
from django.db import connection
for target in ([], ["thywill", "zero"], []):
    call_command("migrate", *target, verbosity=0)
    tables = connection.introspection.table_names()
    print(len([name for name in tables if name.startswith("thywill_")]) > 5)
call_command("makemigrations", check_changes=True, dry_run=True)
call_command("check", databases=["default"], fail_level="WARNING")
"""


@pytest.mark.parametrize("database", ["mariadb", "postgresql"])
def test_migrations_go_both_ways(database, tmp_path, request) -> None:
    """All tables are made, taken away to the last one, and made again; no model lacks a change."""
    site = DatabaseSite(tmp_path, request.getfixturevalue(database))
    told = site.run(MIGRATE).splitlines()
    assert told[:3] == ["True", "False", "True"]
    assert told[3:] == ["No changes detected", "System check identified no issues (0 silenced)."]


def test_a_database_without_emoji_is_refused(tmp_path, mariadb) -> None:
    """Before a table is made, it is said what the database lacks, and how to mend that."""
    site = DatabaseSite(tmp_path, mariadb)
    chosen = site.run(
        "from django.conf import settings; print(settings.THYWILL['database']['name'])"
    )
    name = chosen.strip()
    mariadb.administer(f"ALTER DATABASE {name} CHARACTER SET latin1")
    refused = manage(site.home, "migrate", **site.environment)
    assert refused.returncode != 0
    assert (
        f'(thywill.E010) the database "{name}" has the character set latin1, which has no emoji: '
        f"ALTER DATABASE `{name}` CHARACTER SET utf8mb4, before its tables are made"
    ) in refused.stderr
    assert mariadb.administer(f"SHOW TABLES IN {name}") == ""
    mariadb.administer(f"ALTER DATABASE `{name}` CHARACTER SET utf8mb4")
    site.manage("migrate", "--verbosity", "0")


TEXTS = [
    "\U0001f600\U0001f468\u200d\U0001f469\u200d\U0001f467 \U00020bb7\u91ce\u5bb6",
    "é" * 20_000,
]
KEEP = """
import json, sys
from django.db import DataError
from thywill_server.database import history, state
from thywill_server.database.models import ChannelMessage

def keep(text):
    history.append("chat", text[:150], text[:90], json.dumps(text, ensure_ascii=False), 10)
    with state.update("chat", max_bytes=100_000) as values:
        values[text[:5]] = text
    (stored,) = history.latest("chat", text[:150], 10)
    return [stored.event, json.loads(stored.data), state.read("chat")[text[:5]]]

def append_to_names_that_look_alike():
    names = ["a-room", "A-room", "\u00e1-room", "a-room "]
    return [history.append("chat", name, "said", "1", 10).offset for name in names]

def append_too_long_an_event():
    try:
        history.append("chat", "fits", "x" * 101, "1", 10)
    except DataError:
        return ["refused", history.position("chat", "fits").offset]

def trim():
    for number in range(100):
        history.append("chat", "trimmed", "said", str(number), 16)
    kept = ChannelMessage.objects.filter(channel__name="trimmed").count()
    stretch = history.read("chat", "trimmed", None, 100, 10**6)
    return [kept, [int(message.data) for message in stretch.messages]]

print(json.dumps({
    "texts": [keep(text) for text in json.loads(sys.stdin.readline())],
    "alike": append_to_names_that_look_alike(),
    "too long": append_too_long_an_event(),
    "trimmed": trim(),
}))
"""


@pytest.fixture(scope="module")
def keep() -> Callable[[DatabaseSite], Any]:
    """Store all sorts of things on a site, once."""

    @cache
    def run(site: DatabaseSite) -> Any:
        with site.start(KEEP) as program:
            assert program.stdin is not None
            program.stdin.write(json.dumps(TEXTS) + "\n")
            printed = finish(program)
        return json.loads(printed)

    return run


@pytest.fixture
def kept(site: DatabaseSite, keep: Callable[[DatabaseSite], Any]) -> Any:
    """What the program has read of what it has stored."""
    return keep(site)


@both
def test_any_text_is_kept(kept: dict[str, Any]) -> None:
    """Letters of four bytes live in messages, in names of channels and events, and in state."""
    assert kept["texts"] == [[text[:90], text, text] for text in TEXTS]


@both
def test_channels_that_look_alike_are_two(kept: dict[str, Any]) -> None:
    """Case, accents and blanks at the end tell channels apart, whatever the collation says."""
    assert kept["alike"] == [1, 1, 1, 1]


@both
def test_what_does_not_fit_is_an_error(kept: dict[str, Any]) -> None:
    """A text that is too long is refused, never cut, though this server's default is to cut it."""
    assert kept["too long"] == ["refused", 0]


@both
def test_history_is_trimmed(kept: dict[str, Any]) -> None:
    """A history keeps what it was told to, and at most an eighth more."""
    count, numbers = kept["trimmed"]
    assert count <= 18
    assert numbers[-16:] == list(range(84, 100))


# Two transactions, each of which wants what the other one has: this one has the oldest message of a
# history, and then wants the channel's row. It has done a lot, which MariaDB looks at when it has
# to choose; PostgreSQL ends whoever looks first, so this one does not look.
HOLD = """
import sys
from django.db import connection, transaction
from thywill_server.database import history
from thywill_server.database.models import Channel, ChannelMessage, State
for number in range(8):
    history.append("chat", "deadlock", "said", str(number), 8)
channel = Channel.objects.get(name="deadlock")
with transaction.atomic():
    if connection.vendor == "postgresql":
        connection.cursor().execute("SET LOCAL deadlock_timeout = '10min'")
    State.objects.bulk_create(State(key=f"deadlock {n}", application="x") for n in range(500))
    list(ChannelMessage.objects.select_for_update().filter(channel=channel, offset=1))
    print("held", flush=True)
    sys.stdin.readline()
    Channel.objects.filter(pk=channel.pk).update(epoch="changed")
print("done", flush=True)
"""

# This one has the channel's row, and then wants to delete that message.
APPEND = """
import sys
from django.db import OperationalError, connection
from thywill_server.database import history
failures = []
def pause(execute, sql, *rest):
    if sql.startswith("DELETE") and not failures:
        print("locked", flush=True)
        sys.stdin.readline()
    try:
        return execute(sql, *rest)
    except OperationalError as error:
        failures.append(error)
        raise
with connection.execute_wrapper(pause):
    position = history.append("chat", "deadlock", "said", '"mine"', 8)
print(position.epoch, position.offset, bool(failures))
"""

WAITING = {
    "mariadb": "SELECT COUNT(*) FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'",
    "postgresql": "SELECT COUNT(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'",
}


@pytest.mark.parametrize(
    ("site", "database"),
    [("mariadb", "mariadb"), ("postgresql", "postgresql")],
    indirect=["site"],
)
def test_a_deadlock_is_tried_again(site: DatabaseSite, database: str, request) -> None:
    """The one that the server has ended begins again, until it gets through: one message is stored.

    PostgreSQL may end it more than once, where it is quicker than the one that waited for it.
    """
    server = request.getfixturevalue(database)
    with site.start(HOLD) as holder:
        assert holder.stdout.readline() == "held\n", finish(holder)
        with site.start(APPEND) as writer:
            assert writer.stdout.readline() == "locked\n", finish(writer)
            holder.stdin.write("go\n")
            holder.stdin.flush()
            while server.administer(WAITING[database]).strip() == "0":
                assert holder.poll() is None, finish(holder)
            writer.stdin.write("go\n")
            writer.stdin.flush()
            assert finish(holder) == "done\n"
            assert finish(writer) == "changed 9 True\n"


KILL = {
    "mariadb": "SELECT GROUP_CONCAT(CONCAT('KILL ', id) SEPARATOR ';') "
    "FROM information_schema.processlist WHERE user = 'thywill'",
    "postgresql": "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE usename = 'thywill'",
}


@pytest.mark.parametrize("database", ["mariadb", "postgresql"])
def test_the_site_outlives_its_connections(database, tmp_path, request) -> None:
    """The echo works by settings alone; after dropped connections and after a restart of the
    server the next request works too, and what was stored is there."""
    server = request.getfixturevalue(database)
    site = DatabaseSite(tmp_path, server)
    harms = (lambda: None, lambda: kill_connections(server, database), server.restart)
    with SiteProcess(site.home, "--no-reload", "--threads", "2", **site.environment) as process:
        page = process.open_page()
        with page.listen("websocket") as connection:
            for number, harm in enumerate(harms):
                harm()
                for _ in range(4):  # more than there are threads: each finds its own way back
                    assert HttpPage(process.url, beside=page).answer.status == 200
                text = f"h\u00e9 \U0001f600 {number}"
                assert page.post("send", message=text, id=str(number)).status == 200
                assert connection.receive().body.decode() == text


def kill_connections(server, database) -> None:
    """Have the server drop all connections of the site."""
    statements = server.administer(KILL[database])
    if database == "mariadb":
        server.administer(statements)
