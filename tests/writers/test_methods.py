import copy
import json
from pathlib import Path

import pytest
from writers.methods import acts, gain, near_heights, on_one_set, plateaus, ranked
from writers.methods_reading import best_by_steps, heights_words, reading

FOUND = json.loads((Path(__file__).parents[2] / "docs/results/methods.json").read_text("utf-8"))


def pair(*sets: tuple[float, float, float, float]) -> dict:
    keys = ("value", "low", "high", "floor")
    return {
        "differences": {
            "a - b": {str(k): dict(zip(keys, one, strict=True)) for k, one in enumerate(sets)}
        }
    }


@pytest.mark.parametrize(
    ("sets", "word"),
    [
        (((0.10, 0.02, 0.2, 0.05), (0.08, 0.01, 0.2, 0.05)), "better"),
        (((-0.10, -0.2, -0.02, 0.05), (-0.08, -0.2, -0.01, 0.05)), "worse"),
        (((0.10, 0.02, 0.2, 0.05), (0.08, -0.01, 0.2, 0.05)), "undecided"),
        (((0.10, 0.02, 0.2, 0.15), (0.08, 0.01, 0.2, 0.05)), "undecided"),
    ],
)
def test_a_method_is_better_on_both_sets_and_beyond_what_seeds_differ_by(sets, word):
    assert ranked(pair(*sets), "a - b") == word


def test_the_term_acts_only_beyond_trainings_without_it():
    def runs(values):
        return {str(k): {"cosine_after": v, "winner_share": 0.5} for k, v in enumerate(values)}

    found = {"runs": {"protoverse": runs((0.25, 0.35)), "protoverse-lambda-0": runs((0.3, 0.5))}}
    assert acts(found) == {}
    found["runs"]["protoverse"] = runs((-0.1, 0.0))
    assert acts(found)["cosine_after"] == pytest.approx(-0.45)


def test_a_difference_on_one_set_is_said_though_the_rule_asks_for_both(monkeypatch):
    monkeypatch.setattr("writers.methods.RANKING", ("protoverse - baseline",))
    found = pair((-0.10, -0.2, -0.02, 0.05), (-0.08, -0.2, 0.01, 0.05))
    found["differences"] = {"protoverse - baseline": found["differences"]["a - b"]}
    assert "ProtoVerse − baseline on `0` −10.0." in on_one_set(found)
    found["differences"]["protoverse - baseline"]["0"]["floor"] = 0.2
    assert on_one_set(found) == ""


def test_a_gain_is_that_of_the_best_with_most_steps():
    steps = [{"steps": 8}, {"steps": 8}, {"steps": 16}, {"steps": 16}]
    assert gain({"candidates": steps}, [0.5, 0.6, 0.7, 0.4]) == pytest.approx(0.1)


def test_what_still_gains_is_not_at_a_plateau():
    steps = [{"steps": 8}, {"steps": 8}, {"steps": 16}]
    assert "all are at a plateau" in plateaus(
        {"candidates": steps, "validation": {"baseline": [0.5, 0.6, 0.61]}}
    )
    said = plateaus({"candidates": steps, "validation": {"baseline": [0.5, 0.6, 0.7]}})
    assert said.startswith("**No plateau**")
    assert "baseline +10.0" in said


def test_the_page_says_what_a_missing_plateau_leaves_open():
    said = reading(FOUND)
    assert "**No plateau: baseline and ProtoVerse** gain" in said
    assert "nor which one is best in the end" in said
    few, most = best_by_steps(FOUND, "baseline").values()
    assert f"baseline {100 * few:.1f} to {100 * most:.1f}" in said


def test_at_a_plateau_nothing_is_left_open_and_inner_rates_are_no_edge():
    found = copy.deepcopy(FOUND)
    found["validation"] = {name: [0.6, 0.5, 0.61, 0.4] for name in found["validation"]}
    assert "All are at a plateau" in reading(found)
    rates = (1e-4, 3e-4, 3e-4, 1e-3)
    for candidate, rate in zip(found["candidates"], rates, strict=True):
        candidate["trunk_lr"] = rate
    found["chosen"] = {name: 2 for name in found["chosen"]}
    assert "may lie outside" in reading(FOUND)
    assert "may lie outside" not in reading(found)


def test_what_every_training_shows_is_counted():
    assert "every training of baseline is above every one of ProtoVerse" in reading(FOUND)
    found = copy.deepcopy(FOUND)
    for run in found["runs"]["baseline"].values():
        run["f1_hard"] = run["f1_balanced"] = 0.1
    assert "every training of baseline" not in reading(found)


def test_trainings_that_heights_come_up_to_are_named():
    found = copy.deepcopy(FOUND)
    heights = found["opponents"]["heights in the mask"]
    for name in ("baseline", "protopnet", "protoverse"):
        for run in found["runs"][name].values():
            run["f1_balanced"] = run["f1_hard"] = 0.9
    heights["balanced"], heights["hard"] = 0.5, 0.5
    assert "every training is above them" in heights_words(found)
    assert near_heights(found) == ""
    found["runs"]["protoverse"]["0"]["f1_hard"] = 0.5
    assert "not above them are 1 of 3 trainings of ProtoVerse on `hard`." in heights_words(found)
    assert "not every training of ProtoVerse is above" in near_heights(found)
