"""The contract of log components: where the site writes down what it does.

A log component configures Python's own logging; everything logs with
``logging.getLogger(__name__)``. A complete one, which keeps warnings on standard error::

    class Terse(LogComponent):
        def handler_config(self):
            return {"class": "logging.StreamHandler", "level": "WARNING"}
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from thywill_server.component import Component
from thywill_server.settings_table import Setting

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")

LOGGERS = ("thywill_server", "thywill_apps", "orbited", "morbid", "stompservice", "twisted")
"""The loggers that are ours. The root logger is left alone: it belongs to the site."""

LEVEL_SETTING = Setting(
    kind="str",
    help="The least severe level that is written.",
    default="INFO",
    choices=LEVELS,
)
LOGGERS_SETTING = Setting(
    kind="list",
    help="Further loggers to write, such as a library's; application packages are included.",
    default=[],
)


class LogComponent(Component):
    """Says where log records go.

    Each record has the ids of the request, the client and the message that it belongs to, as far
    as there are any: see `thywill_server.log.context`. Never logged above DEBUG, by anyone:
    tickets, cookies, passcodes, message bodies.
    """

    SECTION: ClassVar[str] = "log"
    SETTINGS: ClassVar[Mapping[str, Setting]] = {
        "level": LEVEL_SETTING,
        "loggers": LOGGERS_SETTING,
    }

    @abstractmethod
    def handler_config(self) -> dict[str, Any]:
        """Give the handler, as `logging.config.dictConfig` writes one; its formatter too."""

    def formatter_config(self) -> dict[str, Any] | None:
        """Give the handler's formatter, as dictConfig writes one, or None."""
        return None

    def logging_config(self, application_loggers: Iterable[str] = ()) -> dict[str, Any]:
        """Give Django's ``LOGGING``: one handler, on our loggers, the applications' and Django's.

        Args:
            application_loggers: the application packages' names.
        """
        handler = dict(self.handler_config())
        handler["filters"] = [*handler.get("filters", ()), "thywill_context"]
        config: dict[str, Any] = {
            "version": 1,
            "disable_existing_loggers": False,
            "filters": {
                "require_debug_false": {"()": "django.utils.log.RequireDebugFalse"},
                "thywill_context": {"()": "thywill_server.log.context.ContextFilter"},
            },
            "handlers": {
                "thywill": handler,
                # Django's own; naming the logger "django" below would otherwise end it.
                "mail_admins": {
                    "level": "ERROR",
                    "filters": ["require_debug_false"],
                    "class": "django.utils.log.AdminEmailHandler",
                },
            },
            "loggers": {"django": self._logger("INFO", "thywill", "mail_admins")},
        }
        formatter = self.formatter_config()
        if formatter is not None:
            config["formatters"] = {"thywill": formatter}
            handler["formatter"] = "thywill"
        names = {*LOGGERS, *application_loggers, *self.settings.get("loggers", [])}
        level = self.settings.get("level", "INFO")
        for name in sorted(names):
            if not any(name.startswith(f"{other}.") for other in names):
                config["loggers"][name] = self._logger(level, "thywill")
        return config

    @staticmethod
    def _logger(level: str, *handlers: str) -> dict[str, Any]:
        # Records still reach the root logger: a site that has handlers there sees everything.
        return {"handlers": list(handlers), "level": level}
