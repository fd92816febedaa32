"""``https://``: certificates, versions, mistakes in files, and a session from end to end."""

import re
import signal
import socket
import ssl
from datetime import UTC, datetime

import pytest
from websockets.sync.client import connect

from orbited.errors import ConfigurationError
from orbited.protocol.packets import DATA, RAW, TEXT, Packet
from orbited.settings import SslSettings
from orbited.start import main
from orbited.tls import Certificates, context_factory
from tests.support.certificates import Chain, make
from tests.support.comet import decode
from tests.support.orbited_process import OrbitedProcess
from tests.support.ports import free_port

#: Twisted hands pyOpenSSL certificates in its older form.
pytestmark = pytest.mark.filterwarnings("ignore:Passing pyOpenSSL:DeprecationWarning")

SECONDS = 30


@pytest.fixture(scope="module")
def chain():
    """One authority for all tests here."""
    return Chain.fresh()


@pytest.fixture
def folder(tmp_path, chain):
    """Where its files are."""
    chain.write(tmp_path)
    return tmp_path


def client(folder, **versions):
    """A client that trusts the root, and knows no intermediate certificate."""
    context = ssl.create_default_context(cafile=str(folder / "root.crt"))
    for name, version in versions.items():
        setattr(context, name, version)
    return context


def ask(port, context, method, path, body=b""):
    """One request over TLS: status and body; the connection ends with the answer."""
    lines = [f"{method} {path} HTTP/1.0", f"Host: 127.0.0.1:{port}", f"Content-Length: {len(body)}"]
    with (
        socket.create_connection(("127.0.0.1", port), SECONDS) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as connection,
    ):
        connection.sendall("\r\n".join([*lines, "", ""]).encode() + body)
        answer = b""
        while data := connection.recv(65536):
            answer += data
    head, _, content = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), content


CONFIG = (
    "[listen]\nhttps://127.0.0.1:0\necho://127.0.0.1:{echo}\n[access]\n* -> 127.0.0.1:{echo}\n"
    "[ssl]\nkey = leaf.key\n"
)


@pytest.mark.functional
@pytest.mark.parametrize("files", ["crt = full.crt\n", "crt = leaf.crt\nchain = chain.crt\n"])
def test_a_session_and_a_websocket_over_https(folder, files):
    """A client that knows only the root gets through, by long polls and by WebSocket."""
    echo = free_port()
    with OrbitedProcess(folder, CONFIG.format(echo=echo) + files) as server:
        port, context = server.ports["https"][0], client(folder)
        status, key = ask(port, context, "GET", "/tcp")
        assert status == 200
        path = f"/tcp/{key.decode()}"
        names = [packet[1] for packet in decode(ask(port, context, "GET", f"{path}/longpoll")[1])]
        assert names == [b"opt", b"opt", b"open"]
        handshake = TEXT.encode([Packet(1, DATA, b"127.0.0.1:%d\n" % echo)])
        assert ask(port, context, "POST", path, handshake) == (200, b"OK")
        answer = decode(ask(port, context, "GET", f"{path}/longpoll?ack=2")[1])
        assert answer == [(b"3", b"data", b"MQ==")]
        url = f"wss://127.0.0.1:{port}{path}/websocket?ack=3"
        big = b"x" * 200_000
        with connect(url, ssl=context, open_timeout=SECONDS, close_timeout=1) as connection:
            connection.send(RAW.encode([Packet(2, DATA, big)]))
            received = b""
            while len(received) < len(big):
                for packet in decode(connection.recv(timeout=SECONDS)):
                    received += packet[2] if packet[1] == b"data" else b""
        assert received == big


