import re

import pytest

from app.conftest import act, add_ready, state_of
from fixtures.scans import LUMBAR
from spinexplain.app.schema import Scan

CT = (LUMBAR / "example_ct.nii.gz").read_bytes()
MASK = (LUMBAR / "totalseg_vertebrae_pp_refined.nii.gz").read_bytes()


@pytest.fixture
def client(server):
    return server.client()


def sent(client, **files):
    scan_id = client.post("/scans", data={"name": "sent"}).json()["id"]
    for kind, content in files.items():
        answer = client.put(f"/scans/{scan_id}/files/{kind}", content=content)
        assert answer.status_code == 200, answer.text
    return scan_id


def shown(client, query=""):
    return re.findall(r'<a href="/scans/[0-9a-f]+/">([^<]*)</a></th>', client.get(f"/{query}").text)


def test_the_list_is_ordered_and_searched(server, client, drawn):
    for name, worst, apart in (("mild", 100.0, 3), ("severe", 300.0, 0), ("moderate", 200.0, 1)):
        scan_id = add_ready(server, drawn, name)
        with server.database.writing() as session:
            scan = session.get(Scan, scan_id)
            scan.worst, scan.disagreement = worst, apart
    assert shown(client) == ["severe", "moderate", "mild"]
    assert shown(client, "?order=disagreement") == ["mild", "moderate", "severe"]
    assert shown(client, "?order=date") == ["moderate", "severe", "mild"]
    assert shown(client, "?q=SEV") == ["severe"]
    act(client, scan_id, "viewed")
    assert shown(client, "?order=unread")[-1] == "moderate"


def test_a_scan_is_sent_and_queued(server, client):
    scan_id = sent(client, ct=CT, labels=MASK)
    assert client.post(f"/scans/{scan_id}/queue").json() == {"state": "queued"}
    assert server.folder.input(scan_id, "ct").read_bytes() == CT
    assert client.post(f"/scans/{scan_id}/queue").status_code == 422  # not twice


def test_without_mask_and_centers_the_localizer_is_to_find_them(client):
    scan_id = sent(client, ct=CT)
    assert client.post(f"/scans/{scan_id}/queue").json() == {"state": "queued"}


def test_what_is_no_scan_is_refused_and_leaves_nothing(server, client):
    scan_id = client.post("/scans", data={"name": "x"}).json()["id"]
    answer = client.put(f"/scans/{scan_id}/files/ct", content=b"<html>" * 100)
    assert answer.status_code == 422
    assert "neither NIfTI nor a zip" in answer.json()["message"]
    assert client.put(f"/scans/{scan_id}/files/model", content=CT).status_code == 404
    assert not [p for p in server.folder.scan(scan_id).rglob("*") if p.is_file()]
    assert "neither NIfTI nor a zip" in client.get("/").text
    assert 'id="again"' not in client.get(f"/scans/{scan_id}/").text  # there is nothing to grade
    client.put(f"/scans/{scan_id}/files/ct", content=CT)  # another file takes its place
    assert 'id="again"' in client.get(f"/scans/{scan_id}/").text
    assert client.post(f"/scans/{scan_id}/queue").json() == {"state": "queued"}


def test_a_body_that_is_too_large_is_refused(server, client):
    scan_id = client.post("/scans", data={"name": "x"}).json()["id"]
    answer = client.put(f"/scans/{scan_id}/files/ct", content=b"\x1f\x8b" + b"0" * 2**23)
    assert answer.status_code == 422
    assert "larger than" in answer.json()["message"]
    assert client.post("/scans", data={"name": "x" * 2**22}).status_code == 413
    assert not [p for p in server.folder.scan(scan_id).rglob("*") if p.is_file()]


def test_a_graded_scan_is_not_graded_anew_under_its_reading(client, ready):
    assert client.post(f"/scans/{ready}/queue").status_code == 409
    assert client.put(f"/scans/{ready}/files/ct", content=CT).status_code == 409


def test_names_are_text(client):
    client.post("/scans", data={"name": "<script>alert(1)</script>\x07"})
    page = client.get("/").text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;?" in page


def test_progress_ends_when_nothing_is_pending(server, client, ready):
    text = client.get("/progress").text
    assert "event: stages" in text
    assert "event: done" in text
    assert state_of(server, ready).state == "ready"
