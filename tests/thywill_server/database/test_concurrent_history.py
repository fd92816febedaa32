"""Several processes, with several threads each, publish to one channel at the same time."""

import json

import pytest

from tests.support.database_site import DatabaseSite

pytestmark = pytest.mark.functional

MESSAGES = 160

PUBLISH = """
import sys, threading
from django.db import connection, transaction
from thywill_server.database import history, state

def publish(name, count):
    for number in range(count):
        with transaction.atomic():
            history.append("writers", "room", "said", f'"{name} {number}"', 1000)
            with state.update("writers", max_bytes=1000) as values:
                values["count"] = values.get("count", 0) + 1
            if number % 7 == 3:
                transaction.set_rollback(True)
    connection.close()

process, threads, count = map(int, sys.argv[1].split())
print("ready", flush=True)
sys.stdin.readline()
started = [
    threading.Thread(target=publish, args=(f"{process}.{thread}", count))
    for thread in range(threads)
]
for thread in started:
    thread.start()
for thread in started:
    thread.join()
"""

READ = """
import json
from thywill_server.database import history, state
stored = history.latest("writers", "room", 1000)
print(json.dumps([[m.offset for m in stored], [m.data for m in stored], state.read("writers")]))
"""


@pytest.mark.parametrize(
    ("site", "processes", "threads"),
    [("sqlite", 2, 1), ("mariadb", 4, 8), ("postgresql", 4, 8)],
    indirect=["site"],
)
def test_writers_at_the_same_time(site: DatabaseSite, processes: int, threads: int) -> None:
    """Offsets have no gaps and no repeats, each writer's are in its order, state is exact."""
    count = MESSAGES // (processes * threads)
    site.run_together(PUBLISH, [f"{process} {threads} {count}" for process in range(processes)])
    offsets, texts, values = json.loads(site.run(READ))
    kept = [str(number) for number in range(count) if number % 7 != 3]
    assert offsets == list(range(1, processes * threads * len(kept) + 1))
    for name in [
        f"{process}.{thread}" for process in range(processes) for thread in range(threads)
    ]:
        own = [text.strip('"').split()[1] for text in texts if text.startswith(f'"{name} ')]
        assert own == kept
    assert values == {"count": len(offsets)}
