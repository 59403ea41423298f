from types import SimpleNamespace

import numpy as np
import pytest

from spinexplain.reproduce.silencing import design, half_of, mean_row, row_of, stated


def test_the_boxes_hold_the_mark_and_fit_the_encoder():
    config = design()
    assert config.input.extent_mm == 80  # marks lie 23 to 34 mm in front of the center
    assert config.input.size % 4 == 0
    assert config.detector.precision == "fp32"


def test_every_person_is_tested_once():
    persons = np.array([f"p{k // 3}" for k in range(30)])
    halves = [half_of(persons, number) for number in (0, 1)]
    assert (halves[0] ^ halves[1]).all()
    assert not set(persons[halves[0]]) & set(persons[halves[1]])


def odds(plain, marked=None):
    return {"plain": np.array(plain, float), "marked": np.array(marked or plain, float)}


def test_figures_by_hand():
    """Two of four right before, all four after: half of the vertebrae are gained."""
    truth = np.array([True, False, True, False])
    before, after = odds([1, 1, -1, -1]), odds([2, -1, 1, -3])
    row = row_of(before, after, truth, np.array(list("abcd")), [2, 2])
    assert row["plain"] == {"accuracy": 1, "sensitivity": 1, "specificity": 1, "auc": 1}
    assert row["gained"] == {"value": 0.5, "low": None, "high": None}  # four persons are too few
    alone = row_of(before, before, truth, np.array(list("abcd")), [2, 2])
    assert alone["plain"]["auc"] == pytest.approx(0.5)
    assert mean_row([row, alone])["gained"] == {"value": 0.25, "most": 0.5}


def test_what_is_stored_counts_both_folds():
    class Pair:
        positive = np.array([True, False])

        def __init__(self, persons):
            self.persons = persons

        def __len__(self):
            return 2

        def column(self, name):
            return np.array(self.persons)

    def fold(persons):
        pair = Pair(persons)
        return SimpleNamespace(tests={"plain": pair}, learned=pair)

    names = ("as trained", "silenced", "first ten")
    answer = {
        "rejected": [3],
        "lift": [8.0],
        "odds": {name: odds([1, -1]) for name in names},
        "at random": [odds([1, -1])] * 10,
    }
    content = stated([fold(["a", "b"]), fold(["c", "d"])], [answer, answer])
    assert (content["vertebrae"], content["fractured"]) == (4, 2)
    assert [one["units"] for one in content["folds"]] == [1, 1]
    assert content["rows"]["silenced"]["gained"]["value"] == 0
