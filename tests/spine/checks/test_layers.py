"""The surface of bone is denser than its marrow and what is around, in planes of any thickness."""

import numpy as np
import pytest
from scipy import ndimage

from spinexplain.anatomy import VertebraLevel
from spinexplain.spine.checks.layers import label_layers, layer_shares
from spinexplain.spine.localize import level_boxes
from spinexplain.types import LabelMap, Volume

L1 = VertebraLevel.L1


def drawn(step_mm):
    """A shell of 150 HU around 0 HU among 50 HU, noise of 10 HU."""
    labels = np.zeros((44, 44, round(60 / step_mm)), np.uint8)
    thick = round(15 / step_mm)
    labels[12:32, 12:32, thick : 3 * thick] = L1.verse_label
    inside = labels > 0
    planes = np.ones((3, 3, 1 if step_mm > 2 else 3), bool)
    hu = np.where(inside, 150.0, 50.0)
    hu[ndimage.binary_erosion(inside, planes, iterations=2)] = 0
    hu += np.random.default_rng(0).normal(0, 10, hu.shape)
    affine = np.diag([1.5, 1.5, step_mm, 1.0])
    return Volume(hu.astype(np.float32), affine), LabelMap(labels, affine)


@pytest.mark.parametrize("step_mm", [1.5, 5.0])
def test_shells_are_found_where_they_are_and_only_there(step_mm):
    volume, labels = drawn(step_mm)
    layers = label_layers(labels, level_boxes(labels))
    assert layer_shares(volume, layers)[L1] > 0.95
    assert layer_shares(volume, layers, (8, 0, 0))[L1] < 0.75


def test_voxels_are_sorted_by_their_depth():
    _, labels = drawn(1.5)
    layers = label_layers(labels, level_boxes(labels))[L1]
    depth = ndimage.distance_transform_edt(labels.array > 0, sampling=1.5)
    beyond = ndimage.distance_transform_edt(labels.array == 0, sampling=1.5)
    assert depth[tuple(layers.surface.T)].max() == 1.5
    assert depth[tuple(layers.core.T)].min() == pytest.approx(4.5, abs=1)
    assert 2 < beyond[tuple(layers.around.T)].min() <= beyond[tuple(layers.around.T)].max() <= 6


def test_nothing_is_said_of_what_lies_outside_the_scan():
    volume, labels = drawn(1.5)
    layers = label_layers(labels, level_boxes(labels))
    assert layer_shares(volume, layers, (60, 0, 0)) == {}
