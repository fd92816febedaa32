"""What is refused before a view sees it, and in which order."""

import io
import json
from typing import Any

import pytest
from django.test import Client as Browser
from django.test import RequestFactory
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pytest_django import Settings

from tests.support.page import Page, assert_refused, thywill
from thywill_server.client_interface.django_site import posts
from thywill_server.errors import Refusal

FORM = "application/x-www-form-urlencoded"
ADDRESSES = ["send", "ticket", "push"]


@pytest.mark.parametrize("name", ADDRESSES)
@pytest.mark.parametrize("method", ["get", "head", "put", "patch", "delete", "options"])
def test_only_post(browser: Browser, name: str, method: str) -> None:
    """Any other method is refused, naming the one that works."""
    response = getattr(browser, method)(f"/thywill/{name}/")
    assert response.status_code == 405
    assert response["Allow"] == "POST"
    if method != "head":
        assert_refused(response, 405, "method-not-allowed")


@pytest.mark.parametrize("name", ADDRESSES)
@pytest.mark.parametrize("csrf", [None, "x", "a" * 64, "a" * 32])
def test_csrf_token_is_enforced(page: Page, name: str, csrf: str | None) -> None:
    """Without the page's CSRF token nothing happens, whatever the address."""
    response = page.post(name, page.identified(message="x"), csrf=csrf)
    assert_refused(response, 403, "csrf-failed")


def test_csrf_token_of_another_browser(page: Page) -> None:
    """A token that was made for another cookie is refused."""
    other = Page(Browser(enforce_csrf_checks=True))
    response = page.post("send", page.identified(), csrf=other.parameters["csrf_token"])
    assert_refused(response, 403, "csrf-failed")


def test_csrf_token_is_enforced_without_the_middleware(page: Page, site: Settings) -> None:
    """A site that has taken Django's middleware out is protected all the same."""
    site.MIDDLEWARE = [name for name in site.MIDDLEWARE if not name.endswith("CsrfViewMiddleware")]
    page.browser.handler.load_middleware()
    assert page.send("x").status_code == 200
    refused = page.post("send", page.identified(message="x"), csrf="a" * 32)
    assert_refused(refused, 403, "csrf-failed")
    del page.browser.cookies["csrftoken"]
    assert_refused(page.send("x"), 403, "csrf-failed")


def test_foreign_origin(page: Page) -> None:
    """A POST that a foreign page makes is refused, even with the right tokens."""
    response = page.browser.post(
        "/thywill/send/",
        json.dumps(page.identified(message="x")),
        content_type="application/json",
        headers={
            "X-CSRFToken": page.parameters["csrf_token"],
            "Origin": "https://evil.example.org",
        },
    )
    assert_refused(response, 403, "csrf-failed")


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "multipart/form-data; boundary=x",
        "application/octet-stream",
        "application/json; charset=latin-1",
        "application/x-www-form-urlencoded; charset=utf-16",
        "",
    ],
)
def test_other_types(page: Page, content_type: str) -> None:
    """A body that is neither JSON nor a form in UTF-8 is not looked at."""
    response = page.post("send", page.identified(message="x"), content_type)
    assert_refused(response, 415, "unsupported-media-type")


@pytest.mark.parametrize("content_type", ["application/json; charset=UTF-8", "Application/JSON"])
def test_spellings_of_the_type(page: Page, content_type: str) -> None:
    """Case and the usual charset make no difference."""
    body = json.dumps(page.identified(message="x"))
    assert page.post("send", body, content_type).status_code == 200


@pytest.mark.parametrize("content_type", ["application/json", FORM])
def test_too_large(site: Settings, content_type: str) -> None:
    """A body of one byte more than the setting allows is refused, with the bound in words."""
    site.THYWILL = thywill(client_interface={"max_message_bytes": 2000})
    page = Page(Browser(enforce_csrf_checks=True))
    if content_type == FORM:
        body = f"uuid={page.uuid}&token={page.token}&message="
    else:
        body = json.dumps(page.identified(message=""))[:-2]
    end = "" if content_type == FORM else '"}'
    fits = body + "x" * (2000 - len(body) - len(end)) + end
    assert len(fits) == 2000
    assert page.post("send", fits, content_type).status_code == 200
    refused = page.post("send", fits.replace("xx", "xxx", 1), content_type)
    assert "2000" in assert_refused(refused, 413, "message-too-large")["message"]


def test_size_is_refused_before_the_body_is_read() -> None:
    """An announced size over the bound is refused without reading a byte."""
    request = RequestFactory().post("/", b"{}", content_type="application/json")
    request.META["CONTENT_LENGTH"] = "1000000"
    request._read_started = True  # reading would raise RawPostDataException now
    with pytest.raises(Refusal) as refusal:
        posts.require_readable(request, 1000)
    assert refusal.value.code == "message-too-large"


