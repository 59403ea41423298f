"""Where a classifier's maps are to light up: a slow twin, by hand, and whole trainings."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from spinexplain.config.training import InputSpec
from spinexplain.errors import ConfigError
from spinexplain.explainers.cam import activation_maps
from spinexplain.models.build import build_model
from spinexplain.models.inputs import network_input
from spinexplain.models.part_losses import LIT
from spinexplain.models.trunks.backbones import build_trunk
from spinexplain.train.grading.activation_maps import (
    broken_on_grid,
    check_places,
    map_terms,
)
from spinexplain.train.grading.augment import Crops, plain_crops
from spinexplain.train.grading.batches import Batch
from spinexplain.train.grading.cells import covered_cells
from spinexplain.train.grading.objectives import WarmUp, classification_objective
from spinexplain.train.grading.part_targets import crop_targets, parts_of_body
from spinexplain.train.grading.recipes import train_model

SIDE = 32
LINEAR = {"head": {"kind": "linear"}, "loss": {"lambda_place": 1.0}}
UPPER = [4.0] * 6 + [0.0] * 6
TILTED = [1.0, 1.0, 2.0, 2.0, 4.0, 4.0] + [0.0] * 6
INTACT, UNKNOWN = [0.0] * 12, [math.nan] * 12


def square():
    body = np.zeros((SIDE, SIDE), np.uint8)
    body[8:24, 8:26] = 1
    return body


def batch(displacements, labels):
    """Bodies of 16 x 18 mm whose fractures have their evidence in the upper four rows."""
    n = len(labels)
    body = torch.from_numpy(np.repeat(square()[None], n, axis=0)).float()
    part = torch.from_numpy(np.repeat(parts_of_body(square())[None], n, axis=0)).float()
    evidence = torch.zeros_like(body)
    evidence[torch.tensor(labels) > 0, 8:12, 8:26] = 1
    crops = Crops(torch.zeros(n, SIDE, SIDE), torch.full((n, 2), 15.5), body, evidence, part)
    x = torch.randn(n, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(1))
    moved = torch.tensor(displacements)
    return Batch(x=x, labels=torch.tensor(labels), crops=crops, displacement_mm=moved)


@pytest.fixture
def network(toy_config):
    config = toy_config(**LINEAR)
    torch.manual_seed(0)
    spec = InputSpec(size=SIDE, extent_mm=SIDE)
    model = build_model(build_trunk(config.trunk, spec), config.head, 3, spec)
    return model.eval(), config.model_copy(update={"input": spec})


def lit_only(model, cells):
    """Weights and features whose maps are +4 for class 1 in some cells, and -4 elsewhere."""
    with torch.no_grad():
        model.last_layer.weight.zero_()
        model.last_layer.weight[1:, 0] = -4.0
        model.last_layer.weight[1, 1] = 8.0
    features = torch.zeros(1, model.trunk.channels, *cells.shape)
    features[:, 0], features[0, 1] = 1.0, cells.float()
    return features


def slow_place(model, features, one, config):
    """Go through every crop, fractured class and cell, with the sigmoid of the map."""
    targets = crop_targets(one.crops, one.displacement_mm)
    grid, field = tuple(features.shape[2:]), model.trunk.field
    total, count = 0.0, 0.0
    body = covered_cells(field, one.crops.target, grid, config.input)
    whole = covered_cells(field, targets.broken.sum(dim=1), grid, config.input)
    for n, label in enumerate(one.labels.tolist()):
        strongest = max(float(whole[n].max()), 0.2)
        for owner in (1, 2):
            for cell in np.ndindex(*grid):
                logit = float(model.last_layer.weight[owner] @ features[(n, slice(None), *cell)])
                a = 1 / (1 + math.exp(-logit))
                wanted = float(whole[(n, *cell)]) / strongest if owner == label else 0.0
                weight = 1.0 if label in (0, owner) else 0.3
                if label > 0 and not targets.known[n] and float(body[(n, *cell)]) > 0:
                    weight = 0.0
                if wanted >= LIT:
                    total -= weight * (1 - a) ** 2 * math.log(a)
                    count += weight
                else:
                    total -= weight * (1 - wanted) ** 4 * a**2 * math.log(1 - a)
    return total / max(count, 1.0)


def test_the_term_is_its_slow_twin(network):
    model, config = network
    four = batch([UPPER, TILTED, INTACT, UNKNOWN], [1, 2, 0, 2])
    with torch.no_grad():
        features = model.trunk(four.x)
        found = map_terms(model, features, four, config)["place"]
        assert float(found) == pytest.approx(slow_place(model, features, four, config), rel=1e-4)


def test_a_map_on_the_evidence_by_hand(network):
    """Lit cells cost (1 - a)^2 log a each, all others a^2 log(1 - a) with a = sigmoid(-4)."""
    model, config = network
    one = batch([UPPER], [1])
    targets = crop_targets(one.crops, one.displacement_mm)
    wanted = broken_on_grid(model.trunk.field, targets, (8, 8), config.input)[0]
    assert float(wanted.max()) == 1.0
    assert (wanted >= LIT).nonzero().tolist() == [[2, 3], [2, 4], [2, 5], [2, 6]]
    quiet = 1 / (1 + math.exp(4))
    right = map_terms(model, lit_only(model, wanted >= LIT), one, config)["place"]
    miss = quiet**2 * -math.log(1 - quiet)
    beside = float(((1 - wanted[wanted < LIT]) ** 4).sum())
    expected = quiet**2 * -math.log(1 - quiet) + (beside + 0.3 * 64) * miss / 4
    assert float(right.detach()) == pytest.approx(expected, rel=1e-4)
    wrong = map_terms(model, lit_only(model, (wanted >= LIT).flip(0)), one, config)["place"]
    assert wrong > 100 * right


def test_weaker_parts_are_asked_for_less(network):
    model, config = network
    one = batch([TILTED], [1])
    targets = crop_targets(one.crops, one.displacement_mm)
    row = broken_on_grid(model.trunk.field, targets, (8, 8), config.input)[0, 2]
    assert float(row[3]) == 1.0  # the front sank 4 mm
    assert float(row[6]) == pytest.approx(0.25, abs=0.05)  # the back 1 mm


def test_in_healthy_crops_fractures_light_up_nowhere_and_health_where_it_likes(network):
    model, config = network
    healthy = batch([INTACT], [0])
    off, on = (lit_only(model, torch.full((8, 8), lit)) for lit in (False, True))
    quiet, loud = (map_terms(model, f, healthy, config)["place"] for f in (off, on))
    assert loud > 100 * quiet
    with torch.no_grad():
        model.last_layer.weight[0, 0] = 9.0
    assert map_terms(model, off, healthy, config)["place"] == quiet


def test_without_truth_nothing_is_asked_inside_the_body(network):
    model, config = network
    one = batch([UNKNOWN], [1])
    cells = torch.zeros(3, 8, 8)
    cells[1, 4, 4], cells[2, 0, 0] = 1, 1
    with torch.no_grad():
        found = [map_terms(model, lit_only(model, where), one, config) for where in cells]
    costs = [float(terms["place"]) for terms in found]
    assert costs[0] == pytest.approx(costs[1])
    assert costs[2] > costs[0]


def test_the_map_is_what_gradcam_shows(network):
    """The positive part of the map, each cell as often as the pooling counts it."""
    model, _ = network
    x = batch([UPPER, TILTED], [1, 2]).x
    shown, _ = activation_maps(model, x, [1, 2])
    with torch.no_grad():
        maps = model.class_maps(model.trunk(x))
        weights = model.cell_weights(x, (8, 8)) * 64
    own = torch.stack([maps[0, 1], maps[1, 2]]).relu() * weights / 64
    torch.testing.assert_close(shown, own, rtol=1e-3, atol=1e-6)


def test_without_masks_the_term_is_silent_and_a_training_refused(network, toy_set, toy_config):
    model, config = network
    one = batch([UPPER], [1])
    features = model.trunk(one.x)
    assert map_terms(model, features, replace(one, crops=None), config) == {}
    bare = replace(one.crops, target=None)
    assert map_terms(model, features, replace(one, crops=bare), config) == {}
    data = replace(toy_set(), target=None)
    with pytest.raises(ConfigError, match="crops are sheets without the masks"):
        check_places(data, config)
    check_places(data, toy_config(head={"kind": "linear"}))


def with_places(data):
    """Squares without a top lost the upper endplate, those without a front both in front."""
    part = np.repeat(parts_of_body(data.target[0])[None], len(data), axis=0)
    moved = np.zeros((len(data), 12), np.float32)
    moved[data.grades == 2, :6] = 4.0
    moved[data.grades == 3, 3:6] = moved[data.grades == 3, 9:] = 4.0
    evidence = np.zeros(data.patches_hu.shape, np.uint8)
    evidence[data.grades == 2] = (part[0] > 0) & (part[0] <= 6)
    evidence[data.grades == 3] = (part[0] > 0) & ((part[0] - 1) % 6 >= 3)
    return replace(data, part=part, displacement_mm=moved, evidence=evidence)


def test_a_training_with_the_term_brings_the_maps_onto_the_evidence(toy_set, toy_config, tmp_path):
    data = with_places(toy_set(n=60))
    one = batch_of(data)
    costs = []
    for weight in (0.0, 1.0):
        config = toy_config(
            head={"kind": "linear"},
            loss={"lambda_place": weight},
            classifier={"steps": 60},
            sampling="parts",
        )
        model = train_model(config, data, tmp_path / str(weight)).model
        with torch.no_grad():
            terms = map_terms(model, model.trunk(one.x), one, toy_config(**LINEAR))
        costs.append(float(terms["place"]))
    assert costs[1] < 0.5 * costs[0]


def batch_of(data):
    """All rows of a set, not moved."""
    rows, spec = np.arange(len(data)), InputSpec(size=SIDE, extent_mm=SIDE)
    crops = plain_crops(data, rows, spec)
    return Batch(
        x=network_input(crops.hu, crops.centers, spec),
        labels=torch.from_numpy(np.searchsorted([0, 2, 3], data.grades)),
        crops=crops,
        displacement_mm=torch.from_numpy(data.displacement_mm),
    )


def test_the_objective_adds_the_term_by_its_weight(network):
    model, config = network
    config = config.model_copy(
        update={"loss": config.loss.model_copy(update={"lambda_place": 0.4})}
    )
    warm, weights, one = WarmUp(model), torch.ones(3), batch([UPPER, INTACT], [1, 0])
    plain = classification_objective(warm, weights, 0.0)(one)
    terms = classification_objective(warm, weights, 0.0, placed=config)(one)
    assert set(plain) == {"cross_entropy", "total"}
    assert float(terms["total"]) == pytest.approx(float(plain["total"] + 0.4 * terms["place"]))
