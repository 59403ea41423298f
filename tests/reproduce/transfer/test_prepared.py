import numpy as np

from spinexplain.reproduce.transfer import prepared


def test_a_scan_is_stored_and_read_again(tmp_path):
    one = prepared.Prepared({"level": "L1", "outside": 0.1}, np.ones((112, 112), np.float32))
    prepared.write_prepared(tmp_path / "a" / "scan.npz", {"group": "g"}, [one])
    scan, (again,) = prepared.read_prepared(tmp_path / "a" / "scan.npz")
    assert scan == {"group": "g"}
    assert again.facts == one.facts
    assert np.array_equal(again.crop, one.crop)


def test_a_stored_crop_is_graded_as_the_scan_itself():
    """The whole way of a user and the stored one give the same grades and refusals."""
    from pathlib import Path

    import spinexplain
    from spinexplain.models.bundle.store import load_grader
    from spinexplain.reproduce.real_scans import real_scan

    scan = real_scan(Path(__file__).parents[2] / "data", "lumbar")
    grader = load_grader("protoverse-phantom")
    rows = prepared.grade_prepared(grader, prepared.prepared_scan(scan, measured=False))
    found = spinexplain.grade(scan.volume, labels=scan.labels, models=[grader]).vertebrae
    gradings = [vertebra.assessments[0].grading for vertebra in found]
    assert [row["called"] for row in rows] == [g.grade if g else None for g in gradings]
    assert [bool(row["reason"]) for row in rows] == [g is None for g in gradings]
