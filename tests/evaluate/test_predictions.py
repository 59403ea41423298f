import numpy as np
import pandas as pd
import pytest

from spinexplain.errors import ConfigError, FileFormatError, ShapeError
from spinexplain.evaluate.predictions import (
    Origin,
    check_same_data,
    class_names,
    data_hash,
    judged,
    predictions_table,
    read_predictions,
    write_predictions,
)

ORIGIN = Origin("m", "b" * 64, "d" * 64, "c" * 64)
ROWS = pd.DataFrame(
    {
        "subject": ["a", "a", "b"],
        "series": ["s", "s", "t"],
        "level": ["T12", "L1", "L1"],
        "grade": ["G0", "G1", "G3"],
    }
)
CLASSES = ("G0", "G3")
SCORES = np.array([[0.9, 0.1], [0.5, 0.5], [np.nan, np.nan]])


def table(**changes):
    origin = Origin(**{**vars(ORIGIN), **changes})
    return predictions_table(
        origin, ROWS, CLASSES, SCORES, np.array([0, -1, 1]), reasons=["", "", "metal"]
    )


def test_what_is_written_is_read(tmp_path):
    write_predictions(table(), tmp_path / "p.parquet")
    read = read_predictions(tmp_path / "p.parquet")
    pd.testing.assert_frame_equal(read, table(), check_dtype=False)
    assert class_names(read) == CLASSES


def test_only_what_was_graded_and_has_a_class_is_judged():
    labels, scores = judged(table())
    assert labels.tolist() == [0]
    assert scores.tolist() == [[0.9, 0.1]]


def test_a_hash_of_the_data_ignores_order_and_sees_a_changed_grade():
    shuffled = ROWS.iloc[[2, 0, 1]]
    changed = ROWS.assign(grade=["G0", "G2", "G3"])
    assert data_hash(shuffled) == data_hash(ROWS) != data_hash(changed)


def test_a_missing_value_hashes_alike_as_none_and_nan():
    assert data_hash(ROWS.assign(loss=[None, 0.5, 1.0])) == data_hash(
        ROWS.assign(loss=[np.nan, 0.5, 1.0])
    )


def test_shapes_must_fit():
    with pytest.raises(ShapeError, match="one row a vertebra"):
        predictions_table(ORIGIN, ROWS, CLASSES, SCORES[:2], np.zeros(3, int))


def test_results_of_different_data_are_refused():
    assert check_same_data([table(), table(model="n")]) == "d" * 64
    with pytest.raises(ConfigError, match="2 different data sets"):
        check_same_data([table(), table(model="n", data_sha256="e" * 64)])


def test_results_of_different_tasks_are_refused():
    other = table().rename(columns={"p_G3": "p_G2"})
    with pytest.raises(ConfigError, match="different classes"):
        check_same_data([table(), other])


def test_broken_files_are_named(tmp_path):
    with pytest.raises(FileFormatError, match="no such file"):
        read_predictions(tmp_path / "none.parquet")
    (tmp_path / "text.parquet").write_text("no parquet")
    with pytest.raises(FileFormatError, match="parquet"):
        read_predictions(tmp_path / "text.parquet")
    table().drop(columns="fold").to_parquet(tmp_path / "short.parquet")
    with pytest.raises(FileFormatError, match="lacks fold"):
        read_predictions(tmp_path / "short.parquet")
