import numpy as np
import pytest

from spinexplain.config.shipped import DEFAULT_MODEL
from spinexplain.data.cohort import Cohort
from spinexplain.errors import ConfigError
from spinexplain.jobs.batch.drift import _shipped
from spinexplain.jobs.batch.training_values import training_values
from spinexplain.models.bundle.store import load_grader


def test_values_of_a_tiny_run(finished_run):
    """Crops of squares: the middle of every crop is measured, in the classes that are called."""
    cohort = Cohort.open(finished_run[1])
    grader = load_grader(finished_run[0])
    found = training_values([cohort], grader)
    assert found.vertebrae == (cohort.index["split"] == "training").sum()
    assert set(found.values["score"]) <= set(grader.classes)
    assert set(found.values["body_hu"]) == set(found.values["score"])
    scores = np.concatenate([list(row) for row in found.values["score"].values()])
    assert 1 / 3 <= scores.min() <= scores.max() <= 1
    assert found.weights_sha256 == grader.info.weights_sha256


def test_crops_scaled_to_the_body_are_refused(finished_run):
    from dataclasses import replace

    grader = load_grader(finished_run[0])
    spec = grader.spec.model_copy(update={"body_height_mm": 25.0})
    with pytest.raises(ConfigError, match="scaled to the body"):
        training_values([], replace(grader, spec=spec))


def test_the_package_holds_values_of_the_default():
    assert load_grader(DEFAULT_MODEL).info.weights_sha256 in _shipped()


@pytest.mark.parametrize("known", _shipped().values(), ids=lambda known: known.model)
def test_stored_values_are_quantiles_that_rise_of_the_models_classes(known):
    """Sheets know no spacing."""
    assert known.vertebrae > 600
    assert set(known.values) == {"body_hu", "score"}
    for by_class in known.values.values():
        assert set(by_class) <= {"G0", "G2", "G3"}
        assert all(list(row) == sorted(row) for row in by_class.values())
