import json
from dataclasses import replace
from datetime import datetime

import highdicom as hd
import numpy as np
import pydicom
import pytest

from spinexplain.dicom_out.statement import (
    BORDERLINE,
    Finalization,
    Verdict,
    finalized,
    statement_of,
)
from spinexplain.dicom_out.structured_report import images_at_vertebrae, structured_report
from spinexplain.dicom_out.write import context_of, read_replaced

EVERY = ["HFS", "feet first", "prone", "sagittal", "oblique", "tilted", "frames"]


@pytest.mark.parametrize("orientation", EVERY)
def test_one_point_a_vertebra_where_its_center_is(cases, written, orientation):
    one = cases(orientation)
    found = hd.sr.srread(written(orientation) / "structured-report.dcm")
    groups = found.content.get_planar_roi_measurement_groups()
    assert [g.tracking_identifier for g in groups] == ["T12", "L1", "L2"]
    for group, item in zip(groups, one.findings.vertebrae, strict=True):
        point = group.roi.value.ravel() * [-1, -1, 1]
        np.testing.assert_allclose(point, item.vertebra.centroid_mm, atol=1e-3)
        assert group.roi.frame_of_reference_uid == one.references.frame_of_reference_uid


def _numbers(group):
    return {m.name.value: (m.value, m.unit.value) for m in group.get_measurements()}


def _words(group):
    return {e.name.value: e.value.value for e in group.get_qualitative_evaluations()}


def test_what_is_said_about_a_fractured_vertebra(written):
    found = hd.sr.srread(written() / "structured-report.dcm")
    healthy, fractured, refused = found.content.get_planar_roi_measurement_groups()
    numbers = _numbers(fractured)
    assert numbers["HEIGHT-LOSS"] == (pytest.approx(31.0), "%")
    assert numbers["HEIGHT-LOSS-LOW"] == (pytest.approx(24.0), "%")
    assert numbers["HEIGHT-LOSS-HIGH"] == (pytest.approx(38.0), "%")
    assert numbers["HEIGHT-POSTERIOR"] == (pytest.approx(27.5), "mm")
    assert numbers["SCORE-G2"] == (pytest.approx(0.67), "1")
    words = _words(fractured)
    assert words["VERDICT"] == "FRACTURE"
    assert words["246112005"] == "6736007"
    assert words["MODEL-GRADE"] == "GENANT-2"
    assert words["DEFORMITY-SHAPE"] == "20446002"
    assert words["AGREEMENT"] == "AGREE"
    assert words["USE"] == "RESEARCH"
    assert _words(healthy)["VERDICT"] == "NO-SUSPICION"
    assert _words(refused)["REFUSAL"].startswith("WHY-")
    assert not _numbers(refused)


def test_two_models_are_told_apart(cases, result):
    from spinexplain.config.tasks import Task
    from spinexplain.findings.scan import Assessment
    from spinexplain.types import Grading, ModelInfo

    findings = cases("HFS").findings
    second = ModelInfo("detector", "0.3", "90c1" * 16, ("no fracture", "fracture"), "phantoms")
    task = Task.of({"no fracture": ["G0"], "fracture": ["G2", "G3"]})
    rows = []
    for item in findings.vertebrae:
        call = Assessment(Grading(item.vertebra, task, (0.3, 0.7)), None)
        rows.append(replace(item, assessments=(*item.assessments, call)))
    both = replace(findings, models=(*findings.models, second), vertebrae=tuple(rows))
    statement = statement_of(both)
    made = structured_report(context_of(result(statement=statement)))
    asked = {
        item.ConceptNameCodeSequence[0].CodeMeaning: item.ConceptCodeSequence[0].CodeMeaning
        for item in _items(made)
        if item.ValueType == "CODE"
    }
    assert asked["Grade chosen by detector"] == "Fracture"
    assert asked["Grade chosen by protoverse-test"] in ("Genant grade 0", "Genant grade 2")
    assert asked["Not assessable by protoverse-test"] == "touches border"
    texts = [item.TextValue for item in _items(made) if item.ValueType == "TEXT"]
    assert {"detector", "protoverse-test"} <= set(texts)


