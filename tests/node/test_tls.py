"""Encrypted connections on this machine, with an authority made for the test."""

import json
import ssl
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import SimpleNamespace

import pydicom
import pytest
from pynetdicom import AE, evt

from spinexplain.errors import ConfigError
from spinexplain.node.dicomweb import DicomwebMailbox
from spinexplain.node.mailbox import MailboxError
from spinexplain.node.orthanc import OrthancMailbox
from spinexplain.node.settings import ScpSettings, read_settings
from spinexplain.node.storage import StorageMailbox
from spinexplain.node.tls import ServerTrust, client_context, server_context

CT = "1.2.840.10008.5.1.4.1.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"


def _openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    """Two authorities, each with a pair for 127.0.0.1: ours and a stranger's."""
    made = {}
    for who in ("ours", "stranger"):
        folder = tmp_path_factory.mktemp(who)
        ca, ca_key, pair, key, asked = (
            folder / name for name in ("ca.pem", "ca.key", "pair.pem", "pair.key", "asked.pem")
        )
        curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
        _openssl("req", "-x509", *curve, "-keyout", ca_key, "-out", ca, "-subj", f"/CN={who}")
        _openssl("req", *curve, "-keyout", key, "-out", asked, "-subj", "/CN=node")
        names = folder / "names"
        names.write_text("subjectAltName=IP:127.0.0.1,DNS:pacs.example\n")
        signed = ("-CA", ca, "-CAkey", ca_key, "-CAcreateserial", "-extfile", names)
        _openssl("x509", "-req", "-in", asked, *signed, "-out", pair, "-days", "2")
        made[who] = SimpleNamespace(ca=ca, pair=pair, key=key, folder=folder)
    return SimpleNamespace(**made)


def _send(door, file, context=None):
    """Send one slice to a door; None where it takes no association."""
    ae = AE(ae_title="SCANNER")
    ae.connection_timeout = ae.acse_timeout = 5
    ae.add_requested_context(CT, EXPLICIT)
    tls = None if context is None else (context, "127.0.0.1")
    link = ae.associate("127.0.0.1", door.port, ae_title="SPINEXPLAIN", tls_args=tls)
    if not link.is_established:
        return None
    status = link.send_c_store(pydicom.dcmread(file)).Status
    link.release()
    return status


def test_a_door_with_tls_takes_known_senders_alone(tmp_path, pki, ct_series):
    own = pki.ours
    settings = ScpSettings(
        port=0,
        allowed_aets=("SCANNER",),
        tls_certificate=own.pair,
        tls_key=own.key,
        tls_authority=own.ca,
    )
    door = StorageMailbox(settings, tmp_path / "spool", lambda: True)
    door.open()
    file = min(ct_series.folder.iterdir())
    try:
        known = client_context(own.ca, own.pair, own.key, "scp")
        assert _send(door, file, known) == 0
        stranger = client_context(own.ca, pki.stranger.pair, pki.stranger.key, "scp")
        bare = client_context(own.ca, None, None, "scp")
        mistrusting = client_context(pki.stranger.ca, own.pair, own.key, "scp")
        for context in (None, stranger, bare, mistrusting):
            assert _send(door, file, context) is None
    finally:
        door.close()
    assert len(list((tmp_path / "spool").rglob("*.dcm"))) == 1


