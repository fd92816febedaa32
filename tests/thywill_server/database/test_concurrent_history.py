"""Several processes publish to one channel at the same time."""

import json
import subprocess
import sys

import pytest

from tests.support.site_process import ROOT, environment, manage

pytestmark = pytest.mark.functional

PROCESSES, MESSAGES = 2, 60

PUBLISH = f"""
import sys
import django
django.setup()
from django.db import transaction
from thywill_server.database import history, state
print("ready", flush=True)
sys.stdin.readline()
for number in range({MESSAGES}):
    with transaction.atomic():
        history.append("chat", "room", "said", f'"{{sys.argv[1]}} {{number}}"', 1000)
        with state.update("chat", max_bytes=1000) as values:
            values["count"] = values.get("count", 0) + 1
        if number % 7 == 3:
            transaction.set_rollback(True)
"""

READ = """
import json
import django
django.setup()
from thywill_server.database import history, state
stored = history.latest("chat", "room", 1000)
print(json.dumps([[m.offset for m in stored], [m.data for m in stored], state.read("chat")]))
"""


def test_two_processes(tmp_path):
    """Offsets have no gaps and no repeats, each process's are in its order, state is exact."""
    given = {**environment(tmp_path), "DJANGO_SETTINGS_MODULE": "settings"}
    migrated = manage(tmp_path, "migrate", "--verbosity", "0")
    assert migrated.returncode == 0, migrated.stderr
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", PUBLISH, str(number)],
            cwd=ROOT,
            env=given,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(PROCESSES)
    ]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        process.communicate(timeout=60)
        assert process.returncode == 0
    read = subprocess.run(
        [sys.executable, "-c", READ],
        cwd=ROOT,
        env=given,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    offsets, texts, values = json.loads(read.stdout)
    kept = [number for number in range(MESSAGES) if number % 7 != 3]
    assert offsets == list(range(1, PROCESSES * len(kept) + 1))
    for process in range(PROCESSES):
        own = [text.strip('"').split()[1] for text in texts if text.startswith(f'"{process} ')]
        assert own == [str(number) for number in kept]
    assert values == {"count": len(offsets)}
