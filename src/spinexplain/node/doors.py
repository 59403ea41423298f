"""Which mailbox a configuration means."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from spinexplain.errors import ConfigError
from spinexplain.node.mailbox import Mailbox
from spinexplain.node.settings import NodeSettings, password


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
        If the port to listen on is taken.
    """
    box = settings.mailbox
    if box.kind == "orthanc":
        from spinexplain.node.orthanc import OrthancMailbox

        yield OrthancMailbox(box.url, box.user, password(box), box.forward_to)
        return
    if box.kind == "dicomweb":
        from spinexplain.node.dicomweb import DicomwebMailbox

        yield DicomwebMailbox(box.url, box.user, password(box), box.days_back)
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
