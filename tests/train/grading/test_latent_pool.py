import numpy as np
import pytest
import torch

from spinexplain.config.training import ProjectionSettings
from spinexplain.data.crops.dataset import class_labels
from spinexplain.models.build import build_model
from spinexplain.models.trunks.backbones import build_trunk
from spinexplain.train.grading.latent_pool import (
    Bans,
    LatentPool,
    class_pool,
    in_cache,
    pool_mean,
    resembling,
)


def pool_of(vectors, keep=None):
    """A pool of one crop whose cells are these latent patches."""
    maps = torch.tensor(vectors, dtype=torch.float32).T[None]
    cells = np.ones((1, maps.shape[2]), bool) if keep is None else np.array([keep])
    return LatentPool(maps, (1, maps.shape[2]), cells, np.array([7]), np.array(["a"]))


def test_the_mean_is_that_of_the_kept_patches():
    vectors = [[1.0, 0.0], [3.0, 2.0], [99.0, 99.0]]
    assert pool_mean(pool_of(vectors, [True, True, False])).tolist() == [2.0, 1.0]


def test_what_resembles_is_found_by_its_angle_about_the_mean():
    pool = pool_of([[2.0, 0.0], [-2.0, 0.0], [0.0, 2.0], [0.0, -2.0]])
    alike = resembling(pool, torch.tensor([[5.0, 0.1]]), 0.9)
    assert alike.tolist() == [[True, False, False, False]]
    assert not resembling(pool, torch.zeros(0, 2), 0.9).any()


def test_maps_pass_in_parts_and_in_order():
    maps = torch.arange(3 * 2**19, dtype=torch.float32).reshape(3, 2, 2**18)
    parts = list(in_cache(maps))
    assert len(parts) == 3
    assert torch.equal(torch.cat(parts), maps)


@pytest.fixture
def case(toy_set, toy_config):
    config, data = toy_config(), toy_set(12)
    torch.manual_seed(0)
    trunk = build_trunk(config.trunk, config.input)
    model = build_model(trunk, config.head, 3, config.input).eval()
    return model, data, np.flatnonzero(class_labels(data, config.classes) == 0), config.input


def test_a_pool_holds_every_cell_of_its_rows(case):
    model, data, rows, spec = case
    pool = class_pool(model, data, rows, np.array([0, 1]), spec, ProjectionSettings())
    assert pool.keep.shape == (len(rows), np.prod(pool.grid))
    assert pool.keep.all()
    assert pool.own_cells is None
    np.testing.assert_array_equal(pool.subjects, data.subjects[rows])


def test_bans_take_cells_from_all_or_confine_one(case):
    model, data, rows, spec = case
    settings, members = ProjectionSettings(), np.array([0, 1])
    free = class_pool(model, data, rows, members, spec, settings)
    forbidden = free.maps[:1, :, 5]
    bans = Bans(forbidden, 0.999, confined=(1,))
    pool = class_pool(model, data, rows, members, spec, settings, bans=bans)
    assert not pool.keep[0, 5]
    assert pool.own_cells[0].all()
    assert 0 < pool.own_cells[1].mean() < 1
