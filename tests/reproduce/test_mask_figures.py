import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from spinexplain.reproduce.mask_figures import auc, by_look_alike, by_mask, caught

ROWS = [
    # condition, subject, grade, measured_loss, called, detector, verdict, look-alikes
    ("exact", "a", 0, 0.05, "G0", -2.0, "no suspicion", "schmorl"),
    ("exact", "b", 0, 0.26, "G2", -1.0, "deformity rather than fracture?", "schmorl,limbus"),
    ("exact", "c", 1, 0.22, "G2", 1.0, "borderline", ""),
    ("exact", "d", 2, 0.30, "G0", 1.0, "borderline", ""),
    ("exact", "e", 3, 0.50, "G3", 2.0, "fracture suspected", ""),
    ("no mask", "a", 0, None, "G0", -2.0, "no suspicion", ""),
    ("no mask", "e", 3, None, "G3", 2.0, "fracture suspected", ""),
]
COLUMNS = ["condition", "subject", "grade", "measured_loss", "called", "detector"]
COLUMNS += ["verdict_together", "look_alikes"]


@pytest.fixture
def table():
    frame = pd.DataFrame(ROWS, columns=COLUMNS)
    return frame.assign(prototypes=frame["detector"])


def test_found_and_alarms_by_hand(table):
    found = by_mask(table)["exact"]
    assert found["vertebrae"] == [2, 2]
    assert (found["heights"]["found"], found["heights"]["alarms"]) == ([2, 2], [1, 2])
    assert (found["sheets"]["found"], found["sheets"]["alarms"]) == ([1, 2], [1, 2])
    assert (found["boxes"]["found"], found["boxes"]["alarms"]) == ([2, 2], [0, 2])
    assert found["verdict"]["found"] == [1, 2]
    assert found["verdict or borderline"]["found"] == [2, 2]


def test_who_says_nothing_finds_nothing(table):
    found = by_mask(table)["no mask"]["heights"]
    assert (found["found"], found["alarms"], found["silent"]) == ([0, 1], [0, 1], [2, 2])
    assert found["auc"]["value"] == 0.5


def test_the_area_is_that_of_sklearn():
    rng = np.random.default_rng(0)
    scores, positive = rng.integers(0, 5, 60), rng.random(60) < 0.4
    assert auc(scores, positive) == pytest.approx(roc_auc_score(positive, scores))


def test_look_alikes_count_in_each(table):
    found = by_look_alike(table, "exact")
    assert set(found) == {"schmorl", "limbus"}
    assert found["schmorl"]["heights"] == [1, 2]
    assert found["limbus"]["sheets"] == [1, 1]


def test_what_the_verdict_makes_of_mistakes(table):
    found = caught(table, "exact")
    assert found["false alarms"] == {"deformity rather than fracture?": 1}
    assert found["misses"] == {"borderline": 1}
