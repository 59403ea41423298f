import numpy as np

from spinexplain.data.phantom.draw import draw_subject
from spinexplain.data.phantom.grids import sheet_grid
from spinexplain.data.phantom.presets import load_preset
from spinexplain.data.phantom.render import render
from spinexplain.data.phantom.spine import level_index, stack
from spinexplain.data.phantom.tissue import draw_surroundings


def test_sparing_a_level_spares_only_it():
    preset = load_preset("demo")
    subject = draw_subject(np.random.default_rng(0), preset, {"L2": 3, "L4": 3})
    places = stack(subject.bodies, subject.posture, True)
    around = draw_surroundings(np.random.default_rng(1), preset.around, places)
    y, z = places[level_index("L3")].center[1:]
    grid = sheet_grid(np.zeros(160), y - np.arange(-60, 60.0), z - np.arange(-80, 80.0), 1.0)
    noise = np.random.SeedSequence(1)
    both = render(grid, subject, places, around, noise, frozenset())
    one = render(grid, subject, places, around, noise, frozenset({"L2"}))
    assert set(np.unique(both.evidence)) == {0, 21, 23}
    assert set(np.unique(one.evidence)) == {0, 23}
    assert (one.body == 21).sum() > 1.3 * (both.body == 21).sum()
    assert np.array_equal(both.body == 23, one.body == 23)
    assert np.array_equal(both.fine, one.fine)
