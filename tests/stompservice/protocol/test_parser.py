"""The parser: frames, refusals, limits, and what it costs."""

import pytest

from stompservice.protocol import Frame, FrameError, FrameLimitError, FrameParser, Limits, encode

SMALL = Limits(max_headers=3, max_header_line_bytes=20, max_head_bytes=50, max_body_bytes=10)


def refused(events: list) -> tuple[str, str]:
    """The class and sentence of the one error that these events are."""
    ((kind, sentence, _, _),) = events
    return kind, sentence


# Framing


def test_frame(parse):
    """A frame is a command, headers in wire order, and a body up to NUL."""
    assert parse(b"SEND\ndestination:/a\nb:1\n\nhello\0") == [
        Frame("SEND", {"destination": "/a", "b": "1"}, b"hello")
    ]


@pytest.mark.parametrize("version", ["1.0", "1.1", "1.2"])
def test_line_feeds_between_frames(parse, version):
    """Heart-beats and the LF after NUL yield nothing."""
    data = b"\n\nSEND\na:b\n\n1\0\n\n\n\nSEND\na:b\n\n2\0"
    assert [frame.body for frame in parse(data, version)] == [b"1", b"2"]


def test_carriage_returns_in_1_2(parse):
    """1.2 and a CONNECT before negotiation may end lines in CRLF."""
    assert parse(b"\r\nSEND\r\na:b\r\nc:d\r\n\r\nx\r\n\0\r\n") == [
        Frame("SEND", {"a": "b", "c": "d"}, b"x\r\n")
    ]


def test_mixed_line_ends_in_1_2(parse):
    """Each line of a 1.2 frame may choose its own line end."""
    assert parse(b"SEND\na:b\r\n\nx\0SEND\r\na:b\n\r\ny\0") == [
        Frame("SEND", {"a": "b"}, b"x"),
        Frame("SEND", {"a": "b"}, b"y"),
    ]


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_carriage_returns_before_1_2(parse, version):
    """1.0 and 1.1 know LF only."""
    kind, sentence = refused(parse(b"SEND\r\na:b\r\n\r\n\0", version))
    assert kind == "FrameError"
    assert r"not b'SEND\r'" in sentence


def test_body_with_content_length(parse):
    """With content-length a body may hold NUL and looks like nothing else."""
    assert parse(b"SEND\ncontent-length:7\n\na\0\n\0SEN\0\n") == [
        Frame("SEND", {"content-length": "7"}, b"a\0\n\0SEN")
    ]


def test_empty_body_with_content_length(parse):
    """content-length:0 is an empty body, also where none is allowed."""
    assert parse(b"BEGIN\ntransaction:t\ncontent-length:0\n\n\0") == [
        Frame("BEGIN", {"transaction": "t", "content-length": "0"})
    ]


def test_header_text_is_utf_8_and_loses_nothing(parse):
    """Headers are UTF-8; other bytes survive as lone surrogates."""
    (frame,) = parse("SEND\nkey:héllo ".encode() + b"\xff\n\n\0")
    assert frame.headers["key"] == "héllo \udcff"
    assert b"key:h\xc3\xa9llo \xff\n" in encode(frame)


def test_unknown_command_is_a_frame(parse):
    """What a command means is not the parser's business."""
    assert parse(b"BOGUS\n\n\0") == [Frame("BOGUS")]


# Versions


def test_escapes(parse):
    r"""1.2 knows \r, \n, \c and \\; 1.1 all but \r; 1.0 none."""
    line = rb"a\cb:x\ny\\z"
    assert parse(b"SEND\n" + line + b"\n\n\0", "1.2")[0].headers == {"a:b": "x\ny\\z"}
    assert parse(b"SEND\n" + line + b"\n\n\0", "1.1")[0].headers == {"a:b": "x\ny\\z"}
    assert parse(b"SEND\n" + line + b"\n\n\0", "1.0")[0].headers == {r"a\cb": r"x\ny\\z"}
    assert parse(b"SEND\na:\\r\n\n\0", "1.2")[0].headers == {"a": "\r"}