@pytest.mark.functional
def test_old_versions_of_tls_are_refused(folder):
    """1.2 and 1.3 by default; 1.3 alone where that is configured; the handshake fails else."""
    config = "[listen]\nhttps://127.0.0.1:0\n[ssl]\nkey = leaf.key\ncrt = full.crt\n"
    old = client(folder, maximum_version=ssl.TLSVersion.TLSv1_2)
    new = client(folder, minimum_version=ssl.TLSVersion.TLSv1_3)
    with OrbitedProcess(folder, config) as server:
        port = server.ports["https"][0]
        assert ask(port, old, "GET", "/tcp")[0] == 200
        assert ask(port, new, "GET", "/tcp")[0] == 200
    with OrbitedProcess(folder, config + "minimum_version = 1.3\n") as server:
        port = server.ports["https"][0]
        assert ask(port, new, "GET", "/tcp")[0] == 200
        with pytest.raises(ssl.SSLError):
            ask(port, old, "GET", "/tcp")
        assert ask(port, new, "GET", "/tcp")[0] == 200  # everybody else goes on


@pytest.mark.functional
def test_ciphers_may_be_chosen(folder):
    """The list counts for TLS 1.2; who knows none of it is refused."""
    config = (
        "[listen]\nhttps://127.0.0.1:0\n[ssl]\nkey = leaf.key\ncrt = full.crt\n"
        "ciphers = ECDHE-ECDSA-AES256-GCM-SHA384\n"
    )
    context = client(folder, maximum_version=ssl.TLSVersion.TLSv1_2)
    with OrbitedProcess(folder, config) as server:
        port = server.ports["https"][0]
        assert ask(port, context, "GET", "/tcp")[0] == 200
        context.set_ciphers("ECDHE-ECDSA-AES128-GCM-SHA256")
        with pytest.raises(ssl.SSLError):
            ask(port, context, "GET", "/tcp")


def serial_number(port, context):
    """Of the certificate that a new connection is shown."""
    with (
        socket.create_connection(("127.0.0.1", port), SECONDS) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as connection,
    ):
        return int(connection.getpeercert()["serialNumber"], 16)


@pytest.mark.functional
def test_a_renewed_certificate_is_taken_at_sighup(tmp_path):
    """By connections that begin afterwards; files that do not fit leave things as they are."""
    chain = Chain.fresh()
    chain.write(tmp_path)
    context = client(tmp_path)
    config = "[listen]\nhttps://127.0.0.1:0\n[ssl]\nkey = leaf.key\ncrt = full.crt\n"
    with OrbitedProcess(tmp_path, config) as server:
        port = server.ports["https"][0]
        before = serial_number(port, context)
        assert before == chain.leaf.certificate.serial_number
        assert "the certificate expires on" in server.log  # in an hour
        renewed = make("leaf", chain.intermediate, is_authority=False)
        (tmp_path / "full.crt").write_text(renewed.pem + chain.intermediate.pem)
        server.send(signal.SIGHUP)
        server.wait_for(lambda: "the certificate that was in use stays" in server.log)
        assert serial_number(port, context) == before
        (tmp_path / "leaf.key").write_text(renewed.key_pem())
        server.send(signal.SIGHUP)
        server.wait_for(lambda: "certificate and key were read anew" in server.log)
        assert serial_number(port, context) == renewed.certificate.serial_number


@pytest.mark.parametrize(
    ("hours", "problem"),
    [
        ((-2, -1), "the certificate expired on 20.*; browsers refuse it"),
        ((1, 2), "the certificate is not good before 20"),
        ((-1, 47), "the certificate expires on 20"),
    ],
)
def test_a_certificate_that_is_not_good_is_spoken_of(folder, chain, caplog, hours, problem):
    """Too old, too young, or good for another two days only."""
    leaf = make("leaf", chain.intermediate, is_authority=False, hours=hours)
    (folder / "leaf.crt").write_text(leaf.pem)
    (folder / "leaf.key").write_text(leaf.key_pem())
    paths = {"key": str(folder / "leaf.key"), "crt": str(folder / "leaf.crt")}
    Certificates(SslSettings(**paths, warn_days=2)).look(datetime.now(UTC))
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert re.fullmatch(rf"\[ssl\] crt: {problem}.*", record.getMessage())
    caplog.clear()
    Certificates(SslSettings(**paths, warn_days=1)).look(datetime.now(UTC))
    assert len(caplog.records) == (hours != (-1, 47))


