import types

import numpy as np
import pytest

from spinexplain.data.cohort import Cohort
from spinexplain.data.crops.structures import BODY, OTHER, POSTERIOR, shares_on, structures_of


def fake_cohort(labels, body):
    index = {"level": types.SimpleNamespace(iloc={0: "L1"})}
    index["level"].iloc = np.array(["L1"])
    arrays = {"labels_2d": np.array([labels]), "body_2d": np.array([body])}
    return types.SimpleNamespace(
        index=index, read=lambda kind, rows, missing: arrays[kind].astype(np.uint8)
    )


def test_posterior_elements_are_the_label_without_the_body():
    labels = np.array([[20, 20, 20, 0, 21]])
    body = np.array([[20, 20, 0, 0, 21]])
    codes = structures_of(fake_cohort(labels, body), np.array([0]), 2)
    assert codes[0].tolist() == [[BODY, BODY, POSTERIOR, 0, OTHER]]


@pytest.mark.parametrize("missing", ["labels", "body"])
def test_nothing_is_said_of_a_crop_without_both_masks(missing):
    labels, body = np.full((1, 3), 20), np.full((1, 3), 20)
    (labels if missing == "labels" else body)[:] = 0
    codes = structures_of(fake_cohort(labels, body), np.array([0]), 2)
    assert not codes.any()
    assert shares_on(np.ones((1, 3), bool), codes[0]) is None


def test_of_a_stored_cohort(finished_run):
    codes = structures_of(Cohort.open(finished_run[1]), np.array([0, 5]), 2)
    assert np.sum(codes == BODY, axis=(1, 2)).tolist() == [256, 256]
    assert np.sum(codes == POSTERIOR, axis=(1, 2)).tolist() == [36, 36]


def test_shares_of_an_empty_region_are_unknown():
    assert shares_on(np.zeros(3, bool), np.array([1, 1, 0])) is None
