"""What every log component configures."""

import logging
import logging.config
import subprocess
import sys

from tests.support.recording import NullLog

PROGRAM = """
import logging
import django
from django.conf import settings
from thywill_server.components import logging_config
thywill = {"log": {"component": "thywill_server.log.console.Console", "loggers": ["a.library"]}}
settings.configure(LOGGING=logging_config(thywill), LOGGING_CONFIG="logging.config.dictConfig")
django.setup()
logging.getLogger("thywill_server.deep.inside").info("ours")
logging.getLogger("thywill_apps.chat").info("the application's")
logging.getLogger("a.library").info("a library's")
logging.getLogger("b.library").info("not asked for")
logging.getLogger("thywill_server").debug("too fine")
logging.getLogger("django.request").error("Django's")
assert logging.root.handlers == [] and logging.root.level == logging.WARNING
"""


def test_a_site_writes_each_record_once() -> None:
    """In a real Django process: our loggers and those asked for, and the root logger untouched."""
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=60, check=True
    )
    assert [line.split(None, 3)[3] for line in run.stderr.splitlines()] == [
        "thywill_server.deep.inside: ours",
        "thywill_apps.chat: the application's",
        "a.library: a library's",
        "django.request: Django's",
    ]


def test_a_logger_inside_another_is_not_named_twice() -> None:
    """A package below one that is written already would be written twice."""
    loggers = NullLog({}).logging_config(["thywill_apps.chat", "elsewhere.chat"])["loggers"]
    assert "thywill_apps" in loggers
    assert "thywill_apps.chat" not in loggers
    assert "elsewhere.chat" in loggers


def test_the_configuration_is_complete() -> None:
    """Python's own logging takes it, and Django's mails to the admins go on."""
    config = NullLog({"level": "DEBUG"}).logging_config()
    logging.config.DictConfigurator(config)  # type: ignore[no-untyped-call]
    assert config["loggers"]["thywill_server"] == {"handlers": ["thywill"], "level": "DEBUG"}
    assert config["loggers"]["django"]["handlers"] == ["thywill", "mail_admins"]


def test_a_wrong_level_is_one_sentence() -> None:
    """Levels are Python's."""
    assert NullLog({"level": "LOUD"}).check() == [
        'THYWILL["log"]["level"]: expected one of "DEBUG", "INFO", "WARNING", "ERROR", '
        "\"CRITICAL\", got 'LOUD'"
    ]
