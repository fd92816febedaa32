"""A token that Django has found right is known again, and only with the secret that it fits."""

from __future__ import annotations

import pytest
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware, get_token
from django.test import RequestFactory

from thywill_server.client_interface.django_site import csrf
from thywill_server.client_interface.django_site.csrf import KnownTokens


def view(request: HttpRequest) -> HttpResponse:
    """Stand behind the check."""
    return HttpResponse("seen")


class Check:
    """The check, and how often it was left to Django."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked = 0
        self.middleware = KnownTokens(view)
        original = CsrfViewMiddleware._check_token

        def counted(middleware: CsrfViewMiddleware, request: HttpRequest) -> None:
            self.asked += 1
            original(middleware, request)

        monkeypatch.setattr(CsrfViewMiddleware, "_check_token", counted)

    def accepts(
        self, token: str | None, secret: str | None, content_type: str = "application/json"
    ) -> bool:
        """Whether a request gets to the view."""
        request = RequestFactory().post("/", b"{}", content_type=content_type)
        if token is not None:
            request.META["HTTP_X_CSRFTOKEN"] = token
        if secret is not None:
            request.COOKIES["csrftoken"] = secret
        self.middleware.process_request(request)
        return self.middleware.process_view(request, view, (), {}) is None


def token_and_secret() -> tuple[str, str]:
    """What a page and a cookie get."""
    request = RequestFactory().get("/")
    token = get_token(request)
    return token, request.META["CSRF_COOKIE"]


@pytest.fixture
def check(monkeypatch: pytest.MonkeyPatch) -> Check:
    """A check that knows nothing yet."""
    return Check(monkeypatch)


def test_django_is_asked_once_for_a_token_that_fits(check: Check) -> None:
    """The second time it is known."""
    token, secret = token_and_secret()
    assert [check.accepts(token, secret) for _ in range(3)] == [True] * 3
    assert check.asked == 1


def test_a_known_token_fits_no_other_secret(check: Check) -> None:
    """Nor a missing one, nor one that is none; and no other token fits the known secret."""
    token, secret = token_and_secret()
    other, other_secret = token_and_secret()
    assert check.accepts(token, secret)
    for shown, kept in (
        (token, other_secret),
        (token, None),
        (token, "short"),
        (other, secret),
        (secret[::-1], secret),
        ("", secret),
        (None, secret),
    ):
        assert not check.accepts(shown, kept), (shown, kept)
    assert check.accepts(token, secret)
    assert check.accepts(other, other_secret)


def test_what_was_refused_is_refused_again(check: Check) -> None:
    """It is not remembered."""
    token, _ = token_and_secret()
    _, secret = token_and_secret()
    assert [check.accepts(token, secret) for _ in range(2)] == [False] * 2
    assert check.asked == 2


def test_a_form_is_left_to_django(check: Check) -> None:
    """The token may be one of its fields, and then it counts instead of the header's."""
    token, secret = token_and_secret()
    form = "application/x-www-form-urlencoded"
    assert [check.accepts(token, secret, form) for _ in range(2)] == [True] * 2
    assert check.asked == 2


def test_the_memory_is_bounded(check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was forgotten is found right again."""
    monkeypatch.setattr(csrf, "MAX_KNOWN_TOKENS", 2)
    pairs = [token_and_secret() for _ in range(3)]
    for _ in range(2):
        assert all(check.accepts(*pair) for pair in pairs)
    assert len(check.middleware._known) <= 2
    assert check.asked > 3


def test_a_foreign_origin_is_refused_with_a_known_token(check: Check) -> None:
    """Only the token is remembered."""
    token, secret = token_and_secret()
    assert check.accepts(token, secret)
    request = RequestFactory().post(
        "/", b"{}", content_type="application/json", headers={"Origin": "https://evil.example"}
    )
    request.META["HTTP_X_CSRFTOKEN"] = token
    request.COOKIES["csrftoken"] = secret
    check.middleware.process_request(request)
    refused = check.middleware.process_view(request, view, (), {})
    assert refused is not None
    assert refused.status_code == 403
