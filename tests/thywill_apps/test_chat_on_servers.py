"""Many who speak at once, in several processes and threads, on each database."""

import json

import pytest

from tests.support.database_site import DatabaseSite

pytestmark = pytest.mark.functional

IN_MEMORY = """
THYWILL["push"] = {"component": "thywill_server.push.in_memory.InMemory"}
"""
MIGRATE = """
from django.contrib.auth.models import User
from django.core.management import call_command
call_command("migrate", verbosity=0)
User.objects.create(username="ann")
"""
SPEAK = """
import sys
from concurrent.futures import ThreadPoolExecutor
from django.contrib.auth.models import User
from thywill_apps.chat.models import Room
from thywill_apps.chat.talk import say

room, ann = Room.objects.get(slug="lobby").pk, User.objects.get()
print("ready", flush=True)
sys.stdin.readline()
with ThreadPoolExecutor(3) as threads:
    list(threads.map(lambda number: say(room, ann, f"{sys.argv[1]} {number}"), range(30)))
"""
LOOK = """
import json
from thywill_apps.chat.models import Room
from thywill_server.application import history

room = Room.objects.get(slug="lobby")
heard = [[event.data["number"], event.data["text"]] for event in history(f"chat:{room.pk}")]
stored = [list(row) for row in room.messages.order_by("number").values_list("number", "text")]
print(json.dumps([heard, stored]))
"""


@pytest.mark.parametrize("database", ["sqlite", "mariadb", "postgresql"])
def test_numbers_are_given_in_the_order_of_hearing(database, tmp_path, request) -> None:
    """Of two processes with three threads each, all messages are heard in the order of their
    numbers, which have no gaps."""
    server = None if database == "sqlite" else request.getfixturevalue(database)
    site = DatabaseSite(tmp_path, server)
    with (tmp_path / "variant.py").open("a") as settings:
        settings.write(IN_MEMORY)
    site.run(MIGRATE)
    with site.start(SPEAK, "one") as one, site.start(SPEAK, "other") as other:
        for program in (one, other):
            assert program.stdout.readline() == "ready\n"
        for program in (one, other):
            program.stdin.write("go\n")
            program.stdin.flush()
        for program in (one, other):
            _, said = program.communicate(timeout=60)
            assert program.returncode == 0, said
    heard, stored = json.loads(site.run(LOOK))
    assert heard == stored
    assert [number for number, _ in heard] == list(range(1, 61))
    assert {text for _, text in heard} == {
        f"{name} {number}" for name in ("one", "other") for number in range(30)
    }
