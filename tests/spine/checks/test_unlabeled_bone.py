"""Half a body under a whole one's name is seen by the endplate beyond its label."""

import numpy as np
import pytest
from scipy import ndimage

from spinexplain.anatomy import VertebraLevel
from spinexplain.spine.checks.unlabeled_bone import labels_that_end_in_bone
from spinexplain.spine.localize import vertebrae_from_mask
from spinexplain.types import LabelMap, Volume


@pytest.fixture(scope="module")
def with_endplates(drawn_scan):
    """The drawn spine with endplates and walls of 400 HU around its marrow."""
    bone = drawn_scan.labels.array > 0
    hu = drawn_scan.volume.array.copy()
    hu[bone & ~ndimage.binary_erosion(bone)] += 180
    return Volume(hu, drawn_scan.volume.affine), drawn_scan.labels


def half_of(labels, level, way):
    """Take what lies on one side of a body's center out of its label."""
    array = labels.array.copy()
    center = next(v for v in vertebrae_from_mask(labels) if v.level is level).centroid_mm[2]
    z = np.arange(array.shape[2]) * labels.affine[2, 2] + labels.affine[2, 3]
    beyond = way * (z - center) > 0
    array[(array == level.verse_label) & beyond] = 0
    return LabelMap(array, labels.affine)


def found(volume, labels):
    return labels_that_end_in_bone(volume, labels, vertebrae_from_mask(labels))


def test_whole_labels_end_at_their_endplates(with_endplates):
    assert found(*with_endplates) == set()


@pytest.mark.parametrize("way", [-1, 1])
@pytest.mark.parametrize("level", [VertebraLevel.T12, VertebraLevel.L1, VertebraLevel.L3])
def test_half_a_label_is_found(with_endplates, level, way):
    volume, labels = with_endplates
    assert found(volume, half_of(labels, level, way)) == {level}


def test_a_crushed_body_leaves_a_gap_of_soft_tissue(with_endplates):
    volume, labels = with_endplates
    crushed = half_of(labels, VertebraLevel.L1, 1)
    hu = volume.array.copy()
    hu[(labels.array > 0) & (crushed.array == 0)] = 50
    assert found(Volume(hu, volume.affine), crushed) == set()


def test_few_levels_have_no_usual_gap(with_endplates):
    volume, labels = with_endplates
    array = np.where(labels.array <= VertebraLevel.L1.verse_label, labels.array, 0)
    kept = LabelMap(array, labels.affine)
    assert found(volume, kept) == set()
