import json

import numpy as np
import pandas as pd
import pytest

from spinexplain.errors import FileFormatError
from spinexplain.jobs.batch.drift import (
    TrainingValues,
    chance_index,
    drift_from_training,
    dumped_training,
    known_training,
    read_training,
    stability_index,
)

RNG = np.random.default_rng(0)
HEALTHY, BROKEN = RNG.normal(150, 30, 400), RNG.normal(250, 30, 400)


def quantiles(values):
    return tuple(np.quantile(values, np.linspace(0, 1, 101)).tolist())


KNOWN = TrainingValues(
    "m 1",
    "a" * 64,
    "drawn by hand",
    800,
    {"body_hu": {"G0": quantiles(HEALTHY), "G2": quantiles(BROKEN)}},
)


def archive(hu, grades):
    names = [f"s{k // 5}" for k in range(len(hu))]
    vertebrae = pd.DataFrame({"name": names, "grade": grades, "body_hu": hu, "score": 0.9})
    scans = pd.DataFrame({"name": sorted(set(names)), "state": "graded", "spacing_x_mm": 0.5})
    return scans, vertebrae


def test_the_index_by_hand():
    """Ten old values, a bin each; all new ones in the last: (1 - .1) ln(1/.1) and nine empty."""
    old = np.arange(10.0)
    new = np.full(1000, 9.0)
    p = (np.array([0] * 9 + [1000]) + 0.5) / 1005
    q = np.full(10, (100 + 0.5) / 1005)
    expected = float(np.sum((p - q) * np.log(p / q)))
    assert stability_index(new, old, np.ones(10)) == pytest.approx(expected)


def test_a_cohort_against_itself_does_not_drift():
    """The cheap opponent: what chance alone gives, with as few scans as there are."""
    some = RNG.choice(HEALTHY, 500)
    (row, *_) = drift_from_training(*archive(some, ["G0"] * 500), KNOWN)
    assert row["verdict"] == "as in the training"
    assert row["index"] < row["by_chance"]
    assert chance_index(40, HEALTHY, np.ones(400)) > chance_index(400, HEALTHY, np.ones(400))


def test_more_fractures_are_no_drift_but_another_scanner_is():
    mixed = np.concatenate([RNG.choice(HEALTHY, 300), RNG.choice(BROKEN, 100)])
    grades = ["G0"] * 300 + ["G2"] * 100
    (same, *_) = drift_from_training(*archive(mixed, grades), KNOWN)
    (other, *_) = drift_from_training(*archive(mixed + 60, grades), KNOWN)
    assert same["verdict"] == "as in the training"
    assert other["verdict"] == "drifted"
    assert other["gap"] > same["gap"]
    # By the marginal mixture of the training, half of it fractured, the first would be called so.
    both = np.concatenate([HEALTHY, BROKEN])
    assert stability_index(mixed, both, np.ones(800)) > 0.1


def test_what_is_not_known_says_so():
    rows = drift_from_training(*archive(HEALTHY[:10], ["G0"] * 10), KNOWN)
    assert [row["verdict"] for row in rows][1:] == ["not known of the training"] * 3
    (row, *_) = drift_from_training(*archive([np.nan] * 10, ["G0"] * 10), KNOWN)
    assert row["verdict"] == "not known of this archive"
    assert known_training({"0" * 64}) is None


def test_values_are_kept_and_read_again(tmp_path):
    path = tmp_path / "training.json"
    path.write_text(json.dumps(dumped_training(KNOWN)))
    assert read_training(path) == KNOWN
    path.write_text("{}")
    with pytest.raises(FileFormatError, match="values of a training"):
        read_training(path)
