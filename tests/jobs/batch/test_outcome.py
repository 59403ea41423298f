import json

import numpy as np
import pytest

from spinexplain.jobs.batch.manifest import ArchiveScan
from spinexplain.jobs.batch.outcome import (
    CRASHED,
    REFUSED,
    Outcome,
    grade_one,
    outcome_of,
    write_refusal,
)


def test_bad_input_is_an_outcome(tmp_path):
    scan = ArchiveScan("one", tmp_path / "none.nii.gz", labels=tmp_path / "m.nii.gz")
    found = grade_one(scan, tmp_path, ())
    assert (found.state, found.reason) == (REFUSED, "FileFormatError")
    assert outcome_of(tmp_path, "one") == found


def test_no_outcome_and_a_broken_one(tmp_path):
    assert outcome_of(tmp_path, "one") is None
    write_refusal(tmp_path, Outcome("one", CRASHED, "WorkerDied", "x"))
    assert outcome_of(tmp_path, "one").state == CRASHED
    (tmp_path / "refused" / "one.json").write_text("{")
    assert outcome_of(tmp_path, "one") is None


@pytest.mark.slow
def test_a_graded_scan_replaces_its_refusal(tmp_path, manifest):
    from batch_tests_conftest import EXAMPLES

    from spinexplain.io.nifti import read_volume
    from spinexplain.models.bundle.store import load_grader

    scan = ArchiveScan(
        "one",
        EXAMPLES / "lumbar_ct.nii.gz",
        labels=EXAMPLES / "lumbar_seg-vert_msk.nii.gz",
        age=70,
        sex="F",
    )
    write_refusal(tmp_path, Outcome("one", REFUSED, "x", "y"))
    found = grade_one(scan, tmp_path, (load_grader("protoverse-phantom"),))
    assert found.state == "graded", found.words
    folder = tmp_path / "scans" / "one"
    assert not list((tmp_path / "refused").iterdir())
    facts = json.loads((folder / "facts.json").read_text())
    assert (facts["age"], facts["sex"]) == (70, "F")
    # The oracle averages by hand around the center that result.json names.
    row = json.loads((folder / "result.json").read_text())["vertebrae"][2]
    volume = read_volume(scan.ct)
    ijk = np.rint(np.linalg.inv(volume.affine) @ [*row["centroid_mm"], 1])[:3].astype(int)
    i, j, k = ijk
    cube = volume.array[i - 2 : i + 3, j - 2 : j + 3, k - 2 : k + 3]
    assert facts["body_hu"][row["level"]] == pytest.approx(cube.mean(), abs=0.1)
