"""Thin bone lies best where it is; places beside it, also along the spine, fit less."""

import numpy as np
import pytest
from scipy import ndimage

from spinexplain.errors import GeometryError
from spinexplain.spine.checks.contrast import label_contrasts, middle_contrast
from spinexplain.spine.checks.layers import label_layers
from spinexplain.spine.checks.neighborhood import lies_best_here
from spinexplain.spine.checks.placement import check_mask_placed
from spinexplain.spine.grids import match_grid
from spinexplain.spine.localize import level_boxes
from spinexplain.types import LabelMap, Volume

BESIDE_MM = [(12, 0, 0), (-14, 0, 0), (0, 14, 0), (0, 0, 14), (0, 0, -8)]


@pytest.fixture(scope="module")
def thin_scan(drawn_scan):
    """Marrow of -30 HU in a cortex of 110, among muscle of 50: on the whole it is darker."""
    bone = drawn_scan.labels.array > 0
    marrow = ndimage.binary_erosion(bone)
    hu = drawn_scan.volume.array.astype(float)
    hu[marrow] -= 250
    hu[bone & ~marrow] -= 110
    return Volume(np.rint(hu).astype(np.int16), drawn_scan.volume.affine)


@pytest.fixture(scope="module")
def of_bodies(drawn_scan):
    """Only what lies within 20 mm of the bodies' centers across the spine."""
    labels = drawn_scan.labels
    centers = np.array(list(drawn_scan.centers.values()))
    behind = labels.affine[1, 1] * np.arange(labels.array.shape[1]) + labels.affine[1, 3]
    far = np.abs(behind - centers[:, 1].mean()) > 20
    array = labels.array.copy()
    array[:, far] = 0
    return LabelMap(array, labels.affine)


def verdict(volume, labels):
    matched = match_grid(labels, volume)
    return lies_best_here(volume, label_layers(matched, level_boxes(matched)))


def moved(labels, mm):
    affine = labels.affine.copy()
    affine[:3, 3] += mm
    return LabelMap(labels.array, affine)


@pytest.mark.parametrize("whole", [True, False])
def test_thin_bone_lies_best_where_it_is(drawn_scan, thin_scan, of_bodies, whole):
    labels = drawn_scan.labels if whole else of_bodies
    boxes = level_boxes(labels)
    assert middle_contrast(label_contrasts(thin_scan, labels, boxes)).share < 0.74
    assert verdict(thin_scan, labels)
    assert check_mask_placed(thin_scan, labels, labels, boxes) == set()


@pytest.mark.parametrize("mm", BESIDE_MM)
@pytest.mark.parametrize("whole", [True, False])
def test_moved_labels_fit_better_elsewhere(drawn_scan, thin_scan, of_bodies, whole, mm):
    assert not verdict(thin_scan, moved(drawn_scan.labels if whole else of_bodies, mm))


@pytest.mark.parametrize("whole", [True, False])
def test_moved_labels_of_thin_bone_are_not_accepted(drawn_scan, thin_scan, of_bodies, whole):
    labels = moved(drawn_scan.labels if whole else of_bodies, (0, 0, 14))
    matched = match_grid(labels, thin_scan)
    with pytest.raises(GeometryError, match="do not lie on bone"):
        check_mask_placed(thin_scan, matched, matched, level_boxes(matched))
