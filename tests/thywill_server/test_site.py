"""The site's root over real connections: static files, Django's place, bodies, the access log."""

import http.client
import io
import json
import logging
import os
import re
import shutil
import socket
import tempfile
import threading
from pathlib import Path
from queue import Queue

import pytest
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase

from orbited.service import embedded
from thywill_server import site
from thywill_server.django_resource import DjangoResource
from thywill_server.site import SiteRoot, access_log, make_pool, make_site, refusal
from thywill_server.static_files import StaticFiles

MAX_BODY_BYTES = 1000
release = threading.Event()
broken = Queue()


def application(environ, start_response):
    """Answer with what a WSGI application is told, and with the body that it can read."""
    if environ["PATH_INFO"] == "/fails":
        raise RuntimeError("on purpose")
    if environ["PATH_INFO"] == "/waits":
        assert release.wait(60)
    length = int(environ["CONTENT_LENGTH"] or 0)
    told = {name: value for name, value in environ.items() if isinstance(value, str)}
    try:
        told["body"] = environ["wsgi.input"].read(length).decode()
    except OSError as error:
        broken.put(error)
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(told).encode()]


class Answer:
    """One answer, read to its end."""

    def __init__(self, raw, method):
        class Reader:
            def makefile(self, *_):
                return io.BytesIO(raw)

        response = http.client.HTTPResponse(Reader(), method=method)
        response.begin()
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    @property
    def told(self):
        """What the application was told."""
        return json.loads(self.body)


class SiteCase(TestCase):
    """Serves the site on a free port, from a folder of static files."""

    def setUp(self):
        """Start the site."""
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        Path(self.folder, "app.js").write_text("export const a = 1;\n")
        Path(self.folder, "hashed.0123456789ab.js").write_text("1")
        Path(self.folder, "large.bin").write_bytes(os.urandom(300_000))
        pool = make_pool(2)
        pool.start()
        self.addCleanup(deferToThread, pool.stop)
        static_files = StaticFiles(self.find, lambda name: "0123456789ab" in name)
        self.root = SiteRoot(
            DjangoResource(reactor, pool, site.with_bodies(application)), static_files, "/static/"
        )
        port = reactor.listenTCP(0, self.factory(), interface="127.0.0.1")
        self.addCleanup(port.stopListening)
        self.address = ("127.0.0.1", port.getHost().port)
        self.lines = []
        handler = logging.Handler()
        handler.emit = lambda record: self.lines.append(record.getMessage())
        access_log.addHandler(handler)
        self.addCleanup(access_log.removeHandler, handler)
        self.addCleanup(access_log.setLevel, access_log.level)
        access_log.setLevel(logging.INFO)

    def factory(self):
        """Give what listens."""
        return make_site(reactor, self.root, MAX_BODY_BYTES)

    def find(self, name):
        """Find a static file by its name."""
        path = os.path.join(self.folder, name)
        return path if os.path.isfile(path) else None

    def ask(self, request_line, *headers, body=b""):
        """Send a request in a thread; gives a Deferred of the Answer."""
        lines = [f"{request_line} HTTP/1.1", "Host: site", "Connection: close", *headers, "", ""]
        return deferToThread(self.exchange, "\r\n".join(lines).encode("latin-1") + body)

    def exchange(self, raw):
        """Send bytes and read all that comes; runs in a thread."""
        with socket.create_connection(self.address, timeout=60) as connection:
            connection.sendall(raw)
            return Answer(connection.makefile("rb").read(), raw.split()[0].decode())


