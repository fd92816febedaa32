# mypy: allow-untyped-calls
"""The certificate, the versions and the ciphers of ``https://`` listeners.

A browser trusts a few roots. What leads from one of them to the server's own certificate, the
intermediate certificates, has to come from the server: behind the certificate in ``crt``, as most
authorities hand it out, or in a file of its own, ``chain``.
"""

import logging
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from orbited.errors import ConfigurationError
from orbited.settings import SslSettings

__all__ = ["Certificates", "context_factory", "validity_problem"]

log = logging.getLogger(__name__)

_CERTIFICATE = re.compile("-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
_PRIVATE_KEY = re.compile("-----BEGIN [A-Z ]*PRIVATE KEY-----.+?-----END [A-Z ]+-----", re.DOTALL)


class Certificates:
    """What TLS is begun with; Twisted asks for it with each connection.

    Raises:
        ConfigurationError: see ``context_factory``.
    """

    def __init__(self, settings: SslSettings) -> None:
        self._settings = settings
        self._options = context_factory(settings)

    def getContext(self) -> Any:
        """The context of a new connection."""
        return self._options.getContext()

    def reload(self) -> None:
        """Read the files anew: connections that begin from now on get what is in them.

        What cannot be used is logged, and what was in use stays.
        """
        try:
            self._options = context_factory(self._settings)
        except ConfigurationError as error:
            log.error("%s; the certificate that was in use stays", error)
        else:
            log.info("certificate and key were read anew")
            self.look(datetime.now(UTC))

    def look(self, now: datetime) -> None:
        """Warn of a certificate that browsers refuse, or soon will."""
        problem = validity_problem(
            self._options.certificate, now, timedelta(days=self._settings.warn_days)
        )
        if problem is not None:
            log.warning("[ssl] crt: %s", problem)


def validity_problem(certificate: Any, now: datetime, ahead: timedelta) -> str | None:
    """Say what is wrong with the time for which a certificate is good, if anything is.

    Args:
        certificate: of pyOpenSSL.
        ahead: how long before its end one is spoken of.
    """
    begins, ends = (
        datetime.strptime(text.decode("ascii"), "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
        for text in (certificate.get_notBefore(), certificate.get_notAfter())
    )
    if now >= ends:
        return f"the certificate expired on {ends:%Y-%m-%d}; browsers refuse it"
    if now < begins:
        return f"the certificate is not good before {begins:%Y-%m-%d %H:%M} UTC"
    if now >= ends - ahead:
        return f"the certificate expires on {ends:%Y-%m-%d %H:%M} UTC"
    return None


def context_factory(settings: SslSettings) -> Any:
    """Read key and certificate chain, and see that they belong together.

    Raises:
        ConfigurationError: a file or a library is missing, or cannot be used; one sentence.
    """
    try:
        from twisted.internet import ssl
    except ImportError:
        raise ConfigurationError('https:// needs pyOpenSSL: pip install "Twisted[tls]"') from None
    for name in ("key", "crt"):
        if not getattr(settings, name):
            raise ConfigurationError(f"[ssl] {name}: https:// needs a PEM file here")
    key = _private_key(ssl, settings)
    first, *chain = [
        _certificate(ssl, name, pem) for name in ("crt", "chain") for pem in _pems(settings, name)
    ]
    ciphers = _ciphers(ssl, settings.ciphers)
    versions = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
    try:
        options = ssl.CertificateOptions(
            privateKey=key,
            certificate=first,
            extraCertChain=chain,
            raiseMinimumTo=versions[settings.minimum_version],
            acceptableCiphers=ciphers,
        )
        options.getContext()  # here it is seen whether key and certificate belong together
    except Exception as error:  # OpenSSL has an exception of its own for each kind of bad file
        raise ConfigurationError(
            f"[ssl] key: {settings.key!r} does not fit the certificate in {settings.crt!r}"
            f"{_reason(error)}"
        ) from None
    return options


#: The number of this format in pyOpenSSL, which is no import of ours.
_PEM = 1


def _private_key(ssl: Any, settings: SslSettings) -> Any:
    match = _PRIVATE_KEY.search(_read("key", settings.key))
    if match is None:
        raise ConfigurationError(f"[ssl] key: there is no private key in {settings.key!r}")
    if "ENCRYPTED" in match[0]:  # OpenSSL would ask whoever sits at the terminal, if anybody
        raise ConfigurationError(
            f"[ssl] key: the key in {settings.key!r} has a passphrase; take it off with "
            "openssl pkey -in FILE -out FILE, and let nobody but root read the file"
        )
    try:
        return ssl.KeyPair.load(match[0].encode(), _PEM).original
    except Exception as error:
        raise ConfigurationError(
            f"[ssl] key: the key in {settings.key!r} is damaged{_reason(error)}"
        ) from None


def _pems(settings: SslSettings, name: str) -> list[str]:
    path = getattr(settings, name)
    if name == "chain" and not path:
        return []
    found: list[str] = _CERTIFICATE.findall(_read(name, path))
    if not found:
        raise ConfigurationError(f"[ssl] {name}: there is no certificate in {path!r}")
    return found


def _certificate(ssl: Any, name: str, pem: str) -> Any:
    try:
        return ssl.Certificate.loadPEM(pem).original
    except Exception as error:
        raise ConfigurationError(
            f"[ssl] {name}: a certificate is damaged{_reason(error)}"
        ) from None


def _ciphers(ssl: Any, words: str) -> Any:
    if not words:
        return None
    ciphers = ssl.AcceptableCiphers.fromOpenSSLCipherString(words)
    known = [each for each in ciphers._ciphers if not each.fullName.startswith("TLS_")]
    if not known:
        raise ConfigurationError(f"[ssl] ciphers: OpenSSL knows none of {words!r}")
    return ciphers


def _read(name: str, path: str) -> str:
    try:
        return Path(path).read_text("ascii", "replace")
    except OSError as error:
        raise ConfigurationError(f"[ssl] {name}: cannot read {path!r}: {error.strerror}") from None


def _reason(error: Exception) -> str:
    """What OpenSSL says, without its codes."""
    try:
        return f" ({error.args[0][0][2]})"
    except (IndexError, KeyError, TypeError):
        return ""
