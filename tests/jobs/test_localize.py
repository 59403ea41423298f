from pathlib import Path

import numpy as np
import pytest

from fixtures.localizers import localization_of
from spinexplain.anatomy import VertebraLevel
from spinexplain.errors import LabelError, OutputError
from spinexplain.io.centroids import read_centroids
from spinexplain.io.nifti import read_labels, read_volume
from spinexplain.jobs.localize import LocalizeRequest, localize_to_json, segment_to_nifti
from spinexplain.localizer.located import Localization
from spinexplain.spine.localize import vertebrae_from_mask

EXAMPLE = Path(__file__).parent.parent / "data" / "totalsegmentator-example"
CT = EXAMPLE / "example_ct.nii.gz"
LEVELS = ["L1", "L2", "L3", "L4"]


@pytest.fixture
def spine():
    mask = read_labels(EXAMPLE / "totalseg_vertebrae_pp_refined.nii.gz")
    return [v for v in vertebrae_from_mask(mask) if v.level.value in LEVELS]


def test_centers_come_back_through_the_file_in_the_patients_millimeters(
    tmp_path, spine, pretend_localizer
):
    pretend_localizer(localization_of(spine))
    words = localize_to_json(LocalizeRequest(CT, tmp_path / "ctd.json"))
    assert words == ["Found 4 vertebrae: L1\u2013L4."]
    stored = read_centroids(tmp_path / "ctd.json", read_volume(CT))
    for one, other in zip(stored, spine, strict=True):
        assert one.level is other.level
        assert np.allclose(one.centroid_mm, other.centroid_mm, atol=0.05)


def test_names_that_are_not_sure_come_with_the_command_for_others(
    tmp_path, spine, pretend_localizer
):
    shifted = [VertebraLevel(name) for name in ("L2", "L3", "L4", "L5")]
    pretend_localizer(localization_of(spine, 0.6, others=[(shifted, 0.3)]))
    words = localize_to_json(LocalizeRequest(CT, tmp_path / "ctd.json"))
    command = "spinexplain localize example_ct.nii.gz --first-level L2 -o ctd.json"
    assert words[-1].endswith(f"“{command}”.")
    request = LocalizeRequest(CT, tmp_path / "ctd.json", first_level="L2", force=True)
    assert localize_to_json(request) == ["Found 4 vertebrae: L2\u2013L5."]


def test_the_mask_lies_on_the_grid_of_the_ct(tmp_path, spine, pretend_localizer):
    pretend_localizer(localization_of(spine))
    assert segment_to_nifti(LocalizeRequest(CT, tmp_path / "mask.nii.gz"))
    ct, mask = read_volume(CT), read_labels(tmp_path / "mask.nii.gz")
    assert mask.array.shape == ct.array.shape
    assert np.allclose(mask.affine, ct.affine, atol=1e-4)
    for one, other in zip(vertebrae_from_mask(mask), spine, strict=True):
        assert one.level is other.level
        assert np.allclose(one.centroid_mm, other.centroid_mm, atol=1.5)


def test_a_refused_scan_and_an_existing_file_leave_nothing(tmp_path, spine, pretend_localizer):
    pretend_localizer(Localization(refused="it shows legs"))
    with pytest.raises(LabelError, match="it shows legs"):
        segment_to_nifti(LocalizeRequest(CT, tmp_path / "mask.nii.gz"))
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "ctd.json").write_text("precious")
    with pytest.raises(OutputError):
        localize_to_json(LocalizeRequest(CT, tmp_path / "ctd.json"))
    assert (tmp_path / "ctd.json").read_text() == "precious"


def test_a_mask_under_a_name_of_another_kind_is_refused_before_reading(tmp_path):
    with pytest.raises(OutputError, match=r"Name it \*\.nii\.gz"):
        segment_to_nifti(LocalizeRequest(tmp_path / "no-ct.nii.gz", tmp_path / "mask.txt"))
