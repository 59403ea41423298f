import numpy as np
import pytest

from spinexplain.analysis.explanations.opponents import evidence_rows, opponents_of, prior_maps
from spinexplain.evaluate.explanations.localization import METRICS, top_share

BODY = "mean evidence in the body's frame"


@pytest.fixture(scope="module")
def opponents(drawn):
    regions = {question: drawn.bench.regions(question) for question in ("endplate", "third")}
    return opponents_of(drawn.bench, regions, seed=0)


def test_only_fractures_with_evidence_are_scored(drawn):
    rows = evidence_rows(drawn.bench)
    assert drawn.bench.fractured[rows].all()
    assert drawn.bench.masks["evidence"][rows].reshape(len(rows), -1).any(axis=1).all()


def test_every_prior_has_every_figure(drawn, opponents):
    maps = opponents.example
    assert len(maps) == 7
    for metric, by_prior in opponents.figures.items():
        assert metric in METRICS
        assert set(by_prior) == set(maps)
        for name, values in by_prior.items():
            expected = METRICS[metric](maps[name], drawn.bench.masks["evidence"][opponents.rows])
            assert np.array_equal(values, expected)


def test_the_frame_is_worth_something_and_noise_is_not(opponents):
    top = {name: values.mean() for name, values in opponents.figures["top_share"].items()}
    assert top[BODY] > 3 * top["uniform"]
    assert top[BODY] > 3 * top["random"]


def test_placement_of_what_is_the_same_everywhere_is_chance(opponents):
    """In the body's frame the mean evidence is one map: it chooses one endplate, always."""
    assert opponents.placements["endplate"]["uniform"] == pytest.approx(0.5)
    assert opponents.placements["third"]["uniform"] == pytest.approx(1 / 3)
    assert abs(opponents.placements["endplate"][BODY] - 0.5) < 0.2  # the own subject is left out


def test_no_evidence_no_priors(drawn):
    assert prior_maps(drawn.bench, np.zeros(0, int), 0) == {}


def test_the_own_evidence_is_not_in_the_own_prior(drawn):
    rows = evidence_rows(drawn.bench)
    maps = prior_maps(drawn.bench, rows, 0)[BODY]
    others = prior_maps(drawn.bench, rows[1:], 0)[BODY]
    # Without the first vertebra the second one's prior loses exactly the first one's share.
    first = top_share(maps[1:], others > 0.5)
    assert np.isfinite(first).all()
    assert not np.array_equal(maps[1], others[0])
