from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import spinexplain
from spinexplain.anatomy import VertebraLevel
from spinexplain.errors import GeometryError, LabelError, ModelError
from spinexplain.models.bundle.store import load_grader
from spinexplain.reproduce.real_scans import real_scan
from spinexplain.reproduce.transfer import prepared
from spinexplain.spine.localize import localize
from spinexplain.types import Vertebra


def test_a_scan_is_stored_and_read_again(tmp_path):
    one = prepared.Prepared({"level": "L1", "outside": 0.1}, np.ones((112, 112), np.float32))
    prepared.write_prepared(tmp_path / "a" / "scan.npz", {"group": "g"}, [one])
    scan, (again,) = prepared.read_prepared(tmp_path / "a" / "scan.npz")
    assert scan == {"group": "g"}
    assert again.facts == one.facts
    assert np.array_equal(again.crop, one.crop)


@pytest.mark.parametrize("by_mask", [True, False])
def test_a_stored_crop_is_graded_as_the_scan_itself(by_mask):
    """The whole way of a user and the stored one give the same grades, scores and refusals."""
    scan = real_scan(Path(__file__).parents[2] / "data", "lumbar")
    given = {"labels": scan.labels} if by_mask else {"centroids": off_by_3_mm(scan)}
    grader = load_grader("protoverse-phantom")
    ready = prepared.prepare_scan(scan.volume, **given, measured=False)
    rows = prepared.grade_prepared(grader, ready)
    found = spinexplain.grade(scan.volume, **given, models=[grader]).vertebrae
    gradings = [vertebra.assessments[0].grading for vertebra in found]
    assert [row["called"] for row in rows] == [g.grade if g else None for g in gradings]
    assert [bool(row["reason"]) for row in rows] == [g is None for g in gradings]
    for row, grading in zip(rows, gradings, strict=True):
        if grading is not None:
            assert row["scores"] == pytest.approx(list(grading.probabilities), abs=1e-4)


def off_by_3_mm(scan):
    """Return the body centers of a scan, each 3 mm behind."""
    vertebrae = localize(scan.volume, scan.labels)
    return [
        replace(one, centroid_mm=tuple(np.add(one.centroid_mm, (0, -3, 0)))) for one in vertebrae
    ]


def test_a_scan_that_is_refused_refuses_all_its_levels():
    """Centers that lie half a vertebra off are refused as a whole, as a user would see."""
    scan = real_scan(Path(__file__).parents[2] / "data", "lumbar")
    moved = [
        replace(one, centroid_mm=tuple(np.add(one.centroid_mm, (0, 0, 17))))
        for one in localize(scan.volume, scan.labels)
    ]
    grader = load_grader("protoverse-phantom")
    rows = prepared.grade_prepared(grader, prepared.prepared_or_refused(scan.volume, moved))
    assert [row["level"] for row in rows] == [one.level.value for one in moved]
    assert all("lie in discs" in row["reason"] for row in rows)
    assert {row["called"] for row in rows} == {None}


@pytest.mark.parametrize("error", [LabelError, GeometryError])
def test_a_scan_refused_for_its_centers_says_why(error, monkeypatch):
    _refusing(monkeypatch, error)
    (one,) = prepared.prepared_or_refused(None, [Vertebra(VertebraLevel.L1, (0.0, 0.0, 0.0))])
    assert one.facts["refused"] == "it is odd."


def test_what_is_no_refusal_of_a_scan_is_not_stored_as_one(monkeypatch):
    _refusing(monkeypatch, ModelError)
    with pytest.raises(ModelError):
        prepared.prepared_or_refused(None, [Vertebra(VertebraLevel.L1, (0.0, 0.0, 0.0))])


def _refusing(monkeypatch, error):
    def refuse(*_):
        raise error("it is odd.")

    monkeypatch.setattr(prepared, "prepare_scan", refuse)
