"""Bytes that servers have read differently, and what this one reads.

Each case is a name, the bytes of a connection, and what comes of them: requests as
``(method, target, body)``, or the status of a refusal, which is always the last thing.
"""

from typing import NamedTuple

Outcome = tuple[bytes, bytes, bytes] | int

GET = b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n"
GOT = (b"GET", b"/a", b"")
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"


class Case(NamedTuple):
    name: str
    data: bytes
    outcomes: list[Outcome]


def head(line: bytes = b"POST /p HTTP/1.1", *headers: bytes) -> bytes:
    """A head of these lines."""
    return b"\r\n".join([line, *headers, b"", b""])


def post(*headers: bytes, body: bytes = b"") -> bytes:
    """A POST with these headers."""
    return head(b"POST /p HTTP/1.1", b"Host: x", *headers) + body


def chunked(body: bytes, *headers: bytes) -> bytes:
    """A POST whose body is in chunks."""
    return post(b"Transfer-Encoding: chunked", *headers, body=body)


def posted(body: bytes) -> Outcome:
    """What comes of a POST."""
    return (b"POST", b"/p", body)


TAKEN = [
    Case("one request", GET, [GOT]),
    Case("two in one piece", GET + GET, [GOT, GOT]),
    Case("an empty line before it", b"\r\n" + GET, [GOT]),
    Case("empty lines between two", GET + b"\r\n\r\n" + GET, [GOT, GOT]),
    Case("a body", post(b"Content-Length: 3", body=b"abc") + GET, [posted(b"abc"), GOT]),
    Case(
        "a body with a line end behind it",
        post(b"Content-Length: 1", body=b"a\r\n") + GET,
        [posted(b"a"), GOT],
    ),
    Case(
        "a length with zeros in front", post(b"Content-Length: 003", body=b"abc"), [posted(b"abc")]
    ),
    Case(
        "a body on GET",
        head(b"GET /a HTTP/1.1", b"Host: x", b"Content-Length: 2") + b"hi" + GET,
        [(b"GET", b"/a", b"hi"), GOT],
    ),
    Case(
        "a body that looks like a request",
        post(b"Content-Length: %d" % len(SMUGGLED), body=SMUGGLED) + GET,
        [posted(SMUGGLED), GOT],
    ),
    Case("POST without a length has no body", post() + GET, [posted(b""), GOT]),
    Case(
        "chunks",
        chunked(b"3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n") + GET,
        [posted(b"abc0123456789"), GOT],
    ),
    Case("no chunk at all", chunked(b"0\r\n\r\n") + GET, [posted(b""), GOT]),
    Case(
        "chunk extensions",
        chunked(b'1;a=b;c="d e"\r\nx\r\n0;last\r\n\r\n') + GET,
        [posted(b"x"), GOT],
    ),
    Case(
        "trailers",
        chunked(b"1\r\nx\r\n0\r\nDigest: y\r\nContent-Length: 9\r\n\r\n") + GET,
        [posted(b"x"), GOT],
    ),
    Case(
        "Chunked in capitals",
        post(b"Transfer-Encoding: CHUNKED", body=b"0\r\n\r\n") + GET,
        [posted(b""), GOT],
    ),
    Case("a header without a value", head(b"GET /a HTTP/1.1", b"Host:", b"X:"), [GOT]),
    Case("Latin-1 in a value", head(b"GET /a HTTP/1.1", b"Host: x", b"X: \xe9"), [GOT]),
    Case("HTTP/1.0 without a Host", head(b"GET /a HTTP/1.0"), [GOT]),
    Case(
        "a path with two slashes",
        head(b"GET //evil/a?b//c HTTP/1.1", b"Host: x"),
        [(b"GET", b"//evil/a?b//c", b"")],
    ),
]

