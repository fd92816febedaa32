"""Logins from a file with hashed passwords."""

import pytest

from morbid.errors import ConfigurationError
from morbid.passwords import PasswordFile, PasswordHash, hash_password


def at_once(function, *arguments):
    """Call here instead of in a thread."""
    return function(*arguments)


@pytest.fixture
def write(tmp_path):
    """Write a password file; returns its path."""

    def write(*lines):
        path = tmp_path / "passwords"
        path.write_text("\n".join(lines), "utf-8")
        return path

    return write


def test_hash(write):
    """A hash matches its password only, is different each time, and survives being written."""
    made = hash_password("pässword")
    hashed = PasswordHash.parse(made)
    assert str(hashed) == made
    assert hashed.matches("pässword")
    assert not hashed.matches("password")
    assert hash_password("pässword") != made
    assert "pässword" not in made


def test_file(write):
    """The logins of a file come in with their password, in their groups; nobody else does."""
    path = write(
        "# comment", "", f"site:{hash_password('one')}:a, b", f"ada:{hash_password('two')}:"
    )
    logins = PasswordFile.read(path, at_once)
    assert logins.authenticate("site", "one", "").groups == ("a", "b")
    assert logins.authenticate("ada", "two", "").groups == ()
    assert logins.authenticate("ada", "one", "") is None
    assert logins.authenticate("bob", "", "") is None
    assert logins.authenticate("", "", "") is None


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("ada", "passwords:2: password of 'ada': expected scrypt$"),
        ("ada:hunter2:", "passwords:2: password of 'ada': expected scrypt$"),
        ("ada:scrypt$99$8$1$c2FsdA==$aGFzaA==:", "passwords:2: password of 'ada': the cost"),
        ("ada:scrypt$14$8$1$c2FsdA==$aGFzaA==:", "passwords:2: password of 'ada': the hash is cut"),
        ("ada:scrypt$14$8$1$!$aGFzaA==:", "passwords:2: password of 'ada'"),
        ("ada:scrypt$a$8$1$!$aGFzaA==:", "passwords:2: password of 'ada'"),
    ],
)
def test_wrong_line(write, line, problem):
    """A line that is wrong is named, and what is in it is not shown."""
    with pytest.raises(ConfigurationError) as caught:
        PasswordFile.read(write("#", line))
    said = str(caught.value).rpartition("/")[2]
    assert problem in said
    assert "hunter2" not in said


def test_login_twice(write):
    """A login that is there twice is a mistake."""
    line = f"ada:{hash_password('x')}:"
    with pytest.raises(ConfigurationError, match=r"passwords:2: 'ada' is there twice"):
        PasswordFile.read(write(line, line))


def test_no_file(tmp_path):
    """A file that cannot be read is one sentence."""
    with pytest.raises(ConfigurationError, match=r"cannot read .*: No such file"):
        PasswordFile.read(tmp_path / "absent")
    (tmp_path / "binary").write_bytes(b"\xff")
    with pytest.raises(ConfigurationError, match=r"cannot read .*: not UTF-8"):
        PasswordFile.read(tmp_path / "binary")
