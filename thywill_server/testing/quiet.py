"""Less noise on the terminal: servers inside of tests log what only an operator reads."""

from __future__ import annotations

import logging
from typing import Final

from django.conf import settings

__all__ = ["Quiet"]

SHOWN_FROM: Final = {
    "morbid": logging.WARNING,
    "orbited": logging.WARNING,
    "stompservice": logging.WARNING,
    "django.request": logging.ERROR,  # a refusal is an exception in the test already
}
"""Of these loggers, handlers of the setting ``LOGGING`` show less."""


class Quiet(logging.Filter):
    """Keeps the site's own handlers quiet; those of pytest and unittest hear everything."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether a record is shown."""
        return not any(
            record.levelno < level and f"{record.name}.".startswith(f"{name}.")
            for name, level in SHOWN_FROM.items()
        )

    def begin(self) -> None:
        """Be quiet."""
        for handler in _site_handlers():
            handler.addFilter(self)

    def end(self) -> None:
        """Show everything again."""
        for handler in _site_handlers():
            handler.removeFilter(self)


def _site_handlers() -> list[logging.Handler]:
    config = settings.LOGGING or {}
    loggers = [logging.getLogger(name) for name in ("", *config.get("loggers", {}))]
    handlers = dict.fromkeys(handler for logger in loggers for handler in logger.handlers)
    return [handler for handler in handlers if handler.get_name() in config.get("handlers", {})]