REFUSED = [
    # Where a body ends must not depend on who reads it.
    Case(
        "CL.TE",
        post(b"Content-Length: 6", b"Transfer-Encoding: chunked", body=b"0\r\n\r\nG") + SMUGGLED,
        [400],
    ),
    Case(
        "TE.CL",
        post(
            b"Transfer-Encoding: chunked", b"Content-Length: 3", body=b"8\r\nSMUGGLED\r\n0\r\n\r\n"
        ),
        [400],
    ),
    Case("two lengths", post(b"Content-Length: 3", b"Content-Length: 4", body=b"abcd"), [400]),
    Case(
        "the same length twice",
        post(b"Content-Length: 3", b"Content-Length: 3", body=b"abc"),
        [400],
    ),
    Case("a list of lengths", post(b"Content-Length: 3, 3", body=b"abc"), [400]),
    Case("a length of nothing", post(b"Content-Length:", body=b""), [400]),
    Case("a length with a sign", post(b"Content-Length: +3", body=b"abc"), [400]),
    Case("a negative length", post(b"Content-Length: -3", body=b"abc"), [400]),
    Case("a hexadecimal length", post(b"Content-Length: 0x3", body=b"abc"), [400]),
    Case("a length with a separator", post(b"Content-Length: 1_0", body=b"0123456789"), [400]),
    Case("a length with a blank", post(b"Content-Length: 1 0", body=b"0123456789"), [400]),
    Case("a length of 5000 digits", post(b"Content-Length: " + b"9" * 5000), [400]),
    Case("a length of no ASCII digits", post("Content-Length: \u0663".encode()), [400]),
    Case("a blank before the colon", post(b"Content-Length : 3", body=b"abc"), [400]),
    Case("a tab before the colon", post(b"Transfer-Encoding\t: chunked", body=b"0\r\n\r\n"), [400]),
    Case("a blank before the name", post(b" Content-Length: 3", body=b"abc"), [400]),
    Case("obs-fold", post(b"X: a", b" folded", b"Content-Length: 3", body=b"abc"), [400]),
    Case(
        "obs-fold of the coding", post(b"Transfer-Encoding:", b" chunked", body=b"0\r\n\r\n"), [400]
    ),
    Case(
        "two codings",
        post(b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked", body=b"0\r\n\r\n"),
        [400],
    ),
    Case(
        "two different codings",
        post(b"Transfer-Encoding: chunked", b"Transfer-Encoding: identity", body=b"0\r\n\r\n"),
        [400],
    ),
    Case("chunked is not the last one", post(b"Transfer-Encoding: chunked, identity"), [400]),
    Case("chunked twice", post(b"Transfer-Encoding: chunked, chunked"), [400]),
    Case("an unknown coding", post(b"Transfer-Encoding: xchunked"), [501]),
    Case("a coding that nobody has", post(b"Transfer-Encoding: gzip, chunked"), [501]),
    Case("a quoted coding", post(b'Transfer-Encoding: "chunked"'), [400]),
    Case("a control character in the coding", post(b"Transfer-Encoding: \x0bchunked"), [400]),
    Case(
        "chunks over HTTP/1.0",
        head(b"POST /p HTTP/1.0", b"Transfer-Encoding: chunked") + b"0\r\n\r\n",
        [400],
    ),
    # Chunks.
    Case("a size that is none", chunked(b"zz\r\nabc"), [400]),
    Case("a size with 0x", chunked(b"0x3\r\nabc\r\n0\r\n\r\n"), [400]),
    Case("a size with a sign", chunked(b"+3\r\nabc\r\n0\r\n\r\n"), [400]),
    Case("a size with a blank in front", chunked(b" 3\r\nabc\r\n0\r\n\r\n"), [400]),
    Case("a size with a blank behind", chunked(b"3 \r\nabc\r\n0\r\n\r\n"), [400]),
    Case("no size", chunked(b"\r\nabc\r\n0\r\n\r\n"), [400]),
    Case("a size of 2 to the 64", chunked(b"10000000000000003\r\nabc\r\n0\r\n\r\n"), [400]),
    Case("a chunk that is longer than it says", chunked(b"3\r\nabcd\r\n0\r\n\r\n"), [400]),
    Case("a chunk that ends with LF", chunked(b"3\r\nabc\n0\r\n\r\n"), [400]),
    Case("a size that ends with LF", chunked(b"3\nabc\r\n0\r\n\r\n"), [400]),
    Case("a size that ends with CR", chunked(b"3\rabc\r\n0\r\n\r\n"), [400]),
    Case("an extension with a LF", chunked(b"3;a\nb\r\nabc\r\n0\r\n\r\n"), [400]),
    Case("an extension with a CR", chunked(b"3;a\rb\r\nabc\r\n0\r\n\r\n"), [400]),
    Case("an endless extension", chunked(b"3;" + b"a" * 1000), [400]),
    Case("a trailer that ends with LF", chunked(b"0\r\nA: b\n\r\n"), [400]),
    Case("a folded trailer", chunked(b"0\r\nA: b\r\n c\r\n\r\n"), [400]),
    Case("a trailer that is none", chunked(b"0\r\nnothing\r\n\r\n"), [400]),
    Case("endless trailers", chunked(b"0\r\n" + b"A: b\r\n" * 1001), [400]),
    # The request line.
    Case("nothing of HTTP", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", [400]),
    Case("HTTP/0.9", b"GET /a\r\n\r\n", [400]),
    Case("two blanks", b"GET  /a HTTP/1.1\r\nHost: x\r\n\r\n", [400]),
    Case("a tab", b"GET\t/a HTTP/1.1\r\nHost: x\r\n\r\n", [400]),
    Case("a blank in the path", b"GET /a b HTTP/1.1\r\nHost: x\r\n\r\n", [400]),
    Case("a blank behind", b"GET /a HTTP/1.1 \r\nHost: x\r\n\r\n", [400]),
    Case("a blank in front", b" GET /a HTTP/1.1\r\nHost: x\r\n\r\n", [400]),
    Case("a NUL in the path", b"GET /a\x00 HTTP/1.1\r\nHost: x\r\n\r\n", [400]),
    Case("a form feed in the path", b"GET /a\x0c HTTP/1.1\r\nHost: x\r\n\r\n", [400]),
    Case("UTF-8 in the path", "GET /\u00e9 HTTP/1.1\r\nHost: x\r\n\r\n".encode(), [400]),
    Case("a fragment", b"GET /a#b HTTP/1.1\r\nHost: x\r\n\r\n", [400]),
    Case("absolute-form", b"GET http://evil.example/a HTTP/1.1\r\nHost: x\r\n\r\n", [400]),
    Case("authority-form", b"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n", [400]),
    Case("asterisk-form", b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", [400]),
    Case("a path without a slash", b"GET a HTTP/1.1\r\nHost: x\r\n\r\n", [400]),
    Case("an unknown method", b"BREW /a HTTP/1.1\r\nHost: x\r\n\r\n", [501]),
    Case("a method in small letters", b"get /a HTTP/1.1\r\nHost: x\r\n\r\n", [501]),
    Case("HTTP/2.0", b"GET /a HTTP/2.0\r\nHost: x\r\n\r\n", [505]),
    Case("HTTP/0.8", b"GET /a HTTP/0.8\r\nHost: x\r\n\r\n", [505]),
    Case("the preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", [505]),
    Case("HTTP/1.2", b"GET /a HTTP/1.2\r\nHost: x\r\n\r\n", [505]),
    Case("HTTP/11", b"GET /a HTTP/11\r\nHost: x\r\n\r\n", [400]),
    Case("another protocol", b"GET /a RTSP/1.0\r\nHost: x\r\n\r\n", [400]),
    # Headers.
    Case("no Host", b"GET /a HTTP/1.1\r\n\r\n", [400]),
    Case("two Hosts", head(b"GET /a HTTP/1.1", b"Host: x", b"Host: y"), [400]),
    Case("the same Host twice", head(b"GET /a HTTP/1.1", b"Host: x", b"hOST: x"), [400]),
    Case("no colon", head(b"GET /a HTTP/1.1", b"Host: x", b"nothing"), [400]),
    Case("no name", head(b"GET /a HTTP/1.1", b"Host: x", b": y"), [400]),
    Case("a bad name", head(b"GET /a HTTP/1.1", b"Host: x", b"X(y): z"), [400]),
    Case("a NUL in a value", head(b"GET /a HTTP/1.1", b"Host: x", b"X: a\x00b"), [400]),
    Case("a CR in a value", head(b"GET /a HTTP/1.1", b"Host: x", b"X: a\rb"), [400]),
    Case("a LF in a value", head(b"GET /a HTTP/1.1", b"Host: x", b"X: a\nb: c"), [400]),
    Case("lines that end with LF", GET.replace(b"\r\n", b"\n"), [400]),
    Case("one line that ends with LF", b"GET /a HTTP/1.1\r\nHost: x\nX: y\r\n\r\n", [400]),
    Case("a head that ends with LF", b"GET /a HTTP/1.1\r\nHost: x\r\n\n" + SMUGGLED, [400]),
    Case("a head that ends with CR CR LF", b"GET /a HTTP/1.1\r\nHost: x\r\n\r\r\n\r\n", [400]),
    Case("an expectation that nobody meets", post(b"Expect: cookies"), [417]),
    # Limits: 1000 bytes of body, 300 of line, 6000 of head, 20 headers (see test_reader).
    Case("a long request line", b"GET /" + b"x" * 300, [414]),
    Case(
        "a long request line in a whole head",
        head(b"GET /" + b"x" * 300 + b" HTTP/1.1", b"Host: x"),
        [414],
    ),
    Case("a long header", head(b"GET /a HTTP/1.1", b"Host: x", b"X: " + b"y" * 6000), [431]),
    Case("an endless head", b"GET /a HTTP/1.1\r\n" + b"X: y\r\n" * 2000, [431]),
    Case("many headers", head(b"GET /a HTTP/1.1", b"Host: x", *[b"X: y"] * 20), [431]),
    Case("a large body", post(b"Content-Length: 1001", body=b"x" * 100), [413]),
    Case(
        "large chunks", chunked(b"200\r\n" + b"x" * 512 + b"\r\n" + b"200\r\n" + b"x" * 512), [413]
    ),
    Case("a refusal behind a request", GET + b"nonsense\r\n\r\n" + SMUGGLED, [GOT, 400]),
    Case(
        "a refusal behind a body",
        post(b"Content-Length: 3", body=b"abc") + b"GET / HTTP/3.0\r\n\r\n",
        [posted(b"abc"), 505],
    ),
]

CASES = TAKEN + REFUSED