@pytest.mark.parametrize(
    ("version", "escape"), [("1.1", r"\r"), ("1.1", r"\t"), ("1.2", r"\t"), ("1.2", "x\\")]
)
def test_undefined_escape(parse, version, escape):
    """An escape that the version does not define is an error."""
    kind, sentence = refused(parse(f"SEND\na:{escape}\n\n\0".encode(), version))
    assert kind == "FrameError"
    assert sentence.startswith(f"undefined escape in STOMP {version}")


@pytest.mark.parametrize("command", ["CONNECT", "STOMP", "CONNECTED"])
def test_connect_is_not_escaped(parse, command):
    """CONNECT and CONNECTED hold backslashes as they are."""
    announced = b"version:1.2" if command == "CONNECTED" else b"accept-version:1.2"
    data = command.encode() + b"\n" + announced + b"\npasscode:a\\tb\\\\\n\n\0"
    assert parse(data)[0].headers["passcode"] == r"a\tb\\"


def test_repeated_header(parse):
    """The first counts from 1.1 on; in 1.0 the last, as it always has."""
    data = b"SEND\nk:1\nk:2\n\n\0"
    assert parse(data, "1.2")[0].headers == {"k": "1"}
    assert parse(data, "1.1")[0].headers == {"k": "1"}
    assert parse(data, "1.0")[0].headers == {"k": "2"}


def test_blanks_around_headers(parse):
    """1.0 drops blanks around names and values; later versions keep them."""
    data = b"SEND\ndestination : /x \n\n\0"
    assert parse(data, "1.0")[0].headers == {"destination": "/x"}
    assert parse(data, "1.2")[0].headers == {"destination ": " /x "}


def test_connect_without_version_is_read_as_1_0(parse):
    """Nobody but a 1.0 client leaves out accept-version, so its habits are allowed."""
    (frame,) = parse(b"CONNECT\nlogin: guest\nlogin: guest2\n\n \0", "1.2")
    assert frame == Frame("CONNECT", {"login": "guest2"}, b" ")


def test_connected_without_version_is_read_as_1_0(parse):
    """The same for what a 1.0 broker answers."""
    assert parse(b"CONNECTED\nsession: 1\n\n\0\n", "1.2")[0].headers == {"session": "1"}


def test_version_may_change_between_two_frames():
    """Frames that came in one packet are read by what was agreed in the first."""
    parser = FrameParser()
    parser.receive_data(b"CONNECT\n\n\0SEND\ndestination: /x\nk:a\\tb\n\n\0")
    events = parser.events_received()
    assert next(events) == Frame("CONNECT")
    parser.version = "1.0"
    assert next(events) == Frame("SEND", {"destination": "/x", "k": r"a\tb"})


def test_limits_may_change_between_two_frames():
    """Who has logged in may send larger frames."""
    parser = FrameParser(SMALL)
    parser.receive_data(b"CONNECT\n\n\0SEND\na:b\n\n0123456789x\0")
    events = parser.events_received()
    assert next(events) == Frame("CONNECT")
    parser.limits = Limits()
    assert next(events) == Frame("SEND", {"a": "b"}, b"0123456789x")


def test_is_within_frame():
    """True from the first byte of a frame to its NUL, heart-beats not counted."""
    parser, states = FrameParser(), []
    for byte in b"\n\nSEND\na:b\n\nx\0\n":
        parser.receive_data(bytes([byte]))
        list(parser.events_received())
        states.append(parser.is_within_frame)
    assert states == [False] * 2 + [True] * 11 + [False] * 2
    parser.receive_data(b"garbage")
    assert isinstance(next(parser.events_received()), FrameError)
    assert not parser.is_within_frame


@pytest.mark.parametrize(("version", "receipt"), [("1.0", "b\\cc"), ("1.1", "a:b"), ("1.2", "a:b")])
def test_receipt_of_a_frame_that_is_none(parse, version, receipt):
    """An error knows the receipt that the frame asked for, by the rules of the version."""
    data = b"SEND\nreceipt:a\\cb\nreceipt: b\\cc\nno colon\n\n\0"
    ((kind, _, *known),) = parse(data, version)
    assert (kind, known) == ("FrameError", ["SEND", receipt])


