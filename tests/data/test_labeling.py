from types import SimpleNamespace

import numpy as np
import pytest

from spinexplain.data.labeling import join_labels
from spinexplain.data.shard import SeriesShard, VertebraRow, shard_table
from spinexplain.errors import ConfigError


def series(subject, grades, split="training", twin_id=None, is_twin=False):
    return SimpleNamespace(
        subject=subject,
        series=subject,
        grades=grades,
        shapes=dict.fromkeys(grades, "wedge"),
        split=split,
        twin_id=twin_id,
        is_twin=is_twin,
        ratings={"L1": ("G2", "G3")} if not is_twin else {},
    )


def stored(*subjects):
    import pyarrow as pa

    return pa.concat_tables(
        shard_table(SeriesShard(name, name, [VertebraRow("T12"), VertebraRow("L1")], {}))
        for name in subjects
    )


def test_every_row_gets_the_labels_of_its_level():
    planned = [series("a", {"L1": "G2"}), series("b", {"T12": "x"}, "test", "t", True)]
    frame = join_labels(stored("a", "b"), planned, 2, seed=0).rows.to_pandas()
    frame = frame.astype(object).replace({np.nan: None})
    assert frame.grade.tolist() == [None, "G2", "x", None]
    assert frame["shape"].tolist() == [None, "wedge", "wedge", None]
    assert [list(row) for row in frame.ratings] == [[], ["G2", "G3"], [], []]
    assert frame.split.tolist() == ["training", "training", "test", "test"]
    assert frame.twin_id.tolist() == [None, None, "t", "t"]
    assert frame.healthy_twin.tolist() == [False, False, True, True]


def test_made_folds_stand_in_every_row():
    names = [f"s{number}" for number in range(6)]
    joined = join_labels(stored(*names), [series(n, {"L1": "G0"}) for n in names], 3, seed=0)
    assert set(joined.folds.values()) == {0, 1, 2}
    frame = joined.rows.to_pandas()
    assert frame.fold.tolist() == [joined.folds[subject] for subject in frame.subject]
    assert joined.remarks == ()


def test_given_folds_are_used():
    planned = [series("a", {}), series("b", {})]
    joined = join_labels(stored("a", "b"), planned, {"a": 4, "other": 1}, seed=0)
    assert joined.folds == {"a": 4}
    assert joined.rows["fold"].to_pylist() == [4, 4, None, None]
    assert joined.remarks == ("1 subjects have no fold in the CSV: b",)


def test_too_few_subjects_for_folds():
    joined = join_labels(stored("a"), [series("a", {})], None, seed=0)
    assert joined.folds == {}
    assert joined.remarks == ("no folds were made: 1 subjects are fewer than 5",)


@pytest.mark.parametrize(("names", "said"), [("a", "there is one subject"), ("abc", "2 to 3")])
def test_folds_that_were_asked_for_are_made_or_refused(names, said):
    planned = [series(name, {}) for name in names]
    with pytest.raises(ConfigError, match=rf"folds is 5.* {said}"):
        join_labels(stored(*names), planned, 5, seed=0)


def test_five_folds_are_made_unless_told_otherwise():
    names = "abcde"
    joined = join_labels(stored(*names), [series(name, {}) for name in names], None, seed=0)
    assert sorted(joined.folds.values()) == [0, 1, 2, 3, 4]
    assert join_labels(stored("a").slice(0, 0), [], 5, seed=0).folds == {}
