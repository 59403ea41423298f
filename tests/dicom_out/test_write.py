"""All objects of a result: conformance, identity, references, patient and status."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest

from spinexplain.dicom_out.write import read_replaced
from spinexplain.errors import FileFormatError, GeometryError
from spinexplain.types import Volume

NAME = "M\u00fcller^J\u00f6rg"
FILES = [
    "evidence",
    "key-image-1",
    "key-image-2",
    "key-note",
    "report",
    "segmentation",
    "structured-report",
]
# What dciodvfy may warn of: our own coding scheme, and a value newer than the program.
ALLOWED = ("<99SPINEX>", "ImageType(0008,0008)[4]", "FrameType(0008,9007)[4]")


def _objects(folder: Path):
    return {path.stem: pydicom.dcmread(path) for path in sorted(folder.glob("*.dcm"))}


@pytest.mark.parametrize("orientation", ["HFS", "oblique", "sagittal", "frames"])
def test_dciodvfy_finds_nothing(written, tool, orientation):
    for path in sorted(written(orientation).glob("*.dcm")):
        _, said = tool("dciodvfy", "-new", path)
        lines = [line for line in said.splitlines() if line.startswith(("Error", "Warning"))]
        assert [line for line in lines if not any(a in line for a in ALLOWED)] == [], path.name


def test_dcmtk_reads_every_object(written, tool):
    for path in sorted(written().glob("*.dcm")):
        rc, said = tool("dcmdump", path)
        assert rc == 0, said
    rc, said = tool("dsrdump", written() / "structured-report.dcm")
    assert rc == 0, said
    assert "Relative height loss" in said


def test_all_objects_are_there(written):
    assert list(_objects(written())) == FILES
    assert (written() / "fhir.json").is_file()


@pytest.mark.parametrize("orientation", ["HFS", "frames"])
def test_patient_study_and_frame_of_reference_are_those_of_the_ct(cases, written, orientation):
    references = cases(orientation).references
    for name, one in _objects(written(orientation)).items():
        assert one.StudyInstanceUID == references.study_uid, name
        assert str(one.PatientName) == NAME, name
        assert (one.PatientID, one.PatientSex, one.PatientBirthDate) == ("P-17", "F", "19500102")
        assert (one.StudyID, one.StudyDate, one.AccessionNumber) == ("S1", "20260102", "A-9")
        assert one.SeriesInstanceUID != references.series_uid
        if "FrameOfReferenceUID" in one:
            assert one.FrameOfReferenceUID == references.frame_of_reference_uid, name
        assert one.Manufacturer == "spinexplain"
        assert "unverified" in one.SeriesDescription


def test_every_instance_named_is_one_of_the_ct_or_of_the_result(cases, written):
    objects = _objects(written())
    known = {one.sop_instance_uid for one in cases("HFS").references.slices}
    known |= {one.SOPInstanceUID for one in objects.values()}
    for one in objects.values():
        named = {e.value for e in one.iterall() if e.keyword == "ReferencedSOPInstanceUID"}
        assert named <= known


def test_the_same_result_has_the_same_bytes(written, result, tmp_path_factory):
    from spinexplain.dicom_out.write import write_dicom

    again = tmp_path_factory.mktemp("again")
    write_dicom(result(with_pdf=True), again)
    for name in FILES:
        first, second = ((f / f"{name}.dcm").read_bytes() for f in (written(), again))
        assert first == second, name


def test_another_model_makes_other_instances(cases, result, tmp_path):
    from spinexplain.dicom_out.write import context_of

    findings = cases("HFS").findings
    other = replace(findings, models=(replace(findings.models[0], sha256="0" * 64),))
    one, two = (context_of(r) for r in (result(), replace(result(), findings=other)))
    assert one.uid("report", "1") != two.uid("report", "1")


def test_without_mask_and_pdf_the_rest_is_written(written):
    folder = written("HFS", labels=None, with_pdf=False)
    assert "segmentation" not in _objects(folder)
    assert "structured-report" in _objects(folder)


def test_a_volume_from_elsewhere_is_refused(cases, result):
    from spinexplain.dicom_out.write import context_of, dicom_objects

    one = cases("HFS")
    moved = one.volume.affine.copy()
    moved[2, 3] += 5
    volume = Volume(one.volume.array, moved)
    wrong = replace(result(), findings=replace(one.findings, volume=volume))
    with pytest.raises(GeometryError, match="does not lie on the grid"):
        dicom_objects(wrong, context_of(wrong))


@pytest.mark.parametrize("kind", ["missing", "text", "other"])
def test_what_is_no_result_can_not_be_replaced(tmp_path, cases, kind):
    path = tmp_path / "structured-report.dcm"
    if kind == "text":
        path.write_text("hello")
    if kind == "other":
        source = next(p for p in sorted(cases("HFS").folder.iterdir()))
        path.write_bytes(source.read_bytes())
    with pytest.raises(FileFormatError, match="structured report of"):
        read_replaced(tmp_path)


def test_evidence_of_suspicious_vertebrae_alone(cases, written):
    found = pydicom.dcmread(written() / "evidence.dcm")
    stored = np.frombuffer(found.FloatPixelData, "<f4")
    item = cases("HFS").findings.vertebrae[1]
    assert stored.max() <= item.assessments[0].explanation.evidence[0].heatmap.max() + 1e-6
    assert (stored > 0).any()
