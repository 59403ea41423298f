import numpy as np
import pytest
import torch

from spinexplain.analysis.explanations.body_cells import cells_inside, mean_features


@pytest.mark.parametrize("axes", [2, 3])
def test_means_are_those_of_a_loop_over_cells(axes):
    rng = np.random.default_rng(3)
    features = rng.normal(size=(5, 4, *(3,) * axes)).astype(np.float32)
    bodies = rng.random((5, *(6,) * axes)) < 0.5
    kept = []
    for n in range(5):
        for cell in np.ndindex(*(3,) * axes):
            block = bodies[(n, *(slice(2 * k, 2 * k + 2) for k in cell))]
            if block.mean() > 0.5:
                kept.append(features[(n, slice(None), *cell)])
    halves = [slice(0, 2), slice(2, 5)]
    found = mean_features(
        (torch.from_numpy(features[k]), torch.from_numpy(bodies[k])) for k in halves
    )
    np.testing.assert_allclose(found["body_cells"], np.mean(kept, axis=0), atol=1e-6)
    every = np.moveaxis(features, 1, -1).reshape(-1, 4).mean(axis=0)
    np.testing.assert_allclose(found["all_cells"], every, atol=1e-6)


def test_a_cell_half_in_the_body_is_not_inside():
    bodies = torch.zeros(1, 4, 4)
    bodies[0, :2, :1] = 1  # half of the first cell
    bodies[0, 2:, 2:] = 1
    assert cells_inside(bodies, (2, 2)).tolist() == [[[False, False], [False, True]]]


def test_without_a_body_there_is_no_mean():
    found = mean_features([(torch.ones(1, 2, 1, 1), torch.zeros(1, 4, 4))])
    assert np.isnan(found["body_cells"]).all()
    assert found["all_cells"].tolist() == [1, 1]
