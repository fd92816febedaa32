"""The browser files of Orbited 0.7.10, as they were published, and a server with pages of them.

They are nobody's but their authors', so they are not in this repository: ``./run test`` fetches the
package that they came in, and this finds them where it was unpacked.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tests.support.orbited_command import ROOT, OrbitedCommand
from tests.support.ports import free_port

PACKAGE = ROOT / ".venv" / "orbited-0.7.10" / "orbited"
MISSING = "Orbited 0.7.10 is not in .venv; ./run test fetches it"

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>A page of 2010</title>
<body>
<script>document.domain = {domain};</script>
<script src="{url}2010/static/Orbited.js"></script>
<script>TCPSocket = Orbited.TCPSocket;</script>
<script src="{url}2010/static/protocols/stomp/stomp.js"></script>
<script src="{url}2010/static/protocols/telnet/telnet.js"></script>
<script src="{url}2010/static/protocols/irc/irc2.js"></script>
<script src="{url}2010/static/protocols/xmpp/xmpp.js"></script>
</body>
</html>
"""


@dataclass
class ServerOf2010(OrbitedCommand):
    """The ``orbited`` command of today, which also serves the old files and a page with them.

    The old Orbited.js finds its server by its own address, which must end in
    ``/static/Orbited.js``; the rest of it, comet and helper pages, is today's.
    """

    line_port: int = 0
    rude_port: int = 0
    service_port: int = 0

    @classmethod
    def in_folder(cls, folder: Path) -> Self:
        """A server that is yet to be started, with its configuration and its page written."""
        server = super().in_folder(folder)
        server.line_port, server.rude_port, server.service_port = (free_port() for _ in range(3))
        (folder / "pages").mkdir()
        (folder / "pages" / "page.html").write_text(PAGE.format(url="/", domain="document.domain"))
        (folder / "orbited.cfg").write_text(server.configuration())
        return server

    def configuration(self) -> str:
        """Streams that end after 64 KiB: what takes long otherwise."""
        ports = (self.line_port, self.rude_port, self.service_port)
        rules = [
            f"{source} -> 127.0.0.1:{port}"
            for source in ("*", f"http://127.0.0.1:{self.page_port}", self.subdomain_url)
            for port in ports
        ]
        lines = [
            "[listen]",
            f"lineecho://127.0.0.1:{self.line_port}",
            f"rude://127.0.0.1:{self.rude_port}",
            "[access]",
            *rules,
            "[static]",
            f"2010 = {PACKAGE}",
            f"pages = {self.folder / 'pages'}",
            "[transports]",
            "heartbeat_seconds = 2",
            "stream_bytes = 65536",
            "",
        ]
        lines += ["[access]", f"{self.subdomain_url} -> 127.0.0.1:{self.echo_port}", ""]
        return super().configuration() + "\n".join(lines)

    @property
    def subdomain_url(self) -> str:
        """The origin of pages on a subdomain of ``x.localhost``, which is this server too."""
        return f"http://www.x.localhost:{self.port}"

    @property
    def page_url(self) -> str:
        """A page of the same origin."""
        return f"{self.url}pages/page.html"
