"""One request and its answer in memory, for what is written against ``orbited.http``."""

from collections.abc import Callable
from typing import Any

from orbited.http import Exchange, Headers


class MemoryExchange(Exchange):
    """A request that a test makes, and the answer as it was written.

    ``lose()`` is the browser going away.
    """

    def __init__(
        self,
        method: str = "GET",
        path: str = "",
        body: bytes = b"",
        query: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
        address: str = "192.0.2.1",
        scheme: str = "http",
    ) -> None:
        self.method = method
        self.path = tuple(path.removeprefix("/").split("/")) if path else ()
        self.address = address
        self.scheme = scheme
        self._body = body
        self._query = query or {}
        self._headers = {"host": "orbited.example", **(headers or {})}
        self._lost: Callable[[], None] | None = None
        self.status: int | None = None
        self.headers: dict[str, str] = {}
        self.length: int | None = None
        self.written: list[bytes] = []
        self.is_finished = False
        self.producer: Any = None
        self.upgraded: Any = None

    body = property(lambda self: self._body)
    target = property(lambda self: "/" + "/".join(self.path))

    def argument(self, name: str) -> str | None:
        return self._query.get(name)

    def header(self, name: str) -> str | None:
        return self._headers.get(name.lower())

    def header_items(self) -> list[tuple[str, str]]:
        return list(self._headers.items())

    def on_lost(self, callback: Callable[[], None]) -> None:
        self._lost = callback

    def start(self, status: int, headers: Headers, length: int | None = None) -> None:
        assert self.status is None, "answered twice"
        self.status, self.headers, self.length = status, dict(headers), length

    def write(self, data: bytes) -> None:
        assert self.status is not None
        assert not self.is_finished
        self.written.append(data)

    def finish(self) -> None:
        assert not self.is_finished
        self.is_finished = True

    def register_producer(self, producer: Any) -> None:
        self.producer = producer

    def upgrade(self, response: bytes, protocol: Any) -> None:
        self.status = 101
        self.written.append(response)
        self.upgraded = protocol

    def lose(self) -> None:
        """The browser goes away."""
        if not self.is_finished and self._lost is not None:
            callback, self._lost = self._lost, None
            callback()

    @property
    def content(self) -> bytes:
        """All of the body that was written."""
        return b"".join(self.written)
