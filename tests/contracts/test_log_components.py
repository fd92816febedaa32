"""What holds for every log component; tried in a Django process of its own."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from thywill_server.component import Component

SECTION = "log"

PROGRAM = """
import json, logging, sys
import django
from django.conf import settings
from thywill_server.components import logging_config, problems
thywill = {"log": json.loads(sys.argv[1]), "application": {"packages": ["thywill_apps.chat"]}}
settings.configure(LOGGING=logging_config(thywill))
django.setup()
for logger in sys.argv[2:]:
    logging.getLogger(logger).debug("debug from %s", logger)
    logging.getLogger(logger).info("info from %s", logger)
    try:
        raise KeyError(logger)
    except KeyError:
        logging.getLogger(logger).exception("error from %s", logger)
assert logging.root.handlers == []
logging.shutdown()
"""

LOGGERS = ("thywill_server.push", "thywill_apps.chat", "orbited", "morbid", "stompservice.service")


def written(implementation: type[Component], settings: dict[str, Any], folder: Path) -> str:
    """What a site with this log component writes, wherever it writes it."""
    section = {
        "component": f"{implementation.__module__}.{implementation.__name__}",
        **{name: str(value) for name, value in settings.items()},
    }
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(section), *LOGGERS],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    files = [path.read_text() for path in sorted(folder.rglob("*")) if path.is_file()]
    return "".join([run.stdout, run.stderr, *files])


def test_all_our_loggers_are_written_once(
    implementation: type[Component], least: dict[str, Any], tmp_path: Path
) -> None:
    """Each record from the level on is written once, with its traceback, the root left alone."""
    text = written(implementation, least, tmp_path)
    for logger in LOGGERS:
        assert text.count(f"info from {logger}") == 1
        assert text.count(f"error from {logger}") == 1
        assert text.count(f"KeyError: '{logger}'") == 1
    assert "debug from" not in text


@pytest.mark.parametrize(("level", "expected"), [("DEBUG", 15), ("ERROR", 5)])
def test_the_level_is_a_setting(
    implementation: type[Component],
    least: dict[str, Any],
    tmp_path: Path,
    level: str,
    expected: int,
) -> None:
    """Less severe records are not written."""
    text = written(implementation, {**least, "level": level}, tmp_path)
    assert text.count(" from ") == expected
