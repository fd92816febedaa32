"""CSRF failures, ours and others'."""

from django.test import RequestFactory
from django.urls import resolve

from tests.support.page import assert_refused
from thywill_server.client_interface.django_site.responses import csrf_failure


def test_our_addresses_answer_in_json() -> None:
    """A CSRF failure under /thywill/ is JSON with a code."""
    request = RequestFactory().post("/thywill/send/")
    request.resolver_match = resolve("/thywill/send/")
    assert_refused(csrf_failure(request, "no cookie"), 403, "csrf-failed")


def test_other_addresses_get_djangos_page() -> None:
    """A form of an application's own keeps the page that Django shows."""
    request = RequestFactory().post("/")
    request.resolver_match = resolve("/")
    response = csrf_failure(request, "no cookie")
    assert response.status_code == 403
    assert response["Content-Type"].startswith("text/html")
