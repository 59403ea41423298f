import numpy as np
import pandas as pd

from spinexplain.anatomy import VertebraLevel
from spinexplain.reproduce.dissection.opponents import level_shares, mask_heights, own_bodies
from spinexplain.reproduce.dissection.training_size import Persons


class Bodies:
    """A cohort of boxes with the mask of every body, and samples of some of its rows."""

    def __init__(self, levels, heights, rows, side):
        self.index = pd.DataFrame({"level": levels, "subject": ["p"] * len(levels)})
        self.heights, self.rows, self.side, self.cohort = heights, np.array(rows), side, self

    def read(self, kind, rows, missing):
        assert kind == "body_3d"
        masks = np.zeros((len(rows), 40, 40, 40), np.uint8)
        for at, row in enumerate(rows):
            code = VertebraLevel(self.index["level"][row]).verse_label
            masks[at, 10 : 10 + self.heights[row], 10:30, 10:30] = code
        return masks

    def column(self, name):
        return self.index[name].to_numpy()[self.rows]


def test_a_crushed_body_is_measured_against_its_neighbors_graded_or_not():
    spine = Bodies(["T12", "L1", "L2", "L5"], [16, 12, 20, 12], rows=[1, 2, 3], side=36)
    assert mask_heights(spine).round(6).tolist() == [0.4, 0.0, 0.0]


class Table:
    """A training set or samples, as far as levels and grades go."""

    def __init__(self, levels, grades=None):
        self.levels, self.grades = np.array(levels), np.array(grades)

    def column(self, name):
        return {"level": self.levels}[name]


def test_only_the_body_in_question_is_measured():
    codes = [VertebraLevel(level).verse_label for level in ("T12", "L1")]
    masks = np.array([[[codes]], [[codes]]])
    assert own_bodies(masks, np.array(["T12", "L1"]))[:, 0, 0].tolist() == [
        [True, False],
        [False, True],
    ]


def test_a_level_counts_as_often_as_it_was_fractured_and_an_unknown_one_a_half():
    learned = Table(["L1", "L1", "L1", "L4"], [2, 3, 0, 0])
    persons = Persons(learned, learned, Table(["L1", "L4", "T9"]))
    assert level_shares(persons).tolist() == [3 / 5, 1 / 3, 0.5]
