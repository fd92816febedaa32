"""Pages without a browser: loaded and used through Django's test client."""

import json
import re
from typing import Any

from django.test import Client as Browser

CONFIGURATION = re.compile(
    r'<script id="thywill-configuration" type="application/json">(.*?)</script>', re.DOTALL
)


def thywill(**sections: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """THYWILL for tests; a section given by name is merged into the one here."""
    base: dict[str, dict[str, Any]] = {
        "application": {
            "component": "thywill_server.application.local_python.LocalPython",
            "packages": ["tests.support.applications.testbed", "thywill_apps"],
            "default": "testbed",
        },
        "client_interface": {"component": "thywill_server.client_interface.django_site.DjangoSite"},
        "database": {"component": "thywill_server.database.sqlite.Sqlite", "name": ":memory:"},
        "log": {"component": "thywill_server.log.console.Console"},
        "push": {"component": "thywill_server.push.in_memory.InMemory"},
    }
    return {name: {**section, **sections.get(name, {})} for name, section in base.items()}


class Page:
    """One loaded page: what the server told it, and requests in its name."""

    def __init__(self, browser: Browser, path: str = "/thywill/init/") -> None:
        self.browser = browser
        self.response = browser.get(path)
        assert self.response.status_code == 200, self.response.content
        self.html = self.response.content.decode()
        found = CONFIGURATION.search(self.html)
        assert found is not None
        self.configuration = json.loads(found[1])
        self.parameters = self.configuration["bootstrap_parameters"]
        self.uuid = self.configuration["uuid"]
        self.token = self.parameters["client_token"]

    def identified(self, **fields: Any) -> dict[str, Any]:
        """The fields with those that name this page; None leaves one out."""
        given = {"uuid": self.uuid, "token": self.token, **fields}
        return {name: value for name, value in given.items() if value is not None}

    def send(self, message: Any = "hello", **fields: Any) -> Any:
        """POST a message."""
        return self.post("send", self.identified(message=message, **fields))

    def post(
        self,
        name: str,
        body: Any,
        content_type: str = "application/json",
        csrf: str | None = "",
    ) -> Any:
        """POST anything to one of thywill's addresses; the page's own CSRF token by default."""
        headers = {} if csrf is None else {"X-CSRFToken": csrf or self.parameters["csrf_token"]}
        data = body if isinstance(body, (bytes, str)) else json.dumps(body)
        path = f"/thywill/{name}/"
        return self.browser.post(path, data, content_type=content_type, headers=headers)


def assert_refused(response: Any, status: int, code: str) -> dict[str, Any]:
    """Check the form that every refusal has, and give its fields."""
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/json"
    assert response["Cache-Control"] == "no-store"
    fields: dict[str, Any] = json.loads(response.content)
    assert fields["status"] == "error"
    assert fields["code"] == code
    assert fields["message"].endswith(".")
    return fields
