"""The handshake line."""

import pytest

from orbited.protocol.handshake import HandshakeError, Target, parse_handshake, refusal


@pytest.mark.parametrize(
    ("line", "target"),
    [
        (b"localhost:61613\n", Target("localhost", 61613)),
        (b"  127.0.0.1:1 \n", Target("127.0.0.1", 1)),
        (b"[::1]:61613\n", Target("::1", 61613)),
        (b"localhost:80", Target("localhost", 80)),
        (b"a:80\nCONNECT\n\n\0", Target("a", 80, b"CONNECT\n\n\0")),
    ],
)
def test_host_and_port_are_read(line, target):
    """A line names host and port; what follows it is kept for the back end."""
    assert parse_handshake(line) == target


@pytest.mark.parametrize(
    "line",
    [
        b"garbage\n",
        b"\n",
        b":80\n",
        b"localhost:\n",
        b"localhost:0\n",
        b"localhost:65536\n",
        b"localhost:-1\n",
        b"localhost:8_0\n",
        b"localhost:80:80\n",
        b"localhost:\xd9\xa1\n",
        b"a b:80\n",
        b"a\x1b[2J:80\n",
        b"::1:80\n",
        b"[::1:80\n",
        b"[host]:80\n",
        b"[::1]80\n",
        b"\xff\xfe:80\n",
        b"x" * 400 + b":80\n",
    ],
)
def test_anything_else_is_refused_with_102(line):
    """What is not one host and one port gets the code for it."""
    with pytest.raises(HandshakeError) as caught:
        parse_handshake(line)
    assert refusal(caught.value.code) == b"0102"
