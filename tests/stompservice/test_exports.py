"""Public names, and what importing them brings along."""

from __future__ import annotations

import subprocess
import sys

import pytest

import stompservice
import stompservice.protocol


@pytest.mark.parametrize("module", [stompservice, stompservice.protocol])
def test_public_names(module):
    """Every name in __all__ is there."""
    assert all(getattr(module, name) for name in module.__all__)


def test_unknown_name():
    """A name that is not there is an AttributeError like any other."""
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        stompservice.Nothing  # noqa: B018


def test_original_names():
    """What programs of 2008 import is where it was."""
    from stompservice.client import StompClientFactory

    assert stompservice.StompClientFactory is StompClientFactory


@pytest.mark.parametrize(
    ("module", "unwanted"),
    [
        ("stompservice.protocol", ("twisted", "zope", "django")),
        ("stompservice.service", ("django", "morbid", "orbited", "twisted.internet.reactor")),
        ("stompservice.client", ("django", "morbid", "orbited", "twisted.internet.reactor")),
    ],
)
def test_imports(module, unwanted):
    """The codec needs the standard library only, and no import starts a reactor."""
    code = f"import sys, {module}; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = run.stdout.split()
    assert not [name for name in unwanted if name in loaded]