def test_every_number_names_its_algorithm_and_the_model_its_hash(written):
    """A number without children hides the whole report in OHIF."""
    found = pydicom.dcmread(written() / "structured-report.dcm")
    numbers = [
        item
        for item in _items(found)
        if item.ValueType == "NUM" and "MeasuredValueSequence" in item
    ]
    inside = [
        n for n in numbers if n.ConceptNameCodeSequence[0].CodingSchemeDesignator == "99SPINEX"
    ]
    assert inside
    assert all(n.get("ContentSequence") for n in inside)
    texts = [item.TextValue for item in _items(found) if item.ValueType == "TEXT"]
    assert "sha256 " + "3f6a" * 16 in texts
    assert any("Not for diagnostic use" in text for text in texts)


def _items(dataset):
    for item in dataset.get("ContentSequence", []):
        yield item
        yield from _items(item)


def test_the_image_library_holds_only_slices_through_centers(cases, result):
    one = cases("HFS")
    images = images_at_vertebrae(context_of(result()))
    depths = [i.ImagePositionPatient[2] for i in images]
    centers = [item.vertebra.centroid_mm[2] for item in one.findings.vertebrae]
    assert depths == sorted(depths)
    assert len(images) == 3
    np.testing.assert_allclose(depths, sorted(centers), atol=1.5)


def test_dcmqi_reads_the_groups(tmp_path, written, tool):
    out = tmp_path / "sr.json"
    path = written() / "structured-report.dcm"
    rc, said = tool("tid1500reader", "--inputDICOM", path, "--outputMetadata", out)
    assert rc == 0, said
    groups = json.loads(out.read_text())["Measurements"]
    assert [group["TrackingIdentifier"] for group in groups] == ["T12", "L1", "L2"]
    values = {
        item["quantity"]["CodeValue"]: float(item["value"])
        for item in groups[1]["measurementItems"]
    }
    assert values["HEIGHT-LOSS"] == pytest.approx(31.0)


def test_segment_and_group_share_their_tracking_uid(written):
    report = hd.sr.srread(written() / "structured-report.dcm")
    segments = hd.seg.segread(written() / "segmentation.dcm").SegmentSequence
    groups = report.content.get_planar_roi_measurement_groups()
    assert [g.tracking_uid for g in groups] == [s.TrackingUID for s in segments]


def test_unverified_until_a_reader_finalizes(cases, result):
    made = structured_report(context_of(result()))
    assert (made.CompletionFlag, made.VerificationFlag) == ("PARTIAL", "UNVERIFIED")
    assert made.PreliminaryFlag == "PRELIMINARY"
    final = Finalization("Roe^Richard", "Clinic", datetime(2026, 1, 2))
    read = finalized(
        statement_of(cases("HFS").findings),
        final,
        {cases("HFS").findings.vertebrae[1].vertebra.level: Verdict(BORDERLINE)},
    )
    made = structured_report(context_of(result(statement=read)))
    assert (made.CompletionFlag, made.VerificationFlag) == ("COMPLETE", "VERIFIED")
    assert made.PreliminaryFlag == "FINAL"
    assert made.VerifyingObserverSequence[0].VerifyingObserverName == "Roe^Richard"
    assert made.SeriesDescription == "spinexplain structured report (research, verified)"


def test_a_correction_is_a_new_series_that_names_what_it_replaces(written, result):
    first = pydicom.dcmread(written() / "structured-report.dcm")
    replaced = read_replaced(written())
    second = structured_report(context_of(result(replaced=replaced)))
    assert second.SeriesInstanceUID != first.SeriesInstanceUID
    assert second.SeriesNumber == first.SeriesNumber + 10
    assert "corrected" in second.SeriesDescription
    named = second.PredecessorDocumentsSequence[0].ReferencedSeriesSequence[0]
    assert named.SeriesInstanceUID == first.SeriesInstanceUID
    assert named.ReferencedSOPSequence[0].ReferencedSOPInstanceUID == first.SOPInstanceUID
    third = structured_report(context_of(result(replaced=(second,))))
    assert third.SeriesNumber == first.SeriesNumber + 20


def test_heights_that_are_not_finite_are_left_out(result, cases):
    statement = statement_of(cases("HFS").findings)
    row = statement.vertebrae[1]
    broken = replace(row, heights=replace(row.heights, middle_mm=float("nan")))
    changed = replace(statement, vertebrae=(statement.vertebrae[0], broken))
    made = structured_report(context_of(result(statement=changed)))
    names = [i.ConceptNameCodeSequence[0].CodeValue for i in _items(made) if i.ValueType == "NUM"]
    assert names.count("HEIGHT-MIDDLE") == 1
    assert names.count("HEIGHT-ANTERIOR") == 2
