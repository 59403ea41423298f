import numpy as np
import pytest

from spinexplain.analysis.curation import Judged, accuracy_gain, judge, validation_bench
from spinexplain.data.cohort import Cohort
from spinexplain.train.curation.sets import curation_sets
from spinexplain.train.grading.run_folder import open_run
from spinexplain.train.grading.validate import validate


@pytest.fixture
def case(finished_run):
    opened = open_run(finished_run[0])
    cohort = Cohort.open(finished_run[1])
    return opened, cohort, curation_sets(opened.config, cohort, opened.split)


def test_grades_are_those_of_the_training_and_prototypes_by_hand(case):
    opened, cohort, sets = case
    scoring = validation_bench(cohort, opened.grader, "training", sets.validation_subjects, 0)
    found = judge(opened.grader, sets.validation, scoring)
    slow = validate(opened.model, sets.validation, opened.config)
    assert found.figures["grades"] == pytest.approx(slow)
    assert found.right.mean() == pytest.approx(slow["accuracy"])
    shares = np.array(found.figures["prototypes"]["winner_share"]).reshape(3, 2)
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    # The toy fractures are drawn with an evidence mask: tops (G2) and fronts (G3).
    assert set(found.figures["evidence"]["localization"]) > set()
    assert found.figures["evidence"]["vertebrae"] == len(sets.validation)


def test_only_validation_subjects_are_on_the_bench(case):
    opened, cohort, sets = case
    scoring = validation_bench(cohort, opened.grader, "training", sets.validation_subjects, 0)
    assert set(scoring.bench.subjects) == set(sets.validation_subjects)
    assert validation_bench(cohort, opened.grader, "test", sets.validation_subjects, 0) is None


def test_a_gain_of_the_same_model_is_nothing():
    right = np.arange(40) % 3 > 0
    names = np.repeat(np.arange(20), 2).astype(str)
    found = accuracy_gain(Judged({}, right), Judged({}, right), names, 1)
    assert found["value"] == found["low"] == found["high"] == 0
