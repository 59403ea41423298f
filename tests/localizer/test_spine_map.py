import numpy as np

from spinexplain.localizer.spine_map import spine_map
from spinexplain.types import Volume


def test_a_scan_is_padded_with_air_and_cut_back():
    shapes = []

    def network(x):
        shapes.append(x.shape)
        assert x.dtype == np.float32
        logits = np.zeros((1, 4, *x.shape[2:]), np.float32)
        logits[:, 2] = np.log(6.0) * (x[:, 0] > 1.0)
        return logits

    array = np.full((20, 41, 33), -1000.0, np.float32)
    array[5, 6, 7] = 700.0
    found = spine_map(Volume(array, np.eye(4)), network)
    assert shapes == [(1, 1, 32, 48, 40)]
    assert found.shape == (4, 20, 41, 33)
    assert np.allclose(found.sum(axis=0), 1.0)
    assert np.isclose(found[2, 5, 6, 7], 6 / 9)
    assert np.isclose(found[2].mean(), 0.25, atol=1e-3)
