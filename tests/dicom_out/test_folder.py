"""``grade --dicom-out`` as its user meets it."""

import json
from dataclasses import replace
from datetime import datetime
from types import SimpleNamespace

import numpy as np
import pydicom
import pytest

from spinexplain.anatomy import VertebraLevel
from spinexplain.cli.main import run
from spinexplain.dicom_out import folder as module
from spinexplain.dicom_out.folder import dicom_folder
from spinexplain.dicom_out.statement import Finalization, Verdict, finalized, statement_of
from spinexplain.errors import FileFormatError, OutputError
from spinexplain.io.nifti import write_nifti
from spinexplain.types import LabelMap


def test_nothing_is_asked_for(tmp_path):
    with dicom_folder(None, tmp_path / "no.nii") as none:
        assert none is None


def test_a_nifti_file_is_refused_with_the_reason(tmp_path, cases):
    ct = tmp_path / "ct.nii.gz"
    write_nifti(ct, cases("HFS").volume.array, cases("HFS").volume.affine)
    with (
        pytest.raises(FileFormatError, match="is not DICOM, so it names no patient"),
        dicom_folder(tmp_path / "out", ct),
    ):
        pass
    assert not (tmp_path / "out").exists()


def test_a_missing_package_is_named(tmp_path, cases, monkeypatch):
    monkeypatch.setattr(module, "find_spec", lambda _: None)
    with (
        pytest.raises(FileFormatError, match=r"pip install 'spinexplain\[dicom\]'"),
        dicom_folder(tmp_path / "out", cases("HFS").folder),
    ):
        pass


def test_labels_on_another_grid_come_onto_that_of_the_ct(tmp_path, cases):
    one = cases("oblique")
    turned = type(one.labels)(
        one.labels.array[::-1].copy(),
        one.labels.affine
        @ np.array(
            [[-1, 0, 0, one.labels.array.shape[0] - 1], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]],
            float,
        ),
    )
    for name, labels in (("a", one.labels), ("b", turned)):
        with dicom_folder(tmp_path / name, one.folder) as made:
            made.write(one.findings, labels)
    first, second = (pydicom.dcmread(tmp_path / n / "segmentation.dcm") for n in "ab")
    assert first.SOPInstanceUID == second.SOPInstanceUID
    np.testing.assert_array_equal(first.pixel_array, second.pixel_array)


def test_bodies_that_the_own_localizer_painted_are_a_segmentation(tmp_path, cases):
    """On a coarser grid, under the names that a reader moved, and said to be unchecked bodies."""
    one = cases("HFS")
    halved = np.diag([2.0, 2.0, 2.0, 1.0])
    bodies = LabelMap(one.labels.array[::2, ::2, ::2].copy(), one.labels.affine @ halved)
    painted = [replace(item.vertebra, level=level) for item, level in _cranial(one.findings)]
    caudal = {19: 18, 20: 19, 21: 20}
    table = np.arange(256, dtype=np.uint8)
    table[list(caudal)] = list(caudal.values())
    found = SimpleNamespace(
        bodies=SimpleNamespace(labels=replace(bodies, array=table[bodies.array])),
        vertebrae=painted,
        info=SimpleNamespace(version="7"),
        localization=SimpleNamespace(certain=False),
    )
    with dicom_folder(tmp_path / "own", one.folder) as made:
        made.write(replace(one.findings, found=found), None)
    written = pydicom.dcmread(tmp_path / "own" / "segmentation.dcm")
    labels = [segment.SegmentLabel for segment in written.SegmentSequence]
    assert labels == [f"{level} body, name uncertain" for level in ("T12", "L1", "L2")]
    algorithm = written.SegmentSequence[0].SegmentationAlgorithmIdentificationSequence[0]
    assert (algorithm.AlgorithmName, algorithm.AlgorithmVersion) == ("spinexplain localizer", "7")
    assert written.ContentLabel == "BODIES"
    share = written.pixel_array.sum() / (one.labels.array > 0).sum()
    assert 0.6 < share < 1.6
    settled = SimpleNamespace(bodies=found.bodies, vertebrae=painted)
    given = replace(one.findings, found=None, settled=settled)
    with dicom_folder(tmp_path / "given", one.folder) as made:
        made.write(given, None)
    written = pydicom.dcmread(tmp_path / "given" / "segmentation.dcm")
    labels = [segment.SegmentLabel for segment in written.SegmentSequence]
    assert labels == [f"{level} body" for level in ("T12", "L1", "L2")]