class StaticFileTests(SiteCase):
    async def test_a_file(self):
        """A static file has its type and tag, and is asked for again each time."""
        answer = await self.ask("GET /static/app.js")
        assert (answer.status, answer.body) == (200, b"export const a = 1;\n")
        assert answer.headers["Content-Type"] == "text/javascript; charset=utf-8"
        assert answer.headers["Cache-Control"] == "no-cache"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        again = await self.ask("GET /static/app.js", f"If-None-Match: {answer.headers['ETag']}")
        assert (again.status, again.body) == (304, b"")

    async def test_a_query_is_no_part_of_the_name(self):
        """A file is found whatever follows the question mark."""
        answer = await self.ask("GET /static/app.js?attempt=2")
        assert answer.status == 200

    async def test_a_hashed_name_is_for_ever(self):
        """What can never change may be kept by browsers."""
        answer = await self.ask("GET /static/hashed.0123456789ab.js")
        assert "immutable" in answer.headers["Cache-Control"]

    async def test_a_large_file_arrives_whole_or_in_part(self):
        """Files beyond one chunk come complete, and so does a range of them."""
        expected = Path(self.folder, "large.bin").read_bytes()
        answer = await self.ask("GET /static/large.bin")
        assert answer.body == expected
        part = await self.ask("GET /static/large.bin", "Range: bytes=70000-269999")
        assert (part.status, part.body) == (206, expected[70000:270000])

    async def test_head(self):
        """HEAD gives the length and nothing else."""
        answer = await self.ask("HEAD /static/app.js")
        assert (answer.status, answer.headers["Content-Length"]) == (200, "20")

    async def test_what_is_not_a_file(self):
        """Folders, unknown names and ways out are 404, in text."""
        for path in ("", "nothing.js", "../settings.py", "%2e%2e/%2e%2e/etc/passwd", "app.js/"):
            answer = await self.ask(f"GET /static/{path}")
            assert answer.status == 404, path
            assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"

    async def test_other_methods(self):
        """A static file cannot be posted to."""
        answer = await self.ask("POST /static/app.js", "Content-Length: 0")
        assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD")

    async def test_odd_conditions(self):
        """Headers that are no text, or hold numbers beyond all measure, are as good as none."""
        for header in (
            "If-None-Match: \xff",
            "If-Modified-Since: \xff",
            f"Range: bytes=0-{'9' * 5000}",
        ):
            answer = await self.ask("GET /static/app.js", header)
            assert answer.status == 200, header

    async def test_a_file_that_becomes_shorter_ends_the_connection(self):
        """A browser does not wait for bytes that will never come."""
        path = Path(self.folder, "large.bin")
        original = StaticFiles._open

        def truncating(resource, name):
            file = original(resource, name)
            self.addCleanup(os.truncate, path, 10)
            return Shortened(file)

        self.patch(StaticFiles, "_open", truncating)
        with pytest.raises(http.client.IncompleteRead):
            await self.ask("GET /static/large.bin")


class Shortened:
    """A file that ends after its first chunk, whatever its size says."""

    def __init__(self, file):
        self._file = file
        self._reads = 0
        self.seek, self.fileno, self.close = file.seek, file.fileno, file.close

    def read(self, length):
        """Give one chunk, then nothing."""
        self._reads += 1
        return self._file.read(length) if self._reads == 1 else b""


class DjangosPlaceTests(SiteCase):
    async def test_everything_else_is_djangos(self):
        """Path and query arrive unquoted and quoted, as WSGI wants them."""
        answer = await self.ask("GET /thywill/init/a%20b/?x=%20")
        assert answer.told["PATH_INFO"] == "/thywill/init/a b/"
        assert answer.told["QUERY_STRING"] == "x=%20"
        assert answer.told["SCRIPT_NAME"] == ""
        assert (await self.ask("GET /")).told["PATH_INFO"] == "/"
        assert (await self.ask("GET /static")).told["PATH_INFO"] == "/static"

    async def test_only_paths_are_served(self):
        """What a proxy is asked for is refused, and not cut into a path."""
        for line in ("GET http://evil.example/thywill/init/", "CONNECT 127.0.0.1:61613"):
            assert (await self.ask(line)).status == 400, line

    async def test_a_proxys_headers_arrive(self):
        """X-Forwarded headers are Django's to judge; look-alikes with underscores are dropped."""
        answer = await self.ask(
            "GET /", "X-Forwarded-For: 203.0.113.7", "X_Forwarded_For: 6.6.6.6", "X_Other: 1"
        )
        assert answer.told["HTTP_X_FORWARDED_FOR"] == "203.0.113.7"
        assert "HTTP_X_OTHER" not in answer.told

    async def test_a_form_arrives_once(self):
        """The body is left to Django, also when it is a form."""
        answer = await self.ask(
            "POST /thywill/send/",
            "Content-Type: application/x-www-form-urlencoded",
            "Content-Length: 9",
            body=b"message=1",
        )
        assert answer.told["body"] == "message=1"

    async def test_a_chunked_body_arrives(self):
        """A body without a length has one when Django reads it."""
        answer = await self.ask(
            "POST /", "Transfer-Encoding: chunked", body=b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
        )
        assert (answer.told["body"], answer.told["CONTENT_LENGTH"]) == ("abcde", "5")

    async def test_an_error_is_a_plain_500(self):
        """A traceback goes to the log, not to the browser."""
        answer = await self.ask("GET /fails")
        assert answer.status == 500
        assert b"on purpose" not in answer.body
        assert len(self.flushLoggedErrors(RuntimeError)) == 1


