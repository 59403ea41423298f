from pathlib import Path

import pytest

from spinexplain.errors import ConfigError
from spinexplain.experiment.trials_sources import check_apart, parse_source, read_source


def test_a_plus_sign_joins_cohorts_unless_the_folder_has_it(tmp_path):
    assert parse_source("a/x+b/y", None).cohorts == (Path("a/x"), Path("b/y"))
    (tmp_path / "x+y").mkdir()
    assert parse_source(str(tmp_path / "x+y"), None).cohorts == (tmp_path / "x+y",)


def test_subjects_of_joined_cohorts_stay_apart(box_cohort):
    one, two = box_cohort("one", 2), box_cohort("two", 2, seed=1)
    data = read_source(parse_source(f"{one}+{two}", None), 3)
    assert len(data) == 16
    assert set(data.subjects) == {"one/sub-0", "one/sub-1", "two/sub-0", "two/sub-1"}
    assert data.target is None


def test_a_split_is_kept_to(box_cohort):
    path = box_cohort("one", 2, split="test")
    with pytest.raises(ConfigError, match="in split training"):
        read_source(parse_source(str(path), "training"), 3)


def test_a_subject_on_both_sides_is_refused(box_cohort):
    one = box_cohort("one", 2)
    with pytest.raises(ConfigError, match=r"is in training \(one\) and in testing \(one\)"):
        check_apart([parse_source(str(one), None)], [parse_source(str(one), None)])


def test_the_same_scan_in_another_cohort_is_refused(box_cohort, tmp_path):
    one = box_cohort("one", 2)
    copy = tmp_path / "copy"
    import shutil

    shutil.copytree(one, copy)
    with pytest.raises(ConfigError, match="the CT of subject sub-"):
        check_apart([parse_source(str(one), None)], [parse_source(str(copy), None)])


def test_equal_names_of_different_patients_are_no_leak(box_cohort):
    one, two = box_cohort("one", 2), box_cohort("two", 2, seed=1)
    check_apart([parse_source(str(one), None)], [parse_source(str(two), None)])
