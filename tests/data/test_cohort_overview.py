import pandas as pd

from spinexplain.data.cohort_overview import read_summary, summarize, write_summary
from spinexplain.data.plan import LeftOut

INDEX = pd.DataFrame(
    [
        ("a", "a1", "L1", "G2", "training", ["metal"]),
        ("a", "a2", "T7", "G0", "training", []),
        ("a", "a2", "L1", None, "training", ["metal", "fold"]),
        ("b", "b1", "T7", "x", None, []),
    ],
    columns=["subject", "series", "level", "grade", "split", "flags"],
)
LEFT_OUT = [
    LeftOut("c1", None, "no CT"),
    LeftOut("a1", "C7", "cervical"),
    LeftOut("a2", "C7", "cervical"),
]


def test_counts_by_grade_level_and_split():
    summary = summarize(INDEX, LEFT_OUT, ["look here"])
    empty = {"G0": 0, "G1": 0, "G2": 0, "G3": 0, "x": 0, "not graded": 0}
    assert (summary["vertebrae"], summary["series"], summary["subjects"]) == (4, 3, 2)
    assert summary["by_split"] == {
        "training": empty | {"G0": 1, "G2": 1, "not graded": 1},
        "no split": empty | {"x": 1},
    }
    assert summary["by_level"] == {
        "T7": empty | {"G0": 1, "x": 1},
        "L1": empty | {"G2": 1, "not graded": 1},
    }
    assert list(summary["by_level"]) == ["T7", "L1"]
    assert summary["flags"] == {"fold": 1, "metal": 2}
    assert summary["left_out"][0] == {"series": "c1", "level": None, "reason": "no CT"}
    assert summary["remarks"] == ["look here"]


def test_the_file_holds_the_summary(tmp_path):
    summary = summarize(INDEX, LEFT_OUT)
    write_summary(tmp_path / "summary.json", summary)
    assert read_summary(tmp_path / "summary.json") == summary