@pytest.mark.parametrize(("hours", "is_fine"), [((-2, -1), False), ((-1, 1), True)])
def test_check_speaks_of_an_expired_certificate(folder, chain, capsys, hours, is_fine):
    """It keeps no server from starting, but every browser from coming."""
    leaf = make("leaf", chain.intermediate, is_authority=False, hours=hours)
    (folder / "leaf.crt").write_text(leaf.pem)
    (folder / "leaf.key").write_text(leaf.key_pem())
    lines = f"[listen]\nhttps://:0\n[ssl]\nkey = {folder}/leaf.key\ncrt = {folder}/leaf.crt\n"
    (folder / "orbited.cfg").write_text(lines)
    status = main(["--check", "-c", str(folder / "orbited.cfg")])
    assert (status == 0) is is_fine
    assert ("browsers refuse it" in capsys.readouterr().err) is not is_fine


def test_without_the_intermediate_certificate_the_client_refuses(folder):
    """The other side of the proof: the chain is what makes it work."""

    def shake_hands(*certificates):
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        context = client(folder)
        connection = context.wrap_bio(incoming, outgoing, server_hostname="127.0.0.1")
        server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.load_cert_chain(*certificates)
        other = server.wrap_bio(outgoing, incoming, server_side=True)
        for _ in range(5):
            for end in (connection, other):
                try:
                    end.do_handshake()
                except ssl.SSLWantReadError:
                    continue

    key = folder / "leaf.key"
    shake_hands(folder / "full.crt", key)
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(folder / "leaf.crt", key)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"key": "", "crt": "full.crt"}, r"\[ssl\] key: https:// needs a PEM file here"),
        ({"key": "leaf.key", "crt": ""}, r"\[ssl\] crt: https:// needs a PEM file here"),
        ({"key": "none", "crt": "full.crt"}, r"\[ssl\] key: cannot read '.*none': No such file"),
        ({"key": "leaf.key", "crt": "."}, r"\[ssl\] crt: cannot read '.*': Is a directory"),
        ({"key": "full.crt", "crt": "full.crt"}, r"\[ssl\] key: there is no private key in "),
        ({"key": "leaf.key", "crt": "leaf.key"}, r"\[ssl\] crt: there is no certificate in "),
        (
            {"key": "leaf.key", "crt": "full.crt", "chain": "leaf.key"},
            r"\[ssl\] chain: there is no",
        ),
        ({"key": "locked.key", "crt": "full.crt"}, r"\[ssl\] key: the key in .* has a passphrase"),
        ({"key": "other.key", "crt": "full.crt"}, r"\[ssl\] key: .* does not fit the certificate"),
        ({"key": "leaf.key", "crt": "bad.crt"}, r"\[ssl\] crt: a certificate is damaged"),
        ({"key": "bad.key", "crt": "full.crt"}, r"\[ssl\] key: the key in .* is damaged"),
        (
            {"key": "leaf.key", "crt": "full.crt", "ciphers": "none of them"},
            r"\[ssl\] ciphers: OpenSSL knows none of 'none of them'",
        ),
    ],
)
def test_what_is_wrong_with_the_files_is_one_sentence(folder, chain, options, problem):
    """Which key of [ssl], which file, and what."""
    damaged = "-----BEGIN {0}-----\nMIIB\n-----END {0}-----\n"
    (folder / "locked.key").write_text(chain.leaf.key_pem(b"secret"))
    (folder / "other.key").write_text(make("other").key_pem())
    (folder / "bad.crt").write_text(damaged.format("CERTIFICATE"))
    (folder / "bad.key").write_text(damaged.format("PRIVATE KEY"))
    paths = {
        name: str(folder / value) if value and name != "ciphers" else value
        for name, value in options.items()
    }
    with pytest.raises(ConfigurationError, match=problem) as caught:
        context_factory(SslSettings(**paths))
    assert "\n" not in str(caught.value)
