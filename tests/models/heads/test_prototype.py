"""The prototype head against loops over cells and prototypes."""

import numpy as np
import pytest
import torch

from spinexplain.config.training import HeadSettings
from spinexplain.models.heads.prototype import LinearNet


def inputs(axes, n=2, seed=1):
    return torch.randn((n, 3) + (32,) * axes, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("axes", [2, 3])
def test_distances_equal_a_loop_over_cells(tiny, axes):
    model, _ = tiny(axes)
    x = inputs(axes)
    with torch.no_grad():
        latent, distances = model.latent(x).numpy(), model.distances(x).numpy()
    assert distances.shape == (2, 6) + (8,) * axes
    for cell in np.ndindex(*latent.shape[2:]):
        for n in range(2):
            for p, prototype in enumerate(model.prototypes.detach().numpy()):
                slow = np.sum((latent[(n, slice(None), *cell)] - prototype) ** 2)
                assert distances[(n, p, *cell)] == pytest.approx(slow, abs=1e-5)


def test_distance_to_itself_is_zero_not_negative(tiny):
    model, _ = tiny()
    latent = torch.rand(1, 5, 4, 4) * 100
    with torch.no_grad():
        model.prototypes[0] = latent[0, :, 2, 3]
        distances = model.latent_distances(latent)
    assert float(distances.min()) >= 0
    assert float(distances[0, 0, 2, 3]) <= 1e-2  # rounding of |z|^2 near 10^4


@pytest.mark.parametrize("similarity", ["log", "cosine"])
def test_min_pool_then_similarity_is_the_maximum_of_the_map(tiny, similarity):
    model, _ = tiny(similarity=similarity)
    x = inputs(2)
    with torch.no_grad():
        pooled, maps = model.similarities(x), model.similarity_maps(x)
    torch.testing.assert_close(pooled, maps.flatten(2).amax(2))


def test_cosine_distance_equals_its_formula(tiny):
    model, _ = tiny(similarity="cosine")
    latent = torch.rand(1, 5, 2, 2)
    with torch.no_grad():
        distances = model.latent_distances(latent).numpy()
    z, p = latent[0, :, 1, 0].numpy(), model.prototypes.detach().numpy()[4]
    slow = 1 - z @ p / np.linalg.norm(z) / np.linalg.norm(p)
    assert distances[0, 4, 1, 0] == pytest.approx(slow, abs=1e-6)


def test_log_similarity_by_hand(tiny):
    model, _ = tiny()
    got = model.similarity_of(torch.tensor([0.0, 1.0, 0.152])).tolist()
    slow = [np.log((d + 1) / (d + 1e-4)) for d in (0.0, 1.0, 0.152)]
    assert got == pytest.approx(slow, rel=1e-5)
    assert got[2] == pytest.approx(2.03, abs=0.01)  # the paper's printed similarity


def test_forward_gives_logits_only_and_they_are_the_sum_of_contributions(tiny):
    model, _ = tiny()
    x = inputs(2)
    with torch.no_grad():
        logits, similarities = model(x), model.similarities(x)
    assert isinstance(logits, torch.Tensor)
    assert logits.shape == (2, 3)
    weight = model.last_layer.weight.detach()
    assert model.last_layer.bias is None
    slow = [[float((similarities[n] * weight[k]).sum()) for k in range(3)] for n in range(2)]
    np.testing.assert_allclose(logits.numpy(), slow, rtol=1e-5)


def test_connections_start_at_one_and_minus_a_half(tiny):
    model, _ = tiny()
    expected = [[1, 1, -0.5, -0.5, -0.5, -0.5], [-0.5, -0.5, 1, 1, -0.5, -0.5]]
    assert model.last_layer.weight.detach()[:2].tolist() == expected


def test_class_identity_travels_with_the_state(tiny):
    model, _ = tiny()
    assert model.state_dict()["prototype_class"].tolist() == [0, 0, 1, 1, 2, 2]
    assert model.own_class.sum(dim=1).tolist() == [1] * 6


def test_uniform_start_lies_in_the_range_of_the_sigmoid(tiny):
    model, _ = tiny()
    assert 0 <= float(model.prototypes.detach().min()) < float(model.prototypes.detach().max()) <= 1


def test_plain_classifier_averages_over_the_grid(tiny):
    model, _ = tiny(kind="linear")
    assert isinstance(model, LinearNet)
    x = inputs(2)
    with torch.no_grad():
        features = model.trunk(x).numpy().mean(axis=(2, 3))
        weight, bias = (p.numpy() for p in model.last_layer.parameters())
        np.testing.assert_allclose(model(x).numpy(), features @ weight.T + bias, rtol=1e-4)


def test_defaults_are_those_of_the_parent_method():
    head = HeadSettings()
    assert (head.own_class_connection, head.other_class_connection) == (1.0, -0.5)
    assert head.log_epsilon == 1e-4
