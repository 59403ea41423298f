import numpy as np
import pytest
import torch
from torch import nn

from spinexplain.errors import ModelError
from spinexplain.explainers.dissection.activity import layer_activity


def _net():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 6, 3), nn.BatchNorm2d(6), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()
    )


def _run(net, inputs, size, quantile=0.9, layer="2"):
    batches = [inputs[i : i + size] for i in range(0, len(inputs), size)]
    return layer_activity(net, layer, batches, len(inputs), quantile)


def test_eq_2_and_maps_agree_with_the_whole_array():
    net, inputs = _net(), torch.randn(7, 1, 6, 5)
    seen = _run(net, inputs, 3)
    with torch.no_grad():
        values = net.eval()[:3](inputs).numpy()
    for unit in range(6):
        flat = np.sort(values[:, unit].ravel())
        threshold = seen.tails.thresholds[unit]
        assert threshold == pytest.approx(flat[len(flat) - 1 - int(len(flat) * 0.1)], rel=1e-5)
        for sample in range(7):
            above = np.where(values[sample, unit] > threshold, values[sample, unit], 0)
            np.testing.assert_allclose(seen.map_above(unit, sample), above, rtol=1e-5)
            assert seen.relevance()[sample, unit] == pytest.approx(above.sum(), rel=1e-5)
    np.testing.assert_allclose(seen.peaks, values.max(axis=(2, 3)), rtol=1e-6)
    np.testing.assert_allclose(seen.means, values.mean(axis=(2, 3)), rtol=1e-5)
    expected = np.corrcoef(values.transpose(1, 0, 2, 3).reshape(6, -1))
    np.testing.assert_allclose(seen.correlation, expected, atol=1e-4)


def test_the_result_does_not_depend_on_the_batch():
    net, inputs = _net().train(), torch.randn(12, 1, 8, 8)
    alone, together = _run(net, inputs, 1), _run(net, inputs, 12)
    for name in ("peaks", "means", "logits"):
        np.testing.assert_allclose(getattr(alone, name), getattr(together, name), atol=1e-5)
    np.testing.assert_allclose(alone.tails.thresholds, together.tails.thresholds, atol=1e-5)
    np.testing.assert_allclose(alone.relevance(), together.relevance(), atol=1e-4)
    assert net.training  # as it was before
    assert net[1].num_batches_tracked == 0


def test_three_dimensions():
    net = nn.Sequential(nn.Conv3d(1, 2, 2), nn.Flatten(), nn.LazyLinear(2))
    seen = _run(net, torch.randn(3, 1, 4, 4, 3), 2, layer="0")
    assert seen.grid == (3, 3, 2)
    assert seen.cells == 18


def test_layers_that_are_not_there_or_give_no_map():
    with pytest.raises(ModelError, match='no layer "trunk"; expected one of 0, 1, 2, 3, 4'):
        _run(_net(), torch.randn(2, 1, 6, 6), 2, layer="trunk")
    for layer in ("3", "4"):
        with pytest.raises(ModelError, match="Choose a layer before pooling"):
            _run(_net(), torch.randn(2, 1, 6, 6), 2, layer=layer)


def test_a_network_that_overflows_is_refused():
    net = _net()
    nn.init.constant_(net[0].weight, torch.inf)
    with pytest.raises(ModelError, match="infinite values or NaN"):
        _run(net, torch.randn(2, 1, 6, 6), 2)
    with pytest.raises(ModelError, match="no sample"):
        layer_activity(_net(), "2", [], 0)
