import numpy as np
import pytest

from spinexplain.analysis.explanations.assemble import scoring_of
from spinexplain.analysis.explanations.paired import paired_differences
from spinexplain.errors import ShapeError


@pytest.fixture(scope="module")
def scoring(drawn):
    return scoring_of(drawn.bench, seed=0, draws=100)


def test_a_map_is_no_better_than_itself(scoring, oracle_maps):
    found = paired_differences(scoring, oracle_maps, oracle_maps)
    assert set(found) == {"endplate", "third", "top_share"}
    for one in found.values():
        assert one["value"] == one["low"] == one["high"] == 0


def test_true_evidence_is_ahead_of_its_opposite_and_signs_turn_with_the_order(scoring, oracle_maps):
    opposite = 1 - oracle_maps
    ahead = paired_differences(scoring, oracle_maps, opposite)
    behind = paired_differences(scoring, opposite, oracle_maps)
    assert ahead["endplate"]["value"] == 1.0
    assert ahead["top_share"]["low"] > 0
    for name, one in ahead.items():
        assert behind[name]["value"] == pytest.approx(-one["value"])


def test_maps_of_other_vertebrae_are_refused(scoring, oracle_maps):
    with pytest.raises(ShapeError, match="their maps are of 2 vertebrae"):
        paired_differences(scoring, oracle_maps, np.zeros((2, *oracle_maps.shape[1:])))
