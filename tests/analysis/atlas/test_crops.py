from dataclasses import replace

import numpy as np
import pytest

from spinexplain.analysis.atlas.crops import training_data
from spinexplain.data.cohort import Cohort
from spinexplain.errors import ModelError
from spinexplain.train.grading.run_folder import open_run


def test_every_crop_is_found_again_in_its_cohort(finished_run):
    run, cohort = open_run(finished_run[0]), Cohort.open(finished_run[1])
    data = training_data(run, [cohort], run.split)
    assert 0 < len(data.training) < len(cohort)  # without validation
    for row in range(0, len(data.training), 5):
        found, place = data.places[int(data.training.origin[row])]
        assert found is cohort
        assert cohort.index["subject"][place] == data.training.subjects[row]
        patch = cohort.read("patches_2d", [place])[0]
        np.testing.assert_array_equal(patch, data.training.patches_hu[row])


def test_another_cohort_is_refused(finished_run, other_cohort):
    run = open_run(finished_run[0])
    with pytest.raises(ModelError, match="learned from other crops"):
        training_data(run, [Cohort.open(other_cohort)], "training")


def test_a_run_that_does_not_hold_its_settings_has_no_crops(finished_run):
    run = replace(open_run(finished_run[0]), config=None)
    with pytest.raises(ModelError, match="does not hold the settings"):
        training_data(run, [], None)
