import numpy as np
import pytest

from spinexplain.analysis.explanations.pieces import loaded_grader
from spinexplain.analysis.explanations.prototypes import _centered, _parts, prototype_figures
from spinexplain.evaluate.explanations.parts import part_at, part_names
from spinexplain.models.receptive import upsample_map


@pytest.fixture(scope="module")
def found(drawn):
    labels = np.array([{"G0": 0, "G2": 1, "G3": 2}.get(g, -1) for g in drawn.bench.grades])
    return prototype_figures(drawn.bench, loaded_grader("protoverse-phantom"), labels, seed=0)


def test_figures_are_complete_and_in_range(found):
    assert len(found["winner_share"]) == len(found["owner"]) == 9
    for name in ("consistency", "stability", "purity", "coverage"):
        assert 0 <= found[name] <= 1, name
    assert -1 <= found["cosine_around_bodies"] <= 1
    assert -1 <= found["cosine_raw"] <= 1
    assert 0 < found["effective_field_mm"] <= found["theoretical_field_mm"] == 75
    names = {*part_names(2), "outside the body"}
    assert set(found["usual_part"]) <= names
    for name in ("G0", "G2", "G3"):
        own = [s for s, o in zip(found["winner_share"], found["owner"], strict=True) if o == name]
        assert sum(own) == pytest.approx(1)


def test_the_part_is_where_the_map_on_the_patch_peaks(drawn):
    """The cell's place on the patch is that of the heat map a report shows."""
    grader = loaded_grader("protoverse-phantom")
    field = grader.prototype_head.field
    maps = np.zeros((len(drawn.bench), 1, 14, 14))
    for row in range(len(drawn.bench)):
        maps[row, 0, 5 + row % 4, 6 + row % 3] = 1
    parts, samples = _parts(drawn.bench, grader, maps, field)
    for row, body in enumerate(drawn.bench.bodies):
        shown = upsample_map(maps[row, 0], (112, 112), field)
        peak = np.unravel_index(shown.argmax(), shown.shape)
        assert np.abs(samples[row, 0] - peak).max() <= 1
        assert parts[row, 0] == part_at(body, tuple(samples[row, 0]))


def test_the_box_around_a_pixel_is_odd_and_inside():
    grid = np.arange(49).reshape(7, 7)
    assert _centered(grid, [3, 2]).shape == (5, 5)
    assert _centered(grid, [3, 2])[2, 2] == grid[3, 2]
