"""The key that signs tickets: where it comes from, and what is wrong with a bad one."""

import logging
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from thywill_server.errors import ConfigurationError
from thywill_server.push.orbited_stomp.ticket_key import default_key_file, load_ticket_key

LONG_ENOUGH = "k" * 32
RACER = """
import sys
from pathlib import Path
from thywill_server.push.orbited_stomp.ticket_key import load_ticket_key
print("ready", flush=True)
sys.stdin.readline()
print(load_ticket_key(Path(sys.argv[1]), {}).decode())
"""


def test_the_environment_comes_first(tmp_path):
    """A key in the environment is used, and no file is made."""
    path = tmp_path / "ticket.key"
    assert load_ticket_key(path, {"THYWILL_TICKET_KEY": f" {LONG_ENOUGH}\n"}) == b"k" * 32
    assert not path.exists()


def test_the_first_call_makes_a_private_file(tmp_path):
    """Without key and file, a file with a long random key is made that only its owner may read."""
    path = tmp_path / "deep" / "ticket.key"
    key = load_ticket_key(path, {})
    assert len(key) >= 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert os.listdir(path.parent) == ["ticket.key"]


def test_later_calls_read_the_same_key(tmp_path):
    """Whoever comes second gets the key of the first."""
    path = tmp_path / "ticket.key"
    assert load_ticket_key(path, {}) == load_ticket_key(path, {})


def test_two_sites_have_different_keys(tmp_path):
    """Each file gets a key of its own."""
    assert load_ticket_key(tmp_path / "a", {}) != load_ticket_key(tmp_path / "b", {})


def test_processes_that_start_together_agree(tmp_path):
    """Of several processes that find no file at the same moment, all end with one key."""
    path = tmp_path / "ticket.key"
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", RACER, str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[4],
        )
        for _ in range(4)
    ]
    for racer in racers:
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        racer.stdin.write("go\n")
        racer.stdin.flush()
    keys = {racer.communicate(timeout=60)[0].strip() for racer in racers}
    assert keys == {path.read_text().strip()}
    assert os.listdir(tmp_path) == ["ticket.key"]


@pytest.mark.parametrize("text", ["", "short", "k" * 31])
def test_a_short_key_in_the_environment_is_refused(tmp_path, text):
    """A key below 32 bytes is one clear sentence, without the key in it."""
    with pytest.raises(ConfigurationError, match="at least 32 bytes") as raised:
        load_ticket_key(tmp_path / "ticket.key", {"THYWILL_TICKET_KEY": text})
    assert "THYWILL_TICKET_KEY" in str(raised.value)
    assert not text or text not in str(raised.value)


def test_a_short_key_in_the_file_is_refused(tmp_path):
    """The sentence names the file."""
    path = tmp_path / "ticket.key"
    path.write_text("short\n")
    path.chmod(0o600)
    with pytest.raises(ConfigurationError, match=r"ticket\.key: expected a key of at least 32"):
        load_ticket_key(path, {})


def test_a_file_that_cannot_be_made_is_one_sentence(tmp_path):
    """A folder that is a file gives the path and the reason."""
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="cannot be read or made"):
        load_ticket_key(tmp_path / "file" / "ticket.key", {})


def test_a_file_that_others_can_read_is_named_in_the_log(tmp_path, caplog):
    """Loose permissions are a warning: some platforms mount secrets that way."""
    path = tmp_path / "ticket.key"
    path.write_text(LONG_ENOUGH)
    path.chmod(0o644)
    with caplog.at_level(logging.WARNING):
        load_ticket_key(path, {})
    assert "chmod 600" in caplog.text
    assert LONG_ENOUGH not in caplog.text


def test_the_default_file_follows_the_home_variable(tmp_path):
    """THYWILL_HOME moves the runtime files, and with them the key."""
    assert default_key_file(tmp_path, {}) == tmp_path / ".thywill" / "ticket.key"
    assert default_key_file(tmp_path, {"THYWILL_HOME": "/srv/x"}) == Path("/srv/x/ticket.key")
