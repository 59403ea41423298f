import numpy as np
import pytest

from spinexplain.data.phantom.anatomy import LEVEL_NAMES, NORMS
from spinexplain.data.phantom.bodies import draw_body, draw_person, shrink
from spinexplain.data.phantom.presets import load_preset
from spinexplain.data.phantom.shape import heights_mm, plain_body


def bodies(preset, seed):
    rng = np.random.default_rng(seed)
    chosen = load_preset(preset)
    person = draw_person(rng, chosen)
    return [draw_body(rng, chosen, person, k, True) for k in range(len(LEVEL_NAMES))]


def test_sizes_follow_the_norms_of_each_level():
    depth = np.mean([[b.depth for b in bodies("demo", seed)] for seed in range(5)], axis=0)
    assert depth == pytest.approx(NORMS["depth"] * depth.mean() / NORMS["depth"].mean(), rel=0.04)


def test_levels_of_one_person_share_size_and_bone():
    people = [bodies("balanced", seed) for seed in range(12)]
    density = np.array([[b.trabecular_hu for b in person] for person in people])
    assert density.std(axis=0).mean() > 3 * density.std(axis=1).mean()


def test_codes_are_those_of_verse_and_the_sacrum_has_none():
    codes = {b.name: b.code for b in bodies("demo", 0)}
    assert (codes["C7"], codes["T1"], codes["T12"], codes["L5"]) == (7, 8, 19, 24)
    assert codes["S1"] == 0


def test_mild_loss_of_a_third_shortens_it():
    body = plain_body(30.0, 40.0, (20.0, 19.0, 21.0))
    short = shrink(body, anterior=0.1, middle=0.0, posterior=0.0)
    assert heights_mm(short)[0] < 0.93 * heights_mm(body)[0]
    assert heights_mm(short)[2] == pytest.approx(heights_mm(body)[2], rel=0.02)
