"""A real Orthanc where there is one; a broken one made up."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Event

import pydicom
import pytest
import requests
from tests_node_conftest import Lines, emptied, settings_of, upload

from spinexplain.errors import ConfigError
from spinexplain.node.ledger import Ledger
from spinexplain.node.log import json_log
from spinexplain.node.mailbox import MailboxError
from spinexplain.node.metrics import Metrics
from spinexplain.node.orthanc import OrthancMailbox
from spinexplain.node.service import Node

STABLE_S = 20


def _arrivals(mailbox):
    """Wait until the series is stable, reading on from the cursor as the node does."""
    cursor, deadline = "", time.monotonic() + STABLE_S
    while time.monotonic() < deadline:
        found, cursor = mailbox.arrivals(cursor)
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError("no series became stable")


@pytest.mark.slow
def test_a_series_goes_in_and_results_come_out(
    tmp_path, orthanc, ct_series, segmentation_file, pacs
):
    """Sent in, taken when stable, graded by a segmentation of its study, stored, sent on."""
    url, pacs_port = orthanc
    archive = pacs(port=pacs_port)
    emptied(url)
    upload(url, [*sorted(ct_series.folder.iterdir()), segmentation_file])
    mailbox = OrthancMailbox(url, forward_to="pacs")
    (arrival,) = [one for one in _arrivals(mailbox) if one.facts.modality == "CT"]
    assert (arrival.facts.instances, arrival.facts.age_years) == (24, 70)
    lines = Lines()
    node = Node(settings_of(tmp_path), mailbox, Ledger(tmp_path), json_log(lines), Metrics())
    node.run(Event(), once=True)
    assert node.ledger.counts()["done"] == 1, lines
    reports = requests.post(
        f"{url}/tools/find",
        json={"Level": "Instance", "Query": {"Modality": "SR"}},
        timeout=10,
    ).json()
    assert len(reports) == 1
    stored = requests.get(f"{url}/instances/{reports[0]}/file", timeout=10).content
    (tmp_path / "sr.dcm").write_bytes(stored)
    found = pydicom.dcmread(tmp_path / "sr.dcm")
    assert found.StudyInstanceUID == ct_series.references.study_uid
    assert str(found.PatientName) == "M\u00fcller^J\u00f6rg"
    assert found.SOPInstanceUID in archive.got
    # Our own results become stable too, and are never graded.
    time.sleep(2.5)
    node.run(Event(), once=True)
    counts = node.ledger.counts()
    assert counts["done"] == 1
    assert counts["refused"] >= 3
    assert "own_result" in {one.reason for one in node.ledger.entries("refused")}
    # A second node with a memory of its own stores the same instances again: nothing changes.
    other = Node(
        settings_of(tmp_path / "b"),
        OrthancMailbox(url),
        Ledger(tmp_path / "b"),
        json_log(Lines()),
        Metrics(),
    )
    other.run(Event(), once=True)
    assert other.ledger.counts()["done"] == 1
    again = requests.post(
        f"{url}/tools/find",
        json={"Level": "Instance", "Query": {"Modality": "SR"}},
        timeout=10,
    ).json()
    assert again == reports
    for one in (node, other):
        one.ledger.close()


class _Answers(BaseHTTPRequestHandler):
    status, body = 200, b"{}"

    def do_GET(self):
        self.send_response(self.status)
        self.end_headers()
        self.wfile.write(self.body)

    do_POST = do_GET

    def log_message(self, *_):
        pass


@pytest.fixture
def fake():
    """A server that answers everything alike: fake(status, body) -> address."""
    servers = []

    def make(status, body):
        handler = type("Handler", (_Answers,), {"status": status, "body": body})
        server = HTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}"

    yield make
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (500, b"", "answers 500 to /changes"),
        (401, b"", "answers 401"),
        (200, b"<html>", "is no JSON"),
    ],
)
def test_a_broken_orthanc_is_tried_again(fake, status, body, words):
    with pytest.raises(MailboxError, match=words):
        OrthancMailbox(fake(status, body)).arrivals("")


def test_an_absent_orthanc_is_tried_again():
    with pytest.raises(MailboxError, match="does not answer"):
        OrthancMailbox("http://127.0.0.1:9").arrivals("")


def test_a_page_without_news_moves_the_cursor(fake):
    page = {"Changes": [], "Last": 7, "Done": True}
    assert OrthancMailbox(fake(200, json.dumps(page).encode())).arrivals("3") == ([], "7")


def test_an_orthanc_made_anew_is_read_from_the_start(fake):
    page = {"Changes": [], "Last": 7, "Done": True}
    assert OrthancMailbox(fake(200, json.dumps(page).encode())).arrivals("900") == ([], "0")


def test_a_modality_that_orthanc_does_not_know_is_refused_at_the_start(fake):
    """Else every scan is graded and goes to the dead letters; an Orthanc that is down is not."""
    url = fake(200, json.dumps(["archive"]).encode())
    with pytest.raises(ConfigError, match='"pacs"; Orthanc knows the modalities archive'):
        OrthancMailbox(url, forward_to="pacs").check_forward()
    OrthancMailbox(url, forward_to="archive").check_forward()
    OrthancMailbox("http://127.0.0.1:9", forward_to="pacs").check_forward()


def test_a_pacs_that_refuses_is_an_error(tmp_path, fake):
    (tmp_path / "a.dcm").write_bytes(b"x")
    url = fake(200, json.dumps({"ID": "1", "FailedInstancesCount": 1}).encode())
    with pytest.raises(MailboxError, match="refused 1 of 1"):
        OrthancMailbox(url, forward_to="pacs").deliver([tmp_path / "a.dcm"])
