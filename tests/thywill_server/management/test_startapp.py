"""``manage.py thywill startapp``: names, titles, and what is refused."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from tests.support.page import thywill


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Path:
    """A folder of applications that is empty."""
    folder = tmp_path / "new_apps"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.chdir(tmp_path)
    settings.THYWILL = thywill(application={"packages": ["new_apps", "thywill_apps"]})
    return folder


def startapp(*words: str) -> str:
    """What the command prints."""
    out = StringIO()
    call_command("thywill", "startapp", *words, stdout=out)
    return out.getvalue()


def test_it_says_what_it_has_written_and_what_to_do(folder: Path) -> None:
    """Every file is named, and the last lines tell the address and the test."""
    assert startapp("dice").splitlines() == [
        "new_apps/dice/ is written:",
        "    __init__.py",
        "    static/dice/dice.css",
        "    static/dice/dice.js",
        "    templates/dice/page.html",
        "    tests/__init__.py",
        "    tests/test_dice.py",
        "    thywill_interface.py",
        "What to do next:",
        "    open   ./run, or manage.py runthywill, serves it at /thywill/init/dice/",
        "    test   python manage.py test new_apps.dice",
        "    change new_apps/dice/thywill_interface.py and new_apps/dice/static/dice/dice.js",
    ]
    # What Python keeps of a module that it has compiled is not what the command writes.
    written = [
        path
        for path in (folder / "dice").rglob("*")
        if path.is_file() and path.parent.name != "__pycache__"
    ]
    assert len(written) == 7
    assert not [path for path in written if "%" in path.read_text(encoding="utf-8")]
    assert [path.name for path in folder.iterdir()] == ["dice"]


def test_the_title_is_made_of_the_name(folder: Path) -> None:
    """Or is what was given, in any language."""
    startapp("rolling_dice")
    startapp("wuerfel", "--title", "Würfel für alle")
    interface = "thywill_interface.py"
    assert 'title="Rolling dice"' in (folder / "rolling_dice" / interface).read_text("utf-8")
    assert 'title="Würfel für alle"' in (folder / "wuerfel" / interface).read_text("utf-8")


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("Dice", 'cannot be the name of an application: .* such as "dice"'),
        ("my-app", 'small letters, digits and _, beginning with a letter, such as "my_app"'),
        ("9lives", 'such as "lives"'),
        ("würfel", 'such as "wurfel"'),
        ("../escape", 'such as "escape"'),
        ("", 'such as "dice"'),
        ("x" * 51, "expected at most 50 characters, got 51"),
        ("class", "is a word of Python's"),
        ("static", "is taken by the site itself"),
        ("thywill", "is taken by the site itself"),
        ("sessions", "is the name of django.contrib.sessions already"),
        ("proof_of_concept", "is the name of thywill_apps.proof_of_concept already"),
    ],
)
def test_a_name_that_will_not_do(folder: Path, name: str, sentence: str) -> None:
    """It is refused in one sentence, and nothing is written."""
    with pytest.raises(CommandError, match=sentence):
        startapp(name)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("title", ['say "hi"', "<b>", "a\nb", "50%", "{{ x }}", "back\\slash"])
def test_a_title_that_will_not_do(folder: Path, title: str) -> None:
    """What means something in Python or HTML is refused."""
    with pytest.raises(CommandError, match="--title: expected plain text"):
        startapp("dice", "--title", title)
    assert list(folder.iterdir()) == []


def test_what_is_there_stays(folder: Path) -> None:
    """A second time nothing is touched."""
    startapp("dice")
    (folder / "dice" / "thywill_interface.py").write_text("mine")
    with pytest.raises(CommandError, match="new_apps/dice is there already; nothing was changed"):
        startapp("dice")
    assert (folder / "dice" / "thywill_interface.py").read_text() == "mine"


def test_a_site_without_a_folder_of_applications(folder: Path, settings: Settings) -> None:
    """Where the settings list each package, the sentence says what to write there."""
    settings.THYWILL = thywill(application={"packages": ["thywill_apps.proof_of_concept"]})
    with pytest.raises(CommandError, match=r'names no folder .* make it "thywill_apps"'):
        startapp("dice")


def test_a_folder_that_cannot_be_written_to(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A failure on the way leaves nothing behind."""

    def fail(*_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(CommandError, match="cannot be written: no space left"):
        startapp("dice")
    assert list(folder.iterdir()) == []
