"""The share of a cell that a mask covers, against a slow twin."""

import numpy as np
import pytest
import torch

from spinexplain.config.training import InputSpec
from spinexplain.models.receptive import ReceptiveField
from spinexplain.train.grading.cells import cell_share, covered_cells, share_on_grid


def slow_share(mask, grid, start, stride):
    """Average the mask, read linearly at 4 x 4 points of each cell."""
    out = np.zeros(grid)
    for cell in np.ndindex(*grid):
        points = [
            start + stride * (np.arange(4) + 0.5 + 4 * c - 2) / 4 for c in cell
        ]  # fmt: skip
        values = []
        for y in points[0]:
            for x in points[1]:
                low = np.floor([y, x]).astype(int)
                value = 0.0
                for dy, dx in np.ndindex(2, 2):
                    at = low + np.array((dy, dx))
                    weight = (1 - abs(y - at[0])) * (1 - abs(x - at[1]))
                    inside = np.all(at >= 0) and np.all(at < mask.shape)
                    value += weight * (mask[tuple(at)] if inside else 0.0)
                values.append(value)
        out[cell] = np.mean(values)
    return out


def test_cell_share_is_its_slow_twin():
    mask = (np.random.default_rng(0).random((16, 16)) > 0.6).astype(float)
    for start, stride, grid in ((1.5, 4.0, (4, 4)), (0.0, 4.0, (4, 4)), (0.0, 8.0, (2, 2))):
        found = cell_share(torch.from_numpy(mask)[None].float(), grid, start, stride)[0]
        np.testing.assert_allclose(found, slow_share(mask, grid, start, stride), atol=1e-5)


def test_the_fullest_cell_is_one():
    mask = torch.zeros(2, 16, 16)
    mask[0, 3:6, 3:5] = 1
    field, spec = ReceptiveField(9, 4, 0.0), InputSpec(size=16, extent_mm=16)
    plain, relative = (f(field, mask, (4, 4), spec) for f in (covered_cells, share_on_grid))
    assert 0 < float(plain[0].max()) < 1
    assert float(relative[0].max()) == 1.0
    torch.testing.assert_close(relative[0] * plain[0].max(), plain[0])
    assert float(relative[1].max()) == 0.0


def test_cell_share_by_hand():
    mask = torch.zeros(1, 16, 16)
    mask[0, 4:8, 0:6] = 1  # row of cells 1; columns of cells 0 whole, 1 half
    share = cell_share(mask, (4, 4), start=1.5, stride=4)
    expected = torch.zeros(4, 4)
    expected[1, 0], expected[1, 1] = 1.0, 0.5
    torch.testing.assert_close(share[0], expected, atol=0.13, rtol=0)
    assert float(share.sum()) == pytest.approx(1.5, abs=0.15)
