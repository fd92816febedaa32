"""``{% thywill "app" %}``: what it writes, and the policy of the page around it."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.cache import SessionStore
from django.http import HttpRequest, HttpResponse
from django.template import Context, Template, TemplateSyntaxError, engines
from django.template.response import SimpleTemplateResponse
from django.test import RequestFactory

from thywill_server.client_interface.django_site import embeds_thywill
from thywill_server.client_interface.django_site.content_policy import extended_policy

TAG = '{% load thywill %}<main>{% thywill "proof_of_concept" %}</main>'


@pytest.fixture(autouse=True)
def _site(settings: Any) -> None:
    """The project's own site, whose broker is nowhere: nothing is sent here."""
    push = {**settings.THYWILL["push"], "stomp_port": 9}
    settings.THYWILL = {**settings.THYWILL, "push": push}


@pytest.fixture
def request_(rf: RequestFactory) -> HttpRequest:
    """A visitor's request."""
    request = rf.get("/own/")
    request.session = SessionStore()
    request.user = AnonymousUser()
    return request


def rendered(source: str, request: HttpRequest | None) -> str:
    """A template of one's own."""
    return engines["django"].from_string(source).render({}, request)


def test_what_it_writes(request_: HttpRequest) -> None:
    """The configuration, the application's template and the scripts, in their order."""
    html = rendered(TAG, request_)
    found = re.search(r'id="thywill-configuration" type="application/json">(.*?)</script>', html)
    assert found is not None
    told = json.loads(found[1])
    assert told["bootstrap_parameters"]["application"] == "proof_of_concept"
    assert told["bootstrap_parameters"]["client_token"]
    scripts = re.findall(r'<script type="module" src="([^"]+)"', html)
    listed = told["bootstrap_resources"] + told["application_resources"]
    expected = [each["resource"] for each in listed if each["type"] == "javascript"]
    assert scripts == [*expected, "/static/thywill/start.js"]
    assert html.index("<form") < html.index('<script type="module"')
    assert html.startswith("<main>")


def test_without_the_template(request_: HttpRequest) -> None:
    """The page may have markup of its own in place of the application's."""
    html = rendered(TAG.replace('" %}</main', '" body=False %}</main'), request_)
    assert "<form" not in html
    assert "echo.js" in html


def test_the_default_application(request_: HttpRequest) -> None:
    """Without a name it is the one that /thywill/init/ shows."""
    assert "echo.js" in rendered("{% load thywill %}{% thywill %}", request_)


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        (TAG.replace("proof_of_concept", "nobody"), r'"nobody" %}: there is no such application'),
        (TAG + TAG, "one application, not two"),
    ],
)
def test_mistakes(request_: HttpRequest, source: str, sentence: str) -> None:
    """An author's mistake is one sentence."""
    with pytest.raises(TemplateSyntaxError, match=sentence):
        rendered(source, request_)


def test_no_request() -> None:
    """A template that is rendered without a request cannot have a client."""
    with pytest.raises(TemplateSyntaxError, match="needs the request"):
        Template(TAG).render(Context())


@pytest.mark.parametrize("is_lazy", [False, True])
def test_the_decorator(request_: HttpRequest, is_lazy: bool) -> None:
    """The page is not cached and its policy lets the application run, rendered now or later."""

    @embeds_thywill
    def view(request: HttpRequest) -> HttpResponse:
        template = engines["django"].from_string(TAG)
        response: Any
        if is_lazy:
            response = SimpleTemplateResponse(template)
            response.resolve_context = lambda context: {"request": request}
        else:
            response = HttpResponse(template.render({}, request))
        response["Content-Security-Policy"] = "default-src 'none'"
        return response

    response = view(request_)
    if is_lazy:
        response.render()
    assert response["Cache-Control"] == "no-store"
    policy = response["Content-Security-Policy"]
    assert "script-src 'self' http://127.0.0.1:8001" in policy
    assert "ws://testserver" in policy
    assert policy.startswith("default-src 'none'; ")


def test_a_page_without_the_tag(request_: HttpRequest) -> None:
    """Nothing is added to a page that has no application."""

    @embeds_thywill
    def view(request: HttpRequest) -> HttpResponse:
        return HttpResponse("plain", headers={"Content-Security-Policy": "default-src 'none'"})

    response = view(request_)
    assert response["Content-Security-Policy"] == "default-src 'none'"
    assert "Cache-Control" not in response


@pytest.mark.parametrize(
    ("policy", "extended"),
    [
        ("", ""),
        ("img-src 'none'", "img-src 'none'"),
        (
            "script-src 'none'; upgrade-insecure-requests",
            "script-src 'self' https://o; upgrade-insecure-requests",
        ),
        (
            "default-src https:; Connect-Src a b; connect-src c",
            "default-src https:; connect-src a b 'self' wss://h; "
            "script-src https: 'self' https://o; style-src https: 'self'",
        ),
    ],
)
def test_extended_policy(policy: str, extended: str) -> None:
    """What is restricted is widened by what is needed; what is not stays as it is."""
    assert extended_policy(policy, {"script-src": ["https://o"]}, "h", True) == extended
