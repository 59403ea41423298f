from dataclasses import replace

import nibabel as nib
import numpy as np
import pytest

from spinexplain.anatomy import VertebraLevel
from spinexplain.errors import ConfigError, OutputError
from spinexplain.geometry import apply_affine
from spinexplain.results.heatmaps import file_name, write_heatmaps
from spinexplain.results.result_json import result_of


@pytest.fixture
def one(lumbar):
    """The scan with a single piece of evidence for each vertebra, to keep it short."""

    def shorten(item):
        assessment = item.assessments[0]
        if assessment.explanation is None:
            return item
        explanation = replace(assessment.explanation, evidence=assessment.explanation.evidence[:1])
        return replace(item, assessments=(replace(assessment, explanation=explanation),))

    return replace(lumbar, vertebrae=tuple(shorten(item) for item in lumbar.vertebrae))


def test_suspicious_vertebrae_alone_by_default(one, tmp_path):
    paths = write_heatmaps(one, tmp_path)
    assert paths == {
        (VertebraLevel.L1, 0, 0): "heatmaps/L1_G2-prototype-1.nii.gz",
        (VertebraLevel.L3, 0, 0): "heatmaps/L3_G0-prototype-1.nii.gz",
    }
    written = {f"heatmaps/{path.name}" for path in (tmp_path / "heatmaps").iterdir()}
    assert written == set(paths.values())


def test_all_leaves_out_only_what_is_not_assessable(one, tmp_path):
    assert [key[0].value for key in write_heatmaps(one, tmp_path, which="all")] == [
        "T12", "L1", "L2", "L3", "L4",
    ]  # fmt: skip


def test_none_writes_nothing(one, tmp_path):
    assert write_heatmaps(one, tmp_path, which="none") == {}
    assert list(tmp_path.iterdir()) == []


def test_the_peak_lies_where_the_map_says_and_the_lattice_is_the_ct_s(one, tmp_path):
    paths = write_heatmaps(one, tmp_path)
    image = nib.load(tmp_path / paths[(VertebraLevel.L1, 0, 0)])
    np.testing.assert_allclose(image.affine[:3, :3], one.volume.affine[:3, :3])
    shift = np.linalg.inv(one.volume.affine) @ image.affine[:, 3]
    np.testing.assert_allclose(shift, np.round(shift), atol=1e-4)
    heatmap = one.vertebrae[1].assessments[0].explanation.evidence[0].heatmap
    top = np.array(np.unravel_index(heatmap.argmax(), heatmap.shape), dtype=float)
    painted = image.get_fdata()
    found = np.array(np.unravel_index(painted.argmax(), painted.shape), dtype=float)
    expected_mm = one.vertebrae[1].patch.frame.to_mm(top)
    assert np.linalg.norm(apply_affine(image.affine, found) - expected_mm) < 3.0  # one voxel


def test_the_full_grid_holds_the_same_values(one, tmp_path):
    for name in ("box", "full"):
        (tmp_path / name).mkdir()
    paths = write_heatmaps(one, tmp_path / "box")
    write_heatmaps(one, tmp_path / "full", full_grid=True)
    path = paths[(VertebraLevel.L1, 0, 0)]
    box, full = nib.load(tmp_path / "box" / path), nib.load(tmp_path / "full" / path)
    assert full.shape == one.volume.array.shape
    np.testing.assert_allclose(full.affine, one.volume.affine, atol=1e-4)
    assert full.get_fdata().sum() == pytest.approx(box.get_fdata().sum())


def test_evidence_of_one_name_gets_files_of_its_own(one, tmp_path):
    item = one.vertebrae[1]
    assessment = item.assessments[0]
    twice = replace(assessment.explanation, evidence=assessment.explanation.evidence * 2)
    item = replace(item, assessments=(replace(assessment, explanation=twice),))
    paths = write_heatmaps(replace(one, vertebrae=(item,)), tmp_path)
    assert list(paths.values()) == [
        "heatmaps/L1_G2-prototype-1.nii.gz",
        "heatmaps/L1_G2-prototype-1-2.nii.gz",
    ]


def test_a_hostile_name_can_not_leave_the_folder(one, tmp_path):
    item = one.vertebrae[1]
    assessment = item.assessments[0]
    evil = replace(assessment.explanation.evidence[0], name="../../../etc/passwd\n<x>")
    explanation = replace(assessment.explanation, evidence=(evil,))
    item = replace(item, assessments=(replace(assessment, explanation=explanation),))
    scan = replace(one, vertebrae=(item,))
    paths = write_heatmaps(scan, tmp_path)
    assert list(paths.values()) == ["heatmaps/L1_etc-passwd-x.nii.gz"]
    assert result_of(scan, paths).content()["vertebrae"][0]["explanation"]["evidence"][0]["heatmap"]


@pytest.mark.parametrize("name", ["", "..", "\u6f22\u5b57", "/"])
def test_a_name_of_nothing_usable_is_still_a_name(name):
    assert file_name("L1", name) == "L1_unnamed"


def test_the_second_model_s_files_carry_its_name(two_models, tmp_path):
    item = two_models.vertebrae[1]
    paths = write_heatmaps(replace(two_models, vertebrae=(item,)), tmp_path)
    assert paths[(VertebraLevel.L1, 1, 0)] == "heatmaps/L1_unet3d-dissected_unit-40.nii.gz"


def test_an_unknown_choice_is_refused(one, tmp_path):
    with pytest.raises(ConfigError, match="'some'; expected one of suspicious, all, none"):
        write_heatmaps(one, tmp_path, which="some")


def test_a_missing_folder_is_an_output_error(one, tmp_path):
    with pytest.raises(OutputError, match="cannot be made"):
        write_heatmaps(one, tmp_path / "missing")
