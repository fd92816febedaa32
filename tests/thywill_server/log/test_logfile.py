"""Log records in a file that is rotated."""

import json
import logging
import logging.config
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from thywill_server.log.logfile import Logfile


@pytest.fixture
def logger() -> Iterator[Callable[[Logfile], logging.Logger]]:
    """Configures the logger "thywill_apps" as the component says, and puts it back afterwards."""
    loggers = [logging.getLogger("thywill_apps")]
    before = [(list(item.handlers), item.level) for item in loggers]

    def configure(component: Logfile) -> logging.Logger:
        config = component.logging_config()
        config["loggers"] = {"thywill_apps": config["loggers"]["thywill_apps"]}
        config["handlers"] = {"thywill": config["handlers"]["thywill"]}
        logging.config.dictConfig({**config, "incremental": False})
        return loggers[0]

    yield configure
    for item, (handlers, level) in zip(loggers, before, strict=True):
        for handler in item.handlers:
            handler.close()
        item.handlers, item.level = handlers, level


def test_records_are_written(tmp_path: Path, logger: Callable[[Logfile], logging.Logger]) -> None:
    """The folder is made, and one record is one line of UTF-8."""
    path = tmp_path / "logs" / "site.log"
    logger(Logfile({"path": path})).info("héllo %s", "你好\nforged")
    (line,) = path.read_text(encoding="utf-8").splitlines()
    assert line.endswith("INFO     thywill_apps: héllo 你好\\x0aforged")


def test_json_lines_are_written(
    tmp_path: Path, logger: Callable[[Logfile], logging.Logger]
) -> None:
    """With the format json each line is an object."""
    path = tmp_path / "site.log"
    log = logger(Logfile({"path": path, "format": "json"}))
    log.info("one")
    log.warning("two", extra={"client": "u-1"})
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["message"] for line in lines] == ["one", "two"]
    assert lines[1]["client"] == "u-1"


def test_a_full_file_is_renamed(
    tmp_path: Path, logger: Callable[[Logfile], logging.Logger]
) -> None:
    """Old files are kept up to their number, each within the size."""
    path = tmp_path / "site.log"
    log = logger(Logfile({"path": path, "max_bytes": 1000, "backups": 2}))
    for number in range(100):
        log.info("number %d", number)
    files = sorted(file.name for file in tmp_path.iterdir() if file.suffix != ".lock")
    assert files == ["site.log", "site.log.1", "site.log.2"]
    assert all((tmp_path / name).stat().st_size <= 1000 for name in files)
    assert path.read_text().endswith("number 99\n")


def test_the_level_is_kept(tmp_path: Path, logger: Callable[[Logfile], logging.Logger]) -> None:
    """Less severe records are not written; the file is not even made before the first."""
    path = tmp_path / "site.log"
    log = logger(Logfile({"path": path, "level": "ERROR"}))
    log.warning("no")
    assert not path.exists()
    log.error("yes")
    assert "yes" in path.read_text()


def test_any_text_can_be_written(
    tmp_path: Path, logger: Callable[[Logfile], logging.Logger]
) -> None:
    """A lone surrogate does not lose the record."""
    path = tmp_path / "site.log"
    logger(Logfile({"path": path})).info("half a \ud83d")
    assert path.read_text(encoding="utf-8").endswith("half a \\ud83d\n")


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({}, '["path"]: missing; expected a path'),
        (
            {"path": "x", "max_bytes": -1},
            '["max_bytes"]: expected a whole number of at least 0, got -1',
        ),
        ({"path": "x", "backups": 0}, '["backups"]: expected 1-1000, got 0'),
        ({"path": "x", "format": "xml"}, '["format"]: expected one of "text", "json", got \'xml\''),
        ({"path": "/"}, '["path"]: expected a file, got the folder "/"'),
    ],
)
def test_wrong_settings_are_one_sentence(settings: dict[str, Any], sentence: str) -> None:
    """Every setting is checked, and whether the file can be made."""
    assert Logfile(settings).check() == [f'THYWILL["log"]{sentence}']
