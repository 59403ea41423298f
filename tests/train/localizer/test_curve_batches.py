import numpy as np
import torch

from spinexplain.train.localizer.curve_batches import SHAPE, CurveBatches, curve_loss, seen_piece

CPU = torch.device("cpu")


def test_a_batch_is_a_function_of_seed_and_step(drawn_body):
    batches = CurveBatches([drawn_body], 1, seed=3)
    one, again, other = (batches.load(step, (0, 1), CPU) for step in (5, 5, 6))
    assert one.densities.shape == (1, 1, *SHAPE)
    assert torch.equal(one.densities, again.densities)
    assert torch.equal(one.regions, again.regions)
    assert not torch.equal(one.densities, other.densities)
    assert batches.names(5) == ["blocks-0-0000"]


def test_the_tube_lies_on_the_bodies_after_turning_and_scaling(drawn_body):
    inside, outside = [], []
    for seed in range(4):
        hu, regions = seen_piece(drawn_body, np.random.default_rng(seed))
        inside += hu[regions > 0].tolist()
        outside += hu[(regions == 0) & (hu > -500)].tolist()
    assert np.median(inside) > np.median(outside) + 40


def test_beyond_the_field_of_view_there_is_air_and_no_spine(drawn_body):
    hu, regions = seen_piece(drawn_body, np.random.default_rng(1))
    assert (hu == -1000.0).any()
    assert not regions[hu == -1000.0].any()


def test_the_loss_falls_as_the_answer_nears_the_truth():
    regions = torch.zeros(1, 8, 8, 8, dtype=torch.int64)
    regions[0, 2:5, 2:5] = 2
    sharp = torch.nn.functional.one_hot(regions, 4).movedim(-1, 1).float()
    losses = [float(curve_loss(factor * sharp, regions)["total"]) for factor in (0.0, 3.0, 20.0)]
    assert losses[0] > losses[1] > losses[2]
    assert losses[2] < 0.01
