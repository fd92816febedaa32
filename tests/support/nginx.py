"""A private nginx on loopback, with a configuration of the documentation or one of a test's own."""

from __future__ import annotations

import os
import shutil
import socket
import ssl
import subprocess
import time
from pathlib import Path
from typing import Self

from tests.support.orbited_command import ROOT
from tests.support.ports import free_port

DOCUMENTED = ROOT / "documentation" / "how-to" / "nginx" / "thywill.conf"
PLACES = f"{os.environ.get('PATH', '')}:/usr/local/sbin:/usr/sbin:/sbin"
NGINX = shutil.which("nginx", path=PLACES)
OPENSSL = shutil.which("openssl", path=PLACES)
MISSING = "nginx or openssl is missing; ./run test installs them where it can"

MAIN = """{user}
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
events {{}}
http {{
    access_log off;
    # A machine may have it on for everything; it must not hold back a stream either.
    gzip on;
    gzip_types *;
    gzip_min_length 0;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
{sites}
}}
"""


class Nginx:
    """One nginx with some sites; it runs while the ``with`` block does.

    Args:
        folder: for all that it writes.
        sites: what stands in its ``http`` block.
        port: waited for before anything is asked of it.
    """

    def __init__(self, folder: Path, sites: str, port: int) -> None:
        self.port = port
        user = "user root;" if os.geteuid() == 0 else ""
        self._path = folder / "nginx.conf"
        self._path.write_text(MAIN.format(user=user, folder=folder, sites=sites))
        self._folder = folder

    def __enter__(self) -> Self:
        assert NGINX is not None
        command = [NGINX, "-p", self._folder, "-e", "stderr", "-c", self._path]
        self._process = subprocess.Popen(command)
        deadline = time.monotonic() + 60
        while self._process.poll() is None and time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return self
            except OSError:
                time.sleep(0.02)
        raise AssertionError(f"nginx does not listen; its status is {self._process.poll()}")

    def __exit__(self, *exception: object) -> None:
        self._process.terminate()
        self._process.wait(60)


class DocumentedNginx(Nginx):
    """nginx with the file of the documentation: its name, ports, certificate and site are changed.

    Attributes:
        port: for HTTPS.
        plain_port: for HTTP.
        context: trusts its certificate.
    """

    def __init__(self, folder: Path, site_port: int) -> None:
        make_certificate(folder)
        self.context = ssl.create_default_context(cafile=folder / "cert.pem")
        self.plain_port, port = free_port(), free_port()
        changes = {
            "example.com;": "localhost;",
            "server 127.0.0.1:8000;": f"server 127.0.0.1:{site_port};",
            "listen 80;": f"listen 127.0.0.1:{self.plain_port};",
            "listen 443 ssl http2;": f"listen 127.0.0.1:{port} ssl http2;",
            "listen [::]:80;": "",
            "listen [::]:443 ssl http2;": "",
            "/etc/letsencrypt/live/example.com/fullchain.pem": f"{folder}/cert.pem",
            "/etc/letsencrypt/live/example.com/privkey.pem": f"{folder}/key.pem",
        }
        sites = DOCUMENTED.read_text()
        for written, wanted in changes.items():
            assert written in sites, written
            sites = sites.replace(written, wanted)
        super().__init__(folder, sites, port)


def make_certificate(folder: Path) -> None:
    """Write ``cert.pem`` and ``key.pem``, for localhost."""
    assert OPENSSL is not None
    request = [
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
    ]
    name = ["-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    files = ["-keyout", folder / "key.pem", "-out", folder / "cert.pem"]
    subprocess.run([OPENSSL, *request, *name, *files], check=True, capture_output=True)
