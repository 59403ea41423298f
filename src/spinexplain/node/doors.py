"""Which mailbox a configuration means."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from spinexplain.errors import ConfigError
from spinexplain.node.mailbox import Mailbox
from spinexplain.node.settings import MailboxSettings, NodeSettings, password
from spinexplain.node.tls import ServerTrust


@contextmanager
def open_mailbox(settings: NodeSettings, has_room: Callable[[], bool]) -> Iterator[Mailbox]:
    """Open the mailbox of a node, and close it at the end.

    Parameters
    ----------
    settings : NodeSettings
    has_room : callable
        Whether the disk takes more.

    Raises
    ------
    ConfigError
        If the port to listen on is taken, a file of TLS cannot be used, or Orthanc does not know
        the modality to forward to.
    """
    box = settings.mailbox
    if box.kind == "orthanc":
        from spinexplain.node.orthanc import OrthancMailbox

        orthanc = OrthancMailbox(box.url, box.user, password(box), box.forward_to, _trust(box))
        orthanc.check_forward()
        yield orthanc
        return
    if box.kind == "dicomweb":
        from spinexplain.node.dicomweb import DicomwebMailbox

        yield DicomwebMailbox(box.url, box.user, password(box), box.days_back, tls=_trust(box))
        return
    from spinexplain.node.storage import StorageMailbox

    storage = StorageMailbox(settings.scp, settings.state.folder / "spool", has_room)
    try:
        storage.open()
    except OSError as error:
        raise ConfigError(
            f"scp: {settings.scp.host} port {settings.scp.port} cannot be listened on "
            f"({error.strerror}); expected a free port. Choose another, or stop who holds it."
        ) from None
    try:
        yield storage
    finally:
        storage.close()


def _trust(box: MailboxSettings) -> ServerTrust:
    """Return whom an https server must be known by, and refuse files that cannot be used."""
    trust = ServerTrust(box.tls_authority, box.tls_certificate, box.tls_key)
    trust.check("mailbox")
    return trust
