"""Reading ``orbited.cfg`` and mappings of the same words."""

import dataclasses

import pytest

from orbited.config import (
    SECTIONS,
    find,
    find_mistakes,
    from_mapping,
    from_text,
    load,
)
from orbited.errors import ConfigurationError
from orbited.protocol.access import AccessRule
from orbited.settings import Config, Listener

EVERYTHING = """
# a comment
[global]
reactor = epoll            # behind a value too
proxy.enabled = 1
session.ping_interval = 40
session.ping_timeout=30
user = nobody
group = nogroup

[listen]
http://:9000
https://127.0.0.1:443
stomp://[::1]:61613   morbid.cfg
echo://:9001

[ssl]
key = a.key
crt = a.crt

[access]
localhost:8000 -> irc.example.org:6667
* -> localhost
https://app.example -> [::1]:61613

[static]
graph = /var/graph
INDEX = index.html

[logging]
debug = STDERR,debug.log
enabled.default = info, error

[loggers]
orbited.proxy = debug,info

[test]
stompdispatcher.enabled = 1

[log]
whatever = is, not read

[session]
ping_timeout = 20
close_timeout = 1.5

[limits]
sessions = 10

[http]
trusted_proxies = 10.0.0.1, 10.0.0.2
"""


def test_every_section_is_read():
    """Keys as they have always been, and the new ones; later lines win, others add up."""
    config = from_text(EVERYTHING)
    assert config.global_.reactor == "epoll"
    assert (config.global_.user, config.global_.group) == ("nobody", "nogroup")
    assert config.global_.proxy_enabled is True
    assert (config.session.ping_interval, config.session.ping_timeout) == (40, 20)
    assert config.session.close_timeout == 1.5
    assert [listener[:4] for listener in config.listen] == [
        ("http", "", 9000, ""),
        ("https", "127.0.0.1", 443, ""),
        ("stomp", "::1", 61613, "morbid.cfg"),
        ("echo", "", 9001, ""),
    ]
    assert config.access == (
        AccessRule("localhost:8000", "irc.example.org", 6667),
        AccessRule("*", "localhost", 80),
        AccessRule("https://app.example", "::1", 61613),
    )
    assert dict(config.static) == {"graph": "/var/graph", "INDEX": "index.html"}
    assert config.logging.debug == ("STDERR", "debug.log")
    assert config.logging.enabled_default == ("info", "error")
    assert config.logging.info == ("SCREEN",)
    assert dict(config.loggers) == {"orbited.proxy": ("debug", "info")}
    assert config.test.stompdispatcher_enabled
    assert config.limits.sessions == 10
    assert config.http.trusted_proxies == ("10.0.0.1", "10.0.0.2")


def test_an_empty_file_is_all_defaults():
    """Nothing is needed to be written."""
    assert from_text("") == from_mapping({}) == Config()


def test_a_mapping_holds_the_same_words():
    """Values may have their types already; one line needs no list."""
    config = from_mapping(
        {
            "access": "* -> 127.0.0.1:61613",
            "listen": ["http://:8000"],
            "session": {"ping_interval": 5},
            "global": {"session.ping_timeout": "6", "proxy.enabled": False},
            "transports": {"heartbeat_seconds": 1},
            "static": {"a": "/b"},
        }
    )
    assert config.access == (AccessRule("*", "127.0.0.1", 61613),)
    assert config.listen == (Listener("http", "", 8000),)
    assert (config.session.ping_interval, config.session.ping_timeout) == (5, 6)
    assert config.global_.proxy_enabled is False
    assert config.transports.heartbeat_seconds == 1.0
    assert dict(config.static) == {"a": "/b"}


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("key = value", 1, "expected a [section] first, got 'key = value'"),
        ("\n[global]\nnonsense", 3, "[global]: expected key = value, got 'nonsense'"),
        ("[nothing]\na = b", 1, "[nothing]: there is no such section"),
        ("[global]\nreactr = epoll", 2, "[global] reactr: there is no such key"),
        ("[global]\nreactr = epoll", 2, "did you mean reactor?"),
        ("[global]\nsession.pingo = 1", 2, "[global] session.pingo: there is no such key"),
        ("[global]\nproxy.enable = 1", 2, "did you mean proxy.enabled?"),
        ("[global]\nzzz = 1", 2, "[global] has group, proxy.enabled, reactor, user"),
        ("[global]\nping_interval = 1", 2, "did you mean session.ping_interval?"),
        ("[limits]\nping_interval = 1", 2, "it belongs into [session]"),
        ("[sesion]\nping_interval = 1", 1, "did you mean [session]?"),
        ("[global]\nreactor = best", 2, "expected epoll, poll, select, kqueue or asyncio, got"),
        ("[ssl]\nminimum_version = 1.1", 2, "[ssl] minimum_version: expected 1.2 or 1.3, got"),
        ("[logging]\nenabled.default = info,warning", 2, "or error, got 'warning'"),
        ("[loggers]\norbited.proxy = loud", 2, "[loggers] orbited.proxy: expected levels"),
        ("[http]\ntrusted_proxies = proxy", 2, "expected addresses or networks as 10.0.0.1"),
        ("[system]\nallow = 10.0.0.1/8", 2, "got '10.0.0.1/8'"),
        ("[session]\nping_interval = 1" + "0" * 5000, 2, "expected a whole number"),
        ("[access]\nhttp://a:b -> c:1", 2, "[access]: expected an origin as https://a.example"),
        ("[session]\nping_interval = soon", 2, "expected a whole number, got 'soon'"),
        ("[session]\nping_interval = 0", 2, "expected 1 or more, got '0'"),
        ("[session]\nclose_timeout = inf", 2, "expected 0.1 or more, got 'inf'"),
        ("[session]\nclose_timeout = nan", 2, "expected 0.1 or more, got 'nan'"),
        ("[global]\nproxy.enabled = maybe", 2, "expected 1 or 0, got 'maybe'"),
        ("[listen]\nstomp://61613", 2, "[listen]: expected stomp://127.0.0.1:61613"),
        ("[listen]\ngopher://:70", 2, "[listen]: expected one of http://"),
        ("[listen]\nhttp://a:99999", 2, "[listen]: expected http://"),
        ("[listen]\nhttp://a:1/path", 2, "[listen]: expected http://"),
        ("[access]\n* > a:1", 2, "[access]: expected SOURCE -> HOST:PORT, got '* > a:1'"),
        ("[access]\n* -> *:1", 2, "[access]: the destination is a host, not *"),
        ("[access]\n* -> a:0", 2, "[access]: expected a port from 1 to 65535, got 0"),
        ("[access]\n* -> a:99999", 2, "[access]: expected a port from 1 to 65535"),
        ("[access]\n-> a:1", 2, "[access]: expected SOURCE -> HOST:PORT"),
        ("[access]\nhttp://a/b -> a:1", 2, "[access]: an origin has no path"),
    ],
)
def test_a_mistake_names_its_place(text, line, problem):
    """File, line, thing, value, expectation."""
    with pytest.raises(ConfigurationError) as caught:
        from_text(text, "orbited.cfg")
    assert caught.value.line == line
    assert str(caught.value).startswith(f"orbited.cfg:{line}: ")
    assert problem in str(caught.value)