def test_receipt_that_cannot_be_read(parse):
    """A receipt with an undefined escape is none."""
    ((kind, _, *known),) = parse(b"SEND\nreceipt:\\x\n\n\0")
    assert (kind, known) == ("FrameError", ["SEND", None])


def test_headers_are_not_shared():
    """Two frames with equal heads have headers of their own."""
    parser = FrameParser()
    parser.receive_data(b"SEND\na:b\n\n\0" * 2)
    first, second = parser.events_received()
    first.headers["a"] = "changed"
    assert second.headers == {"a": "b"}


def test_headers_are_shared_where_that_is_wished():
    """Equal heads of SEND are one object then, which nobody can change."""
    parser = FrameParser(shares_headers=True)
    parser.receive_data(b"SEND\na:b\n\n\0" * 2)
    first, second = parser.events_received()
    assert first.headers == {"a": "b"}
    assert first.headers is second.headers
    for change in (lambda h: h.update(a="c"), lambda h: h.pop("a"), lambda h: h.clear()):
        with pytest.raises(TypeError, match="change a copy"):
            change(first.headers)


def test_close():
    """A parser that was closed, even between two frames, keeps and reads nothing."""
    parser = FrameParser()
    parser.receive_data(b"SEND\na:1\n\n\0SEND\na:2\n\n\0")
    events = parser.events_received()
    assert next(events) == Frame("SEND", {"a": "1"})
    parser.close()
    assert list(events) == []
    parser.receive_data(b"SEND\na:3\n\n\0")
    assert list(parser.events_received()) == []
    assert parser.bytes_buffered == 0


# Malformed


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        (b"garbage\n\n\0", rb"b'g'"),
        (b"connect\nlogin:a\n\n\0", rb"b'c'"),
        (b"GET / HTTP/1.1\r\n", rb"b'GET '"),
        (b"\0\1\2garbage\n\n\0", rb"b'\x00'"),
        (b"SEND1\n", rb"b'SEND1'"),
        (b"SEND\rX\n", rb"b'SEND\r'"),
        (b"\x16\x03\x01", rb"b'\x16'"),
        ("SÉND\n".encode(), rb"b'S\xc3'"),
        (b"A" * 33, b"b'" + b"A" * 33 + b"'"),
    ],
)
def test_no_command(parse, data, shown):
    """Whatever does not begin with a command is refused at the first wrong byte."""
    assert refused(parse(data)) == (
        "FrameError",
        f"a frame begins with a command in capital letters, not {shown.decode()}",
    )


def test_header_without_colon(parse):
    """A header line without a colon is refused as soon as it is complete."""
    assert refused(parse(b"SEND\ndestination\n")) == (
        "FrameError",
        "header line has no colon: 'destination'",
    )


@pytest.mark.parametrize("line", [b":x", b" :x", b"\t:x"])
@pytest.mark.parametrize("version", ["1.0", "1.1", "1.2"])
def test_header_without_name(parse, line, version):
    """A header line without a name is refused."""
    kind, sentence = refused(parse(b"SEND\n" + line + b"\n\n\0", version))
    assert (kind, sentence[:24]) == ("FrameError", "header line has no name:")


def test_nul_among_the_headers(parse):
    """A NUL before the blank line is refused, and not waited past."""
    sentence = "NUL before the blank line that ends the headers"
    assert refused(parse(b"SEND\na:b\n\0")) == ("FrameError", sentence)
    assert refused(parse(b"SEND\na:b\0")) == ("FrameError", sentence)
    assert refused(parse(b"SEND\na:\0b\n\n\0")) == ("FrameError", sentence)


@pytest.mark.parametrize(
    "length", ["-1", "+1", "1.0", "1e3", "0x1", "", " 1", "1_0", "٣", "9" * 19, "x"]
)
def test_content_length_that_is_no_number(parse, length):
    """content-length is decimal digits, and nothing else."""
    kind, sentence = refused(parse(f"SEND\ncontent-length:{length}\n\n".encode()))
    assert (kind, sentence[:37]) == ("FrameError", "content-length is not a decimal numbe")


