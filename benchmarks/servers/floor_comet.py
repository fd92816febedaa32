"""How cheap can sessions with STOMP inside be in one Twisted process?

usage: floor_comet.py PORT STOMP_PORT

It speaks as much of Orbited's protocol (XHR streaming, long polling) and of STOMP as the load
generator does, and trusts it: no timers, no bounds, no errors, no resending. What a session gets
in one turn of the reactor goes out in one packet, with a direct ``socket.send``; what many get
alike is put together once.
"""

from __future__ import annotations

import sys
from base64 import b64decode, b64encode
from typing import Any

from twisted.internet import protocol, reactor

STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n"
later: Any = reactor
sessions: dict[bytes, Session] = {}
destinations: dict[bytes, dict[Sink, bytes]] = {}
waiting: list[Sink] = []
last_message = 0


def write(transport: Any, data: bytes) -> None:
    """Send at once, unless something waits already."""
    sent = 0
    if not (transport.dataBuffer or transport._tempDataBuffer):
        try:
            sent = transport.socket.send(data)
        except BlockingIOError:
            pass
    if sent < len(data):
        transport.write(data[sent:])


class Together:
    """Joins what many get alike, and puts it into base64, once."""

    def __init__(self) -> None:
        self._frames: list[bytes] = []
        self._text = b""

    def text(self, frames: list[bytes]) -> bytes:
        """Base64 of frames."""
        if frames != self._frames:
            self._frames, self._text = frames, b64encode(b"".join(frames))
        return self._text


together = Together()


class Sink:
    """Whoever logs in, subscribes and sends by STOMP."""

    rest = b""

    def __init__(self) -> None:
        self.frames: list[bytes] = []

    def receive(self, data: bytes) -> None:
        """Take bytes of STOMP."""
        *frames, self.rest = (self.rest + data).split(b"\0")
        for frame in frames:
            head, _, body = frame.partition(b"\n\n")
            command, *lines = head.split(b"\n")
            headers = dict(line.split(b":", 1) for line in lines)
            if command == b"SEND":
                publish(headers[b"destination"], lines, body)
            elif command == b"SUBSCRIBE":
                destinations.setdefault(headers[b"destination"], {})[self] = headers[b"id"]
            elif command == b"CONNECT":
                self.put(b"CONNECTED\nversion:1.2\n\n\0")

    def put(self, frame: bytes) -> None:
        """Keep a frame until this turn is over."""
        if not self.frames:
            if not waiting:
                later.callLater(0, flush)
            waiting.append(self)
        self.frames.append(frame)

    def send(self, frames: list[bytes]) -> None:
        raise NotImplementedError


def publish(destination: bytes, headers: list[bytes], body: bytes) -> None:
    """Give a message to all who want it; its frame is made once for each subscription id."""
    global last_message
    last_message += 1
    made: dict[bytes, bytes] = {}
    for sink, subscription in destinations.get(destination, {}).items():
        frame = made.get(subscription)
        if frame is None:
            lines = [b"MESSAGE", *headers, b"message-id:%d" % last_message]
            lines += [b"subscription:" + subscription, b"", body + b"\0"]
            frame = made[subscription] = b"\n".join(lines)
        sink.put(frame)


def flush() -> None:
    """End the turn: everybody gets what is there."""
    sinks = waiting[:]
    waiting.clear()
    for sink in sinks:
        frames, sink.frames = sink.frames, []
        sink.send(frames)


class Session(Sink):
    """A browser's: a response that waits or streams, and packets."""

    def __init__(self) -> None:
        super().__init__()
        self.transport: Any = None
        self.is_stream = self.is_connected = False
        self.last_id = 0
        self.unsent = b""

    def open(self, transport: Any, is_stream: bool) -> None:
        """Take a GET."""
        self.transport, self.is_stream = transport, is_stream
        if is_stream:
            write(transport, STREAM)
        if not self.last_id:
            self.last_id = 1
            self.emit(b"11,104,open")
        elif self.unsent:
            self.emit(b"")

    def post(self, body: bytes) -> None:
        """Take the packets of a POST."""
        while body:
            arguments, is_last = [], False
            while not is_last:
                digits, _, body = body.partition(b",")
                is_last, size = digits[:1] == b"0", int(digits[1:])
                arguments.append(body[:size])
                body = body[size:]
            if arguments[1] != b"data":
                continue
            data = b64decode(arguments[2])
            if self.is_connected:
                self.receive(data)
            else:
                self.is_connected = True
                self.put(b"1")

    def send(self, frames: list[bytes]) -> None:
        """One packet with all of them."""
        text = together.text(frames)
        self.last_id += 1
        number = b"%d" % self.last_id
        self.emit(b"1%d,%b14,data0%d,%b" % (len(number), number, len(text), text))

    def emit(self, packet: bytes) -> None:
        """Write it, or keep it until somebody asks."""
        packet = self.unsent + packet
        if self.transport is None:
            self.unsent = packet
            return
        self.unsent = b""
        if self.is_stream:
            write(self.transport, packet)
            return
        transport, self.transport = self.transport, None
        write(transport, b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(packet), packet))


class Web(protocol.Protocol):
    """HTTP, as far as the generator speaks it."""

    transport: Any
    rest = b""

    def connectionMade(self) -> None:
        self.transport.setTcpNoDelay(True)

    def dataReceived(self, data: bytes) -> None:
        self.rest += data
        while (end := self.rest.find(b"\r\n\r\n") + 4) > 3:
            method, path, _ = self.rest.split(b" ", 2)
            at = self.rest.find(b"Content-Length: ", 0, end)
            whole = end + (int(self.rest[at + 16 : end - 4]) if at >= 0 else 0)
            if len(self.rest) < whole:
                return
            body, self.rest = self.rest[end:whole], self.rest[whole:]
            self.answer(method, path.partition(b"?")[0].split(b"/"), body)

    def answer(self, method: bytes, path: list[bytes], body: bytes) -> None:
        """GET /tcp, GET /tcp/KEY/TRANSPORT, POST /tcp/KEY."""
        if len(path) == 4:
            sessions[path[2]].open(self.transport, path[3] == b"xhrstream")
            return
        text = b"OK"
        if method == b"POST":
            sessions[path[2]].post(body)
        else:
            text = b"%032x" % len(sessions)
            sessions[text] = Session()
        write(
            self.transport, b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(text), text)
        )


class Stomp(protocol.Protocol, Sink):
    """STOMP over TCP."""

    transport: Any

    def connectionMade(self) -> None:
        Sink.__init__(self)
        self.transport.setTcpNoDelay(True)
        self.dataReceived = self.receive  # type: ignore[method-assign]

    def send(self, frames: list[bytes]) -> None:
        """All at once."""
        write(self.transport, b"".join(frames))


def main(port: int, stomp_port: int) -> None:
    for number, kind in ((port, Web), (stomp_port, Stomp)):
        factory = protocol.Factory.forProtocol(kind)
        later.listenTCP(number, factory, interface="127.0.0.1", backlog=4096)
    later.run()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
