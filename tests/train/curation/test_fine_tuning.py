import numpy as np
import pytest
import torch

from spinexplain.models.build import build_model
from spinexplain.models.trunks.backbones import build_trunk
from spinexplain.train.curation.fine_tuning import forbid_loss, remember_loss


@pytest.fixture
def model(toy_config):
    config = toy_config()
    torch.manual_seed(0)
    trunk = build_trunk(config.trunk, config.input)
    return build_model(trunk, config.head, 3, config.input).eval()


def slow_similarity(model, vector):
    d = np.sum((model.prototypes.detach().double().numpy() - vector) ** 2, axis=1)
    return np.log((d + 1) / (d + model.epsilon)) / np.log(1 / model.epsilon)


def test_forbidding_is_the_likest_prototype_of_each_crop(model):
    latent = torch.rand(2, 6, 3, 3)
    cells = torch.zeros(2, 3, 3, dtype=torch.bool)
    cells[0, 1, 1] = cells[1, 0, 2] = cells[1, 2, 2] = True
    flat = latent.double().numpy()
    per_crop = [
        slow_similarity(model, flat[0, :, 1, 1]).max(),
        max(
            slow_similarity(model, flat[1, :, 0, 2]).max(),
            slow_similarity(model, flat[1, :, 2, 2]).max(),
        ),
    ]
    assert forbid_loss(model, latent, cells).item() == pytest.approx(np.mean(per_crop), abs=1e-5)


def test_remembering_is_each_prototype_on_its_own_patch(model):
    latent = torch.rand(2, 6, 3, 3)
    cells = torch.zeros(2, 3, 3, dtype=torch.bool)
    cells[0, 1, 1] = cells[1, 0, 2] = True
    flat = latent.double().numpy()
    own = [slow_similarity(model, flat[0, :, 1, 1])[4], slow_similarity(model, flat[1, :, 0, 2])[1]]
    found = remember_loss(model, latent, cells, (4, 1))
    assert found.item() == pytest.approx(1 - np.mean(own), abs=1e-5)
    with torch.no_grad():
        model.prototypes[4], model.prototypes[1] = latent[0, :, 1, 1], latent[1, :, 0, 2]
    assert remember_loss(model, latent, cells, (4, 1)).item() == pytest.approx(0, abs=2e-3)


def test_descending_on_the_forbidden_patch_drives_prototypes_away(model):
    latent = torch.rand(1, 6, 1, 1)
    cells = torch.ones(1, 1, 1, dtype=torch.bool)
    with torch.no_grad():
        model.prototypes[2] = latent[0, :, 0, 0] + 0.05
    start = forbid_loss(model, latent, cells)
    optimizer = torch.optim.Adam([model.prototypes], lr=0.05)
    for _ in range(20):
        optimizer.zero_grad()
        forbid_loss(model, latent, cells).backward()
        optimizer.step()
    assert forbid_loss(model, latent, cells).item() < 0.8 * start.item()


def test_nothing_decided_costs_nothing(model):
    none, cells = torch.zeros(0, 6, 3, 3), torch.zeros(0, 3, 3, dtype=torch.bool)
    assert float(forbid_loss(model, none, cells)) == 0
    assert float(remember_loss(model, none, cells, ())) == 0
