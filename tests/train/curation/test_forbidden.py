import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from spinexplain.config.training import InputSpec
from spinexplain.errors import ModelError
from spinexplain.models.bundle.decisions import Decision
from spinexplain.models.bundle.store import load_grader
from spinexplain.models.receptive import ReceptiveField
from spinexplain.train.curation.forbidden import cells_under, places_of


@pytest.fixture
def grader(finished_run):
    return load_grader(finished_run[0], runtime="torch")


def rejected(number, **changes):
    known = {"name": "x", "choice": "not meaningful", "reason": "artifact"} | changes
    return Decision(prototype=number, **known)


def test_a_prototypes_own_cell_is_the_prototype(grader):
    """Projection made each prototype a patch of the crop that the bundle holds."""
    places = places_of(grader, grader.model, [rejected(2), rejected(5)])
    with torch.no_grad():
        vectors = places.vectors(grader.model)
    own = grader.model.prototypes.detach()[[1, 4]]
    torch.testing.assert_close(vectors, own, atol=1e-4, rtol=0)


def test_a_painted_region_takes_more_cells(grader, region):
    painted = rejected(2, choice="never this region", reason=None, region=tuple(region))
    places = places_of(grader, grader.model, [painted])
    assert places.cells.shape == (1, 8, 8)
    assert places.cells[0].nonzero().tolist() == cells_by_hand(region)


def cells_by_hand(region):
    """Look at every quarter of a square millimeter of a cell's own square in the crop."""
    found = []
    for row in range(8):
        for column in range(8):
            # The first cell's center is the middle of sample 0, half a millimeter into the crop.
            steps = np.arange(-1.75, 2, 0.5) + 0.5
            box = [
                region[int(y // 4)][int(x // 4)] == "1"
                for y in 4 * row + steps
                for x in 4 * column + steps
                if 0 <= y < 32 and 0 <= x < 32
            ]
            if np.mean(box) >= 0.5:
                found.append([row, column])
    return found


@given(st.integers(0, 7), st.integers(0, 7), st.integers(1, 3))
def test_some_cell_always_lies_under_the_paint(row, column, stride):
    painted = np.zeros((8, 8), bool)
    painted[row, column] = True
    grid = (32 // (4 * stride),) * 2
    field = ReceptiveField(9, 4 * stride, 2 * stride - 0.5)
    found = cells_under(painted, grid, field, InputSpec(extent_mm=32, size=32))
    assert found.any()


def test_withheld_pixels_are_said(grader):
    from dataclasses import replace

    bare = replace(grader, exemplars=tuple(replace(e, array=None) for e in grader.exemplars))
    with pytest.raises(ModelError, match="withheld"):
        places_of(bare, grader.model, [rejected(1)])
    assert len(places_of(bare, grader.model, [])) == 0
