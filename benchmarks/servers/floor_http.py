"""HTTP request and response on Twisted; the body is the path.

usage: floor_http.py PORT twisted-web|twisted-web-later|by-hand
"""

from __future__ import annotations

import sys
from typing import Any

from twisted.internet import protocol, reactor
from twisted.web import resource, server


class Path(resource.Resource):
    isLeaf = True
    is_late = False

    def render_GET(self, request: Any) -> Any:
        if not self.is_late:
            return request.uri
        reactor.callLater(0, self.answer, request)
        return server.NOT_DONE_YET

    def answer(self, request: Any) -> None:
        request.setHeader(b"content-length", b"%d" % len(request.uri))
        request.write(request.uri)
        request.finish()


class ByHand(protocol.Protocol):
    rest = b""

    def dataReceived(self, data: bytes) -> None:
        *requests, self.rest = (self.rest + data).split(b"\r\n\r\n")
        for request in requests:
            path = request[4 : request.index(b" ", 4)]
            transport: Any = self.transport
            transport.write(
                b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nContent-Type: text/plain\r\n\r\n%b"
                % (len(path), path)
            )


def main(port: int, way: str) -> None:
    Path.is_late = way == "twisted-web-later"
    by_hand = protocol.Factory.forProtocol(ByHand)
    site: Any = server.Site
    root: Any = Path
    factory: Any = by_hand if way == "by-hand" else site(root())
    reactor.listenTCP(port, factory, interface="127.0.0.1", backlog=4096)
    reactor.run()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
