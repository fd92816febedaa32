"""``app.state`` and ``client.state``: values that every process of the site shares.

::

    app.state["motto"] = "be kind"
    app.state.get("visitors", 0)

    with app.state.update() as values:          # nobody else changes them meanwhile
        values["visitors"] = values.get("visitors", 0) + 1

Each access is a query, and sees what was committed last. Values are what JSON can hold. In an
``async`` function use ``await sync_to_async(...)``, as with the ORM.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import TypeVar

from thywill_server.encoding import Json

Result = TypeVar("Result")


class SharedState:
    """The values of one application, or of one client.

    Args:
        application: gives the application's name; asked at each access.
        owner: a client's uuid, or empty.
        max_bytes: gives how large all values together may be, as JSON.
        client_seconds: how long the values of a client are kept after their last change.
    """

    def __init__(
        self,
        application: Callable[[], str],
        owner: str,
        max_bytes: Callable[[], int],
        client_seconds: float = float("inf"),
    ) -> None:
        self._application = application
        self._owner = owner
        self._max_bytes = max_bytes
        self._client_seconds = client_seconds

    def as_dict(self) -> dict[str, Json]:
        """Give all values; changing the dict changes nothing here."""
        from thywill_server.database.state import read  # not before Django is ready for models

        return read(self._application(), self._owner)

    def update(self) -> AbstractContextManager[dict[str, Json]]:
        """Lock the values, to be changed in place; they are written at the end.

        An exception within changes nothing. Inside a transaction the lock lasts until its end.

        Raises:
            ValueError: they are too large; see the setting ``max_state_bytes``.
            TypeError: JSON has no form for a value.
        """
        from thywill_server.database.state import update

        return update(
            self._application(),
            self._owner,
            max_bytes=self._max_bytes(),
            client_seconds=self._client_seconds,
        )

    def change(self, function: Callable[[dict[str, Json]], Result]) -> Result:
        """Apply a function to the values under the lock of `update`; gives what it returns."""
        with self.update() as values:
            return function(values)

    def get(self, name: str, default: Json = None) -> Json:
        """Give a value, or the default."""
        return self.as_dict().get(name, default)

    def __getitem__(self, name: str) -> Json:
        return self.as_dict()[name]

    def __setitem__(self, name: str, value: Json) -> None:
        with self.update() as values:
            values[name] = value

    def __delitem__(self, name: str) -> None:
        with self.update() as values:
            del values[name]

    def __contains__(self, name: object) -> bool:
        return name in self.as_dict()

    def __iter__(self) -> Iterator[str]:
        return iter(self.as_dict())

    def __len__(self) -> int:
        return len(self.as_dict())

    def __repr__(self) -> str:
        whose = f"client {self._owner}" if self._owner else "application"
        return f"<SharedState of {whose}>"
