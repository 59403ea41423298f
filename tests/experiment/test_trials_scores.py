import numpy as np
import pandas as pd
import pytest

from spinexplain.experiment.trials_scores import (
    GradedBoxes,
    class_sizes,
    height_losses,
    store_scores,
)
from spinexplain.experiment.trials_sources import parse_source


@pytest.fixture
def both(box_cohort):
    return parse_source(f"{box_cohort('one', 2)}+{box_cohort('two', 1, seed=1)}", None)


def test_boxes_are_cut_once_and_grades_in_no_class_are_left_out(both, tiny_detector):
    boxes = GradedBoxes(tiny_detector)
    data = boxes.of(both.parts[0])
    assert set(data.grades) == {0, 2}
    assert data.patches_hu.shape[1:] == (round(tiny_detector.input.extent_mm),) * 3
    assert boxes.of(both.parts[0]) is data


def test_sizes_count_what_is_in_a_class(both, tiny_detector):
    sizes = class_sizes(both, tiny_detector)
    each = [class_sizes(part, tiny_detector) for part in both.parts]
    assert sizes == {name: sum(one[name] for one in each) for name in sizes}
    assert sizes == {"vertebrae": 9, "fractures": 3}


def test_stored_scores_follow_the_cohorts_and_their_vertebrae(both, tiny_detector, tmp_path):
    boxes = GradedBoxes(tiny_detector)
    scores = {part: height_losses(boxes.of(part)) for part in both.parts}
    store_scores(tmp_path / "p" / "all.parquet", boxes, both, scores)
    table = pd.read_parquet(tmp_path / "p" / "all.parquet")
    assert [name.split("/")[0] for name in table["subject"]] == ["one"] * 6 + ["two"] * 3
    np.testing.assert_array_equal(table["score"], np.concatenate(list(scores.values())))
    assert table["label"].tolist() == [int(grade == "G2") for grade in table["grade"]]


def test_the_order_of_the_classes_turns_nothing_around(both, tiny_detector, tmp_path):
    turned = tiny_detector.model_copy(update={"classes": tiny_detector.classes[::-1]})
    assert turned.classes == ("fracture", "no fracture")
    assert class_sizes(both, turned) == {"vertebrae": 9, "fractures": 3}
    labels = []
    for name, config in (("a", tiny_detector), ("b", turned)):
        boxes = GradedBoxes(config)
        scores = {part: height_losses(boxes.of(part)) for part in both.parts}
        store_scores(tmp_path / name, boxes, both, scores)
        labels.append(pd.read_parquet(tmp_path / name)["label"].tolist())
    assert labels[0] == labels[1]
