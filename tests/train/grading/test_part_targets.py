"""Targets of addressed prototypes: by hand on a square body, and what is not asked of them."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from spinexplain.config.training import InputSpec
from spinexplain.models.build import build_model
from spinexplain.models.trunks.backbones import build_trunk
from spinexplain.train.grading.augment import Crops
from spinexplain.train.grading.batches import Batch
from spinexplain.train.grading.part_targets import (
    crop_targets,
    eroded,
    on_grid,
    part_targets,
    parts_of_body,
    placed_terms,
)

SIDE = 32


def square():
    body = np.zeros((SIDE, SIDE), np.uint8)
    body[8:24, 8:26] = 1  # columns 8 to 25: six parts of 3, anterior first
    return body


def moved(**amounts):
    """Twelve displacements, e.g. superior5=4.0; 0 elsewhere."""
    values = np.zeros(12, np.float32)
    for name, amount in amounts.items():
        values[("superior", "inferior").index(name[:8]) * 6 + int(name[8:])] = amount
    return values


def batch(displacements, labels, evidence_rows=slice(8, 12), twins=None):
    n = len(labels)
    body = torch.from_numpy(np.repeat(square()[None], n, axis=0)).float()
    part = torch.from_numpy(np.repeat(parts_of_body(square())[None], n, axis=0)).float()
    evidence = torch.zeros_like(body)
    evidence[:, evidence_rows, 8:26] = 1
    evidence[torch.tensor(labels) == 0] = 0
    crops = Crops(torch.zeros(n, SIDE, SIDE), torch.full((n, 2), 15.5), body, evidence, part)
    return Batch(
        x=torch.zeros(n, 3, SIDE, SIDE),
        labels=torch.tensor(labels),
        crops=crops,
        displacement_mm=torch.from_numpy(np.stack(displacements)),
        twins=None if twins is None else torch.tensor(twins),
    )


def targets_of(one):
    return crop_targets(one.crops, one.displacement_mm)


def test_the_frame_of_a_body_tells_endplates_and_sixths():
    codes = parts_of_body(square())
    assert codes[9, 8:26].tolist() == np.repeat([6, 5, 4, 3, 2, 1], 3).tolist()
    assert codes[22, 8:26].tolist() == np.repeat([12, 11, 10, 9, 8, 7], 3).tolist()
    assert not codes[square() == 0].any()
    assert not parts_of_body(np.zeros((4, 4))).any()


def test_a_broken_front_of_the_superior_endplate_is_one_part():
    found = targets_of(batch([moved(superior5=4.0, superior4=2.0)], [1])).broken[0]
    front, *others = found
    assert float(front[9, 8:11].min()) == 1.0
    assert front[9, 11:14].tolist() == [0.5] * 3
    assert float(front[9, 14:].max()) == 0.0
    assert all(float(part.max()) == 0.0 for part in others)


def test_healthy_bodies_have_bands_at_their_endplates_and_bone_between():
    superior, inferior, between = targets_of(batch([moved()], [0])).intact[0]
    assert superior[8:11, 12].tolist() == [1.0] * 3
    assert float(superior[11:].max()) == 0.0
    assert inferior[21:24, 12].tolist() == [1.0] * 3
    assert between[11:21, 12].tolist() == [1.0] * 10
    assert float(superior.sum() + inferior.sum() + between.sum()) == square().sum()


def test_erosion_takes_rows_off_above_and_below_only():
    inner = eroded(torch.from_numpy(square()).float()[None], 3)[0]
    assert inner[:, 8].nonzero()[:, 0].tolist() == list(range(11, 21))
    assert inner[12].nonzero()[:, 0].tolist() == list(range(8, 26))


def test_unknown_displacement_is_marked():
    body = torch.from_numpy(square()).float()[None]
    part = torch.from_numpy(parts_of_body(square())).float()[None]
    unknown = torch.full((1, 12), torch.nan)
    found = part_targets(part, body, torch.zeros_like(body), unknown)
    assert found.known.tolist() == [False]
    assert float(found.broken.abs().sum()) == 0.0


@pytest.fixture
def network(toy_config):
    config = toy_config(
        head={"addressed": True, "feature_dim": 6}, loss={"lambda_place": 1.0, "lambda_part": 1.0}
    )
    torch.manual_seed(0)
    spec = InputSpec(size=SIDE, extent_mm=SIDE)
    model = build_model(build_trunk(config.trunk, spec), config.head, 3, spec)
    return model, config.model_copy(update={"input": spec})


def terms_for(network, one, similarities):
    model, config = network
    return placed_terms(model, similarities, one, config)


def flat(network, n, value=1.0):
    model, _ = network
    cells = SIDE // model.trunk.field.stride
    return torch.full((n, 11, cells, cells), value)


def lit(network, one, prototype):
    """Light one prototype up on its own target; return the similarities."""
    model, config = network
    maps = flat(network, 1, 0.05)
    broken, intact = on_grid(model, targets_of(one), tuple(maps.shape[2:]), config.input)
    where = torch.cat([intact, broken, broken], dim=1)[0, prototype]
    maps[0, prototype][where >= 0.7] = 0.95 * model.max_similarity
    return maps


def test_the_right_prototype_on_its_part_costs_least(network):
    one = batch([moved(superior5=4.0, superior4=4.0, superior3=4.0)], [1])
    right = terms_for(network, one, lit(network, one, 3))
    other = flat(network, 1, 0.05)
    other[0, 5] = lit(network, one, 3)[0, 3]  # the inferior one lights up instead
    wrong = terms_for(network, one, other)
    assert right["place"] < wrong["place"]
    assert right["part"] < wrong["part"]


def test_what_twins_and_fractures_do_not_decide_is_not_asked(network):
    """Intact parts of a fractured body, and of a twin, may look healthy."""
    two = batch([moved(superior5=4.0), moved()], [1, 0], twins=[False, True])
    quiet = flat(network, 2, 0.05)
    loud = quiet.clone()
    loud[:, :3] = 2.0  # all healthy prototypes everywhere
    assert terms_for(network, two, quiet)["place"] == terms_for(network, two, loud)["place"]
    alarm = quiet.clone()
    alarm[1, 3:] = 2.0  # prototypes of fractures on the twin
    assert terms_for(network, two, alarm)["place"] > terms_for(network, two, quiet)["place"]


def test_without_truth_nothing_is_asked_inside_the_body(network):
    model, _ = network
    one = batch([np.full(12, np.nan, np.float32)], [1])
    quiet = flat(network, 1, 0.05)
    inside, outside = quiet.clone(), quiet.clone()
    inside[0, 3:, 4, 4] = 2.0
    outside[0, 3:, 0, 0] = 2.0
    costs = [float(terms_for(network, one, maps)["place"]) for maps in (quiet, inside, outside)]
    assert costs[0] == pytest.approx(costs[1])
    assert costs[2] > costs[0]
    assert float(terms_for(network, one, quiet)["part"]) == 0.0
    assert model.trunk.field.stride == 4


def test_other_networks_have_no_such_terms(network, toy_config):
    model, config = network
    one = batch([moved()], [0])
    assert placed_terms(model, flat(network, 1), replace(one, crops=None), config) == {}
    silent = config.model_copy(update={"loss": toy_config().loss})
    assert placed_terms(model, flat(network, 1), one, silent) == {}


def test_what_curation_left_is_asked_for_its_own_place(toy_config):
    """A prototype keeps its target when another was taken out; which part wins is not asked."""
    from spinexplain.train.curation.removal import without_prototypes

    config = toy_config(
        head={"addressed": True, "feature_dim": 6}, loss={"lambda_place": 1.0, "lambda_part": 1.0}
    )
    spec = InputSpec(size=SIDE, extent_mm=SIDE)
    config = config.model_copy(update={"input": spec})
    torch.manual_seed(0)
    model = build_model(build_trunk(config.trunk, spec), config.head, 3, spec)
    cut, changed = without_prototypes(model, config, {1, 5})
    one = batch([moved(superior5=4.0, superior4=4.0, superior3=4.0)], [1])
    lit_one = lit((model, config), one, 3)
    left = [index for index in range(11) if index not in (1, 5)]
    found = placed_terms(cut, lit_one[:, left], one, changed)
    assert set(found) == {"place"}
    wrong = lit_one[:, left].clone()
    wrong[0, 2], wrong[0, 3] = lit_one[0, 4], lit_one[0, 3]  # its neighbor lights up instead
    assert found["place"] < placed_terms(cut, wrong, one, changed)["place"]
