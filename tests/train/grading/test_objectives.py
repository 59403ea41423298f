import dataclasses

import pytest
import torch
import torch.nn.functional as F

from spinexplain.models.build import build_model
from spinexplain.models.heads.ordinal import soft_cross_entropy
from spinexplain.models.heads.prototype import LinearNet
from spinexplain.models.losses import (
    class_weights,
    cluster_loss,
    diversity_loss,
    off_class_l1,
    separation_loss,
)
from spinexplain.models.trunks.backbones import build_trunk
from spinexplain.train.engine import precision
from spinexplain.train.grading.augment import Crops
from spinexplain.train.grading.batches import Batch
from spinexplain.train.grading.objectives import (
    HeightBeside,
    WarmUp,
    classification_objective,
    grading_loss,
    prototype_objective,
    target_cells,
)

WEIGHTS = torch.tensor([0.2, 1.0, 2.0])


@pytest.fixture
def batch():
    generator = torch.Generator().manual_seed(0)
    target = torch.zeros(5, 32, 32)
    target[:, 8:24, 8:24] = 1
    crops = Crops(torch.zeros(5, 32, 32), torch.full((5, 2), 15.5), target, None)
    x = torch.randn(5, 3, 32, 32, generator=generator)
    heights = torch.tensor([0.0, 0.3, float("nan"), 0.5, 0.1])
    return Batch(x, torch.tensor([0, 1, 2, 1, 0]), crops, heights)


def network(config, kind):
    torch.manual_seed(0)
    trunk = build_trunk(config.trunk, config.input)
    head = config.head.model_copy(update={"kind": kind})
    return build_model(trunk, head, 3, config.input).eval()


def test_prototype_objective_adds_up_to_its_total(toy_config, batch):
    config = toy_config(loss={"lambda_outside": 0.7, "lambda_div": 0.2})
    model = network(config, "prototype")
    terms = prototype_objective(model, WEIGHTS, config)(batch)
    nearest = model.distances(batch.x).flatten(2).amin(2)
    owner = model.prototype_class
    expected = {
        "cross_entropy": F.cross_entropy(model(batch.x), batch.labels, weight=WEIGHTS),
        "cluster": cluster_loss(nearest, batch.labels, owner),
        "separation": separation_loss(nearest, batch.labels, owner),
        "diversity": diversity_loss(model.prototypes, owner),
        "l1": off_class_l1(model.last_layer.weight, owner),
    }
    for name, value in expected.items():
        assert float(terms[name].detach()) == pytest.approx(float(value.detach()), rel=1e-4)
    total = (
        terms["cross_entropy"]
        + 0.8 * terms["cluster"]
        - 0.08 * terms["separation"]
        + 0.2 * terms["diversity"]
        + 1e-4 * terms["l1"]
        + 0.7 * terms["outside"]
    )
    assert float(terms["total"].detach()) == pytest.approx(float(total.detach()), rel=1e-5)
    assert 0 < float(terms["outside"].detach()) < 1


def test_outside_costs_nothing_when_switched_off(toy_config, batch):
    config = toy_config()
    terms = prototype_objective(network(config, "prototype"), WEIGHTS, config)(batch)
    assert float(terms["outside"]) == 0


def test_target_cells_fill_the_body_and_nothing_else(toy_config, batch):
    config = toy_config()
    model = network(config, "prototype")
    cells = target_cells(model, batch.crops.target, (8, 8), config)[0]
    assert float(cells.max()) == pytest.approx(1.0)
    assert float(cells[4, 4]) == pytest.approx(1.0)  # pixel 16
    assert float(cells[0, 0]) == 0
    assert float(cells[7, 4]) == 0  # pixel 28


def test_height_regression_skips_what_is_not_known(toy_config, batch):
    config = toy_config()
    model = WarmUp(network(config, "linear"))
    terms = classification_objective(model, WEIGHTS, 0.5)(batch)
    logits, heights = model(batch.x)
    known = [0, 1, 3, 4]
    slow = F.smooth_l1_loss(heights[known], 10 * batch.height_loss[known])
    assert float(terms["height"].detach()) == pytest.approx(float(slow.detach()))
    entropy = F.cross_entropy(logits, batch.labels, weight=WEIGHTS)
    assert float(terms["total"].detach()) == pytest.approx(float((entropy + 0.5 * slow).detach()))
    assert "height" not in classification_objective(model, WEIGHTS, 0.0)(batch)


