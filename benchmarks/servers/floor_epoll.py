"""The job of floor.c in Python: ``select.epoll`` and ``socket.send``, no framework.

usage: floor_epoll.py PORT PUBLISH_PORT send|gather FRAME_BYTES
"""

from __future__ import annotations

import select
import socket
import sys


def listen_on(port: int) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(4096)
    listener.setblocking(False)
    return listener


def run(port: int, publish_port: int, is_gathering: bool, frame_bytes: int) -> None:
    poller = select.epoll()
    door, publisher_door = listen_on(port), listen_on(publish_port)
    for listener in (door, publisher_door):
        poller.register(listener.fileno(), select.EPOLLIN)
    subscribers: dict[int, socket.socket] = {}
    publishers: dict[int, socket.socket] = {}
    rest = b""
    while True:
        for fd, _ in poller.poll():
            if fd in (door.fileno(), publisher_door.fileno()):
                is_subscriber = fd == door.fileno()
                accepted, _ = (door if is_subscriber else publisher_door).accept()
                accepted.setblocking(False)
                accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                (subscribers if is_subscriber else publishers)[accepted.fileno()] = accepted
                poller.register(accepted.fileno(), select.EPOLLIN)
            elif fd in publishers:
                received = publishers[fd].recv(65536)
                if not received:
                    publishers.pop(fd).close()
                    continue
                received = rest + received
                whole = len(received) // frame_bytes * frame_bytes
                rest = received[whole:]
                step = whole if is_gathering else frame_bytes
                sends = [subscriber.send for subscriber in subscribers.values()]
                for start in range(0, whole, step or 1):
                    frame = received[start : start + step]
                    for send in sends:
                        send(frame)
            else:
                received = subscribers[fd].recv(65536)
                if received:
                    subscribers[fd].send(received)
                else:
                    subscribers.pop(fd).close()


if __name__ == "__main__":
    run(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "gather", int(sys.argv[4]))
