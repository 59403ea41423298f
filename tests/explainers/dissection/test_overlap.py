import numpy as np
import pytest
import torch
from torch import nn

from spinexplain.explainers.dissection.activity import layer_activity
from spinexplain.explainers.dissection.grid import CellGrid
from spinexplain.explainers.dissection.overlap import unit_overlap


def test_overlap_is_that_of_masks_drawn_on_the_crop():
    """The oracle draws every unit's mask on every crop, cell by cell."""
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    inputs = torch.randn(6, 1, 4, 4)
    net = nn.Sequential(nn.Conv2d(1, 3, 1), nn.ReLU())
    seen = layer_activity(net, "1", [inputs], 6, 0.8)
    grid = CellGrid((4, 4), 12, 1.0, 3.0)
    regions = [
        {"body": rng.random((12, 12)) < 0.5, "disc_above": rng.random((12, 12)) < 0.1}
        for _ in range(6)
    ]
    del regions[2]["body"]  # not known in this sample: it does not count
    found = unit_overlap(seen, grid, regions)
    assert found.regions == ("body", "disc_above")
    for unit in range(3):
        for region in found.regions:
            both = either = mine = part = everything = 0
            for sample, known in enumerate(regions):
                if region not in known:
                    continue
                mask = np.kron(seen.map_above(unit, sample) > 0, np.ones((3, 3))) > 0
                both += (mask & known[region]).sum()
                either += (mask | known[region]).sum()
                mine += mask.sum()
                part += known[region].sum()
                everything += mask.size
            assert found.of(region)[unit] == pytest.approx(both / either, rel=1e-5)
            assert found.of(region, "inside")[unit] == pytest.approx(both / mine, rel=1e-5)
            lift = both / mine / (part / everything)
            assert found.of(region, "lift")[unit] == pytest.approx(lift, rel=1e-5)
    assert np.isnan(found.of("evidence")).all()


def test_a_unit_that_is_never_above_overlaps_with_nothing():
    net = nn.Sequential(nn.Conv2d(1, 2, 1), nn.ReLU())
    nn.init.constant_(net[0].weight, 0.0)
    seen = layer_activity(net, "1", [torch.randn(2, 1, 4, 4)], 2, 0.8)
    found = unit_overlap(seen, CellGrid((4, 4), 4, 0.0, 1.0), [{"body": np.eye(4) > 0}] * 2)
    assert found.of("body").tolist() == [0, 0]
    assert found.of("body", "lift").tolist() == [0, 0]
    nothing = unit_overlap(seen, CellGrid((4, 4), 4, 0.0, 1.0), [{}, {}])
    assert nothing.regions == ()
    assert nothing.iou.shape == (2, 0)
