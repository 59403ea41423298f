import numpy as np

from spinexplain.data.phantom.wide.person import draw_wide_person, draw_wide_truth
from spinexplain.localizer.locate import ReadChain
from spinexplain.localizer.located import LocatedCenter
from spinexplain.reproduce import found_by_grade
from spinexplain.reproduce.found_by_grade import grades_of
from spinexplain.reproduce.found_scans import DrawnPersons, FoundScan

DRAWN = DrawnPersons("wide-test", seed=3, persons=2)


def chain(centers_mm):
    centers = tuple(LocatedCenter(tuple(center), 0.9) for center in centers_mm.tolist())
    return ReadChain(centers, np.zeros((len(centers), 27)), np.zeros(len(centers) - 1), (), 0.0)


def test_truth_is_that_of_the_whole_person():
    assert draw_wide_truth("wide-test", 3, 1) == draw_wide_person("wide-test", 3, 1).subject.truth
    assert grades_of(DRAWN, 1)["T12"] in (0, 1, 2, 3)


def test_bodies_are_counted_by_grade(monkeypatch):
    monkeypatch.setattr(
        found_by_grade, "grades_of", lambda _, person: {"T12": 3 * person, "L1": 0, "L2": 3}
    )
    truth = np.array([[0.0, 0, 60], [0, 0, 30], [0, 0, 0], [0, 0, -30]])
    levels = ("T12", "L1", "L2", "S1")
    both = FoundScan(0, "crops", levels, truth, chain(truth[[0, 1, 3]] + 2.0), np.zeros((0, 3)))
    none = FoundScan(1, "crops", levels, truth, None, np.zeros((0, 3)))
    counted = found_by_grade.found_by_grade(DRAWN, [both, none])
    assert counted["0"] == {"bodies": 3, "found": 2, "persons": 2}
    assert counted["3"] == {"bodies": 3, "found": 0, "persons": 2}
    assert counted["1"]["bodies"] == counted["2"]["bodies"] == 0
