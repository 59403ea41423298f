import numpy as np
import pytest

from spinexplain.config.training import InputSpec
from spinexplain.data.cohort import Cohort
from spinexplain.errors import ConfigError
from spinexplain.models.bundle.store import load_grader
from spinexplain.study.cases import (
    Wanted,
    case_patch,
    check_spec,
    choose_cases,
    graded,
    is_right,
    target_mask,
)


@pytest.fixture(scope="module")
def grader(finished_run):
    return load_grader(finished_run[0] / "bundle", runtime="torch")


def test_asked_healthy_and_wrong_ones(other_cohort, grader):
    cohort = Cohort.open(other_cohort)
    chosen = choose_cases(cohort, "all", grader, Wanted(("G2",), 5, 3, 2), seed=3)
    grades = cohort.index["grade"].to_numpy(str)
    by_role = {
        role: [c.row for c in chosen if c.role == role] for role in ("asked", "healthy", "wrong")
    }
    assert len(by_role["asked"]) == 5
    assert all(grades[row] == "G2" for row in by_role["asked"])
    assert all(grades[row] == "G0" for row in by_role["healthy"])
    called = graded(cohort, by_role["wrong"] + by_role["healthy"], grader)
    assert all(called[row] != grades[row] for row in by_role["wrong"])
    assert all(called[row] == "G0" for row in by_role["healthy"])
    assert len({c.row for c in chosen}) == len(chosen)
    again = choose_cases(cohort, "all", grader, Wanted(("G2",), 5, 3, 2), seed=3)
    assert [c.row for c in again] == [c.row for c in chosen]


def test_a_split_without_them_is_refused(other_cohort, grader):
    with pytest.raises(ConfigError, match="no vertebra of G1 in split all"):
        choose_cases(Cohort.open(other_cohort), "all", grader, Wanted(("G1",)), seed=0)


def test_the_patch_is_the_middle_of_the_stored_one(other_cohort, grader):
    cohort = Cohort.open(other_cohort)
    patch = case_patch(cohort, 4, grader.spec)
    stored = cohort.read("patches_2d", [4])[0]
    np.testing.assert_array_equal(patch.array, stored[56:88, 56:88])
    mask = target_mask(cohort, 4, grader.spec)
    assert mask is not None
    assert mask.shape == patch.array.shape
    assert mask[16, 16]


def test_right_by_the_grades_behind_a_class(grader):
    assert is_right(grader, "G2", "G2")
    assert not is_right(grader, "G2", "G0")
    assert is_right(grader, "G1", "G0")  # the model knows no mild ones: nothing to be wrong about


def test_scaled_crops_are_refused():
    with pytest.raises(ConfigError, match="scaled to the body"):
        check_spec(InputSpec(body_height_mm=20.0))
