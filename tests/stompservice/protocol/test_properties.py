"""What holds for any frame, any cut of the input, any garbage."""

from itertools import accumulate, pairwise

from hypothesis import example, given
from hypothesis import strategies as st

from stompservice.protocol import VERSIONS, Frame, FrameError, FrameParser, Limits, encode
from stompservice.protocol.spec import BODY_COMMANDS, COMMANDS, VERSION_HEADERS

SMALL = Limits(max_headers=4, max_header_line_bytes=30, max_head_bytes=60, max_body_bytes=40)
BLANKS = " \t\r"

versions = st.sampled_from(VERSIONS)


def text_without(characters: str, min_size: int = 0) -> st.SearchStrategy[str]:
    """Text that UTF-8 can hold, without some characters."""
    alphabet = st.characters(exclude_categories=["Cs"], exclude_characters=characters)
    return st.text(alphabet, min_size=min_size, max_size=20)


@st.composite
def frames(draw: st.DrawFn) -> tuple[str, Frame]:
    """A version, and a frame that it can carry."""
    version = draw(versions)
    command = draw(st.sampled_from(sorted(COMMANDS)))
    announced_in = VERSION_HEADERS.get(command)
    if announced_in:  # without it the frame would be one of 1.0
        names, values = text_without("\0\n\r:", 1), text_without("\0\n\r")
    elif version == "1.0":
        names, values = text_without("\0\n:", 1), text_without("\0\n")
    else:
        names, values = text_without("\0", 1), text_without("\0")
    if version == "1.0":
        names, values = names.map(lambda s: s.strip(BLANKS)), values.map(lambda s: s.strip(BLANKS))
    names = names.filter(lambda name: name.strip(BLANKS) and name != "content-length")
    headers = draw(st.dictionaries(names, values, max_size=6))
    if announced_in:
        headers[announced_in] = version
    body = draw(st.binary(max_size=100)) if command in BODY_COMMANDS else b""
    return version, Frame(command, headers, body)


def read(data: bytes, cuts: list[int], version: str, limits: Limits) -> list[object]:
    """Every event, errors as their sentences; checks what is kept on the way."""
    parser = FrameParser(limits, version)
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    events: list[object] = []
    for start, end in pairwise(edges):
        parser.receive_data(data[start:end])
        for event in parser.events_received():
            events.append(str(event) if isinstance(event, FrameError) else event)
        assert parser.bytes_buffered <= limits.max_body_bytes + limits.max_head_bytes
    return events


def read_sends(data: bytes, cuts: list[int], version: str, limits: Limits) -> list[object]:
    """The same, with every SEND that can be taken the shortest way; its headers as a dict."""
    parser = FrameParser(limits, version, shares_headers=True)
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    events: list[object] = []
    for start, end in pairwise(edges):
        alone = parser.read_send(data[start:end])
        if alone is not None:
            events.append(Frame("SEND", dict(alone[0]), alone[1]))
            continue
        parser.receive_data(data[start:end])
        while True:
            while (taken := parser.take_send()) is not None:
                events.append(Frame("SEND", dict(taken[0]), taken[1]))
                events += [Frame("SEND", dict(taken[0]), body) for body in parser.take_run()]
            event = next(parser.events_received(), None)
            if event is None:
                break
            if isinstance(event, Frame):
                event = Frame(event.command, dict(event.headers), event.body)
            events.append(str(event) if isinstance(event, FrameError) else event)
        assert parser.bytes_buffered <= limits.max_body_bytes + limits.max_head_bytes
    return events


def stripped(frame: Frame) -> Frame:
    """Without the content-length that the encoder adds."""
    frame.headers.pop("content-length", None)
    return frame


@given(frames(), st.lists(st.integers(min_value=0), max_size=10))
def test_any_frame_survives(version_and_frame, cuts):
    """What is encoded in a version is parsed in it to the same frame, however it is cut."""
    version, frame = version_and_frame
    events = read(encode(frame, version) * 2, cuts, version, Limits())
    assert [stripped(event) for event in events] == [frame, frame]


def wire_like() -> st.SearchStrategy[bytes]:
    """Bytes that come close to frames."""
    words = (
        b"SEND CONNECT BEGIN : \\ \\c a:b x content-length:3 content-length:99 accept-version:1.2"
    )
    frames = [b"SEND\na:b\n\nx\0\n", b"SEND\ncontent-length:3\n\nabc\0", b"y" * 35]
    pieces = st.sampled_from([*words.split(), *frames, b" ", b"\n", b"\r", b"\r\n", b"\n\n", b"\0"])
    return st.lists(st.one_of(pieces, st.binary(max_size=3)), max_size=30).map(b"".join)


