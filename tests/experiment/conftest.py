"""A toy cohort on folds."""

import pytest

from spinexplain.config.entries import parse_entry
from spinexplain.experiment.crossval import Plan, folded_data


@pytest.fixture
def toy_folded(toy_cohort, tiny_preset):
    """Return 48 toy vertebrae of 24 subjects on 2 folds."""
    return folded_data(toy_cohort(), Plan((parse_entry(str(tiny_preset)),), folds=2))
