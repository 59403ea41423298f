from dataclasses import replace

import numpy as np
import pytest

from spinexplain.data.phantom.draw import draw_subject
from spinexplain.data.phantom.patient import draw_patient, sized, with_patient
from spinexplain.data.phantom.presets import load_preset


def drawn(preset, n, **changed):
    chosen = load_preset(preset)
    chosen = replace(chosen, patient=replace(chosen.patient, **changed))
    return [draw_patient(np.random.default_rng(k), chosen) for k in range(n)]


def test_men_are_taller_and_their_vertebrae_broader():
    people = drawn("balanced", 400, female=0.5)
    size = {s: np.mean([p.size for p in people if p.sex == s]) for s in ("female", "male")}
    tall = {s: np.mean([p.stature_cm for p in people if p.sex == s]) for s in ("female", "male")}
    assert 0.08 < size["male"] - size["female"] < 0.2
    assert tall["male"] - tall["female"] == pytest.approx(13.5, abs=3)
    assert np.corrcoef([p.stature_cm for p in people], [p.size for p in people])[0, 1] > 0.6


def test_sizes_stay_within_the_preset_and_shares_are_kept():
    people = drawn("hard", 400, t13=0.25, l6=0.5, arms=0.75, female=0.9)
    assert all(0.78 <= p.size <= 1.2 for p in people)
    shares = [np.mean(["T13" in p.extra_levels for p in people])]
    shares += [np.mean(["L6" in p.extra_levels for p in people]), np.mean([p.arms for p in people])]
    shares += [np.mean([p.sex == "female" for p in people])]
    assert shares == pytest.approx([0.25, 0.5, 0.75, 0.9], abs=0.08)
    assert {p.size for p in drawn("demo", 30)} != {0.98, 1.04}  # drawn again, not cut off


def test_a_patient_of_one_size_leaves_every_other_draw_alone():
    preset = load_preset("balanced")
    patient = drawn("balanced", 1)[0]
    one, two = (
        draw_subject(np.random.default_rng(5), p, {"L1": 2})
        for p in (preset, sized(preset, patient))
    )
    ratio = [b.depth / a.depth for a, b in zip(one.bodies, two.bodies, strict=True)]
    assert ratio == pytest.approx([ratio[0]] * len(ratio))
    assert [t.grade for t in one.truth] == [t.grade for t in two.truth]


def test_back_walls_are_hollow_but_not_at_l5():
    preset = load_preset("demo")
    patient = draw_patient(np.random.default_rng(0), preset)
    subject = draw_subject(np.random.default_rng(1), preset, {})
    shaped = with_patient(np.random.SeedSequence(2), preset, subject, patient)
    hollow = {body.name: body.hollow_mm for body in shaped.bodies}
    assert hollow["L2"] > 2 * hollow["L5"] > 0
    assert shaped.truth == subject.truth
