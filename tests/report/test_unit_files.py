import numpy as np
import pytest

from spinexplain.analysis.dissection.dissect import dissect
from spinexplain.io.nifti import read_volume
from spinexplain.report.unit_files import write_collages, write_unit_files


def test_collages_are_numbered_by_rank(known_dissected, tmp_path):
    paths = write_collages(known_dissected.dissection, tmp_path, top=2)
    assert [path.name for path in paths] == ["rank-01_unit-000.png", "rank-02_unit-002.png"]
    assert all(path.stat().st_size > 500 for path in paths)


def test_drawn_samples_have_slices_but_no_place(known_dissected, tmp_path):
    assert write_unit_files(known_dissected, tmp_path, units=2, samples=2) == 4
    assert len(list(tmp_path.rglob("*_slices.png"))) == 4
    assert not list(tmp_path.rglob("*.nii.gz"))


def test_boxes_lie_in_patient_space_without_resampling(known_dissected_3d, tmp_path):
    assert write_unit_files(known_dissected_3d, tmp_path, units=1, samples=1) == 0
    volumes = {
        name: read_volume(next(tmp_path.rglob(f"*_{name}.nii.gz")))
        for name in ("ct", "activation", "masked-ct")
    }
    ct, heat, masked = volumes["ct"], volumes["activation"], volumes["masked-ct"]
    frame = known_dissected_3d.samples.cohort.frame(1, "3d")
    # The middle of the body, sample 56 of the stored box, is sample 32 of the crop.
    for inner, stored in (((32, 32, 32), (56, 56, 56)), ((0, 5, 60), (24, 29, 84))):
        place = ct.affine[:3, :3] @ inner + ct.affine[:3, 3]
        np.testing.assert_allclose(place, frame.to_mm(np.array(stored)), atol=1e-4)
    assert ct.array.shape == (64, 64, 64)
    assert ct.array[22, 32, 32] > 800  # the bright upper part of the body
    assert heat.array[22, 32, 32] > 0
    inside = heat.array > 0
    np.testing.assert_array_equal(masked.array[inside], ct.array[inside])
    assert (masked.array[~inside] == -1000).all()


@pytest.mark.slow
def test_sheets_with_a_place_are_painted(known_cohort, known_grader, known_plan, tmp_path):
    cohort = known_cohort(tmp_path / "c", grades=("G0", "G2", "G3", "G0"), framed=True)
    dissected = dissect(known_grader(), cohort, known_plan)
    assert write_unit_files(dissected, tmp_path / "out", units=1, samples=1) == 0
    ct = read_volume(next(tmp_path.rglob("*_ct.nii.gz")))
    frame = cohort.frame(1)
    voxel = np.linalg.inv(ct.affine) @ [*frame.to_mm(np.array([62.0, 72.0])), 1]
    i, j, k = np.rint(voxel[:3]).astype(int)
    assert ct.array[i, j, k] == pytest.approx(900, abs=60)
    assert ct.array.min() == -1000
