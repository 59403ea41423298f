"""A finalized reading as DICOM, by the download and read back by pydicom."""

import io
import json
import shutil
import zipfile
from dataclasses import replace

import pydicom
import pytest

from app.conftest import act, add_ready, steady
from dicom_out.conftest import findings_of, labels_of, series_of, write_series
from spinexplain.app import dicom_export, regraded
from spinexplain.app.accounts import local_account
from spinexplain.app.dicom_export import _by, _clean
from spinexplain.app.intake import copy_in, new_scan
from spinexplain.app.scan_view import write_view
from spinexplain.io.dicom import read_dicom
from spinexplain.io.nifti import write_nifti
from spinexplain.io.read import scan_sha256


@pytest.fixture(scope="module")
def series(tmp_path_factory):
    """A zipped series, its mask and its findings: (zip, mask, labels, findings)."""
    folder = tmp_path_factory.mktemp("dicom")
    write_series(folder / "series", series_of())
    with zipfile.ZipFile(folder / "ct.zip", "w") as archive:
        for path in sorted((folder / "series").iterdir()):
            archive.write(path, path.name)
    volume = read_dicom(folder / "ct.zip")
    labels = labels_of(volume)
    write_nifti(folder / "mask.nii.gz", labels.array, labels.affine)
    findings = findings_of(volume, labels)
    digest = scan_sha256(folder / "ct.zip", volume)
    return (
        folder / "ct.zip",
        folder / "mask.nii.gz",
        replace(findings, source=replace(findings.source, sha256=digest)),
    )


@pytest.fixture(scope="module")
def view_folder(series, tmp_path_factory):
    folder = tmp_path_factory.mktemp("dicom-view") / "view"
    with pytest.MonkeyPatch.context() as patch:
        steady(patch)
        write_view(series[2], folder)
    return folder


@pytest.fixture
def dicom_scan(server, series, view_folder, monkeypatch):
    """The id of a graded DICOM scan; a second grading finds what the first found."""
    steady(monkeypatch)
    monkeypatch.setattr(regraded, "grade_inputs", lambda inputs, request: series[2])
    # The mask is too small for its scheme to be guessed.
    request_of = dicom_export.request_of
    known = lambda *scan: replace(request_of(*scan), label_scheme="verse")  # noqa: E731
    monkeypatch.setattr(dicom_export, "request_of", known)
    monkeypatch.setattr("spinexplain.dicom_out.folder.can_print", lambda: False)
    with server.database.writing() as session:
        scan = new_scan(session, "made", None, local_account(session).id)
        scan.state = "ready"
    server.folder.scan(scan.id).mkdir(parents=True)
    shutil.copytree(view_folder, server.folder.view(scan.id))
    copy_in(server.folder, scan, "ct", series[0])
    copy_in(server.folder, scan, "labels", series[1])
    return scan.id


def objects(answer):
    assert answer.status_code == 200, answer.text
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        return {
            name.removesuffix(".dcm"): pydicom.dcmread(io.BytesIO(archive.read(name)))
            for name in archive.namelist()
            if name.endswith(".dcm")
        }


def statuses(answer):
    """Status of the FHIR report, then of each vertebra's observation."""
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        resources = [one["resource"] for one in json.loads(archive.read("fhir.json"))["entry"]]
    kinds = ("DiagnosticReport", "Observation")
    return [one["status"] for one in resources if one["resourceType"] in kinds]


def texts(report):
    return [item.TextValue for item in report.ContentSequence if item.ValueType == "TEXT"]


def answers(report):
    """Level -> what is said about it, meaning of question -> meaning of answer."""
    found = {}
    for item in report.iterall():
        if item.keyword != "ContentSequence":
            continue
        for group in item.value:
            if group.get("ValueType") != "CONTAINER" or "ContentSequence" not in group:
                continue
            name = [x.TextValue for x in group.ContentSequence if _asks(x) == "112039"]
            if name:
                found[name[0]] = {
                    x.ConceptNameCodeSequence[0].CodeMeaning: x.ConceptCodeSequence[0].CodeMeaning
                    for x in group.ContentSequence
                    if x.ValueType == "CODE"
                }
    return found


def _asks(item):
    return item.ConceptNameCodeSequence[0].CodeValue


def finalize(client, scan_id):
    said = {"verdict": "deformity", "deformity": "Scheuermann", "comment": "Old wedge"}
    said |= {"acuity": "chronic", "signs": ["retropulsion"]}
    assert act(client, scan_id, "word", "L1", said).is_success
    signed = act(client, scan_id, "finalise", None, {"name": "J\u00f6rg Leser"}, 1)
    assert signed.is_success, signed.text


