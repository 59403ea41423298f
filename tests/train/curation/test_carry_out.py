import numpy as np
import pytest
import torch

from spinexplain.data.cohort import Cohort
from spinexplain.errors import ModelError
from spinexplain.models.bundle.decisions import decisions_of
from spinexplain.progress import SILENT
from spinexplain.train.curation.carry_out import (
    Order,
    check_rejected,
    fine_tune,
    projectable,
    remove,
    replace,
)
from spinexplain.train.curation.fine_tuning import FineTuning
from spinexplain.train.curation.sets import curation_sets
from spinexplain.train.engine.journal import Journal
from spinexplain.train.engine.processes import start_fabric
from spinexplain.train.grading.run_folder import open_run


@pytest.fixture
def order(finished_run, region):
    opened = open_run(finished_run[0])
    decisions = decisions_of(
        opened.grader.info,
        "",
        [
            {"prototype": 2, "name": "x", "choice": "not meaningful", "reason": "duplicate"},
            {"prototype": 4, "name": "y", "choice": "never this region", "region": region},
            {"prototype": 5, "name": "z", "choice": "keep"},
        ],
    )
    return Order(opened.grader, opened.config, decisions)


@pytest.fixture
def sets(finished_run, order):
    return curation_sets(order.config, Cohort.open(finished_run[1]), "training")


def test_removing_leaves_the_others_as_they_were(order, sets):
    found = remove(order, sets.training)
    assert found.origins == (0, 2, 4, 5)
    kept = order.model.prototypes[[0, 2, 4, 5]]
    assert torch.equal(found.model.prototypes, kept)
    assert found.config.head.kept == (0, 2, 4, 5)
    assert not found.sources


def test_replacing_moves_the_rejected_alone(order, sets):
    found = replace(order, sets.training)
    moved = (found.model.prototypes != order.model.prototypes).any(dim=1)
    assert moved.tolist() == [False, True, False, True, False, False]
    assert sorted(found.sources) == [1, 3]
    assert found.origins == tuple(range(6))


def test_no_prototype_comes_from_a_twin_or_a_simulated_fracture(order, sets):
    from dataclasses import replace as changed

    rows = np.zeros(len(sets.training), bool)
    rows[::2] = True
    data = changed(sets.training, simulated=rows)
    assert (projectable(data, order.config)[rows] == -1).all()
    found = replace(order, data)
    assert not any(rows[source.row] for source in found.sources.values())


def arguments(order, sets, folder):
    folder.mkdir()
    return (order.config, sets.training, sets.validation, Journal(folder), SILENT, start_fabric())


def test_fine_tuning_is_the_same_bits_for_the_same_seed(order, sets, tmp_path):
    settings = FineTuning(steps=3)
    made = [fine_tune(order, arguments(order, sets, tmp_path / str(n)), settings) for n in (1, 2)]
    first, second = (one.model.state_dict() for one in made)
    assert all(torch.equal(value, second[name]) for name, value in first.items())
    assert sorted(made[0].sources) == list(range(6))
    log = (tmp_path / "1" / "log.csv").read_text()
    assert "curation,0,forbid," in log


def test_forbidding_lowers_the_likeness_of_what_is_forbidden(order, sets, tmp_path):
    from spinexplain.train.curation.fine_tuning import forbid_loss
    from spinexplain.train.curation.forbidden import places_of

    places = places_of(order.grader, order.model, order.decisions.rejected)

    def likeness(strength):
        settings = FineTuning(steps=20, lambda_forbid=strength, lambda_remember=0)
        folder = tmp_path / f"{strength}"
        model = fine_tune(order, arguments(order, sets, folder), settings).model
        with torch.no_grad():
            return float(forbid_loss(model, model.latent(places.x), places.cells))

    assert likeness(50.0) < likeness(0.0) - 0.02  # a weak pull drowns in what 20 steps change


def test_decisions_that_reject_nothing_are_refused(order):
    only = decisions_of(order.grader.info, "", [{"prototype": 1, "name": "x", "choice": "keep"}])
    with pytest.raises(ModelError, match="reject no prototype"):
        check_rejected(only)
