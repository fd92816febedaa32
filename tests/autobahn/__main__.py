"""Run the fuzzing client of the Autobahn test suite against Orbited's WebSocket echo.

    python -m tests.autobahn --wstest PATH [--cases "1.*" "12.1.*"] [--reports FOLDER]

The suite is a program for Python 2.7, so nothing installs it by itself; how to is told in
documentation/how-to/work-on-the-project.md. The status is 0 when no case has failed.
"""

import argparse
import contextlib
import json
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from tests.support.ports import free_port

ROOT = Path(__file__).parents[2]

#: Larger than the largest message of the suite, 16 MiB in section 9.
MESSAGE_BYTES = 32 << 20

SECTIONS = {
    1: "framing",
    2: "pings and pongs",
    3: "reserved bits",
    4: "opcodes",
    5: "fragmentation",
    6: "UTF-8",
    7: "closing",
    9: "limits and performance",
    10: "automatic fragmentation",
    12: "compression",
    13: "compression, with parameters",
}

FAILURES = ("FAILED", "WRONG CODE", "UNCLEAN", "FAILED BY CLIENT", "UNIMPLEMENTED")


def main() -> int:
    """Serve, run the suite, print a table."""
    parser = argparse.ArgumentParser(prog="python -m tests.autobahn")
    parser.add_argument("--wstest", required=True, help="the suite's program")
    parser.add_argument("--cases", nargs="+", default=["*"], help='like "1.*"; all by default')
    parser.add_argument("--reports", help="folder for the suite's pages; a temporary one otherwise")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        reports = Path(options.reports or folder / "reports").resolve()
        port = free_port()
        configuration = folder / "orbited.cfg"
        configuration.write_text(
            f"[listen]\nhttp://127.0.0.1:{port}\n"
            "[websocket]\necho_enabled = 1\n"
            "[transports]\nwebsocket_compression = 1\n"
            f"[limits]\npost_bytes = {MESSAGE_BYTES}\n"
        )
        specification = folder / "fuzzingclient.json"
        specification.write_text(
            json.dumps(
                {
                    "outdir": str(reports),
                    "servers": [{"agent": "orbited", "url": f"ws://127.0.0.1:{port}/ws/echo"}],
                    "cases": options.cases,
                    "exclude-cases": [],
                    "exclude-agent-cases": {},
                }
            )
        )
        command = [sys.executable, "-m", "orbited", "-c", str(configuration)]
        server = subprocess.Popen(command, cwd=ROOT)
        try:
            wait_for(server, port)
            started = time.monotonic()
            suite = [options.wstest, "-m", "fuzzingclient", "-s", str(specification)]
            subprocess.run(suite, cwd=folder, check=True, stdout=subprocess.DEVNULL)
            seconds = time.monotonic() - started
        finally:
            server.terminate()
            server.wait()
        results = json.loads((reports / "index.json").read_text())["orbited"]
    return report(results, seconds)


def wait_for(server: subprocess.Popen[bytes], port: int) -> None:
    """Return when the server listens.

    Raises:
        ConnectionError: it has ended, or does not listen within half a minute.
    """
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and server.poll() is None:
        with contextlib.suppress(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port)).close()
            return
        time.sleep(0.05)
    raise ConnectionError(f"nobody listens on port {port}")


def report(results: dict[str, dict[str, Any]], seconds: float) -> int:
    """Print what became of each section and each failed case; 1 if there is one."""
    failed = {
        case: f"{result['behavior']}, closing {result['behaviorClose']}"
        for case, result in results.items()
        if result["behavior"] in FAILURES or result["behaviorClose"] in FAILURES
    }
    print(f"{'section':<36}{'cases':>6}{'failed':>8}  behavior")  # noqa: T201
    for number, title in SECTIONS.items():
        ours = {case: one for case, one in results.items() if case.split(".")[0] == str(number)}
        if ours:
            behavior = Counter(result["behavior"] for result in ours.values())
            counted = ", ".join(f"{count} {name}" for name, count in behavior.most_common())
            bad = sum(case in failed for case in ours)
            print(f"{number:>2} {title:<33}{len(ours):>6}{bad:>8}  {counted}")  # noqa: T201
    print(f"{len(results)} cases, {len(failed)} failed, {seconds:.0f} s")  # noqa: T201
    for case, why in failed.items():
        print(f"{case}: {why}")  # noqa: T201
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