def test_heights_go_on_beside_prototypes(toy_config, batch):
    """The network's own terms stay; the regression of the pooled features joins the total."""
    config = toy_config(loss={"lambda_joint_height": 0.5})
    model = network(config, "prototype")
    plain = prototype_objective(model, WEIGHTS, config)(batch)
    beside = HeightBeside(model, LinearNet(model.trunk, 3, config.input, "average"))
    terms = prototype_objective(model, WEIGHTS, config, beside=beside)(batch)
    heights = beside.height(model.trunk(batch.x).mean(dim=(2, 3)))[:, 0]
    known = [0, 1, 3, 4]
    slow = F.smooth_l1_loss(heights[known], 10 * batch.height_loss[known])
    assert float(terms["height"].detach()) == pytest.approx(float(slow.detach()), rel=1e-5)
    total = plain["total"] + 0.5 * slow
    assert float(terms["total"].detach()) == pytest.approx(float(total.detach()), rel=1e-5)
    assert "height" not in plain


def test_bfloat16_runs_the_network_only(toy_config, batch, monkeypatch):
    monkeypatch.setattr(precision, "has_bfloat16", lambda _device: True)
    config = toy_config()
    model = WarmUp(network(config, "linear"))
    exact = classification_objective(model, WEIGHTS, 0.5)(batch)
    halved = classification_objective(model, WEIGHTS, 0.5, "bf16")(batch)
    assert halved["total"].dtype == torch.float32
    assert float(halved["total"]) == pytest.approx(float(exact["total"]), rel=0.03)
    assert float(halved["total"]) != float(exact["total"])


def test_target_pooling_weighs_the_cells_beside_the_gaussian(toy_config):
    config = toy_config()
    trunk = build_trunk(config.trunk, config.input)
    model = LinearNet(trunk, 3, config.input, "target").eval()
    x = torch.randn(1, 3, 32, 32)
    x[:, 2] = -1.0  # (0 - mean) / std: no Gaussian at all
    x[:, 2, 12:16, 20:24] = 1.0
    with torch.no_grad():
        features, maps = model.pooled_features(x), trunk(x)
    torch.testing.assert_close(features[0], maps[0, :, 3, 5], atol=1e-5, rtol=1e-5)


SHARES = torch.tensor([[1, 0, 0], [0, 0.5, 0.5], [0, 0, 1], [0.25, 0.75, 0], [0.5, 0.5, 0]])


def test_soft_labels_by_hand():
    """Two crops, scores 1/2 and 1/4: -(1 log 1/2 + 2 (1/2) log 1/4) / (1 + 1) with weight 2."""
    logits = torch.log(torch.tensor([[0.5, 0.5], [0.75, 0.25]]))
    shares = torch.tensor([[1.0, 0.0], [0.0, 0.5]])
    batch = Batch(torch.zeros(2, 1), torch.tensor([0, 1]), None, shares=shares)
    loss = grading_loss("soft", logits, batch, torch.tensor([1.0, 2.0]))
    log2 = 0.6931472
    assert float(loss) == pytest.approx((log2 + 2 * 0.5 * 2 * log2) / 2)


def test_soft_labels_reach_both_objectives(toy_config, batch):
    config = toy_config(loss={"grading": "soft"})
    soft = dataclasses.replace(batch, shares=SHARES)
    model = network(config, "prototype")
    terms = prototype_objective(model, WEIGHTS, config)(soft)
    expected = soft_cross_entropy(model(batch.x), SHARES, WEIGHTS)
    assert float(terms["cross_entropy"].detach()) == pytest.approx(float(expected.detach()), 1e-4)
    linear = WarmUp(network(config, "linear"))
    found = classification_objective(linear, WEIGHTS, 0.0, grading="soft")(soft)["total"]
    expected = soft_cross_entropy(linear(batch.x)[0], SHARES, WEIGHTS)
    assert float(found.detach()) == pytest.approx(float(expected.detach()), 1e-4)


