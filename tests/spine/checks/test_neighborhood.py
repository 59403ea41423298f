import numpy as np
import pytest

from spinexplain.spine.checks.contrast import label_contrasts, middle_contrast
from spinexplain.spine.checks.neighborhood import _moved, lies_best_here
from spinexplain.spine.checks.placement import check_mask_placed
from spinexplain.spine.grids import match_grid
from spinexplain.spine.localize import level_boxes
from spinexplain.types import LabelMap, Volume


@pytest.fixture(scope="module")
def thin_scan(drawn_scan):
    """Bone of -14 to 146 HU among muscle of 50: it stands out little."""
    hu = drawn_scan.volume.array.astype(float)
    bone = drawn_scan.labels.array > 0
    x, y, z = np.indices(hu.shape)
    patches = 66 + 80 * np.sin(x / 3) * np.cos(y / 3 + z / 4)
    hu[bone] = (patches + hu - 220)[bone]
    return Volume(np.rint(hu).astype(np.int16), drawn_scan.volume.affine)


def verdict(volume, labels):
    matched = match_grid(labels, volume)
    boxes = level_boxes(matched)
    own = middle_contrast(label_contrasts(volume, matched, boxes))
    assert own.share < 0.74  # doubtful by itself
    return lies_best_here(volume, matched, boxes, own)


def test_thin_bone_lies_best_where_it_is(drawn_scan, thin_scan):
    assert verdict(thin_scan, drawn_scan.labels)


@pytest.mark.parametrize("shift_mm", [(12, 0, 0), (-14, 0, 0), (0, 14, 0), (0, 0, 14)])
def test_moved_labels_fit_better_elsewhere(drawn_scan, thin_scan, shift_mm):
    assert not verdict(thin_scan, drawn_scan.moved(*shift_mm))


def test_a_true_mask_of_thin_bone_passes_in_silence(drawn_scan, thin_scan):
    boxes = level_boxes(drawn_scan.labels)
    labels = drawn_scan.labels
    assert check_mask_placed(thin_scan, labels, labels, boxes) == set()


def test_moved_labels_keep_their_voxels(drawn_scan):
    labels = drawn_scan.labels
    volume, mask, boxes = _moved(drawn_scan.volume, labels, level_boxes(labels), [3, -2, 0])
    assert (
        volume.array.shape == mask.array.shape == tuple(np.subtract(labels.array.shape, (3, 2, 0)))
    )
    assert volume.array[0, 0, 0] == drawn_scan.volume.array[3, 0, 0]
    assert mask.array[0, 0, 0] == labels.array[0, 2, 0]
    level, box = next(iter(boxes.items()))
    inside = np.count_nonzero(mask.array[box] == level.verse_label)
    assert inside == np.count_nonzero(labels.array == level.verse_label)
    far = _moved(drawn_scan.volume, labels, level_boxes(labels), [labels.array.shape[0] - 3, 0, 0])
    assert far[2] == {}
    assert isinstance(far[1], LabelMap)
