from dataclasses import replace

import numpy as np
import pytest

from spinexplain.data.cohort import Cohort
from spinexplain.errors import ConfigError
from spinexplain.train.curation.corrections import (
    changes,
    check_not_held_out,
    known_subject,
    with_corrections,
)


@pytest.fixture
def parts(toy_set, toy_config):
    """Ten subjects to learn from, five to be judged by, and two corrected vertebrae."""
    data = toy_set(30)
    training, validation = data.take(np.arange(20)), data.take(np.arange(20, 30))
    corrected = toy_set(2, seed=9)
    corrected = replace(
        corrected,
        subjects=np.array(["sub-3", "reader1"]),
        levels=np.array(["L1", "T12"]),
        grades=np.array([2, 3]),
    )
    return training, validation, corrected, toy_config()


def test_a_corrected_row_takes_the_place_of_the_one_it_corrects(parts):
    training, validation, corrected, config = parts
    found = with_corrections(training, validation, corrected, config)
    assert len(found) == 20 - 1 + 2
    assert found.added.tolist() == [False] * 19 + [True] * 2
    same = (found.subjects == "sub-3") & (found.levels == "L1")
    assert found.grades[same].tolist() == [2]
    assert found.added[same].all()
    # Its other vertebra, which nobody corrected, is still there.
    assert ((found.subjects == "sub-3") & (found.levels == "T12")).sum() == 1


def test_nobody_of_validation_enters_training(parts):
    training, validation, corrected, config = parts
    leaked = replace(corrected, subjects=np.array(["reader1", str(validation.subjects[0])]))
    with pytest.raises(ConfigError, match="set aside for validation"):
        with_corrections(training, validation, leaked, config)


def test_what_only_the_cohort_knows_is_kept_and_empty_in_corrections(parts):
    training, validation, corrected, config = parts
    known = replace(
        training,
        evidence=training.target.copy(),
        part=training.target.copy(),
        twins=np.zeros(20, bool),
    )
    found = with_corrections(known, validation, corrected, config)
    assert found.evidence[:19].any()
    assert not found.evidence[19:].any()
    assert set(np.unique(found.part[19:])) == set(range(13))  # from the body itself
    assert not found.twins.any()


def test_grades_of_no_class_teach_nothing(parts):
    training, validation, corrected, config = parts
    mild = replace(corrected, grades=np.array([1, 1]))
    with pytest.raises(ConfigError, match="no corrected vertebra has a grade"):
        with_corrections(training, validation, mild, config)


def test_a_scan_is_recognized_by_its_file_or_its_pixels(finished_run):
    cohort = Cohort.open(finished_run[1])
    patches = cohort.read("patches_2d", [5, 6])
    assert known_subject(cohort, "", patches[1:], "patches_2d") == cohort.index["subject"][6]
    assert known_subject(cohort, "f" * 64, patches + 1, "patches_2d") is None


def test_somebody_held_out_is_refused(toy_cohort):
    cohort = toy_cohort(n=12, split=0.5)
    held = str(cohort.index["subject"][cohort.index["split"] == "test"].iloc[0])
    with pytest.raises(ConfigError, match="split test"):
        check_not_held_out(cohort, "training", held, "x.zip")
    check_not_held_out(cohort, None, held, "x.zip")
    check_not_held_out(cohort, "test", held, "x.zip")
    check_not_held_out(cohort, "training", "somebody else", "x.zip")


def test_changes_are_between_the_models():
    rows = changes(["L1", "L2"], ["a", "a"], ["G0", None], ["G2", "G0"], ["G0", "G0"])
    assert [row["changed"] for row in rows] == [False, False]
    assert [row["follows_reader"] for row in rows] == [False, True]
