import pytest
from writers.methods import acts, gain, on_one_set, plateaus, ranked


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
    assert said.startswith("**Not all are at a plateau**")
    assert "baseline +10.0" in said