def test_results_go_over_tls_to_the_pacs_that_the_authority_knows(tmp_path, pki, ct_series):
    own, got = pki.ours, []

    def store(event):
        got.append(str(event.dataset.SOPInstanceUID))
        return 0x0000

    ae = AE(ae_title="PACS")
    ae.add_supported_context(CT, EXPLICIT)
    context = server_context(own.pair, own.key, own.ca, "pacs")
    server = ae.start_server(
        ("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_STORE, store)], ssl_context=context
    )
    file = min(ct_series.folder.iterdir())
    usual = {
        "allowed_aets": ("SCANNER",),
        "pacs_host": "127.0.0.1",
        "pacs_port": server.socket.getsockname()[1],
        "pacs_aet": "PACS",
        "pacs_tls": True,
        "tls_certificate": own.pair,
        "tls_key": own.key,
        "tls_authority": own.ca,
    }
    try:
        for name in ("", "pacs.example"):
            settings = ScpSettings(**usual, pacs_tls_name=name)
            StorageMailbox(settings, tmp_path / "spool", lambda: True).deliver([file])
        assert len(got) == 2
        for changed in ({"pacs_tls_name": "other.example"}, {"tls_authority": pki.stranger.ca}):
            settings = ScpSettings(**usual | changed)
            with pytest.raises(MailboxError, match="over TLS"):
                StorageMailbox(settings, tmp_path / "spool", lambda: True).deliver([file])
    finally:
        server.shutdown()
    assert len(got) == 2


class _Archive(BaseHTTPRequestHandler):
    """Answers as an Orthanc without changes and as a DICOMweb server without series."""

    def do_GET(self):
        empty = [] if "series" in self.path else {"Changes": [], "Last": 0}
        body = json.dumps(empty).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/dicom+json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def archive(pki):
    """An https server that asks for a certificate by our authority; its address."""
    server = HTTPServer(("127.0.0.1", 0), _Archive)
    context = server_context(pki.ours.pair, pki.ours.key, pki.ours.ca, "archive")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"https://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("kind", [OrthancMailbox, DicomwebMailbox])
def test_an_https_archive_is_known_by_our_authority_and_knows_us(kind, archive, pki, monkeypatch):
    own = pki.ours
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(pki.stranger.ca))  # not the one that is named
    assert kind(archive, tls=ServerTrust(own.ca, own.pair, own.key)).arrivals("")[0] == []
    for trust in (
        ServerTrust(own.ca),
        ServerTrust(),
        ServerTrust(pki.stranger.ca, own.pair, own.key),
    ):
        with pytest.raises(MailboxError, match=r"TLS fails|does not answer"):
            kind(archive, tls=trust).arrivals("")


@pytest.mark.parametrize(
    ("trust", "said"),
    [
        (lambda p: ServerTrust(p.ours.folder / "none.pem"), "No such file"),
        (lambda p: ServerTrust(p.ours.key), "expected certificates of an authority"),
        (lambda p: ServerTrust(None, p.ours.pair, p.stranger.key), "its own key"),
        (lambda p: ServerTrust(None, p.ours.pair, p.ours.folder / "locked.key"), "not encrypted"),
    ],
)
def test_files_that_cannot_be_used_are_named(trust, said, pki):
    locked = ("-aes128", "-passout", "pass:secret", "-out", pki.ours.folder / "locked.key")
    _openssl("ec", "-in", pki.ours.key, *locked)
    with pytest.raises(ConfigError, match=said):
        trust(pki).check("mailbox")


@pytest.mark.parametrize(
    ("box", "scp", "said"),
    [
        ('url = "http://a"\ntls_authority = "ca.pem"', "", "no https address"),
        ('url = "https://a"\ntls_certificate = "a.pem"', "", "go together"),
        ('url = "https://a"', '[scp]\ntls_authority = "a.pem"', "without tls_certificate"),
        ('url = "https://a"', '[scp]\npacs_tls_name = "a"', "without pacs_tls"),
    ],
)
def test_settings_that_do_not_fit_are_refused(box, scp, said, tmp_path):
    path = tmp_path / "node.toml"
    text = f'[mailbox]\nkind = "dicomweb"\n{box}\n[state]\nfolder = "s"\n{scp}\n'
    path.write_text(text)
    with pytest.raises(ConfigError, match=said):
        read_settings(path)


def test_old_versions_of_tls_are_not_spoken(pki):
    own = pki.ours
    for context in (
        client_context(None, None, None, "a"),
        server_context(own.pair, own.key, None, "a"),
    ):
        assert context.minimum_version == ssl.TLSVersion.TLSv1_2