def _cranial(findings):
    """Pair vertebrae with the level above: what a localizer off by one had called them."""
    by_label = {level.verse_label: level for level in VertebraLevel}
    return [(item, by_label[item.vertebra.level.verse_label - 1]) for item in findings.vertebrae]


def test_a_correction_and_what_can_not_be_one(tmp_path, cases):
    one = cases("HFS")
    with dicom_folder(tmp_path / "first", one.folder) as made:
        made.write(one.findings, one.labels)
    with dicom_folder(tmp_path / "second", one.folder, replaces=tmp_path / "first") as made:
        made.write(one.findings, one.labels)
    reports = [pydicom.dcmread(tmp_path / n / "structured-report.dcm") for n in ("first", "second")]
    named = reports[1].PredecessorDocumentsSequence[0].ReferencedSeriesSequence[0]
    assert named.SeriesInstanceUID == reports[0].SeriesInstanceUID
    other = pydicom.dcmread(tmp_path / "first" / "structured-report.dcm")
    other.StudyInstanceUID = "1.2.3.4.5"
    other.save_as(tmp_path / "first" / "structured-report.dcm")
    with (
        pytest.raises(FileFormatError, match="of another study"),
        dicom_folder(tmp_path / "third", one.folder, replaces=tmp_path / "first"),
    ):
        pass


def test_what_a_reader_finalized_replaces_what_the_machine_said(tmp_path, cases):
    one = cases("HFS")
    with dicom_folder(tmp_path / "machine", one.folder) as made:
        made.write(one.findings, one.labels)
    read = finalized(
        statement_of(one.findings),
        Finalization("Roe^Richard", "Clinic", datetime(2026, 1, 2)),
        {VertebraLevel("L1"): Verdict("deformity rather than fracture?")},
    )
    with dicom_folder(tmp_path / "read", one.folder, replaces=tmp_path / "machine") as made:
        made.write(one.findings, one.labels, statement=read)
    machine, reader = (
        pydicom.dcmread(tmp_path / name / "structured-report.dcm") for name in ("machine", "read")
    )
    assert (machine.VerificationFlag, reader.VerificationFlag) == ("UNVERIFIED", "VERIFIED")
    assert "corrected" in reader.SeriesDescription
    report = json.loads((tmp_path / "read" / "fhir.json").read_text())["entry"][0]["resource"]
    assert report["status"] == "corrected"
    assert not (tmp_path / "read" / "evidence.dcm").exists(), "nothing is suspicious any more"


def test_an_existing_folder_is_kept(tmp_path, cases):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").write_text("x")
    with (
        pytest.raises(OutputError, match="exists already"),
        dicom_folder(tmp_path / "out", cases("HFS").folder),
    ):
        pass


def test_the_command_refuses_in_one_line_and_writes_nothing(tmp_path, cases, capsys):
    ct, mask = tmp_path / "ct.nii.gz", tmp_path / "mask.nii.gz"
    write_nifti(ct, cases("HFS").volume.array, cases("HFS").volume.affine)
    write_nifti(mask, cases("HFS").labels.array, cases("HFS").labels.affine)
    words = ["grade", str(ct), "--labels", str(mask), "-o", str(tmp_path / "out")]
    words += ["--label-scheme", "verse"]
    with pytest.raises(SystemExit) as ended:
        run([*words, "--dicom-out", str(tmp_path / "dicom")])
    assert ended.value.code == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1
    assert sorted(p.name for p in tmp_path.iterdir()) == ["ct.nii.gz", "mask.nii.gz"]


@pytest.mark.slow
def test_the_command_grades_a_series_into_both_folders(tmp_path, cases):
    one = cases("HFS")
    mask = tmp_path / "mask.nii.gz"
    write_nifti(mask, one.labels.array, one.labels.affine)
    words = ["grade", str(one.folder), "--labels", str(mask), "-o", str(tmp_path / "out")]
    words += ["--label-scheme", "verse"]
    run([*words, "--dicom-out", str(tmp_path / "dicom")])
    found = pydicom.dcmread(tmp_path / "dicom" / "structured-report.dcm")
    assert found.StudyInstanceUID == one.references.study_uid
    assert (tmp_path / "out" / "result.json").is_file()
    assert (tmp_path / "dicom" / "segmentation.dcm").is_file()