@given(wire_like(), st.lists(st.integers(min_value=0), max_size=20), versions)
@example(b"SEND\na\n" + b"y" * 40, [6], "1.2")
@example(b"SEND\na:b\r\n\r\n\0", [9, 10, 11], "1.2")
def test_any_cut_gives_the_same_events(data, cuts, version):
    """Events and errors, to the sentence, do not depend on how the bytes arrive."""
    whole = read(data, [], version, SMALL)
    assert read(data, cuts, version, SMALL) == whole
    assert read(data, list(range(len(data))), version, SMALL) == whole


WITHIN = b"\0SEND\ncontent-length:39\n\n"  # a body may hold what stands between two bodies


RUNNING = [
    b"SEND\ncontent-length:3\n\nabc\0",
    b"SEND\ncontent-length:3\n\nabc\0\n",
    b"SEND\ncontent-lenght:3\n\nabc\0",
    b"SEND\ncontent-length:39\n\n" + WITHIN.rjust(39, b"y") + b"\0",
    b"SEND\ncontent-length:39\n\n" + b"z" * 39 + b"\0",
]
"""What is taken in runs, and what is not though it is as long."""


def many_sends() -> st.SearchStrategy[bytes]:
    """SENDs of few kinds, some in a row, now and then with something else between."""
    sends = [
        b"SEND\na:b\n\nx\0\n",
        b"SEND\na:b\n\n\0",
        b"SEND\na:b\n\n" + b"y" * 41 + b"\0",
        b"SEND\ncontent-length:3\n\nabc\0",
        b"SEND\ncontent-length:3\n\na\0c\0\n",
        b"SEND\ncontent-length:39\n\n" + b"z" * 39 + b"\0",
        b"SEND\ncontent-length:39\n\n" + WITHIN.rjust(39, b"y") + b"\0",
        b"SEND\ncontent-length:39\n\n" + WITHIN.ljust(39, b"y") + b"\0",
        b"SEND\ncontent-length:3\n\nabcd\0",
        b"SEND\n\nz\0\n\n",
        b"SEND\na:b\n\n" + b"y" * 40 + b"\0\n",
        b"SEND\na:\\c\n\n\0",
        b"BEGIN\na:b\n\n\0",
        b"\n",
        b"S",
    ]
    # Runs begin with the third of a kind, and chance alone makes hardly any.
    kind = st.one_of(st.sampled_from(sends[:8]), st.sampled_from(RUNNING), st.sampled_from(sends))
    row = st.builds(bytes.__mul__, kind, st.integers(min_value=1, max_value=6))
    return st.lists(row, max_size=6).map(b"".join)


@given(st.lists(many_sends(), max_size=6), versions)
@example([b"SEND\na:b\n\nx\0\n", b"SEND\na:b\n\nx\0", b"\nSEND\na:b\n\nx\0"], "1.2")
@example([b"SEND\na:b\n\nx\0", b"SEND\na:b\n\n", b"SEND\na:b\n\nx\0"], "1.2")
@example([b"SEND\ncontent-length:3\n\nabc\0", b"SEND\ncontent-length:3\n\nab\0\n"], "1.2")
@example([b"SEND\ncontent-length:3\n\nabc\0", b"SEND\ncontent-length:3\n\nab\0\0\n"], "1.2")
def test_packets_of_one_send_each_are_read_no_other_way(packets, version):
    """What is read as just one SEND is just one, whatever came before it and stands in it."""
    data, ends = b"".join(packets), list(accumulate(map(len, packets)))
    events = read(data, list(range(len(data))), version, SMALL)
    assert read_sends(data, ends, version, SMALL) == events


@given(many_sends(), st.lists(st.integers(min_value=0), max_size=6), versions)
@example(RUNNING[0] * 4, [4 * len(RUNNING[0]) - 1], "1.2")
@example(RUNNING[0] * 2 + RUNNING[2] + RUNNING[0] * 2, [], "1.2")
def test_sends_that_begin_as_the_last_one_are_read_no_other_way(data, cuts, version):
    """What the shortest way takes, and what is left to others, are the events of all bytes."""
    events = read(data, list(range(len(data))), version, SMALL)
    assert read_sends(data, cuts, version, SMALL) == events


@given(st.one_of(st.binary(max_size=300), wire_like()), versions)
def test_garbage_is_an_error_or_waits(data, version):
    """Nothing raises; an error comes at most once and last; what waits is bounded."""
    events = read(data, [], version, SMALL)
    assert not any(isinstance(event, str) for event in events[:-1])


@given(st.binary(min_size=1, max_size=300).filter(lambda data: data[0] not in b"\r\n"), versions)
def test_garbage_that_does_not_begin_with_a_command_is_refused_at_once(data, version):
    """One byte that cannot begin a command is enough."""
    if not 65 <= data[0] <= 90:
        (sentence,) = read(data, [], version, SMALL)
        assert str(sentence).startswith("a frame begins with a command")
