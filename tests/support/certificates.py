"""A certificate authority for one test: a root, an intermediate, and leaves."""

import datetime
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass
class Certificate:
    """A certificate and its key."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @property
    def pem(self) -> str:
        """The certificate."""
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    def key_pem(self, passphrase: bytes = b"") -> str:
        """The key, locked with a passphrase if there is one."""
        lock = (
            serialization.BestAvailableEncryption(passphrase)
            if passphrase
            else serialization.NoEncryption()
        )
        form = serialization.PrivateFormat.PKCS8
        return self.key.private_bytes(serialization.Encoding.PEM, form, lock).decode()


def make(
    name: str,
    issuer: Certificate | None = None,
    *,
    is_authority: bool = True,
    hours: tuple[float, float] = (-1, 1),
) -> Certificate:
    """A certificate for a name, signed by the issuer or by itself; leaves are for 127.0.0.1.

    Args:
        hours: from when to when it is good, from now.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + datetime.timedelta(hours=hours[0]))
        .not_valid_after(now + datetime.timedelta(hours=hours[1]))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(_usage(is_authority), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    if issuer is not None:  # without it Python 3.13 and newer do not trust a certificate
        signer = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key())
        builder = builder.add_extension(signer, critical=False)
    if not is_authority:
        names = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
        builder = builder.add_extension(names, critical=False)
    certificate = builder.sign(issuer.key if issuer else key, hashes.SHA256())
    return Certificate(key, certificate)


def _usage(is_authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not is_authority,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


@dataclass
class Chain:
    """What an authority hands out, written to files."""

    root: Certificate
    intermediate: Certificate
    leaf: Certificate

    @classmethod
    def fresh(cls) -> "Chain":
        """Three new certificates."""
        root = make("root")
        intermediate = make("intermediate", root)
        return cls(root, intermediate, make("leaf", intermediate, is_authority=False))

    def write(self, folder: Path) -> None:
        """``leaf.key``, ``leaf.crt``, ``chain.crt`` (the intermediate), ``full.crt`` (both)."""
        files = {
            "root.crt": self.root.pem,
            "leaf.key": self.leaf.key_pem(),
            "leaf.crt": self.leaf.pem,
            "chain.crt": self.intermediate.pem,
            "full.crt": self.leaf.pem + self.intermediate.pem,
        }
        for name, content in files.items():
            (folder / name).write_text(content)
