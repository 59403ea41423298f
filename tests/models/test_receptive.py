"""Receptive fields against the gradient: the pixels that really move a cell."""

import numpy as np
import pytest
import torch
from torch import nn

from spinexplain.config.training import InputSpec, TrunkSettings
from spinexplain.models.receptive import ConvStep, ReceptiveField, receptive_field, upsample_map
from spinexplain.models.trunks.backbones import build_trunk


def touched(trunk, size, cell):
    """First and last input row that a cell of the map depends on."""
    for module in trunk.modules():
        if isinstance(module, nn.ReLU | nn.ReLU6):
            module.forward = lambda x: x  # a dead unit would hide a pixel
    x = torch.zeros(1, 3, size, size, requires_grad=True)
    trunk.eval()(x)[0, :, cell, cell].sum().backward()
    rows = np.flatnonzero(x.grad[0].abs().sum(dim=(0, 2)).numpy())
    return rows[0], rows[-1]


@pytest.mark.parametrize(
    ("settings", "size"),
    [
        (TrunkSettings(name="conv", blocks=2, widths=(3, 4), weights="none"), 64),
        (TrunkSettings(blocks=3, max_stride=4, weights="none"), 64),
        (TrunkSettings(blocks=4, max_stride=4, weights="none"), 96),
        (TrunkSettings(blocks=5, max_stride=8, weights="none"), 160),
    ],
)
def test_field_is_exactly_what_the_gradient_reaches(settings, size):
    torch.manual_seed(0)
    trunk = build_trunk(settings, InputSpec(size=size))
    field = trunk.field
    cell = size // field.stride // 2
    center = field.start + cell * field.stride
    first, last = touched(trunk, size, cell)
    assert first == center - (field.size - 1) / 2
    assert last == center + (field.size - 1) / 2


def test_vgg11_by_hand():
    """Five stages, pools of 2: field 150 of 224, stride 32, first centre 15.5."""
    conv, pool = ConvStep(3, 1, 1), ConvStep(2, 2, 0)
    steps = [conv, pool, conv, pool, conv, conv, pool, conv, conv, pool, conv, conv, pool]
    assert receptive_field(steps) == ReceptiveField(150, 32, 15.5)


def test_box_is_clipped_to_the_image():
    field = ReceptiveField(size=7, stride=4, start=1.0)
    assert field.box((0, 2), (12, 12)) == (slice(0, 5), slice(6, 12))


def test_upsampled_map_peaks_at_the_centre_of_its_cell():
    cells = np.zeros((7, 7))
    cells[2, 4] = 1.0
    field = ReceptiveField(size=30, stride=8, start=7.0)
    dense = upsample_map(cells, (56, 56), field)
    assert np.unravel_index(dense.argmax(), dense.shape) == (23, 39)
    assert dense.max() == pytest.approx(1.0)
    assert dense.min() >= 0


def test_upsampling_a_ramp_is_straight_in_the_middle():
    cells = np.broadcast_to(np.arange(6.0)[:, None], (6, 6))
    dense = upsample_map(cells, (48, 48), ReceptiveField(9, 8, 3.5))
    rows = np.arange(18, 30)
    np.testing.assert_allclose(dense[rows, 20], (rows - 3.5) / 8, atol=0.01)


def test_upsampling_counts_pixels_per_sample():
    cells = np.zeros((5, 5))
    cells[2, 2] = 1.0
    field = ReceptiveField(9, 8, 3.5)  # peak at pixel 19.5 of 40
    dense = upsample_map(cells, (20, 20), field, pixels_per_sample=2.0)
    top = np.argwhere(dense == dense.max())
    np.testing.assert_allclose(top.mean(axis=0), [9.5, 9.5], atol=0.51)


def test_upsampling_in_three_axes():
    cells = np.zeros((3, 3, 3))
    cells[1, 1, 1] = 2.0
    dense = upsample_map(cells, (12, 12, 12), ReceptiveField(5, 4, 1.0))
    assert np.unravel_index(dense.argmax(), dense.shape) == (5, 5, 5)
