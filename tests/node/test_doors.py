import socket

import pytest

from spinexplain.errors import ConfigError
from spinexplain.node.dicomweb import DicomwebMailbox
from spinexplain.node.doors import open_mailbox
from spinexplain.node.orthanc import OrthancMailbox
from spinexplain.node.settings import NodeSettings


def _settings(folder, kind, port=0):
    return NodeSettings.model_validate(
        {
            "mailbox": {"kind": kind, "url": "http://127.0.0.1:1"},
            "state": {"folder": folder},
            "scp": {"allowed_aets": ["A"], "pacs_host": "h", "pacs_aet": "P", "port": port},
        }
    )


@pytest.mark.parametrize(
    ("kind", "made"), [("orthanc", OrthancMailbox), ("dicomweb", DicomwebMailbox)]
)
def test_the_mailbox_that_is_meant(tmp_path, kind, made):
    with open_mailbox(_settings(tmp_path, kind), lambda: True) as mailbox:
        assert isinstance(mailbox, made)


def test_a_port_that_is_taken_is_named(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with (
            pytest.raises(ConfigError, match=f"port {port} cannot be listened on"),
            open_mailbox(_settings(tmp_path, "scp", port), lambda: True),
        ):
            pass


def test_our_own_door_opens_and_closes(tmp_path):
    with open_mailbox(_settings(tmp_path, "scp"), lambda: True) as mailbox:
        assert mailbox.port > 0