class BodyTests(SiteCase):
    def assert_refused(self, answer):
        """Check for the answer that the browser half understands."""
        assert answer.status == 413
        assert answer.headers["Connection"] == "close"
        assert json.loads(answer.body)["code"] == "message-too-large"

    async def test_the_largest_body_is_taken(self):
        """A body of exactly the bound arrives."""
        answer = await self.ask(
            "POST /", f"Content-Length: {MAX_BODY_BYTES}", body=b"x" * MAX_BODY_BYTES
        )
        assert len(answer.told["body"]) == MAX_BODY_BYTES

    async def test_an_announced_body_is_refused_before_it_comes(self):
        """Content-Length beyond the bound is answered at once, without reading."""
        self.assert_refused(await self.ask("POST /", f"Content-Length: {MAX_BODY_BYTES + 1}"))

    async def test_a_sender_that_goes_on_still_sees_the_answer(self):
        """A body that is sent all the same is read over, and the answer arrives."""
        body = b"x" * 200_000
        self.assert_refused(await self.ask("POST /", f"Content-Length: {len(body)}", body=body))

    async def test_a_chunked_body_is_refused_when_it_gets_too_large(self):
        """Nothing is announced, so the bytes are counted."""
        chunk = b"190\r\n" + b"x" * 400 + b"\r\n"
        taken = await self.ask(
            "POST /", "Transfer-Encoding: chunked", body=chunk * 2 + b"0\r\n\r\n"
        )
        assert taken.status == 200
        self.assert_refused(
            await self.ask("POST /", "Transfer-Encoding: chunked", body=chunk * 3 + b"0\r\n\r\n")
        )

    async def test_a_sender_without_end_is_cut_off(self):
        """Beyond the bytes that are read over, the connection is closed."""
        self.patch(site, "LINGER_BYTES", 100_000)

        def pour():
            with socket.create_connection(self.address, timeout=60) as connection:
                connection.sendall(
                    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 999999999\r\n\r\n"
                )
                with pytest.raises((ConnectionResetError, BrokenPipeError)):
                    pour_into(connection)

        await deferToThread(pour)


def pour_into(connection):
    """Send until the other side has had enough."""
    while True:
        connection.sendall(b"x" * 10_000)


class BusyTests(SiteCase):
    async def test_more_requests_than_may_wait_are_told_at_once(self):
        """With ``max_open_requests`` in Django, one more gets 503 and when to come back."""
        self.root._max_open_requests = 2
        waiting = [self.ask("GET /waits"), self.ask("GET /waits")]
        await self.are_open(2)
        refused = await self.ask("GET /")
        assert (refused.status, refused.headers["Retry-After"]) == (503, "1")
        assert (await self.ask("GET /static/app.js")).status == 200
        release.set()
        self.addCleanup(release.clear)
        assert [(await answer).status for answer in waiting] == [200, 200]
        assert (await self.ask("GET /")).status == 200

    async def test_a_body_that_is_gone_reads_as_broken(self):
        """Who leaves before a thread was free leaves what Django knows: an OSError at reading."""
        self.addCleanup(release.clear)
        with socket.create_connection(self.address, timeout=60) as connection:
            head = b"POST /waits HTTP/1.1\r\nHost: site\r\nContent-Length: 9\r\n\r\n"
            connection.sendall(head + b"message=1")
            await self.are_open(1)
        idle = Deferred()
        self.root.call_when_idle(lambda: idle.callback(None))
        await idle
        release.set()
        assert "gone" in str(await deferToThread(broken.get, timeout=60))

    async def are_open(self, count):
        """Wait until so many requests are in Django."""
        while self.root.requests_open < count:
            await deferLater(reactor, 0.005)


class AccessLogTests(SiteCase):
    async def test_one_line_without_the_query(self):
        """Method, path, status and size are logged; what follows the question mark is not."""
        await self.ask("GET /static/app.js?secret=1")
        await self.ask("GET /thywill/init/?secret=1")
        static, django = self.lines
        assert re.search(r"^127\.0\.0\.1 GET /static/app\.js 200 20 bytes [\d.]+ ms$", static)
        assert re.search(r"^127\.0\.0\.1 GET /thywill/init/ 200 \d+ bytes [\d.]+ ms$", django)

    async def test_a_request_line_cannot_forge_one(self):
        """What is not ASCII in a path is escaped."""
        await self.ask("GET /a\x9b31mb")
        assert r"/a\x9b31mb" in self.lines[0]

    async def test_open_requests_are_counted(self):
        """Who wants to stop hears when the last request is answered."""
        assert self.root.requests_open == 0
        await self.ask("GET /")
        idle = Deferred()
        self.root.call_when_idle(lambda: idle.callback(None))
        await idle
        assert self.root.requests_open == 0


class BehindTheEdge:
    """The same site with comet in the same process, whose edge reads all requests."""

    def factory(self):
        """Give what listens."""
        comet = embedded({}, {}, reactor)
        return comet.site(self.root, max_body_bytes=MAX_BODY_BYTES, refusal=refusal)


class StaticFileTestsBehindTheEdge(BehindTheEdge, StaticFileTests):
    pass


class DjangosPlaceTestsBehindTheEdge(BehindTheEdge, DjangosPlaceTests):
    pass


class BodyTestsBehindTheEdge(BehindTheEdge, BodyTests):
    pass


class BusyTestsBehindTheEdge(BehindTheEdge, BusyTests):
    pass


class AccessLogTestsBehindTheEdge(BehindTheEdge, AccessLogTests):
    async def test_a_request_line_cannot_forge_one(self):
        """What is not ASCII in a path does not get so far."""
        assert (await self.ask("GET /a\x9b31mb")).status == 400
        assert self.lines == []
