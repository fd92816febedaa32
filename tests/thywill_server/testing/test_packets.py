"""Reading packets, in any cut."""

from thywill_server.testing.packets import EventReader, Packet, PacketReader, write

PACKETS = [
    Packet(1, "opt", b"pingTimeout,30"),
    Packet(2, "open"),
    Packet(3, "data", b"hi \0\xff, x"),
    Packet(0, "ack", b"17"),
]


def test_packets_are_written_as_the_server_reads_them() -> None:
    """The text framing has base64, that of a WebSocket does not."""
    assert write(PACKETS[1:3], is_raw=False) == b"11,204,open11,314,data012,aGkgAP8sIHg="
    assert write([Packet(3, "data", b"hi")], is_raw=True) == b"11,314,data02,hi"


def test_packets_are_read_in_any_cut() -> None:
    """Both framings, cut at every position; padding and heart-beats between packets are nothing."""
    for is_raw in (False, True):
        text = b" " * 256 + write(PACKETS, is_raw=is_raw)
        for cut in range(len(text) + 1):
            reader = PacketReader(is_raw=is_raw)
            assert reader.feed(text[:cut]) + reader.feed(text[cut:]) == PACKETS
    reader = PacketReader()
    assert reader.feed(b"xx") == []
    assert reader.feed(b"x" + write(PACKETS[:1], is_raw=False)) == PACKETS[:1]


def test_events_are_read_in_any_cut() -> None:
    """Heart-beats are events without packets."""
    text = (
        b'id: 2\nevent: payload\ndata: [["1", "opt", "pingTimeout,30"], ["2", "open"]]\n\n'
        b"event: heartbeat\ndata:\n\n"
        b'id: 3\nevent: payload\ndata: [["3", "data", "aGkgAP8sIHg="]]\n\n'
    )
    for cut in range(len(text) + 1):
        reader = EventReader()
        assert reader.feed(text[:cut]) + reader.feed(text[cut:]) == PACKETS[:3]
