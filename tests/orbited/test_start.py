"""The ``orbited`` command, as a person runs it."""

import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from orbited import __version__, json
from orbited.start import main
from tests.support.comet import Browser

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
        (["--check", "-c", "tls.cfg"], "https:// needs"),
        (["--check", "-c", "static.cfg"], "[static] x: there is no file or folder '/no/such'"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(arguments, sentence, tmp_path, monkeypatch, capsys):
    """On standard error, with status 1."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.cfg").write_text("[listen]\nstomp://61613\n")
    (tmp_path / "empty.cfg").write_text("")
    (tmp_path / "morbid.cfg").write_text("[listen]\nstomp://:61613 nothing.cfg\n")
    (tmp_path / "static.cfg").write_text("[listen]\nhttp://:80\n[static]\nx = /no/such\n")
    (tmp_path / "tls.cfg").write_text("[listen]\nhttps://:443\n")
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
    assert capsys.readouterr().out == "orbited.cfg: nothing wrong with it\n"


def run(tmp_path: Path, config: str, *arguments: str) -> "subprocess.Popen[str]":
    """Start the command in a process of its own."""
    (tmp_path / "orbited.cfg").write_text(config)
    return subprocess.Popen(
        [sys.executable, "-m", "orbited", *arguments],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.mark.functional
def test_it_listens_serves_and_stops(tmp_path):
    """Every scheme of [listen]; bytes go through to the echo; SIGTERM ends it with status 0."""
    config = (
        "[listen]\nhttp://127.0.0.1:0\necho://127.0.0.1:0\nlineecho://127.0.0.1:0\n"
        "rude://127.0.0.1:0\nannounce://127.0.0.1:0\nstomp://127.0.0.1:0\n"
        "[access]\n* -> 127.0.0.1:1\n[http]\naccess_log = 1\n"
    )
    with run(tmp_path, config) as process:
        lines = []
        ports = {}
        while len(ports) < 6:
            line = process.stdout.readline()
            assert line, lines
            lines.append(line)
            if match := re.search(r"listening on (\w+)://127\.0\.0\.1:(\d+)$", line):
                ports[match[1]] = int(match[2])
        assert re.match(r"\d\d/\d\d/\d\d \d\d:\d\d:\d\d:\d{3} INFO   orbited\.\w+\tlist", lines[0])
        with socket.create_connection(("127.0.0.1", ports["lineecho"]), 10) as connection:
            connection.sendall(b"a\nb")
            assert connection.recv(100) == b"a\n"
        browser = Browser(ports["http"])
        browser.create()
        browser.poll()
        process.terminate()
        output = process.stdout.read()
        assert process.wait(10) == 0
    assert browser.key not in output
    assert "GET /tcp/.../longpoll 200" in output


@pytest.mark.functional
def test_a_port_in_use_is_said_in_one_sentence(tmp_path):
    """Which address, and why."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with run(tmp_path, f"[listen]\nhttp://127.0.0.1:{port}\n") as process:
            output = process.stdout.read()
            assert process.wait(10) == 1
    assert f"orbited: cannot listen on http://127.0.0.1:{port}: " in output
    assert "Traceback" not in output


def test_json_has_its_two_names():
    """``orbited.json`` writes and reads."""
    assert json.decode(json.encode({"a": ["é", None]})) == {"a": ["é", None]}
    assert json.encode("é").isascii()
