"""Log records on standard error."""

import io
import sys

import pytest

from thywill_server.log.console import Console


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """Say so."""
        return True


@pytest.mark.parametrize(
    ("color", "is_terminal", "no_color", "expected"),
    [
        ("auto", True, "", True),
        ("auto", False, "", False),
        ("auto", True, "1", False),
        ("always", False, "1", True),
        ("never", True, "", False),
    ],
)
def test_color_is_for_terminals(
    monkeypatch: pytest.MonkeyPatch, color: str, is_terminal: bool, no_color: str, expected: bool
) -> None:
    """By itself on a terminal, unless NO_COLOR is set; otherwise as the setting says."""
    monkeypatch.setattr(sys, "stderr", Terminal() if is_terminal else io.StringIO())
    monkeypatch.setenv("NO_COLOR", no_color)
    assert Console({"color": color}).formatter_config()["color"] is expected
