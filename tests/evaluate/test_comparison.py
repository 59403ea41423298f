import numpy as np
import pandas as pd
import pytest

from spinexplain.errors import ConfigError
from spinexplain.evaluate.comparison import compare, compare_all, fold_figures
from spinexplain.evaluate.predictions import Origin, predictions_table

CLASSES = ("G0", "G3")


def folded(model, wrong=(), n=40, data="d"):
    """Predictions over 5 folds that are wrong in the given rows."""
    labels = np.arange(n) % 2
    called = labels.copy()
    called[list(wrong)] = 1 - called[list(wrong)]
    rows = pd.DataFrame(
        {
            "subject": [f"s{i:02d}" for i in range(n)],
            "series": "ct",
            "level": "L1",
            "grade": np.array(CLASSES)[labels],
        }
    )
    table = predictions_table(
        Origin(model, "b", data, "c"), rows, CLASSES, np.eye(2)[called], labels
    )
    return table.assign(fold=np.arange(n) // 8)


def test_fold_figures_are_those_of_each_fold():
    figures = fold_figures(folded("a", wrong=[0, 8, 9]))
    assert figures["sample_accuracy"] == pytest.approx([7 / 8, 6 / 8, 1, 1, 1])


def test_a_difference_is_first_minus_second():
    found = compare(folded("a"), folded("b", wrong=range(10)), draws=200)
    assert (found["first"], found["second"]) == ("a", "b")
    difference = found["differences"]["sample_accuracy"]
    assert difference["value"] == pytest.approx(0.25)
    assert 0.1 < difference["low"] < 0.25 < difference["high"] < 0.4
    assert found["mcnemar"]["p_two_sided"] == pytest.approx(2 / 2**10)
    names = [result["test"] for result in found["tests"]["class_average_f1"]]
    assert names == ["Wilcoxon", "corrected t-test"]


def test_a_model_equals_itself():
    found = compare(folded("a", wrong=[3]), folded("b", wrong=[3]), draws=50)
    assert found["differences"]["class_average_f1"] == {
        "value": 0.0,
        "low": 0.0,
        "high": 0.0,
        "note": "",
    }
    assert found["mcnemar"]["p_two_sided"] is None
    assert all(r["p_two_sided"] is None for r in found["tests"]["sample_accuracy"])


def test_other_data_or_other_vertebrae_are_refused():
    with pytest.raises(ConfigError, match="different data"):
        compare(folded("a"), folded("b", data="e"))
    with pytest.raises(ConfigError, match="not the same ones"):
        compare(folded("a"), folded("b", n=32))


def test_every_pair_is_compared_once_later_against_earlier():
    pairs = compare_all({name: folded(name) for name in "abc"})
    assert [(p["first"], p["second"]) for p in pairs] == [("b", "a"), ("c", "a"), ("c", "b")]
