"""The contract that all five components share.

A component is one replaceable part of a site, chosen in ``settings.py`` by dotted path. It declares
its settings in a table, and everything else follows from the table: defaults, types, the sentence
for a mistake, the reference. A complete one::

    class Megaphone(PushComponent):
        SETTINGS = {
            "volume": Setting(kind="int", help="How loud, in dB.", default=60, maximum=120),
        }

        def bootstrap_client(self, client, configuration):
            configuration.add_bootstrap_script("megaphone/megaphone.js")
            configuration.set_bootstrap_parameter("volume", self.settings["volume"])

and in ``settings.py``: ``THYWILL["push"] = {"component": "megaphone.Megaphone", "volume": 90}``.
"""

from __future__ import annotations

from abc import ABC
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from thywill_server.settings_table import Setting, did_you_mean

if TYPE_CHECKING:
    from thywill_server.client import Client
    from thywill_server.client_configuration import ClientConfiguration

__all__ = ["Component", "Problem", "Setting"]


class Problem(str):
    """A sentence about a wrong setting, with the id that the system check gives it."""

    __slots__ = ("id",)
    id: str

    def __new__(cls, sentence: str, id: str = "thywill.E006") -> Problem:
        """Take a sentence; ``id`` is that of a wrong setting by default."""
        problem = super().__new__(cls, sentence)
        problem.id = id
        return problem


class Component(ABC):  # noqa: B024 - the five contracts have the abstract methods
    """One replaceable part of a site. Built once per process, before any request.

    Building one has no effect outside it: no file, no connection, no thread, no import of an
    application. System checks build components too. Effects begin with ``start``.

    While a site is checked, collaborators that are wrong themselves are missing: look them up when
    they are used, not here.

    Attributes:
        settings: every setting of ``SETTINGS``, defaults filled in, paths as Path.
        collaborators: the components that this one was given, by name.
    """

    SECTION: ClassVar[str] = ""
    """The key in ``THYWILL``; each of the five contracts sets it."""

    SETTINGS: ClassVar[Mapping[str, Setting]] = {}

    def __init__(self, settings: Mapping[str, Any], **collaborators: Component) -> None:
        self.given_settings = dict(settings)
        self.settings: dict[str, Any] = {}
        for name, setting in self.SETTINGS.items():
            value = self.given_settings.get(name, setting.default)
            is_fine = setting.problem(value) is None
            self.settings[name] = setting.value_of(value) if is_fine else value
        self.collaborators: dict[str, Component] = collaborators

    def bootstrap_client(self, client: Client, configuration: ClientConfiguration) -> None:  # noqa: B027
        """Add to what one page is told. Called in a web thread, once for each page load."""

    def check(self) -> list[str]:
        """Give one sentence for every setting that is missing or wrong.

        A component whose settings depend on each other adds to what ``super().check()`` gives; it
        is only called when each setting by itself is fine. A sentence begins with
        ``self.setting_name(key)``.
        """
        return self.settings_problems(self.given_settings)

    def start(self) -> None:  # noqa: B027 - many components have nothing to start
        """Begin to work: the process is about to serve. Called once, from any thread."""

    def stop(self) -> Any:
        """Finish what is under way, in bounded time; may return a Deferred. From any thread."""
        return None

    def health(self) -> dict[str, Any]:
        """Tell how it is, for ``/thywill/health/``; ``status`` is ``ok`` or ``failed``.

        Called in a web thread, often: answers at once. Strangers may read it: no paths, no secrets.
        """
        return {"status": "ok"}

    @classmethod
    def setting_name(cls, key: str) -> str:
        """Give a setting the way ``settings.py`` writes it: ``THYWILL["push"]["stomp_port"]``."""
        return f'THYWILL["{cls.SECTION}"]["{key}"]'

    @classmethod
    def settings_problems(cls, settings: Mapping[str, Any]) -> list[str]:
        """Compare settings with ``SETTINGS``; one sentence for each that is missing or wrong."""
        problems: list[str] = []
        for name in settings:
            if name not in cls.SETTINGS:
                hint = did_you_mean(name, dict(cls.SETTINGS)) or cls._known_settings()
                problems.append(Problem(f"{cls.setting_name(str(name))}: unknown setting{hint}"))
        for name, setting in cls.SETTINGS.items():
            if name not in settings:
                if setting.required:
                    text = f"{cls.setting_name(name)}: missing; expected {setting.expectation}"
                    problems.append(Problem(text))
                continue
            problem = setting.problem(settings[name])
            if problem is not None:
                problems.append(Problem(f"{cls.setting_name(name)}: {problem}"))
        return problems

    @classmethod
    def _known_settings(cls) -> str:
        listed = ", ".join(f'"{name}"' for name in cls.SETTINGS)
        return f"; {cls.__name__} has {listed or 'no settings'}"
