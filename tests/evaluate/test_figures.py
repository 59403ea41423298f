import json

import numpy as np
import pandas as pd
import pytest

from spinexplain.errors import ConfigError
from spinexplain.evaluate.figures import headline, summarize, used_rows, without_nan
from spinexplain.evaluate.predictions import Origin, predictions_table

CLASSES = ("G0", "G2", "G3")


def make_table(n=60, seed=0, model="m", right=0.8, fold=-1, data="d"):
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % 3
    hit = rng.random(n) < right
    called = np.where(hit, labels, (labels + 1) % 3)
    scores = 0.6 * np.eye(3)[called] + 0.4 / 3
    rows = pd.DataFrame(
        {
            "subject": [f"s{i // 3:03d}" for i in range(n)],
            "series": "ct",
            "level": np.array(["T12", "L1", "L2"])[np.arange(n) % 3],
            "grade": np.array(CLASSES)[labels],
        }
    )
    return predictions_table(Origin(model, "b", data, "c"), rows, CLASSES, scores, labels, fold)


def test_the_summary_holds_what_loops_count():
    table = make_table()
    summary = summarize(table, draws=100)
    labels = table["label"].to_numpy()
    called = table[[f"p_{name}" for name in CLASSES]].to_numpy().argmax(axis=1)
    assert summary["vertebra"]["sample_accuracy"]["value"] == pytest.approx(
        np.mean(labels == called)
    )
    assert summary["vertebra"]["class_average_accuracy"]["value"] == pytest.approx(
        np.mean([np.mean(called[labels == k] == k) for k in range(3)])
    )
    assert [row["level"] for row in summary["levels"]] == ["T12", "L1", "L2"]
    assert sum(row["count"] for row in summary["levels"]) == 60
    assert summary["scans"]["scans"] == 20
    assert summary["scans"]["positive"] == 20
    assert summary["scans"]["specificity"] is None
    found = summary["vertebra"]["class_average_f1"]
    assert found["low"] < found["value"] < found["high"]


def test_it_is_json_and_the_same_every_time():
    one, two = (json.dumps(summarize(make_table(), draws=50), allow_nan=False) for _ in range(2))
    assert one == two


def test_what_was_not_graded_is_counted_and_left_out():
    table = make_table()
    table.loc[:9, "assessable"] = False
    table.loc[10:14, "label"] = -1
    summary = summarize(table, draws=50)
    assert (summary["vertebrae"], summary["not_assessable"], summary["without_class"]) == (
        45,
        10,
        5,
    )


def test_grades_that_are_no_class_are_shown_by_what_they_were_called():
    table = make_table(right=1.0)
    mild = table["label"] == 0
    table.loc[mild, ["grade", "label"]] = ["G1", -1]
    table.loc[table.index[mild][:3], "assessable"] = False
    summary = summarize(table, draws=50)
    assert summary["unknown_grades"] == {"G1": [17, 0, 0]}
    assert sum(map(sum, summary["confusion"])) == 40
    assert summarize(make_table(), draws=50)["unknown_grades"] == {}


def test_an_absent_class_has_no_recall_and_no_interval():
    table = make_table()
    summary = summarize(table[table["label"] != 2].reset_index(drop=True), draws=50)
    assert summary["class_figures"][2]["recall"] is None
    assert summary["recall_intervals"]["G3"]["note"] == "no such vertebra"


def test_nothing_graded_is_refused():
    table = make_table()
    table["assessable"] = False
    with pytest.raises(ConfigError, match="none of the 60"):
        used_rows(table)


def test_headline_by_hand():
    found = headline(np.array([0, 0, 1, 2]), np.array([0, 1, 1, 1]), 3)
    assert found["class_average_accuracy"] == pytest.approx((0.5 + 1 + 0) / 3)
    assert found["class_average_f1"] == pytest.approx((2 / 3 + 0.5 + 0) / 3)
    assert found["sample_accuracy"] == 0.5


def test_no_nan_survives():
    assert without_nan({"a": (float("inf"), [float("nan"), 1])}) == {"a": [None, [None, 1]]}


@pytest.mark.parametrize("classes", [("no fracture", "fracture"), ("fracture", "no fracture")])
def test_figures_of_scans_do_not_depend_on_the_order_of_the_classes(classes):
    """Four scans of one vertebra: two fractured, one of them found; one false alarm."""
    fractured, score = np.array([1, 1, 0, 0], bool), np.array([0.9, 0.4, 0.6, 0.1])
    place = classes.index("fracture")
    labels = np.where(fractured, place, 1 - place)
    scores = np.zeros((4, 2))
    scores[:, place], scores[:, 1 - place] = score, 1 - score
    rows = pd.DataFrame(
        {
            "subject": list("abcd"),
            "series": "ct",
            "level": "L1",
            "grade": np.where(labels, "x", "y"),
        }
    )
    table = predictions_table(Origin("m", "b", "d", "c"), rows, classes, scores, labels)
    scans = summarize(table, draws=20)["scans"]
    assert (scans["positive"], scans["sensitivity"], scans["specificity"]) == (2, 0.5, 0.5)
    assert scans["auc"] == 0.75
