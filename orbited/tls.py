# mypy: allow-untyped-calls
"""The certificate and the versions of ``https://`` listeners."""

import re
from pathlib import Path
from typing import Any

from orbited.errors import ConfigurationError
from orbited.settings import SslSettings

__all__ = ["context_factory"]

_CERTIFICATE = re.compile("-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


def context_factory(settings: SslSettings) -> Any:
    """Read key and certificate chain; intermediate certificates stand behind the first.

    Raises:
        ConfigurationError: a file or a library is missing, or they do not belong together.
    """
    try:
        from twisted.internet import ssl
    except ImportError:
        raise ConfigurationError('https:// needs pyOpenSSL: pip install "Twisted[tls]"') from None
    if not settings.key or not settings.crt:
        raise ConfigurationError("https:// needs [ssl] key and [ssl] crt")
    versions = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
    if settings.minimum_version not in versions:
        raise ConfigurationError(
            f"[ssl] minimum_version: expected 1.2 or 1.3, got {settings.minimum_version!r}"
        )
    try:
        key = Path(settings.key).read_text("ascii")
        first, *chain = _CERTIFICATE.findall(Path(settings.crt).read_text("ascii"))
        own = ssl.PrivateCertificate.loadPEM(f"{key}\n{first}")
        return ssl.CertificateOptions(
            privateKey=own.privateKey.original,
            certificate=own.original,
            extraCertChain=[ssl.Certificate.loadPEM(pem).original for pem in chain],
            raiseMinimumTo=versions[settings.minimum_version],
        )
    except Exception as error:  # OpenSSL has an exception of its own for each kind of bad file
        raise ConfigurationError(
            f"[ssl]: {settings.key!r} and {settings.crt!r} cannot be used: {error}"
        ) from None
