import numpy as np

from spinexplain.anatomy import VertebraLevel
from spinexplain.reproduce.dissection.opponents import level_shares, own_bodies
from spinexplain.reproduce.dissection.training_size import Persons


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
