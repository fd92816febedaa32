"""What ``manage.py`` says when an application stops Django from starting.

Django imports every application package, and its models, before any system check can run. A mistake
in one of them would end in a traceback of twenty lines that begins with Django's own; this is the
sentence that the check has for the same mistake elsewhere in the package.
"""

from __future__ import annotations

import traceback
from pathlib import Path
from types import TracebackType

from thywill_server.application.base import ApplicationComponent
from thywill_server.application.packages import folders_of
from thywill_server.components import import_reason, installed_applications


def application_problem(error: BaseException, thywill: object) -> str | None:
    """Say which application could not be imported while Django started.

    Args:
        error: what came out of a command of ``manage.py``.
        thywill: the setting ``THYWILL``.

    Returns:
        the sentence, or None for an error of another kind, whose traceback somebody needs.
    """
    if not _is_from_start(error.__traceback__):
        return None
    files = [Path(frame.filename) for frame in traceback.extract_tb(error.__traceback__)]
    if isinstance(error, SyntaxError) and error.filename:
        files.append(Path(error.filename))
    for package in installed_applications(thywill):
        if any(file.is_relative_to(folder) for folder in folders_of(package) for file in files):
            where = ApplicationComponent.setting_name("packages")
            return f'{where}: cannot import "{package}" ({import_reason(error)})'
    return None


def _is_from_start(trace: TracebackType | None) -> bool:
    """Tell whether an error comes from the time when Django imports what is installed."""
    while trace is not None:
        code = trace.tb_frame.f_code
        if (trace.tb_frame.f_globals.get("__name__"), code.co_name) == (
            "django.apps.registry",
            "populate",
        ):
            return True
        trace = trace.tb_next
    return False
