"""Encrypted connections: an own authority, a certificate of the node, and who must show one."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

import requests

from spinexplain.errors import ConfigError

NOT_TRUSTED = (
    "TLS fails: its certificate is not by the authority named, or for another name, or it does not "
    "take ours"
)


@dataclass(frozen=True)
class ServerTrust:
    """Whom an https server must be known by, and what the node shows it.

    Parameters
    ----------
    authority : Path or None
        Certificates, PEM, that the server's must be signed by; None takes the system's.
    certificate, key : Path or None
        The node's own, PEM, where the server asks for one.
    """

    authority: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    def check(self, section: str) -> None:
        """Refuse files that cannot be used, before anything is asked.

        Raises
        ------
        ConfigError
        """
        client_context(self.authority, self.certificate, self.key, section)

    def session(self) -> requests.Session:
        """Return a session that keeps to it; the environment's proxies and bundles are not read."""
        session = requests.Session()
        if self.authority is not None:
            session.trust_env = False  # REQUESTS_CA_BUNDLE would win over the authority named here
            session.verify = str(self.authority)
        if self.certificate is not None:
            session.cert = (str(self.certificate), str(self.key))
        return session


SYSTEM_TRUST = ServerTrust()
"""The system's authorities, and no certificate of the node."""


def client_context(
    authority: Path | None, certificate: Path | None, key: Path | None, section: str
) -> ssl.SSLContext:
    """Return how the node speaks to a server over TLS.

    Parameters
    ----------
    authority : Path or None
        Certificates, PEM, that the server's must be signed by; None takes the system's.
    certificate, key : Path or None
        The node's own, PEM, where the server asks for one.
    section : str
        Of the configuration, for messages.

    Returns
    -------
    ssl.SSLContext
        TLS 1.2 or later; the server's certificate and name are checked.

    Raises
    ------
    ConfigError
        If a file is missing, is no PEM, or key and certificate are not a pair.
    """
    context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH)
    if authority is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        _trust(context, authority, section)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if certificate is not None:
        _present(context, certificate, key, section)
    return context


def server_context(
    certificate: Path, key: Path, authority: Path | None, section: str
) -> ssl.SSLContext:
    """Return how the node takes connections over TLS, and no others.

    Parameters
    ----------
    certificate, key : Path
        The node's own, PEM.
    authority : Path or None
        Senders must show a certificate that it signed; None asks for none.
    section : str

    Raises
    ------
    ConfigError
        If a file is missing, is no PEM, or key and certificate are not a pair.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    _present(context, certificate, key, section)
    if authority is not None:
        _trust(context, authority, section)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def _trust(context: ssl.SSLContext, authority: Path, section: str) -> None:
    try:
        context.load_verify_locations(authority)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(
            f"{section}: {authority} cannot be used ({_reason(error)}); expected certificates of "
            "an authority as PEM. Check the file."
        ) from None


def _present(context: ssl.SSLContext, certificate: Path, key: Path | None, section: str) -> None:
    try:
        # A service cannot be asked for a passphrase: an encrypted key is refused, not waited for.
        context.load_cert_chain(certificate, key, password=lambda: "")
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(
            f"{section}: {certificate} and {key or 'its key'} cannot be used ({_reason(error)}); "
            "expected a certificate and its own key as PEM, the key not encrypted. Check the files."
        ) from None


def _reason(error: Exception) -> str:
    """Say why in the words of the system, without paths.

    Examples
    --------
    >>> _reason(FileNotFoundError(2, "No such file or directory"))
    'No such file or directory'
    """
    reason = getattr(error, "reason", None) or getattr(error, "strerror", None)
    return str(reason or type(error).__name__).replace("_", " ")
