"""A page of the site as a browser loads it: its cookies, what it is told, requests in its name."""

from __future__ import annotations

import json
import re
from http.client import HTTPException
from http.cookiejar import CookieJar
from typing import Any, Final
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPCookieProcessor, ProxyHandler, Request, build_opener

from thywill_server.management.diagnosis.trouble import Trouble, reason

MAX_BYTES: Final = 4_194_304
"""No answer is read beyond that."""

CONFIGURATION: Final = re.compile(
    r'<script id="thywill-configuration" type="application/json">(.*?)</script>', re.DOTALL
)


class Page:
    """One loaded page.

    Args:
        url: of the page.
        seconds: how long each answer may take.

    Attributes:
        origin: as a browser would send it.
        told: the bootstrap parameters.

    Raises:
        Trouble: there is no such page.
    """

    def __init__(self, url: str, seconds: float) -> None:
        self.url, self._seconds = url, seconds
        # A proxy of this machine's environment is not on the way that is looked at.
        self._opener = build_opener(ProxyHandler({}), HTTPCookieProcessor(CookieJar()))
        status, text = self._fetch(Request(url))  # noqa: S310 - http or https, see `_fetch`
        if status != 200:
            raise page_trouble(url, status, text)
        found = CONFIGURATION.search(text)
        if found is None:
            raise Trouble(
                f"{url} answers, and not with a page of thywill",
                "Give the site's address with --url, such as --url https://www.example.org/",
            )
        configuration = json.loads(found[1])
        self.uuid: str = configuration["uuid"]
        self.told: dict[str, Any] = configuration["bootstrap_parameters"]
        parts = urlsplit(self.url)
        self.origin = f"{parts.scheme}://{parts.netloc}"

    def post(self, path: str, **fields: Any) -> tuple[int, dict[str, Any]]:
        """POST as the page does; gives the status, and the answer's fields."""
        body = {"uuid": self.uuid, "token": self.told["client_token"], **fields}
        headers = {
            "Content-Type": "application/json",
            "Origin": self.origin,
            "Referer": self.url,  # Django wants it over TLS
            "X-CSRFToken": self.told["csrf_token"],
        }
        url = self.origin + path
        status, text = self._fetch(Request(url, json.dumps(body).encode(), headers))  # noqa: S310
        try:
            answer = json.loads(text)
        except ValueError:
            answer = {}
        return status, answer if isinstance(answer, dict) else {}

    def health(self, path: str) -> dict[str, Any]:
        """Ask how the site's components are; empty when it does not say."""
        try:
            _, text = self._fetch(Request(self.origin + path))  # noqa: S310
            components = json.loads(text)["components"]
        except (Trouble, ValueError, KeyError, TypeError):
            return {}
        return components if isinstance(components, dict) else {}

    def _fetch(self, request: Request) -> tuple[int, str]:
        try:
            with self._opener.open(request, timeout=self._seconds) as response:
                if request.data is None:
                    self.url = response.url  # after redirections
                return response.status, response.read(MAX_BYTES).decode("utf-8", "replace")
        except HTTPError as error:
            with error:
                return error.code, error.read(MAX_BYTES).decode("utf-8", "replace")
        except (OSError, HTTPException, ValueError) as error:
            raise Trouble(
                f"no answer from {request.full_url} ({reason(error)})",
                "Start the site (./run, or manage.py runserver), or say with --url where it is.",
            ) from error


def page_trouble(url: str, status: int, text: str) -> Trouble:
    """Say why a page is none, by its status and what it says."""
    code = sentence = ""
    try:
        answer = json.loads(text)
        code, sentence = str(answer["code"]), str(answer["message"])
    except (ValueError, KeyError, TypeError):
        pass
    said = f"{url} answers {status}" + (f", {code}: {sentence}" if code else "")
    if code == "unknown-host":
        return Trouble(said, "Add the name to ALLOWED_HOSTS, or give --url with one that is in it.")
    if code == "unknown-application":
        return Trouble(said, "Name an application of this site with --application.")
    if status in (401, 403):
        return Trouble(said, "Name with --application one whose page strangers may load.")
    if status in (502, 503, 504):
        return Trouble(said, "A proxy answers and the site behind it does not: start the site.")
    if status == 404:
        return Trouble(said, "Include thywill's addresses in ROOT_URLCONF, or correct --url.")
    return Trouble(said, "The site's own log says what went wrong.")
