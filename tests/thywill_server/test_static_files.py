"""Static files: what a file and a request's conditions give, and which names are files at all."""

from email.utils import formatdate

import pytest

from thywill_server.static_files import content_type_of, negotiate, safe_name

SIZE = 1000
MODIFIED_NS = 1_763_640_000_123_456_789
MODIFIED = formatdate(MODIFIED_NS // 10**9, usegmt=True)
TAG = f'"{MODIFIED_NS:x}-{SIZE:x}"'


def ask(method="GET", **headers):
    """Ask for a file of 1,000 bytes; header names with underscores."""
    asked = {name.replace("_", "-"): value for name, value in headers.items()}
    return negotiate(method, asked, SIZE, MODIFIED_NS)


def test_a_plain_question_gets_the_whole_file():
    """Without conditions the answer is 200, with length, tag and time."""
    answer = ask()
    assert (answer.status, answer.start, answer.length) == (200, 0, SIZE)
    assert answer.headers == {
        "etag": TAG,
        "last-modified": MODIFIED,
        "accept-ranges": "bytes",
        "content-length": "1000",
    }


def test_head_gets_the_same_headers_and_no_body():
    """HEAD is GET without the file; a range means nothing there."""
    answer = ask("HEAD", range="bytes=0-1")
    assert (answer.status, answer.headers, answer.length) == (200, ask().headers, 0)


@pytest.mark.parametrize(
    "headers",
    [
        {"if_none_match": TAG},
        {"if_none_match": f'"other", W/{TAG}'},
        {"if_none_match": "*"},
        {"if_modified_since": MODIFIED},
        {"if_modified_since": formatdate(MODIFIED_NS // 10**9 + 60, usegmt=True)},
        {"if_none_match": TAG, "if_modified_since": formatdate(0, usegmt=True)},
        {"if_none_match": TAG, "range": "bytes=0-1"},
    ],
)
def test_who_has_it_already_gets_no_body(headers):
    """A matching tag, or a date that is not before the file's, gives 304 with tag and time."""
    for method in ("GET", "HEAD"):
        answer = ask(method, **headers)
        assert (answer.status, answer.length) == (304, 0)
        assert answer.headers["etag"] == TAG
        assert "content-length" not in answer.headers


@pytest.mark.parametrize(
    "headers",
    [
        {"if_none_match": '"other"'},
        {"if_none_match": '"other"', "if_modified_since": MODIFIED},
        {"if_none_match": TAG.strip('"')},
        {"if_modified_since": formatdate(MODIFIED_NS // 10**9 - 1, usegmt=True)},
        {"if_modified_since": "yesterday"},
        {"if_modified_since": "Fri, 99 Nov 2026 12:00:00 GMT"},
        {"if_modified_since": f"Fri, 20 Nov {'9' * 40} 12:00:00 GMT"},
        {"if_modified_since": f"Fri, 20 Nov {'9' * 5000} 12:00:00 GMT"},
        {"if_modified_since": "Fri, 20 Nov 2026 12:00:00 +999999999999"},
        {"if_modified_since": "Fri, 01 Jan 0001 00:00:00 +2359"},
    ],
)
def test_who_has_another_gets_the_file(headers):
    """A tag that differs, an older date or nonsense gives the file; a tag outweighs a date."""
    assert ask(**headers).status == 200


@pytest.mark.parametrize(
    ("asked", "start", "length"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=0-", 0, 1000),
        ("bytes=990-", 990, 10),
        ("bytes=10-19", 10, 10),
        ("bytes=990-5000", 990, 10),
        ("bytes=-10", 990, 10),
        ("bytes=-5000", 0, 1000),
    ],
)
def test_a_range_gets_its_part(asked, start, length):
    """One range of bytes gives 206 and that part."""
    answer = ask(range=asked)
    assert (answer.status, answer.start, answer.length) == (206, start, length)
    assert answer.headers["content-length"] == str(length)
    assert answer.headers["content-range"] == f"bytes {start}-{start + length - 1}/1000"


@pytest.mark.parametrize("asked", ["bytes=1000-", "bytes=5000-6000", "bytes=-0"])
def test_a_range_outside_is_not_satisfiable(asked):
    """A range beyond the end gives 416 with the size."""
    answer = ask(range=asked)
    assert (answer.status, answer.length) == (416, 0)
    assert answer.headers["content-range"] == "bytes */1000"


@pytest.mark.parametrize(
    "asked",
    [
        *("bytes=-", "bytes=2-1", "bytes=0-1,5-6", "lines=0-1", "bytes=x-", "bytes=٣-", ""),
        f"bytes=0-{'9' * 5000}",
    ],
)
def test_a_range_that_is_none_of_that_is_ignored(asked):
    """Several ranges, another unit or nonsense give the whole file."""
    assert (ask(range=asked).status, ask(range=asked).length) == (200, SIZE)


@pytest.mark.parametrize(
    ("condition", "status"),
    [
        (TAG, 206),
        (MODIFIED, 206),
        ('"other"', 200),
        (f"W/{TAG}", 200),
        (formatdate(0, usegmt=True), 200),
        ("nonsense", 200),
    ],
)
def test_a_range_of_another_version_gets_the_whole_file(condition, status):
    """If-Range gives the part only when it names exactly this version."""
    assert ask(range="bytes=0-1", if_range=condition).status == status


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("thywill.js", "text/javascript; charset=utf-8"),
        ("module.MJS", "text/javascript; charset=utf-8"),
        ("a.css", "text/css; charset=utf-8"),
        ("a.svg", "image/svg+xml"),
        ("a.png", "image/png"),
        ("a.json", "application/json"),
        ("a.woff2", "font/woff2"),
        ("a.js.gz", "application/octet-stream"),
        ("README", "application/octet-stream"),
    ],
)
def test_types_are_the_ones_browsers_need(name, expected):
    """The type goes by the name, the same on every machine."""
    assert content_type_of(name) == expected


@pytest.mark.parametrize(
    ("quoted", "name"),
    [
        (b"thywill/thywill.js", "thywill/thywill.js"),
        (b"a%20b.js", "a b.js"),
        ("grün.css".encode(), "grün.css"),
        (b"..hidden", "..hidden"),
    ],
)
def test_names_are_unquoted(quoted, name):
    """Percent signs and UTF-8 become the name of the file."""
    assert safe_name(quoted) == name


@pytest.mark.parametrize(
    "quoted",
    [
        b"",
        b"/",
        b"folder/",
        b"/etc/passwd",
        b"../settings.py",
        b"a/../../settings.py",
        b"%2e%2e/settings.py",
        b"..%2fsettings.py",
        b"a//b.js",
        b"./a.js",
        b"a%00.js",
        b"..%5csettings.py",
        b"a\\b.js",
        b"%ff.js",
    ],
)
def test_what_leads_elsewhere_is_no_name(quoted):
    """Nothing outside, no folder, and no name with two readings."""
    assert safe_name(quoted) is None
