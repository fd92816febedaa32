"""Django system checks: every mistake in ``THYWILL``, one sentence and one id each.

==============  ====================================================================
thywill.E001    ``THYWILL`` is missing or not a mapping
thywill.E002    a key that is none of the five components
thywill.E003    a component is missing, or has no dotted path
thywill.E004    a dotted path cannot be imported
thywill.E005    a dotted path leads to something that is not the right component
thywill.E006    a setting of a component is missing, unknown or wrong
thywill.E007    an application package cannot be imported
thywill.E008    an application package has no interface, or there is no such package
thywill.E009    the default application does not exist
thywill.E010    the database cannot keep what thywill stores (with ``--database``)
thywill.W001    the ticket key's file can be read by others
thywill.W002    a ``"*"`` in ``comet_options`` lets everybody in, or believes everybody
thywill.W003    pages over TLS are sent to an Orbited without it
thywill.W004    ``health_details`` tells strangers about the site
thywill.W005    ``replies_cache`` names a cache that each process has for itself
thywill.W006    the log holds tickets and messages
==============  ====================================================================

The warnings are those of ``manage.py check --deploy``; Django has others, for cookies and TLS.

Start-up says the same sentences, as a ConfigurationError.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import DEFAULT_DB_ALIAS, connections

from thywill_server.components import load, problems
from thywill_server.deployment_checks import check_deployment
from thywill_server.errors import ConfigurationError


def register_checks() -> None:
    """Make ``manage.py check`` look at ``THYWILL``."""
    register(check_components, "thywill")
    register(check_database, Tags.database)
    register(check_deployment, "thywill", deploy=True)


def check_components(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Look at the whole of ``THYWILL``, whichever apps are asked for."""
    thywill = getattr(settings, "THYWILL", None)
    return [Error(sentence, id=id_) for id_, sentence in problems(thywill)]


def check_database(
    app_configs: Any, databases: Collection[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Let the database component look at its database: before ``migrate``, and where it is asked.

    When the settings are wrong, `check_components` says so.
    """
    if databases is None or DEFAULT_DB_ALIAS not in databases:
        return []
    try:
        component = load(getattr(settings, "THYWILL", None)).database
    except ConfigurationError:
        return []
    found = component.database_problems(connections[DEFAULT_DB_ALIAS])
    return [Error(sentence, id="thywill.E010") for sentence in found]
