"""Commits inside a ``TestCase``, where nothing is ever committed.

Django's ``TestCase`` (and the ``db`` fixture of pytest-django) puts each test into a transaction
that it rolls back, so what waits for a commit, as every publication does, would wait for ever. A
virtual browser therefore takes the transaction of the test for the outside world: what is not in a
transaction of the program's own *within* it counts as committed::

    TestCase begins ------------------------------------------ rolls back
        publish(...)                    done before the browser's next step
        with transaction.atomic():
            publish(...)                waits ...
                                        ... and is done now
        with transaction.atomic():      rolled back: never done

Where a test has no such transaction, all of this is Django's, and nothing is done here.
"""

from __future__ import annotations

import logging
from typing import Any

from django.db import connections

log = logging.getLogger(__name__)


def run_committed() -> None:
    """Do what waits for a commit that only the test's own transaction holds up."""
    for connection in connections.all(initialized_only=True):
        while ready := _take_ready(connection):
            for function, is_robust in ready:
                _run(function, is_robust)


def _take_ready(connection: Any) -> list[tuple[Any, bool]]:
    blocks = connection.atomic_blocks
    if not any(block._from_testcase for block in blocks) or connection.needs_rollback:
        return []
    # The outermost transaction has no savepoint; each further one has, or None in its place.
    open_savepoints = {
        savepoint
        for block, savepoint in zip(blocks[1:], connection.savepoint_ids, strict=False)
        if not block._from_testcase
    }
    if not blocks[0]._from_testcase:
        return []
    waiting = connection.run_on_commit
    connection.run_on_commit = [each for each in waiting if each[0] & open_savepoints]
    return [(each[1], each[2]) for each in waiting if not each[0] & open_savepoints]


def _run(function: Any, is_robust: bool) -> None:
    try:
        function()
    except Exception:
        if not is_robust:
            raise
        log.exception("what waited for the commit has failed")
