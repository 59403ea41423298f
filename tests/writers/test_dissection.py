import json
from pathlib import Path

import pytest
from writers.dissection import page
from writers.dissection.shortcut import by_rule, exposed, plateaus_of_boxes, ruled
from writers.dissection.tables import table
from writers.dissection.training_size import trainings, verdict

FOUND = json.loads((Path(__file__).parents[2] / "docs/results/dissection.json").read_text())


def test_experiments_that_were_not_run_are_left_out():
    assert "planted shortcut" not in page.page_of({"sizes": FOUND["sizes"]})
    assert "planted shortcut" in page.page_of({"shortcut": FOUND["shortcut"]})


def test_rows_stand_under_their_head():
    assert table(["a", "b"], [["1", "2"]]) == "| a | b |\n|---|---|\n| 1 | 2 |\n"


@pytest.mark.parametrize(
    ("with_marks", "on_mark", "silenced", "said"),
    [
        (0.9, 5, 8, "its first units do: 5 of ten lie on it, 8 of ten fall silent"),
        (0.9, 0, 8, "Their place alone does not show it"),
        (0.9, 5, 0, "Not shown"),
        (0.65, 5, 8, "hardly uses them"),
    ],
)
def test_the_page_says_what_was_found(with_marks, on_mark, silenced, said):
    marked = {"auc": {"marked": with_marks, "plain": 0.6}, "on_mark": on_mark, "silenced": silenced}
    plain = {"auc": {"marked": 0.6, "plain": 0.6}, "on_mark": 0, "silenced": 0}
    assert said in exposed(marked, plain, "boxes")


@pytest.mark.parametrize(
    ("silenced", "lost", "word"),
    [
        ((7, 1), 0.3, "holds"),
        ((4, 1), 0.3, "fails"),
        ((7, 2), 0.3, "fails"),
        ((7, 0), 0.05, "undecided"),
    ],
)
def test_a_planted_mark_is_judged_by_silencing_alone(silenced, lost, word):
    marked = {"auc": {"marked": 0.9, "plain": 0.9 - lost}, "on_mark": 0, "silenced": silenced[0]}
    plain = {"auc": {"marked": 0.9, "plain": 0.9}, "on_mark": 9, "silenced": silenced[1]}
    rule = {"at_least": 5, "at_most": 1}
    assert by_rule(marked, plain, rule) == word
    networks = {"marked": {"0": marked}, "plain": {"0": plain}}
    said = ruled({"rule": rule, "seeds": [0], "networks": networks})
    start = {"holds": "**Dissection shows", "fails": "**Negative", "undecided": "**Undecided"}
    assert said.startswith(start[word])
    assert f"It was {silenced[0]} of ten by seed in the first, {silenced[1]} in the other." in said
    plain["auc"]["plain"] = 0.47
    beside = ruled({"rule": rule, "seeds": [0], "networks": networks})
    assert beside.startswith("**Undecided")
    assert "learned too little.** Its area" in beside


def test_a_seed_that_loses_little_without_marks_leaves_the_test_undecided():
    much = {"auc": {"marked": 0.9, "plain": 0.6}, "silenced": 8}
    little = {"auc": {"marked": 0.9, "plain": 0.89}, "silenced": 8}
    plain = {"auc": {"marked": 0.9, "plain": 0.9}, "silenced": 0}
    networks = {"marked": {"0": much, "1": little}, "plain": {"0": plain, "1": plain}}
    found = {"rule": {"at_least": 5, "at_most": 1}, "seeds": [0, 1], "networks": networks}
    said = ruled(found)
    assert said.startswith("**Undecided: the detector that learned with marks grades too well")
    assert "It loses 0.300, 0.010 of its area under the curve by seed" in said
    assert "tells the two detectors apart in 2 of 2 seeds" in said
    networks["plain"]["0"] = plain | {"silenced": 4}
    assert ruled(found).startswith("**Negative")


def test_trainings_that_are_not_at_a_plateau_are_named():
    flat, late = {"late_gain": 0.0}, {"late_gain": 0.034}
    found = {
        "seeds": [0, 1],
        "networks": {"marked": {"0": flat, "1": flat}, "plain": {"0": late, "1": flat}},
    }
    said = plateaus_of_boxes(found)
    assert said.startswith("3 of 4 trainings were at a plateau")
    assert said.endswith("; not the detector that learned without marks, seed 0 (+0.03).")
    found["networks"]["plain"]["0"] = flat
    assert "; not" not in plateaus_of_boxes(found)


def a_training(tied: float, lost: float, auc: float = 0.8, entropy: float = 0.2) -> dict:
    return {
        "tied": tied,
        "lost_beyond": {"mean": lost},
        "auc": {"mean": auc, "low": auc - 0.1, "high": auc + 0.1},
        "cross_entropy": entropy,
        "late_gain": 0.0,
    }


def sizes(few: list[dict], many: list[dict]) -> dict:
    runs = {name: dict(zip("012", made, strict=True)) for name, made in (("5", few), ("45", many))}
    return {"sizes": [5, 45], "runs": {"0": runs["5"], **runs}}


@pytest.mark.parametrize(
    ("few", "many", "start"),
    [
        ([(0, 0.0)] * 3, [(9, 0.5)] * 3, "**Patterns grow"),
        (
            [(0, 0.0), (5, 0.0), (0, 0.0)],
            [(9, 0.5), (6, 0.5), (2, 0.5)],
            "**Undecided at this size",
        ),
        ([(3, 0.1)] * 3, [(3, 0.5)] * 3, "**The paper's central claim fails"),
    ],
)
def test_growth_is_beyond_what_seeds_differ_by_or_undecided(few, many, start):
    found = sizes([a_training(*one) for one in few], [a_training(*one) for one in many])
    assert verdict(found).startswith(start)


def test_trainings_at_chance_decide_nothing_and_are_explained():
    blind = [a_training(9, 0.5, auc=0.52, entropy=e) for e in (0.1, 0.6)]
    found = sizes([a_training(0, 0.0)] * 3, [*blind, a_training(9, 0.5)])
    assert verdict(found).startswith("**Undecided: 2 of 3")
    assert "seed 0: memorized" in trainings(found)
    assert "seed 1: did not descend" in trainings(found)