@pytest.mark.parametrize("length", ["-1", "1e3", "٣", "many"])
def test_size_that_is_no_number(length: str) -> None:
    """A Content-Length that no server should let through is refused."""
    request = RequestFactory().post("/", b"{}", content_type="application/json")
    request.META["CONTENT_LENGTH"] = length
    with pytest.raises(Refusal) as refusal:
        posts.require_readable(request, 1000)
    assert refusal.value.code == "malformed-message"


def test_size_that_nobody_announced() -> None:
    """Where a server passes a body on without its size, the size is looked at after reading."""
    request = RequestFactory().post("/", b"{}", content_type="application/json")
    request.META["CONTENT_LENGTH"] = ""
    request._body = b"x" * 1001
    with pytest.raises(Refusal) as refusal:
        posts.require_readable(request, 1000)
    assert refusal.value.code == "message-too-large"


class BrokenStream(io.RawIOBase):
    """A connection that ends in the middle of a body."""

    def read(self, size: int = -1) -> bytes:
        """Give what a reset connection gives."""
        raise ConnectionResetError


def test_body_breaks_off() -> None:
    """A body that ends early is refused like any other that cannot be read."""
    request = RequestFactory().post("/", b"{}", content_type="application/json")
    request._stream = BrokenStream()
    with pytest.raises(Refusal) as refusal:
        posts.require_readable(request, 1000)
    assert refusal.value.code == "malformed-message"


def test_django_reads_less_than_we_do(page: Page, site: Settings) -> None:
    """Django's own bound on bodies ends in the same code."""
    site.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    assert_refused(page.send("x" * 200), 413, "message-too-large")


@pytest.mark.parametrize(
    "body",
    [
        b" ",
        b"{",
        b"not json",
        b'"text"',
        b"[]",
        b"null",
        b"\xff\xfe{}",
        b'{"uuid": "\xff"}',
        b'\xef\xbb\xbf{"uuid": "u"}',
        b'{"uuid": "u", "uuid": "v"}',
        b'{"a": NaN}',
        b"{}",
        b"[" * 60_000,
    ],
)
def test_malformed_json(page: Page, body: bytes) -> None:
    """A body that is no JSON object of ours is refused, with a sentence."""
    assert_refused(page.post("send", body), 400, "malformed-message")


@pytest.mark.parametrize(
    "fields",
    [
        {"uuid": None},
        {"uuid": 1},
        {"uuid": ""},
        {"uuid": "u" * 65},
        {"token": None},
        {"token": ["t"]},
        {"token": "t" * 513},
        {"id": 1},
        {"id": ""},
        {"id": "i" * 65},
        {"id": {"$ne": 1}},
        {"command": 1},
        {"command": ""},
        {"command": "c" * 101},
        {"command": True},
    ],
)
def test_fields_of_the_wrong_type(page: Page, fields: dict[str, Any]) -> None:
    """Each field has a type and a length; the refusal names the field."""
    refusal = assert_refused(page.send("x", **fields), 400, "malformed-message")
    assert f'"{next(iter(fields))}"' in refusal["message"]


@pytest.mark.parametrize(
    "body",
    [
        b"&",
        b"message=x",
        b"message=%ff&uuid=u&token=t",
        b"message=\xff&uuid=u&token=t",
        b"uuid=u&uuid=v&token=t&message=x",
        b"&".join(b"f%d=x" % n for n in range(21)),
    ],
)
def test_malformed_form(page: Page, body: bytes) -> None:
    """A form that is not UTF-8, repeats a field or has no end is refused."""
    assert_refused(page.post("send", body, FORM), 400, "malformed-message")


def test_nesting_up_to_the_setting(page: Page, site: Settings) -> None:
    """A message may be as deep as the setting says, and no deeper."""
    site.THYWILL = thywill(client_interface={"max_message_depth": 5})
    assert page.send([[[[[]]]]]).status_code == 200
    assert_refused(page.send([[[[[[]]]]]]), 400, "malformed-message")


@hypothesis_settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(body=st.binary(min_size=1, max_size=200))
def test_any_bytes_are_answered(page: Page, body: bytes) -> None:
    """Whatever the bytes, the answer is a refusal with a code, never a failure."""
    for content_type in ("application/json", FORM):
        response = page.post("send", body, content_type)
        assert response.status_code in (400, 403)
        assert response.json()["status"] == "error"


def test_csrf_is_looked_at_before_the_syntax(page: Page) -> None:
    """Nothing is parsed for somebody who may not send."""
    assert_refused(page.post("send", b"{", csrf=None), 403, "csrf-failed")


def test_type_is_looked_at_before_csrf(page: Page) -> None:
    """What cannot be a message of ours is refused before the token is compared."""
    response = page.post("send", b"x", "text/plain", csrf=None)
    assert_refused(response, 415, "unsupported-media-type")


def test_sentences_read_well(page: Page) -> None:
    """A refusal for a body names what is wrong in one sentence."""
    fields = assert_refused(page.post("send", b'{"message": NaN}'), 400, "malformed-message")
    assert fields["message"] == "The message cannot be read: NaN is not a JSON value."
