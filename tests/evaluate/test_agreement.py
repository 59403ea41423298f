"""Coefficients of agreement against published and irrCAC values, and against what was planted."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from spinexplain.errors import ShapeError
from spinexplain.evaluate.agreement import (
    agreement_of,
    cohen_kappa,
    counted,
    fleiss_kappa,
    gwet_ac,
    percent_agreement,
    weight_matrix,
)

# The data of Gwet's handbook and of irrCAC: 12 items, 4 raters, some answers missing.
NAN = np.nan
FOUR = (
    np.array(
        [
            [1, 2, 3, 3, 2, 1, 4, 1, 2, NAN, NAN, NAN],
            [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, NAN, 3],
            [NAN, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, NAN],
            [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, NAN],
        ]
    ).T
    - 1
)
ONCE = np.ones((1, 12))

# Printed by irrCAC 0.4.4: weights -> (agreement, AC, Fleiss, AC and Fleiss of raters 2 and 4
# alone, Conger's kappa of these, which for two raters is Cohen's).
IRRCAC = {
    "identity": (0.81818, 0.77544, 0.76117, 0.87635, 0.86928, 0.87013),
    "linear": (0.93939, 0.85874, 0.81794, 0.88270, 0.85401, 0.85507),
    "quadratic": (0.97538, 0.91400, 0.86494, 0.91160, 0.87013, 0.87097),
}


@pytest.mark.parametrize("weights", IRRCAC)
def test_four_raters_with_gaps_as_irrcac_has_it(weights):
    table, matrix = counted(FOUR, 5), weight_matrix(5, weights)
    found = [f(table, matrix, ONCE)[0] for f in (percent_agreement, gwet_ac, fleiss_kappa)]
    np.testing.assert_allclose(found, IRRCAC[weights][:3], atol=6e-6)


@pytest.mark.parametrize("weights", IRRCAC)
def test_two_raters_as_irrcac_has_it(weights):
    pair = FOUR[:, [1, 3]]
    pair = pair[np.isfinite(pair).all(axis=1)]
    once, matrix = np.ones((1, len(pair))), weight_matrix(5, weights)
    table = counted(pair, 5)
    found = [gwet_ac(table, matrix, once)[0], fleiss_kappa(table, matrix, once)[0]]
    found.append(cohen_kappa(pair[:, 0], pair[:, 1], matrix, once)[0])
    np.testing.assert_allclose(found, IRRCAC[weights][3:], atol=6e-6)


def test_fleiss_printed_example():
    """Ten items, fourteen raters, five categories: kappa 0.210."""
    table = np.array(
        [
            [0, 0, 0, 0, 14],
            [0, 2, 6, 4, 2],
            [0, 0, 3, 5, 6],
            [0, 3, 9, 2, 0],
            [2, 2, 8, 1, 1],
            [7, 7, 0, 0, 0],
            [3, 2, 6, 3, 0],
            [2, 5, 3, 2, 2],
            [6, 5, 2, 1, 0],
            [0, 2, 2, 3, 7],
        ],
        float,
    )
    assert fleiss_kappa(table, np.eye(5), np.ones((1, 10)))[0] == pytest.approx(0.210, abs=5e-4)


def test_cohen_on_paper():
    """20 yes-yes, 5 yes-no, 10 no-yes, 15 no-no: agreement 0.70, chance 0.50, kappa 0.40."""
    first = np.repeat([1.0, 1, 0, 0], [20, 5, 10, 15])
    second = np.repeat([1.0, 0, 1, 0], [20, 5, 10, 15])
    assert cohen_kappa(first, second, np.eye(2), np.ones((1, 50)))[0] == pytest.approx(0.4)


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=3, max_size=30),
    st.sampled_from(["identity", "linear", "quadratic"]),
)
def test_cohen_as_scikit_learn_has_it(pairs, weights):
    first, second = np.array(pairs, float).T
    found = cohen_kappa(first, second, weight_matrix(4, weights), np.ones((1, len(pairs))))[0]
    if len({*first, *second}) > 1:
        kind = None if weights == "identity" else weights
        expected = cohen_kappa_score(first, second, labels=[0, 1, 2, 3], weights=kind)
        assert found == pytest.approx(expected)
    else:
        assert np.isnan(found)


@given(st.lists(st.lists(st.integers(0, 2), min_size=3, max_size=3), min_size=2, max_size=20))
def test_an_item_counted_twice_is_an_item_given_twice(items):
    ratings = np.array(items, float)
    for figure in (percent_agreement, fleiss_kappa, gwet_ac):
        weighted = figure(counted(ratings, 3), np.eye(3), np.full((1, len(items)), 2.0))
        doubled = np.concatenate([ratings, ratings])
        twice = figure(counted(doubled, 3), np.eye(3), np.ones((1, 2 * len(items))))
        np.testing.assert_allclose(weighted, twice, atol=1e-12)


@pytest.mark.parametrize("kappa", [0.0, 0.35, 0.8])
def test_planted_agreement_is_found(kappa):
    """Two raters, yes with 0.7 each, joint yes-yes 0.49 + kappa * 0.21."""
    rng, n, share = np.random.default_rng(7), 20_000, 0.7
    both = share**2 + kappa * share * (1 - share)
    cells = rng.choice(4, n, p=[both, share - both, share - both, 1 - 2 * share + both])
    first, second = (cells < 2).astype(float), np.isin(cells, (0, 2)).astype(float)
    subjects = np.arange(n).astype(str)
    found = agreement_of(np.stack([first, second], axis=1), 2, subjects, draws=20)
    assert found.figures["cohen"].value == pytest.approx(kappa, abs=0.03)
    chance = 2 * share * (1 - share)
    expected = (1 - chance * (1 - kappa) - chance) / (1 - chance)
    assert found.figures["gwet"].value == pytest.approx(expected, abs=0.03)


def test_intervals_are_wider_where_a_patient_gave_many_items():
    rng = np.random.default_rng(0)
    person = rng.integers(2, size=(20, 1, 1)).astype(float)
    ratings = np.broadcast_to(person, (20, 10, 2)).reshape(200, 2).copy()
    ratings[::7, 1] = 1 - ratings[::7, 1]
    own = np.repeat(np.arange(20), 10).astype(str)
    wide, narrow = (
        agreement_of(ratings, 2, subjects, draws=300).figures["gwet"]
        for subjects in (own, np.arange(200).astype(str))
    )
    assert wide.value == narrow.value
    assert np.isfinite(wide.low)
    shares = agreement_of(np.stack([ratings[:, 0]] * 2, axis=1), 2, own, draws=50)
    assert shares.figures["agreement"].value == 1


def test_one_rater_and_few_patients_have_no_interval():
    assert agreement_of(np.ones((5, 1)), 2, np.arange(5).astype(str)).figures == {}
    found = agreement_of(np.array([[0, 1], [1, 1.0]]), 2, np.array(["a", "b"]))
    assert np.isnan(found.figures["gwet"].low)
    assert "2 subjects" in found.figures["gwet"].note


def test_what_is_no_category_is_refused():
    with pytest.raises(ShapeError, match="0 to 1"):
        counted(np.array([[0, 2.0]]), 2)
    with pytest.raises(ShapeError, match="identity, linear, quadratic"):
        weight_matrix(3, "cubic")