def test_the_objects_hold_the_readers_word_and_signature(server, dicom_scan):
    client = server.client()
    assert "dicom.zip" not in client.get(f"/scans/{dicom_scan}/").text
    finalize(client, dicom_scan)
    assert "dicom.zip" in client.get(f"/scans/{dicom_scan}/").text
    answer = client.get(f"/scans/{dicom_scan}/dicom.zip")
    made = objects(answer)
    assert {"structured-report", "segmentation", "key-image-1", "key-note"} <= set(made)
    assert "evidence" not in made, "the reader suspects nothing"
    report = made["structured-report"]
    assert (report.VerificationFlag, report.CompletionFlag) == ("VERIFIED", "COMPLETE")
    assert "research, verified" in report.SeriesDescription
    observer = report.VerifyingObserverSequence[0]
    assert str(observer.VerifyingObserverName) == "J\u00f6rg Leser^"
    at = server.client().get(f"/scans/{dicom_scan}/reading.json").json()["signed"][1]
    assert observer.VerificationDateTime[:14] == "".join(c for c in at[:19] if c.isdigit())
    assert "PredecessorDocumentsSequence" not in report
    words = answers(report)
    assert "deformity" in " ".join(words["L1"].values()).lower()
    assert words["L1"]["Acuity of the fracture"] == "Chronic"
    assert words["L1"]["Kind of deformity"] == "Scheuermann's disease"
    assert words["L1"]["Further sign"] == "Retropulsion"
    assert len(words["L1"]) > len(words["T12"]), "no word of the reader on T12"
    uses = [words[level]["Use of this result"] for level in ("T12", "L1")]
    assert "checked by a reader" in uses[1]
    assert "checked by a reader" not in uses[0]
    assert any("Scheuermann" in text and "Old wedge" in text for text in texts(report))
    assert any("Without a word of the reader: T12, L2" in text for text in texts(report))
    assert statuses(answer) == ["final", "preliminary", "final", "preliminary"]


def test_an_addendum_is_a_new_series_that_names_the_one_before(server, dicom_scan):
    client = server.client()
    finalize(client, dicom_scan)
    first = objects(client.get(f"/scans/{dicom_scan}/dicom.zip"))
    again = objects(client.get(f"/scans/{dicom_scan}/dicom.zip"))
    assert {k: v.SOPInstanceUID for k, v in first.items()} == {
        k: v.SOPInstanceUID for k, v in again.items()
    }
    body = {"name": "Second Reader", "text": "Compared with the X-ray"}
    assert act(client, dicom_scan, "addendum", None, body, 2).is_success
    second = objects(client.get(f"/scans/{dicom_scan}/dicom.zip"))
    old, new = first["structured-report"], second["structured-report"]
    named = new.PredecessorDocumentsSequence[0].ReferencedSeriesSequence[0]
    assert named.SeriesInstanceUID == old.SeriesInstanceUID
    assert named.ReferencedSOPSequence[0].ReferencedSOPInstanceUID == old.SOPInstanceUID
    assert new.SeriesInstanceUID != old.SeriesInstanceUID
    assert "corrected" in new.SeriesDescription
    assert any("Addendum by Second Reader" in text for text in texts(new))
    body["text"] = "And with the MRI"
    assert act(client, dicom_scan, "addendum", None, body, 3).is_success
    third = objects(client.get(f"/scans/{dicom_scan}/dicom.zip"))["structured-report"]
    replaced = {
        one.ReferencedSOPInstanceUID
        for study in third.PredecessorDocumentsSequence
        for row in study.ReferencedSeriesSequence
        for one in row.ReferencedSOPSequence
    }
    assert replaced == {old.SOPInstanceUID, new.SOPInstanceUID}


def test_a_shift_names_report_and_segmentation(server, dicom_scan):
    client = server.client()
    assert act(client, dicom_scan, "shift", None, {"by": 1}).is_success
    assert act(client, dicom_scan, "finalise", None, {"name": "A"}, 1).is_success
    made = objects(client.get(f"/scans/{dicom_scan}/dicom.zip"))
    assert list(answers(made["structured-report"])) == ["L1", "L2", "L3"]
    segments = made["segmentation"].SegmentSequence
    assert [one.TrackingID for one in segments] == ["L1", "L2", "L3"]


def refusal(server, scan_id):
    before = sorted(server.folder.scan(scan_id).iterdir())
    answer = server.client().get(f"/scans/{scan_id}/dicom.zip")
    assert answer.status_code == 422
    assert sorted(server.folder.scan(scan_id).iterdir()) == before, "nothing half-written"
    return answer.json()["message"]


def test_a_reading_that_is_not_finalized_is_refused(server, dicom_scan):
    assert "not finalized" in refusal(server, dicom_scan)


def test_a_scan_from_nifti_is_refused_with_the_reason(server, drawn):
    scan_id = add_ready(server, drawn)
    assert act(server.client(), scan_id, "finalise", None, {"name": "A"}).is_success
    assert "came as NIfTI, which names no patient" in refusal(server, scan_id)
    assert "dicom.zip" not in server.client().get(f"/scans/{scan_id}/").text


def test_what_was_not_read_is_not_signed(server, dicom_scan, series, monkeypatch):
    finalize(server.client(), dicom_scan)
    other = replace(series[2], vertebrae=series[2].vertebrae[1:])
    monkeypatch.setattr(regraded, "grade_inputs", lambda inputs, request: other)
    assert "another version's verdicts" in refusal(server, dicom_scan)


def test_names_and_texts_become_what_dicom_can_hold():
    final = _by("A^B\\C=" + "x" * 90, "2026-01-02T03:04:05.000000Z")
    assert final.reader.startswith("A B C x")
    assert len(final.reader) == 64
    assert final.at.utcoffset().total_seconds() == 0
    assert _clean("a\x00b\nc") == "a b\nc"
