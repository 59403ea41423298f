"""Body masks of several tools."""

from pathlib import Path

import numpy as np
import pytest

from spinexplain.errors import ConfigError, LabelError
from spinexplain.io.body_masks import BODY_SCHEMES, body_mask
from spinexplain.io.nifti import read_labels
from spinexplain.types import LabelMap

DATA = Path(__file__).parents[1] / "data"


def mask_of(*labels):
    return LabelMap(np.array([[[0, *labels]]], np.int16), np.eye(4))


@pytest.mark.parametrize(
    ("name", "labels", "bodies"),
    [
        ("x_process-body.nii.gz", [1, 2], [0, 1]),
        ("x_vertebrae_body.nii.gz", [1, 2], [1, 0]),
        ("sub-1_seg-subreg_msk.nii.gz", [41, 48, 49, 50], [0, 0, 1, 1]),
        ("x.nii.gz", [41, 48, 49, 50], [0, 0, 1, 1]),
        ("x.nii.gz", [1], [1]),
        ("x.nii.gz", [2], [1]),
        ("x.nii.gz", [20, 21, 28], [1, 1, 1]),
    ],
)
def test_bodies_by_name_and_labels(name, labels, bodies):
    found = body_mask(name, mask_of(*labels))
    assert found.array.tolist() == [[[0, *bodies]]]
    assert found.array.dtype == np.uint8


def test_one_and_two_are_ambiguous_without_a_name():
    with pytest.raises(LabelError, match=r"totalsegmentator \(1\) or spine-segment \(2\)"):
        body_mask("x.nii.gz", mask_of(1, 2))
    assert body_mask("x", mask_of(1, 2), "spine-segment").array.tolist() == [[[0, 0, 1]]]
    assert body_mask("x", mask_of(1, 2), "totalsegmentator").array.tolist() == [[[0, 1, 0]]]


def test_names_in_the_header_win():
    names = {2: "vertebrae_body", 1: "intervertebral_discs"}
    assert body_mask("x.nii.gz", mask_of(1, 2), names=names).array.tolist() == [[[0, 0, 1]]]


@pytest.mark.parametrize("labels", [[41, 42], [60], [1, 2, 3, 99], [2000], [-5, 1]])
def test_other_masks_are_refused(labels):
    with pytest.raises(LabelError, match=r"x\.nii\.gz: "):
        body_mask("x.nii.gz", mask_of(*labels))


def test_a_scheme_without_its_labels():
    with pytest.raises(LabelError, match="no voxel is labeled 49 or 50"):
        body_mask("x.nii.gz", mask_of(1), "tptbox")
    with pytest.raises(ConfigError, match=f"expected one of {', '.join(BODY_SCHEMES)}"):
        body_mask("x.nii.gz", mask_of(1), "nnunet")


def test_real_bodies_lie_inside_their_vertebrae():
    folder = DATA / "tptbox-sample-ct"
    regions = read_labels(folder / "sub-ct_seg-subreg_label-22_msk.nii.gz")
    vertebrae = read_labels(folder / "sub-ct_seg-vert_label-22_msk.nii.gz")
    body = body_mask("x", regions).array > 0
    assert (vertebrae.array[body] > 0).mean() > 0.95
    assert 0.3 < body.sum() / (vertebrae.array > 0).sum() < 0.95
