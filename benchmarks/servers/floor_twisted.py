"""The job of floor.c on Twisted's default reactor.

usage: floor_twisted.py PORT PUBLISH_PORT WAY FRAME_BYTES

    write    transport.write, for each frame and subscriber
    direct   socket.send when the transport holds nothing, else transport.write
    gather   as direct, once for each read of the publisher and subscriber
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from twisted.internet import protocol, reactor

Write = Callable[[bytes], Any]
writes: dict[object, Write] = {}


def direct(transport: Any) -> Write:
    send = transport.socket.send

    def write(data: bytes) -> None:
        if transport.dataBuffer or transport._tempDataBuffer:
            transport.write(data)
            return
        try:
            sent = send(data)
        except BlockingIOError:
            sent = 0
        if sent != len(data):
            transport.write(data[sent:])

    return write


class Subscriber(protocol.Protocol):
    way = ""

    def connectionMade(self) -> None:
        transport: Any = self.transport
        transport.setTcpNoDelay(True)
        self.write = transport.write if self.way == "write" else direct(transport)
        writes[self] = self.write

    def dataReceived(self, data: bytes) -> None:
        self.write(data)

    def connectionLost(self, reason: object = None) -> None:
        writes.pop(self, None)


class Publisher(protocol.Protocol):
    is_gathering = False
    frame_bytes = 0
    rest = b""

    def dataReceived(self, data: bytes) -> None:
        data = self.rest + data
        whole = len(data) // self.frame_bytes * self.frame_bytes
        self.rest = data[whole:]
        step = whole if self.is_gathering else self.frame_bytes
        all_writes = list(writes.values())
        for start in range(0, whole, step or 1):
            frame = data[start : start + step]
            for write in all_writes:
                write(frame)


def main(port: int, publish_port: int, way: str, frame_bytes: int) -> None:
    Subscriber.way = way
    Publisher.is_gathering = way == "gather"
    Publisher.frame_bytes = frame_bytes
    listen: Any = reactor.listenTCP
    for number, kind in ((port, Subscriber), (publish_port, Publisher)):
        listen(number, protocol.Factory.forProtocol(kind), interface="127.0.0.1", backlog=4096)
    reactor.run()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