def test_parts_of_a_soft_step_average_to_the_whole(batch):
    logits = torch.randn(6, 3, generator=torch.Generator().manual_seed(3))
    shares = torch.softmax(torch.randn(6, 3, generator=torch.Generator().manual_seed(4)), 1)
    labels = torch.zeros(6, dtype=torch.long)
    whole = grading_loss("soft", logits, Batch(logits, labels, None, shares=shares), WEIGHTS)
    parts = []
    for part in range(2):
        rows = slice(part, None, 2)
        own = Batch(logits[rows], labels[rows], None, shares=shares[rows], everyone_shares=shares)
        parts.append(grading_loss("soft", logits[rows], own, WEIGHTS))
    assert float(sum(parts) / 2) == pytest.approx(float(whole), rel=1e-5)


@pytest.mark.parametrize("kind", ["cross_entropy", "ordinal", "soft"])
def test_divided_by_samples_the_scale_of_the_weights_stays(kind):
    """Divided by the sum of the weights, doubling them changes nothing."""
    logits = torch.randn(5, 3, generator=torch.Generator().manual_seed(3))
    labels = torch.tensor([0, 0, 1, 2, 0])
    shares = F.one_hot(labels, 3).float() if kind == "soft" else None
    batch = Batch(logits, labels, None, shares=shares)
    one = [grading_loss(kind, logits, batch, WEIGHTS, way) for way in ("weights", "samples")]
    two = [grading_loss(kind, logits, batch, 2 * WEIGHTS, way) for way in ("weights", "samples")]
    assert float(two[0]) == pytest.approx(float(one[0]))
    assert float(two[1]) == pytest.approx(2 * float(one[1]))
    assert float(one[1]) == pytest.approx(float(one[0] * WEIGHTS[labels].mean()))


def test_the_published_weights_by_both_divisors():
    """1 / n and median / n are one loss by the sum of the weights, and two by samples."""
    counts = torch.tensor([982, 58, 38])
    labels = torch.repeat_interleave(torch.arange(3), counts)
    logits = torch.randn(len(labels), 3, generator=torch.Generator().manual_seed(0))
    batch = Batch(logits, labels, None)

    def found(scheme, way):
        weights = class_weights(counts, scheme)
        return float(grading_loss("cross_entropy", logits, batch, weights, way))

    assert found("ins", "weights") == pytest.approx(found("median", "weights"), rel=1e-5)
    scale = float(class_weights(counts, "ins")[0] / class_weights(counts, "median")[0])
    assert abs(scale - 1) > 0.1
    assert found("ins", "samples") == pytest.approx(scale * found("median", "samples"), rel=1e-5)


def test_parts_of_a_step_divided_by_samples_average_to_the_whole():
    logits = torch.randn(6, 3, generator=torch.Generator().manual_seed(3))
    labels = torch.tensor([0, 1, 2, 0, 0, 1])
    whole = grading_loss("cross_entropy", logits, Batch(logits, labels, None), WEIGHTS, "samples")
    parts = [
        grading_loss(
            "cross_entropy",
            logits[part::2],
            Batch(logits[part::2], labels[part::2], None, everyone=labels),
            WEIGHTS,
            "samples",
        )
        for part in range(2)
    ]
    assert float(sum(parts) / 2) == pytest.approx(float(whole), rel=1e-5)


def test_both_objectives_divide_as_the_settings_say(toy_config, batch):
    terms = {}
    for way in ("weights", "samples"):
        config = toy_config(loss={"normalize": way})
        model = network(config, "prototype")
        terms[way] = float(prototype_objective(model, WEIGHTS, config)(batch)["cross_entropy"])
        linear = WarmUp(network(config, "linear"))
        found = classification_objective(linear, WEIGHTS, 0.0, normalize=way)(batch)
        terms[f"linear {way}"] = float(found["cross_entropy"])
    mean = float(WEIGHTS[batch.labels].mean())
    assert terms["samples"] == pytest.approx(mean * terms["weights"], rel=1e-4)
    assert terms["linear samples"] == pytest.approx(mean * terms["linear weights"], rel=1e-4)
