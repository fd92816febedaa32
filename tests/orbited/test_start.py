"""The ``orbited`` command, as a person runs it."""

import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from orbited import __version__, json
from orbited.start import main
from tests.support.comet import Browser
from tests.support.orbited_process import OrbitedProcess

ROOT = Path(__file__).parent.parent.parent


def test_help_teaches(capsys):
    """Every option, a configuration, and what to try."""
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    assert caught.value.code == 0
    text = capsys.readouterr().out
    for word in ("--config", "--check", "--quickstart", "[access]", "stomp://"):
        assert word in text


def test_version(capsys):
    """In the words of old."""
    with pytest.raises(SystemExit) as caught:
        main(["-v"])
    assert caught.value.code == 0
    assert capsys.readouterr().out == f"Orbited version: {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["extra"], "unexpected argument 'extra'"),
        (["-c", "/no/such.cfg"], "/no/such.cfg: cannot read it"),
        (["--check", "-c", "bad.cfg"], "bad.cfg:2: [listen]: expected"),
        (["--check", "-c", "empty.cfg"], "[listen]: no address to listen on"),
        (["--check", "-c", "morbid.cfg"], "[listen] stomp://: there is no file 'nothing.cfg'"),
        (["--check", "-c", "tls.cfg"], "tls.cfg:4: [ssl] crt: https:// needs"),
        (["--check", "-c", "static.cfg"], "static.cfg:4: [static] x: there is no file or folder"),
        (["--check", "-c", "broker.cfg"], "broker.cfg:2: [listen] stomp://: "),
        (["--check", "-c", "user.cfg"], "user.cfg:2: [global] user: there is no account 'nosuch'"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(arguments, sentence, tmp_path, monkeypatch, capsys):
    """On standard error, with status 1."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.cfg").write_text("[listen]\nstomp://61613\n")
    (tmp_path / "empty.cfg").write_text("")
    (tmp_path / "morbid.cfg").write_text("[listen]\nstomp://:61613 nothing.cfg\n")
    (tmp_path / "static.cfg").write_text("[listen]\nhttp://:80\n[static]\nx = /no/such\n")
    (tmp_path / "tls.cfg").write_text("[listen]\nhttps://127.0.0.1:0\n\n[ssl]\nkey = tls.cfg\n")
    (tmp_path / "broker.cfg").write_text("[listen]\nstomp://:0 bad.cfg\n")
    (tmp_path / "user.cfg").write_text("[global]\nuser = nosuch\n[listen]\nhttp://:80\n")
    assert main(arguments) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("orbited: ")
    assert sentence in captured.err
    assert captured.err.count("\n") == 1


def test_no_file_at_all_is_explained(tmp_path, monkeypatch, capsys):
    """Where it was looked for, and what to do."""
    monkeypatch.chdir(tmp_path)
    assert main([]) == 1
    assert "try --quickstart" in capsys.readouterr().err


def test_the_file_of_this_repository_is_right(monkeypatch, capsys):
    """``orbited --check`` has nothing to say against it."""
    monkeypatch.chdir(ROOT)
    assert main(["--check"]) == 0
    assert capsys.readouterr().out == "orbited.cfg: fine\n"


@pytest.mark.functional
def test_it_listens_serves_and_stops(tmp_path):
    """Every scheme of [listen]; bytes go through; SIGTERM ends it with status 0."""
    schemes = ("http", "echo", "lineecho", "rude", "announce", "stomp")
    config = "".join(f"{scheme}://127.0.0.1:0\n" for scheme in schemes)
    with OrbitedProcess(
        tmp_path, f"[listen]\n{config}[http]\naccess_log = 1\n[limits]\ndrain_seconds = 1\n"
    ) as server:
        assert set(server.ports) == set(schemes)
        assert re.match(r"\d\d/\d\d/\d\d \d\d:\d\d:\d\d:\d{3} INFO   orbited\.", server.log)
        with socket.create_connection(("127.0.0.1", server.ports["lineecho"][0]), 10) as line:
            line.sendall(b"a\nb")
            assert line.recv(100) == b"a\n"
        browser = Browser(server.ports["http"][0])
        browser.create()
        browser.poll()
        server.wait_for(lambda: " ACCESS orbited.access\t127.0.0.1 GET /tcp/" in server.log)
        server.send(signal.SIGTERM)
        assert server.wait() == 0
        assert browser.key not in server.log
        assert "GET /tcp/.../longpoll 200" in server.log


@pytest.mark.functional
@pytest.mark.parametrize("name", ["", "epoll", "poll", "select", "asyncio"])
def test_the_reactor_is_the_configured_one(tmp_path, name):
    """It says which one runs; bytes go through each, and each ends in order."""
    config = f"[global]\nreactor = {name}\n[listen]\nhttp://127.0.0.1:0\necho://127.0.0.1:0\n"
    with OrbitedProcess(tmp_path, config) as server:
        known = name or ("Orbited" if sys.platform == "linux" else "")
        assert re.search(rf"Orbited \S+ on {known}", server.log, re.IGNORECASE)
        with socket.create_connection(("127.0.0.1", server.ports["echo"][0]), 10) as echo:
            echo.sendall(b"hello")
            assert echo.recv(100) == b"hello"
        server.send(signal.SIGTERM)
        assert server.wait() == 0


def test_a_reactor_that_is_not_for_this_machine_is_named(tmp_path, monkeypatch, capsys):
    """With the line of the file."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "twisted.internet.kqueuereactor", None)
    (tmp_path / "x.cfg").write_text("[global]\nreactor = kqueue\n[listen]\nhttp://127.0.0.1:0\n")
    assert main(["-c", "x.cfg"]) == 1
    assert "orbited: x.cfg:2: [global] reactor: kqueue does not run" in capsys.readouterr().err


@pytest.mark.functional
def test_an_address_of_ipv6_is_told_as_it_is_written(tmp_path):
    """In brackets, as a browser wants it; and it is served."""
    with OrbitedProcess(tmp_path, "[listen]\nhttp://[::1]:0\n") as server:
        (port,) = server.ports["http"]
        assert f"listening on http://[::1]:{port}\n" in server.log
        with urllib.request.urlopen(f"http://[::1]:{port}/tcp", timeout=60) as answer:
            assert len(answer.read()) == 32


@pytest.mark.functional
def test_a_port_in_use_is_said_in_one_sentence(tmp_path):
    """Which line, which address, and why."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        (tmp_path / "orbited.cfg").write_text(f"[listen]\nhttp://127.0.0.1:{port}\n")
        done = subprocess.run(
            [sys.executable, "-m", "orbited"],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 1
    address = f"http://127.0.0.1:{port}"
    assert done.stderr == (
        f"orbited: orbited.cfg:2: cannot listen on {address}: Address already in use\n"
    )


def test_json_has_its_two_names():
    """``orbited.json`` writes and reads."""
    assert json.decode(json.encode({"a": ["é", None]})) == {"a": ["é", None]}
    assert json.encode("é").isascii()


def test_check_says_every_mistake(tmp_path, monkeypatch, capsys):
    """One a line, with its place; first those of the lines, then those of what they name."""
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "x.cfg"
    file.write_text("[listen]\nhttp://\n[session]\nburst = 1\n[acess]\n")
    assert main(["--check", "-c", "x.cfg"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines() == [
        "orbited: x.cfg:2: [listen]: expected http://127.0.0.1:61613 or the like, got 'http://'",
        "orbited: x.cfg:4: [session] burst: there is no such key; did you mean burst_bytes?",
        "orbited: x.cfg:5: [acess]: there is no such section; did you mean [access]?",
    ]
    file.write_text("[listen]\nhttps://:1\nstomp://:2 none.cfg\n[global]\ngroup = nosuch\n")
    assert main(["--check", "-c", "x.cfg"]) == 1
    assert capsys.readouterr().err.splitlines() == [
        "orbited: x.cfg:5: [global] group: there is no group 'nosuch' here",
        "orbited: x.cfg: [ssl] key: https:// needs a PEM file here",
        "orbited: x.cfg:3: [listen] stomp://: there is no file 'none.cfg'",
    ]
    assert main(["--check", "--quickstart"]) == 0
    assert capsys.readouterr().out == "--quickstart: fine\n"
