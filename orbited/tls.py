# mypy: allow-untyped-calls
"""The certificate and the versions of ``https://`` listeners."""

import re
from typing import Any

from orbited.errors import ConfigurationError
from orbited.settings import SslSettings

__all__ = ["context_factory"]

_CERTIFICATE = re.compile(b"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


def context_factory(settings: SslSettings) -> Any:
    """Read key and certificate chain; intermediate certificates stand behind the first.

    Raises:
        ConfigurationError: a file or a library is missing, or they do not belong together.
    """
    try:
        from OpenSSL import SSL, crypto  # type: ignore[import-not-found,unused-ignore]
        from twisted.internet.ssl import CertificateOptions, TLSVersion
    except ImportError:
        raise ConfigurationError('https:// needs pyOpenSSL: pip install "Twisted[tls]"') from None
    if not settings.key or not settings.crt:
        raise ConfigurationError("https:// needs [ssl] key and [ssl] crt")
    versions = {"1.2": TLSVersion.TLSv1_2, "1.3": TLSVersion.TLSv1_3}
    if settings.minimum_version not in versions:
        raise ConfigurationError(
            f"[ssl] minimum_version: expected 1.2 or 1.3, got {settings.minimum_version!r}"
        )
    try:
        with open(settings.key, "rb") as key_file, open(settings.crt, "rb") as crt_file:
            key = crypto.load_privatekey(crypto.FILETYPE_PEM, key_file.read())
            chain = [
                crypto.load_certificate(crypto.FILETYPE_PEM, pem)
                for pem in _CERTIFICATE.findall(crt_file.read())
            ]
        return CertificateOptions(
            privateKey=key,
            certificate=chain[0],
            extraCertChain=chain[1:],
            raiseMinimumTo=versions[settings.minimum_version],
        )
    except (OSError, IndexError, SSL.Error, crypto.Error) as error:
        raise ConfigurationError(
            f"[ssl]: {settings.key!r} and {settings.crt!r} cannot be used: {error}"
        ) from None
