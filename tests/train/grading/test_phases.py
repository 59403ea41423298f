import numpy as np
import pytest
import torch

from spinexplain.data.crops.dataset import class_labels
from spinexplain.errors import ConfigError
from spinexplain.models.build import build_model
from spinexplain.models.trunks.backbones import build_trunk
from spinexplain.train.grading.objectives import WarmUp
from spinexplain.train.grading.phases import (
    cached_similarities,
    last_layer_weights,
    linear_groups,
    prototype_groups,
    start_from_patches,
    tune_last_layer,
    weights_of,
)
from spinexplain.train.grading.plain_inputs import inputs_in_batches


@pytest.fixture
def case(toy_set, toy_config):
    config, data = toy_config(), toy_set()
    torch.manual_seed(0)
    trunk = build_trunk(config.trunk, config.input)
    return build_model(trunk, config.head, 3, config.input).eval(), data, config


def test_prototypes_start_on_own_class_patches_inside_the_target(case):
    model, data, config = case
    start_from_patches(model, data, config)
    rows = np.arange(len(data))
    with torch.no_grad():
        batches = inputs_in_batches(data, rows, config.input)
        latent = torch.cat([model.latent(x) for _, x, _ in batches])
    inside = latent[:, :, 2:6, 2:6]  # cells whose centres lie on the square, and their rim
    owner = model.prototype_class.tolist()
    for prototype, k in zip(model.prototypes.detach(), owner, strict=True):
        own = inside[data.grades == [0, 2, 3][k]].movedim(1, -1)
        assert float((own - prototype).abs().amax(dim=-1).min()) < 1e-5


def test_prototypes_are_not_decayed_and_the_last_layer_is_not_descended(case):
    model, _, config = case
    groups = prototype_groups(model, config.joint, with_trunk=True)
    parameters = {id(p): g for g in groups for p in g["params"]}
    assert parameters[id(model.prototypes)]["weight_decay"] == 0
    assert id(model.last_layer.weight) not in parameters
    assert len(parameters) == sum(1 for _ in model.parameters()) - 1
    warm = prototype_groups(model, config.warm, with_trunk=False)
    assert not {id(p) for g in warm for p in g["params"]} & {
        id(p) for p in model.trunk.parameters()
    }


def test_classifier_phase_descends_everything(toy_set, toy_config):
    config = toy_config(head={"kind": "linear"})
    trunk = build_trunk(config.trunk, config.input)
    model = WarmUp(build_model(trunk, config.head, 3, config.input))
    groups = linear_groups(model, config.classifier)
    assert {id(p) for g in groups for p in g["params"]} == {id(p) for p in model.parameters()}


def test_class_weights_come_from_the_rows(case):
    _, data, config = case
    few = data.take(np.flatnonzero((data.grades != 3) | (np.arange(len(data)) < 30)))
    assert weights_of(few, config, "median").tolist() == pytest.approx([1, 1, 2])
    assert weights_of(few, config, "none").tolist() == [1, 1, 1]


def test_class_shares_make_every_class_weigh_its_share(case):
    _, data, config = case
    shares = {"G0": 0.8, "G2": 0.15, "G3": 0.05}
    tuned = config.last_layer.model_copy(update={"class_shares": shares})
    weights = last_layer_weights(data, config.model_copy(update={"last_layer": tuned}))
    total = weights[class_labels(data, config.classes)]
    for index, share in enumerate(shares.values()):
        of_class = class_labels(data, config.classes) == index
        assert total[of_class].sum() / total.sum() == pytest.approx(share)


@pytest.mark.parametrize("shares", [{"G0": 1.0}, {"G0": 0.5, "G2": 0.5, "G3": 0.0}])
def test_class_shares_must_name_every_class(case, shares):
    _, data, config = case
    tuned = config.last_layer.model_copy(update={"class_shares": shares})
    with pytest.raises(ConfigError, match="G0, G2, G3"):
        last_layer_weights(data, config.model_copy(update={"last_layer": tuned}))


def test_similarities_are_cached_for_the_plain_set_and_each_view(case):
    model, data, config = case
    views = config.last_layer.model_copy(update={"augmented_views": 2})
    config = config.model_copy(update={"last_layer": views})
    similarities, labels = cached_similarities(model, data, config)
    n = len(data)
    assert similarities.shape == (3 * n, 6)
    assert labels.tolist() == np.tile(np.searchsorted([0, 2, 3], data.grades), 3).tolist()
    with torch.no_grad():
        (_, x, _), *_ = inputs_in_batches(data, np.arange(4), config.input)
        np.testing.assert_allclose(similarities[:4], model.similarities(x), atol=1e-5)
    assert not np.allclose(similarities[:n], similarities[n : 2 * n])
    assert not np.allclose(similarities[n : 2 * n], similarities[2 * n :])


def test_tuning_changes_the_last_layer_only(case):
    model, data, config = case
    before = {name: value.clone() for name, value in model.state_dict().items()}
    tune_last_layer(model, data, config)
    after = model.state_dict()
    changed = [name for name in after if not torch.equal(after[name], before[name])]
    assert changed == ["last_layer.weight"]
