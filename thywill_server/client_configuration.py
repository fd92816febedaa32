"""What one page is told when it loads: parameters, and scripts and stylesheets in their order."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from thywill_server.encoding import Json, encode_json, plain

RESOURCE_TYPES = ("javascript", "css")


class ClientConfiguration:
    """What one page is told when it loads. Every component adds to it, the application last.

    Resources are loaded in the order they were added; adding one twice loads it once. A relative
    path (``"chat/chat.js"``) is one of the site's static files, anything with a scheme or a leading
    slash stays as it is.

    Args:
        uuid: the client's.
        resolve_path: makes a URL of a static file's relative path; called when it is added.
    """

    def __init__(self, uuid: str, resolve_path: Callable[[str], str] | None = None) -> None:
        self.uuid = uuid
        self.bootstrap_parameters: dict[str, Json] = {}
        self.application_parameters: dict[str, Json] = {}
        self.bootstrap_modules: list[str] = []
        self.bootstrap_resources: list[dict[str, str]] = []
        self.application_resources: list[dict[str, str]] = []
        self.application_template: str | None = None
        self.content_sources: dict[str, list[str]] = {}
        self.channel_joiner: Callable[[str, int | None], dict[str, Json]] | None = None
        self._resolve_path = resolve_path

    def set_bootstrap_parameter(self, name: str, value: Json) -> None:
        """Tell the framework's own scripts something; a later value replaces an earlier one."""
        self.bootstrap_parameters[_text("parameter name", name)] = value

    def set_application_parameter(self, name: str, value: Json) -> None:
        """Tell the application's scripts something; ``title`` is also the page's title."""
        self.application_parameters[_text("parameter name", name)] = value

    def add_bootstrap_script(self, url: str) -> None:
        """Load an ES module before the application's."""
        self._add(self.bootstrap_resources, "javascript", url)

    def add_bootstrap_stylesheet(self, url: str) -> None:
        """Load a stylesheet before the application's."""
        self._add(self.bootstrap_resources, "css", url)

    def add_bootstrap_module(self, url: str) -> None:
        """Have the page fetch early what a script of another server imports.

        The client interface finds by itself what the site's own static files import.
        """
        if _text("module", url) not in self.bootstrap_modules:
            self.bootstrap_modules.append(url)

    def add_application_script(self, path: str) -> None:
        """Load one of the application's ES modules."""
        self._add(self.application_resources, "javascript", path)

    def add_application_stylesheet(self, path: str) -> None:
        """Load one of the application's stylesheets."""
        self._add(self.application_resources, "css", path)

    def add_bootstrap_resource(self, resource: Mapping[str, str]) -> None:
        """Add a bootstrap resource in the spelling of 2011; see `add_application_resource`."""
        self._add(self.bootstrap_resources, *_type_and_url(resource))

    def add_application_resource(self, resource: Mapping[str, str]) -> None:
        """Add a resource in the spelling of 2011.

        Args:
            resource: ``{"type": "javascript" or "css", "resource": url}``.
        """
        self._add(self.application_resources, *_type_and_url(resource))

    def set_application_template(self, name: str) -> None:
        """Render this Django template into the page's body; the page itself is not told."""
        self.application_template = _text("template name", name)

    def join_channel(self, name: str, *, replay: int | None = None) -> None:
        """Let the page begin in a channel: its ticket, cursor, messages and snapshot come with it.

        Args:
            name: the channel's.
            replay: how many of the newest messages; None: all that are kept, and none where the
                channel has a snapshot.

        Raises:
            ApplicationError: the client may not join, or there is no such channel.
        """
        if self.channel_joiner is None:
            raise RuntimeError("channels can be joined by an application's @app.bootstrap only")
        channels = self.bootstrap_parameters.setdefault("channels", {})
        channels[name] = self.channel_joiner(name, replay)

    def add_content_source(self, directive: str, source: str) -> None:
        """Let the page use one more origin.

        Args:
            directive: of Content-Security-Policy, such as ``connect-src``.
            source: an origin such as ``wss://push.example.org``.
        """
        for name, value in (("directive", directive), ("source", source)):
            if not value or any(mark in value for mark in " \t\r\n;,"):
                raise ValueError(f"content {name}: expected one word, got {value!r}")
        sources = self.content_sources.setdefault(directive, [])
        if source not in sources:
            sources.append(source)

    def to_dict(self) -> dict[str, Any]:
        """Give what goes into the page, as plain JSON values under the five keys of 2011."""
        return {
            "uuid": self.uuid,
            "bootstrap_resources": [dict(resource) for resource in self.bootstrap_resources],
            "bootstrap_parameters": plain(self.bootstrap_parameters),
            "application_resources": [dict(resource) for resource in self.application_resources],
            "application_parameters": plain(self.application_parameters),
        }

    def to_json(self, formatted: bool = False) -> str:
        """Give the same as JSON text. It is not safe inside a script element: use json_script."""
        if not formatted:
            return encode_json(self.to_dict()).decode()
        return json.dumps(self.to_dict(), indent=4, ensure_ascii=False, sort_keys=True)

    def _add(self, resources: list[dict[str, str]], type_: str, url: str) -> None:
        _text(f"{type_} resource", url)
        if self._resolve_path is not None and _is_relative(url):
            url = self._resolve_path(url)
        resource = {"type": type_, "resource": url}
        if resource not in resources:
            resources.append(resource)


def _is_relative(url: str) -> bool:
    return not url.startswith("/") and not urlsplit(url).scheme


def _text(what: str, value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError(f"{what}: expected text, got {value!r}")
    return value


def _type_and_url(resource: Mapping[str, str]) -> tuple[str, str]:
    type_ = resource.get("type")
    if type_ not in RESOURCE_TYPES:
        raise ValueError(f'resource type: expected "javascript" or "css", got {type_!r}')
    return type_, resource.get("resource", "")
