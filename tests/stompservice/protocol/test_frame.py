"""Frames as bytes."""

import pytest

from stompservice.protocol import EncodeError, Frame, encode, encode_headers


def test_encode():
    """A frame ends in NUL and one LF, and announces the length of its body."""
    assert (
        encode(Frame("SEND", {"destination": "/a"}, b"hello"))
        == b"SEND\ndestination:/a\ncontent-length:5\n\nhello\0\n"
    )


def test_no_length_without_a_body():
    """Frames without a body get no content-length."""
    assert encode(Frame("BEGIN", {"transaction": "t"})) == b"BEGIN\ntransaction:t\n\n\0\n"


def test_given_length_stays():
    """A right content-length stays where it is; a wrong one is the caller's mistake."""
    frame = Frame("SEND", {"content-length": "2", "destination": "/a"}, b"hi")
    assert encode(frame) == b"SEND\ncontent-length:2\ndestination:/a\n\nhi\0\n"
    frame.body = b"hello"
    with pytest.raises(EncodeError, match="content-length is '2', but the body has 5 bytes"):
        encode(frame)


@pytest.mark.parametrize(
    ("version", "line"),
    [("1.1", b"a\\cb:x\\ny\\\\z\\c\r\n"), ("1.2", b"a\\cb:x\\ny\\\\z\\c\\r\n")],
)
def test_escapes(version, line):
    """Header names and values are escaped as the version asks."""
    assert encode_headers({"a:b": "x\ny\\z:\r"}, version) == line


def test_1_0_escapes_nothing():
    """1.0 writes a value as it is, colons and all."""
    assert encode_headers({"a": "x:\\y"}, "1.0") == b"a:x:\\y\n"


@pytest.mark.parametrize("command", ["CONNECT", "STOMP", "CONNECTED"])
def test_connect_is_never_escaped(command):
    """Whoever reads a CONNECT does not know the version yet."""
    assert b"passcode:a\\b:c\n" in encode(Frame(command, {"passcode": "a\\b:c"}), "1.2")


@pytest.mark.parametrize(
    ("headers", "version"),
    [
        ({"a": "x\ny"}, "1.0"),
        ({"a:b": "x"}, "1.0"),
        ({"a": "x\0y"}, "1.0"),
        ({"a": "x\0y"}, "1.1"),
        ({"a": "x\0y"}, "1.2"),
        ({"a\0": "x"}, "1.2"),
        ({"": "x"}, "1.2"),
        ({" ": "x"}, "1.2"),
        ({"a": "\ud800"}, "1.2"),
    ],
)
def test_headers_that_cannot_be_written(headers, version):
    """What would break the frame is refused, with the header in the sentence."""
    with pytest.raises(EncodeError, match="header"):
        encode(Frame("SEND", headers), version)


@pytest.mark.parametrize("value", ["x\ny", "x\ry", "x\0y"])
def test_connect_cannot_smuggle_headers(value):
    """A passcode with a line end is refused, in every version."""
    for version in ("1.0", "1.1", "1.2"):
        with pytest.raises(EncodeError):
            encode(Frame("CONNECT", {"passcode": value}), version)


def test_lossy_headers_are_always_written():
    """A broker may prefer a blank to no message at all."""
    headers = {"a:b": "x\ny\0z", "\n": "c:d"}
    assert encode_headers(headers, "1.0", lossy=True) == b"a_b:x y z\n_:c:d\n"
    assert encode_headers(headers, "1.2", lossy=True) == b"a\\cb:x\\ny z\n\\n:c\\cd\n"
    assert encode_headers({" ": "x"}, "1.2", lossy=True) == b"_:x\n"


def test_pairs_may_repeat():
    """Headers may be given as pairs, in their order."""
    assert encode_headers([("a", "1"), ("a", "2")], "1.2") == b"a:1\na:2\n"


@pytest.mark.parametrize("command", ["send", "", "SEND\n", "SEN D", "A" * 33])
def test_commands_that_cannot_be_written(command):
    """A command is a word of capital letters."""
    with pytest.raises(EncodeError, match="capital letters"):
        encode(Frame(command))


def test_body_where_none_is_allowed():
    """From 1.1 on only SEND, MESSAGE and ERROR have a body; CONNECT never has."""
    with pytest.raises(EncodeError, match=r"SUBSCRIBE has no body in STOMP 1\.2"):
        encode(Frame("SUBSCRIBE", {"id": "1"}, b"x"))
    assert encode(Frame("SUBSCRIBE", {"id": "1"}, b"x"), "1.0").endswith(b"\n\nx\0\n")
    with pytest.raises(EncodeError):
        encode(Frame("CONNECT", {}, b"x"), "1.0")


def test_text():
    """The body as text keeps what is not UTF-8."""
    assert Frame("MESSAGE", {}, "héllo ".encode() + b"\xff").text == "héllo \udcff"


def test_logs_show_no_secrets():
    """A frame in a log is one short line, without passcode and body."""
    frame = Frame(
        "CONNECT", {"login": "me", "passcode": "hidden", **dict.fromkeys("abcdefgh", "x")}
    )
    frame.body = b"secret"
    for shown in (str(frame), repr(frame)):
        assert "hidden" not in shown
        assert "secret" not in shown
        assert "CONNECT login:'me' passcode:'***'" in shown
        assert shown.rstrip(">").endswith("... (6 bytes)")
