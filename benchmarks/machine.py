"""What the figures were taken on; nothing that tells whose machine it is."""

from __future__ import annotations

import os
import platform
from pathlib import Path


def cpu_model() -> str:
    """The processor, as it calls itself."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")),
        platform.machine(),
    )


def describe() -> str:
    """One line: processor, cores, kernel, system."""
    kernel = ".".join(platform.release().split("-")[0].split(".")[:2])
    try:
        name = platform.freedesktop_os_release().get("PRETTY_NAME", "")
    except OSError:
        name = platform.system()
    return f"{cpu_model()}, {os.cpu_count()} cores, {platform.system()} {kernel}, {name}"
