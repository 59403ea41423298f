import numpy as np
import pytest

from spinexplain.analysis.atlas.crops import training_data
from spinexplain.analysis.atlas.passes import structure_shares, sweep
from spinexplain.data.cohort import Cohort
from spinexplain.train.grading.run_folder import open_run


@pytest.fixture(scope="module")
def case(finished_run):
    run = open_run(finished_run[0])
    data = training_data(run, [Cohort.open(finished_run[1])], run.split)
    return run, data, sweep(run.model, data.training, run.grader.spec, run.grader.task)


def test_the_winner_is_the_patch_nearest_to_an_own_class_prototype(case):
    run, data, seen = case
    prototypes = run.model.prototypes.detach().double().numpy()
    owner = run.model.prototype_class.numpy()
    for row in range(0, len(data.training), 7):
        own = np.flatnonzero(owner == seen.labels[row])
        best = own[np.argmax(seen.similarities[row, own])]
        square = np.sum((seen.winners[row] - prototypes[best]) ** 2)
        expected = np.log((square + 1) / (square + run.model.epsilon))
        assert seen.similarities[row, best] == pytest.approx(expected, rel=1e-3)


def test_the_center_weighs_every_class_the_same(case):
    _, _, seen = case
    means = [seen.winners[seen.labels == k].mean(axis=0) for k in range(3)]
    np.testing.assert_allclose(seen.center, sum(means) / 3)


def test_cells_lie_on_the_grid(case):
    _, _, seen = case
    assert seen.grid == (8, 8)
    assert seen.cell(0, 0) == tuple(np.unravel_index(seen.cells[0, 0], (8, 8)))


def test_crops_without_masks_leave_the_shares_empty(case):
    run, data, seen = case
    bare = [(BareCohort(), row) for _, row in data.places]
    without = type(data)(data.training, bare)
    tables, area, _ = structure_shares(run.model, without, seen, run.grader.spec)
    assert tables == [{}] * 6
    assert area == {}


class BareCohort:
    """A cohort of crops that nobody drew masks for."""

    @property
    def index(self):
        import pandas as pd

        return pd.DataFrame({"level": ["L1"] * 48})

    def read(self, kind, rows, missing):
        return np.zeros((len(rows), 144, 144), np.uint8)
