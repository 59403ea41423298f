import copy
import json
from pathlib import Path

import pytest
from writers.methods import acts, near_heights, on_one_set, plateaus, ranked, tables
from writers.methods_reading import gains, heights_words, mean_curve, reading, winners
from writers.methods_rounds import earlier_words

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


def flat(gain: float = 0.0) -> dict:
    found = copy.deepcopy(FOUND)
    for runs in found["runs"].values():
        for run in runs.values():
            run["late_gain"] = gain
    return found


def test_a_gain_is_the_mean_of_the_trainings():
    found = flat(0.01)
    for run, gain in zip(found["runs"]["baseline"].values(), (0.0, 0.06, 0.0), strict=False):
        run["late_gain"] = gain
    runs = len(found["runs"]["baseline"])
    assert gains(found)["baseline"] == pytest.approx(0.06 / runs)
    assert gains(found)["protoverse"] == pytest.approx(0.01)
    assert len(mean_curve(found, "baseline")) == found["rounds"]["all"]


def test_what_still_gains_is_not_at_a_plateau():
    assert "All are at a plateau" in plateaus(flat(0.02))
    found = flat(0.02)
    for run in found["runs"]["baseline"].values():
        run["late_gain"] = 0.1
    said = plateaus(found)
    assert said.startswith("**No plateau**")
    assert "baseline +10.0" in said
    assert "**No plateau: baseline** gains" in reading(found)
    assert "nor which one is best in the end" in reading(found)


def test_at_a_plateau_nothing_is_left_open_and_inner_rates_are_no_edge():
    found = flat()
    assert "All are at a plateau" in reading(found)
    found["chosen"] = {name: found["rates"][1] for name in found["chosen"]}
    assert "may lie outside" not in reading(found)
    found["chosen"]["baseline"] = found["rates"][-1]
    assert "baseline the highest: **a better one may lie outside**" in reading(found)


def test_how_evenly_prototypes_of_a_class_win_is_said():
    found = copy.deepcopy(FOUND)
    for run in found["runs"]["protoverse"].values():
        run["winner_share"] = 0.5
    said = winners(found)
    assert "0.50" in said
    assert "ProtoVerse without the diversity term" in said
    assert "baseline" not in said


def test_what_every_training_shows_is_counted():
    found = copy.deepcopy(FOUND)
    for run in found["runs"]["baseline"].values():
        run["f1_hard"] = 1.0
    assert "every training of baseline is above every one of ProtoVerse" in reading(found)
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
    assert "all are above heights" in near_heights(found)
    found["runs"]["protoverse"]["0"]["f1_hard"] = 0.5
    assert "not above them are 1 of 3 trainings of ProtoVerse on `hard`." in heights_words(found)


def test_means_are_set_beside_heights_and_what_trainings_differ_by():
    found = copy.deepcopy(FOUND)
    heights = found["opponents"]["heights in the mask"]
    heights["balanced"] = heights["hard"] = 0.5
    for name, mean in (("baseline", 0.7), ("protopnet", 0.52), ("protoverse", 0.48)):
        for shift, run in zip((-0.02, 0.0, 0.02), found["runs"][name].values(), strict=True):
            run["f1_balanced"], run["f1_hard"] = mean + shift, min(mean, 0.52) + shift
    said = near_heights(found)
    assert "**On `balanced` only baseline** is above heights of the mask alone by more" in said
    assert "baseline +20.0, ProtoPNet +2.0, ProtoVerse −2.0; trainings differ by up to 4.0" in said
    assert "**On `hard` no method is above heights of the mask alone**" in said


def test_what_the_rule_said_after_fewer_rounds_is_written():
    said = earlier_words(FOUND)
    earlier = FOUND["after_fewer_rounds"]["8"]["protopnet - baseline"]["balanced"]
    assert said.startswith("After 8 rounds of these trainings: on `balanced`")
    assert f"ProtoPNet − baseline −{abs(100 * earlier['value']):.1f} (" in said
    assert "After 16 every interval holds 0" in said
    found = copy.deepcopy(FOUND)
    found["differences"]["protopnet - baseline"]["hard"]["low"] = 0.01
    assert "After 16 still without 0: ProtoPNet − baseline." in earlier_words(found)
    del found["after_fewer_rounds"]
    assert earlier_words(found) == ""


def test_what_differs_stands_beside_what_trainings_differ_by_on_each_set():
    lines = "\n".join(tables(FOUND))
    one = FOUND["differences"]["protoverse - protopnet"]
    assert "different source patches, of 9" in lines
    for test in ("balanced", "hard"):
        assert f"| {100 * one[test]['floor']:.1f} |" in lines
