import numpy as np
import pandas as pd
import pytest

from spinexplain.jobs.batch.index import SCAN_COLUMNS, VERTEBRA_COLUMNS
from spinexplain.jobs.batch.prevalence import summarize


def _tables(rows, scans=(("a", "graded"), ("b", "graded"))):
    vertebrae = pd.DataFrame(rows, columns=list(VERTEBRA_COLUMNS)).astype(VERTEBRA_COLUMNS)
    table = pd.DataFrame(
        [{"name": name, "state": state, "reason": "GeometryError"} for name, state in scans],
        columns=list(SCAN_COLUMNS),
    ).astype(SCAN_COLUMNS)
    return table, vertebrae


KEYS = ("name", "level", "age", "sex", "grade", "fractured", "height_loss_class")
ROWS = [
    dict(zip(KEYS, row, strict=True))
    for row in (
        ("a", "L1", 72, "F", "G2", True, 2),
        ("a", "T12", 72, "F", "G0", False, 0),
        ("b", "L1", 49, "M", "G0", False, None),
        ("b", "L2", 49, "M", None, None, None),
    )
]


def test_counts_one_can_do_on_paper():
    found = summarize(*_tables(ROWS, (("a", "graded"), ("b", "graded"), ("c", "refused"))))
    assert found["scans"] == {"graded": 2, "refused": 1}
    assert found["refusals"] == {"GeometryError": 1}
    assert (found["vertebrae"], found["not_assessable"], found["with_fracture"]) == (4, 1, 1)
    assert [row["group"] for row in found["levels"]] == ["T12", "L1"]
    assert found["levels"][1] == {
        "group": "L1",
        "graded": 2,
        "fractured": 1,
        "lost": 1,
        "share": 0.5,
    }
    assert [(row["group"], row["graded"]) for row in found["ages"]] == [
        ("under 50", 1),
        ("70 to 79", 2),
    ]
    assert [(row["group"], row["share"]) for row in found["sexes"]] == [("F", 0.5), ("M", 0.0)]
    assert found["drift"] is None


def test_unknown_age_and_sex_are_left_out():
    rows = [
        {"name": "a", "level": "L1", "age": None, "sex": "", "grade": "fracture", "fractured": True}
    ]
    found = summarize(*_tables(rows))
    assert found["ages"] == []
    assert found["sexes"] == []
    assert found["levels"][0]["share"] == 1


def test_nothing_graded():
    found = summarize(*_tables([], (("a", "crashed"),)))
    assert found["levels"] == []
    assert found["with_fracture"] == 0


@pytest.mark.parametrize(("shift", "drifted"), [(0, False), (200, True)])
def test_drift_of_hu(shift, drifted):
    rng = np.random.default_rng(0)

    def rows(offset):
        return [
            {"name": "a", "level": "L1", "sex": "", "grade": "G0", "body_hu": value + offset}
            for value in rng.normal(150, 40, 300)
        ]

    found = summarize(*_tables(rows(shift)), reference=_tables(rows(0)))
    (row,) = [row for row in found["drift"] if row["what"] == "body_hu"]
    assert row["drifted"] == drifted
    assert row["median"] - row["median_before"] == pytest.approx(shift, abs=12)