def test_content_length_shorter_than_the_body(parse):
    """After the announced bytes there must be a NUL; the error knows the receipt."""
    assert parse(b"SEND\nreceipt:r1\ncontent-length:2\n\nhello\0") == [
        ("FrameError", "no NUL after the 2 bytes that content-length announces", "SEND", "r1")
    ]


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_body_where_none_is_allowed(parse, version):
    """Only SEND, MESSAGE and ERROR have a body, 1.0 apart."""
    expected = ("FrameError", f"SUBSCRIBE has no body in STOMP {version}")
    assert refused(parse(b"SUBSCRIBE\nid:1\n\nx\0", version)) == expected
    assert refused(parse(b"SUBSCRIBE\ncontent-length:1\n\nx\0", version)) == expected
    assert parse(b"SUBSCRIBE\nid:1\n\nx\0", "1.0") == [Frame("SUBSCRIBE", {"id": "1"}, b"x")]


def test_an_error_is_the_last_event(parse):
    """Frames before an error come out, nothing comes after it, nothing is kept."""
    parser = FrameParser()
    parser.receive_data(b"SEND\na:b\n\n\0x")
    first, error = parser.events_received()
    assert first == Frame("SEND", {"a": "b"})
    assert isinstance(error, FrameError)
    parser.receive_data(b"SEND\na:b\n\n\0")
    assert list(parser.events_received()) == []
    assert parser.bytes_buffered == 0


# Limits


def test_too_many_headers(parse):
    """More header lines than max_headers are refused."""
    assert len(parse(b"SEND\na:1\nb:2\nc:3\n\n\0", limits=SMALL)) == 1
    assert refused(parse(b"SEND\na:1\nb:2\nc:3\nd:4\n", limits=SMALL)) == (
        "FrameLimitError",
        "more than 3 headers",
    )


def test_header_line_too_long(parse):
    """A header line is refused when it grows beyond its limit, not when it ends."""
    assert len(parse(b"SEND\na:" + b"x" * 18 + b"\n\n\0", limits=SMALL)) == 1
    assert refused(parse(b"SEND\na:" + b"x" * 19, limits=SMALL)) == (
        "FrameLimitError",
        "header line longer than 20 bytes",
    )


def test_head_too_long(parse):
    """All lines together are bounded too."""
    line = b"a:" + b"x" * 16 + b"\n"
    assert refused(parse(b"SEND\n" + line * 3, limits=SMALL)) == (
        "FrameLimitError",
        "head longer than 50 bytes",
    )


def test_announced_body_too_long(parse):
    """A content-length beyond the limit is refused before any of the body is kept."""
    assert len(parse(b"SEND\ncontent-length:10\n\n0123456789\0", limits=SMALL)) == 1
    assert refused(parse(b"SEND\ncontent-length:11\n\n", limits=SMALL)) == (
        "FrameLimitError",
        "body longer than 10 bytes",
    )


def test_endless_body(parse):
    """Without content-length a body is refused as soon as it is too long."""
    assert len(parse(b"SEND\na:b\n\n0123456789\0", limits=SMALL)) == 1
    assert refused(parse(b"SEND\na:b\n\n0123456789x", limits=SMALL)) == (
        "FrameLimitError",
        "body longer than 10 bytes",
    )


def test_limit_errors_are_frame_errors():
    """Who asks for FrameError gets both."""
    assert issubclass(FrameLimitError, FrameError)


@pytest.mark.parametrize(
    "endless", [b"A", b"SEND\na:", b"SEND\na:b\n\n", b"SEND\ncontent-length:11\n\n"]
)
def test_memory_is_bounded(endless):
    """However much comes without end, not more than the limits is kept."""
    parser = FrameParser(SMALL)
    parser.receive_data(endless)
    most = 0
    for _ in range(1_000):
        list(parser.events_received())
        most = max(most, parser.bytes_buffered)
        parser.receive_data(b"x")
    assert most <= 20
