from spinexplain.node.dicomweb import DicomwebMailbox
from spinexplain.node.mailbox import Mailbox
from spinexplain.node.orthanc import OrthancMailbox
from spinexplain.node.storage import StorageMailbox


def test_every_mailbox_has_every_part():
    parts = [name for name in vars(Mailbox) if not name.startswith("_")]
    assert len(parts) == 7
    for kind in (DicomwebMailbox, OrthancMailbox, StorageMailbox):
        assert all(hasattr(kind, part) for part in parts)
