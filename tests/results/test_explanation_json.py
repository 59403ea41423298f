import numpy as np

from spinexplain.results.explanation_json import explanation_of, sides_of
from spinexplain.types import Evidence, Exemplar, Explanation, Provenance, SideEvidence


def test_evidence_keeps_its_rank_its_map_and_what_it_is_like():
    like = Exemplar(None, np.zeros((2, 2)), Provenance("sub-7", "ct", "L2", "G2", True), (0, 1))
    first, second = (
        Evidence(name, "G2", np.zeros((2, 2)), score, {"similarity": 1 / 3}, (like,))
        for name, score in (("G2 prototype 1", 1.23456789), ("G2 prototype 2", 0.5))
    )
    made = Explanation(None, "G2", "prototypes", "contribution to the logit", (first, second), True)
    found = explanation_of(made, {1: "heatmaps/second.nii.gz"})
    assert [one.heatmap for one in found.evidence] == [None, "heatmaps/second.nii.gz"]
    assert found.evidence[0].score == 1.234568
    assert found.evidence[0].terms == {"similarity": 0.333333}
    assert found.evidence[1].exemplars[0].model_dump() == {
        "subject": "sub-7",
        "level": "L2",
        "grade": "G2",
        "synthetic": True,
    }


def test_no_explanation_is_none():
    assert explanation_of(None, {}) is None


def test_the_graver_side_is_laid_out_as_it_was_found():
    maps = (np.zeros((2, 2)),) * 3
    found = sides_of(SideEvidence((-8.0, 0.0, 8.0), (0.5, 2.0, 1.1234567), maps, 0.6234567, 0.6))
    assert found.model_dump(mode="json") == {
        "side": "left",
        "difference": 0.623457,
        "least_difference": 0.6,
        "offsets_mm": [-8.0, 0.0, 8.0],
        "expected_grades": [0.5, 2.0, 1.123457],
    }
    assert sides_of(None) is None