def test_a_mistake_in_a_mapping_names_the_key():
    """There is no line to name."""
    with pytest.raises(ConfigurationError, match=r"^\[session\] ping_interval: expected"):
        from_mapping({"session": {"ping_interval": "x"}})
    with pytest.raises(ConfigurationError, match=r"^\[session\]: expected keys and values"):
        from_mapping({"session": 5})


def test_every_setting_has_a_default_and_a_sentence():
    """The reference is made from them."""
    for section, cls in SECTIONS.items():
        for field in dataclasses.fields(cls):
            assert field.metadata["help"], (section, field.name)
        assert cls() == cls()


def test_a_file_is_found_and_read(tmp_path, monkeypatch):
    """The working folder comes first."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "orbited.cfg").write_text("[session]\nping_interval = 9\n")
    assert find() == "orbited.cfg"
    assert load("orbited.cfg").session.ping_interval == 9


@pytest.mark.parametrize("content", [None, b"\xff"])
def test_a_file_that_cannot_be_read_is_named(tmp_path, content):
    """Missing, or not text."""
    path = tmp_path / "x.cfg"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"x\.cfg: "):
        load(str(path))


def test_all_mistakes_of_a_file_are_found(tmp_path):
    """Each with its line; an unknown section once, whatever it holds."""
    path = tmp_path / "orbited.cfg"
    path.write_text(
        "lost\nlost\n[listen]\nhttp://61613\nhttp://:1\n[nothing]\na = 1\nb = 2\n"
        "[session]\nping_interval = x\nping_timeout = 5\npong = 1\n"
    )
    assert [(error.line, error.path) for error in find_mistakes(str(path))] == [
        (line, str(path)) for line in (1, 4, 6, 10, 12)
    ]
    assert find_mistakes(str(tmp_path / "none.cfg"))[0].problem.startswith("cannot read it")


def test_origins_are_compared_as_browsers_write_them():
    """In small letters, and without the port that goes without saying."""
    config = from_text(
        "[access]\nHTTPS://App.Example:443 -> a:1\nhttp://a.example:81 -> a:1\nHost:80 -> a:1\n"
    )
    sources = [rule.source for rule in config.access]
    assert sources == ["https://app.example", "http://a.example:81", "Host:80"]


def test_a_mistake_that_is_found_later_gets_its_line_too():
    """By the section and key that its sentence begins with."""
    config = from_text("[listen]\nhttp://:1\n[static]\na.b = /x\n[ssl]\ncrt = y\n", "x.cfg")
    for problem, line in (
        ("[static] a.b: gone", 4),
        ("[ssl] crt: gone", 6),
        ("[ssl]: gone", 5),
        ("[ssl] key: gone", 5),
        ("elsewhere", None),
    ):
        placed = config.placed(ConfigurationError(problem))
        assert (placed.path, placed.line, placed.problem) == ("x.cfg", line, problem)
    assert Config().placed(ConfigurationError("[ssl]: gone")).path is None


def test_a_mark_of_windows_editors_is_no_content(tmp_path):
    """A byte order mark at the beginning."""
    path = tmp_path / "x.cfg"
    path.write_bytes(b"\xef\xbb\xbf[session]\r\nping_interval = 9\r\n")
    assert load(str(path)).session.ping_interval == 9
