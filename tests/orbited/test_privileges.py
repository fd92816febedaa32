"""Becoming somebody else: for real, where the tests run as root."""

import os
import pwd
import subprocess
import sys
from pathlib import Path

import pytest

from orbited.config import from_text
from orbited.errors import ConfigurationError
from orbited.privileges import change_to, configured_account, find_account
from tests.support.comet import Browser
from tests.support.orbited_process import ROOT, OrbitedProcess

NOBODY = pwd.getpwnam("nobody")


def status_of(pid: int) -> dict[str, list[str]]:
    """Uids, gids and groups of a process, as the kernel knows them."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: rest.split() for name, _, rest in (line.partition(":") for line in lines)}


IS_ROOT = os.getuid() == 0


@pytest.mark.functional
def test_root_becomes_the_configured_user(tmp_path):
    """Log files go along. Anybody but root stays who it is, and the log says so."""
    tmp_path.chmod(0o755)
    config = (
        "[global]\nuser = nobody\n[listen]\nhttp://127.0.0.1:0\n[http]\naccess_log = 1\n"
        "[logging]\naccess = access.log\n"
    )
    with OrbitedProcess(tmp_path, config) as server:
        said = "\trunning as nobody" if IS_ROOT else "only root can become 'nobody'"
        server.wait_for(lambda: said in server.log)
        account = NOBODY if IS_ROOT else pwd.getpwuid(os.getuid())
        if Path("/proc/self/status").exists():
            status = status_of(server.process.pid)
            assert status["Uid"] == [str(account.pw_uid)] * 4  # real, effective, saved, of files
            assert status["Gid"] == [str(account.pw_gid if IS_ROOT else os.getgid())] * 4
            groups = os.getgrouplist(account.pw_name, account.pw_gid)
            assert not IS_ROOT or set(status["Groups"]) <= set(map(str, groups))
        Browser(server.ports["http"][0]).create()
        file = tmp_path / "access.log"
        server.wait_for(lambda: "GET /tcp 200" in file.read_text())
        assert file.stat().st_uid == account.pw_uid


@pytest.mark.functional
def test_there_is_no_way_back():
    """Neither by user nor by group, and the groups of root are gone; or it was refused."""
    program = """
import os
from orbited.errors import ConfigurationError
from orbited.privileges import change_to, find_account
if os.getuid() == 0:
    os.setgroups([0, 4])
try:
    change_to(find_account("nobody"))
except ConfigurationError as error:
    raise SystemExit(str(error))
for attempt in (os.setuid, os.seteuid, os.setgid, os.setegid):
    try:
        attempt(0)
    except PermissionError:
        print("no", end=" ")
print(os.getuid(), 0 in os.getgroups(), 4 in os.getgroups())
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if IS_ROOT:
        assert done.stdout == f"no no no no {NOBODY.pw_uid} False False\n"
    else:
        assert "cannot become 'nobody'" in done.stderr


@pytest.mark.parametrize("name", ["setgid", "initgroups", "setuid"])
def test_what_does_not_work_ends_the_process(monkeypatch, name):
    """A container may take from root even that; going on as root is no answer."""
    called = []
    for each in ("setgid", "initgroups", "setuid"):
        monkeypatch.setattr(os, each, lambda *_, each=each: called.append(each))

    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, name, refuse)
    with pytest.raises(ConfigurationError, match="cannot become 'nobody': Operation not"):
        change_to(find_account("nobody"))
    assert called == ["setgid", "initgroups", "setuid"][: len(called)]


def test_a_change_that_does_not_last_ends_the_process(monkeypatch):
    """Nobody relies on a call that returned."""
    for each in ("setgid", "initgroups", "setuid"):
        monkeypatch.setattr(os, each, lambda *_: None)
    monkeypatch.setattr(os, "getuid", lambda: 0)
    with pytest.raises(ConfigurationError, match="did not last"):
        change_to(find_account("nobody"))


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        ("user = nosuch", "[global] user: there is no account 'nosuch' here"),
        ("user = nobody\ngroup = nosuch", "[global] group: there is no group 'nosuch' here"),
    ],
)
def test_an_account_that_is_not_there_is_named(monkeypatch, lines, problem):
    """Before anything is opened."""
    monkeypatch.setattr(os, "getuid", lambda: 0)
    with pytest.raises(ConfigurationError) as caught:
        configured_account(from_text(f"[global]\n{lines}\n[listen]\nhttp://127.0.0.1:0\n"))
    assert caught.value.problem == problem


@pytest.mark.parametrize("host", ["", "0.0.0.0", "::", "192.0.2.1", "www.example.com"])
def test_root_does_not_serve_others(monkeypatch, host):
    """0.7 refused every start as root without a user; on loopback a warning does."""
    monkeypatch.setattr(os, "getuid", lambda: 0)
    address = f"[{host}]" if ":" in host else host
    config = from_text(f"[listen]\nhttp://127.0.0.1:0\nhttp://{address}:8000\n")
    with pytest.raises(ConfigurationError, match=r"^\[global\] user: root does not serve http://"):
        configured_account(config)


def test_root_may_be_meant(monkeypatch, caplog):
    """By name; and on loopback without, with a warning."""
    monkeypatch.setattr(os, "getuid", lambda: 0)
    account = configured_account(from_text("[global]\nuser = root\n[listen]\nhttp://:80\n"))
    assert account is not None
    assert account.uid == 0
    config = from_text("[listen]\nhttp://127.0.0.1:0\nstomp://[::1]:0\nhttp://localhost:0\n")
    assert configured_account(config) is None
    assert "running as root" in caplog.text


def test_only_root_can_become_somebody_else(monkeypatch, caplog):
    """Anybody else stays, and says so."""
    monkeypatch.setattr(os, "getuid", lambda: 12345)
    assert configured_account(from_text("[global]\nuser = nobody\n[listen]\nhttp://:80\n")) is None
    assert "only root can become 'nobody'" in caplog.text
