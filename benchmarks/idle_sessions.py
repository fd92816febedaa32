"""What an idle session costs: ``python -m benchmarks.idle_sessions --sessions 5000``.

Starts ``orbited`` with a back end behind it, opens the sessions, and looks at the memory of it
before and after. Then all browsers vanish, and it waits until the sessions are gone.
"""

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from benchmarks.crowd import TRANSPORTS, crowd, resident_kilobytes

ROOT = Path(__file__).parents[1]
WARM_UP = 200


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def sessions_of(port: int) -> int:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/system/health") as answer:
        return int(json.load(answer)["sessions"])


def wait_until_gone(port: int) -> float:
    started = time.monotonic()
    while sessions_of(port):
        time.sleep(0.1)
    return time.monotonic() - started


def measure(transport: str, count: int, *, has_local_back_end: bool) -> None:
    port, back_end = free_port(), free_port()
    scheme = "stomp" if has_local_back_end else "echo"
    config = (
        f"[listen]\nhttp://127.0.0.1:{port}\n{scheme}://127.0.0.1:{back_end}\n"
        f"[access]\n* -> 127.0.0.1:{back_end}\n"
        "[session]\nping_interval = 60\nping_timeout = 5\nunused_timeout = 5\n"
        f"[limits]\nsessions = {count * 2}\nsessions_per_address = {count * 2}\n"
        "drain_seconds = 0\n[logging]\nenabled.default = error\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "orbited.cfg").write_text(config)
        server = subprocess.Popen(
            [sys.executable, "-m", "orbited"],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        try:
            while True:
                try:
                    sessions_of(port)
                    break
                except OSError:
                    time.sleep(0.05)
            with crowd(port, f"127.0.0.1:{back_end}") as people:
                people.come(WARM_UP, transport)
                people.hear()
                before = resident_kilobytes(server.pid)
                with crowd(port, f"127.0.0.1:{back_end}") as many:
                    started = time.monotonic()
                    many.come(count, transport)
                    many.hear()
                    seconds = time.monotonic() - started
                    after = resident_kilobytes(server.pid)
            print(
                f"{transport:10} {count} sessions, back end "
                f"{'in this process' if has_local_back_end else 'over TCP'}: "
                f"{(after - before) / count:.1f} kB each ({after / 1024:.0f} MB in all), "
                f"opened in {seconds:.1f} s"
            )
        finally:
            server.terminate()
            server.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=5000)
    parser.add_argument("--transport", choices=TRANSPORTS, action="append")
    parser.add_argument("--tcp", action="store_true", help="a back end over TCP")
    options = parser.parse_args()
    for transport in options.transport or TRANSPORTS:
        measure(transport, options.sessions, has_local_back_end=not options.tcp)


if __name__ == "__main__":
    main()
