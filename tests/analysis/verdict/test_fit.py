"""Fits on tables whose answer is known."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from spinexplain.analysis.verdict.fit import RIDGE, fit_sets, fit_weighing, nonnegative_logistic
from spinexplain.errors import ConfigError


@pytest.fixture
def table():
    rng = np.random.default_rng(4)
    grade = rng.choice([0, 0, 0, 0, 1, 2, 3], 700)
    return pd.DataFrame(
        {
            "subject": [f"s{i // 7}" for i in range(700)],
            "normal": np.repeat(pd.Series(grade).to_numpy().reshape(100, 7).max(1) == 0, 7),
            "grade": grade,
            "prototypes": 2.0 * (grade >= 2) + rng.normal(0, 1, 700),
            "heights": 1.5 * (grade >= 2) + rng.normal(0, 1, 700),
        }
    )


def test_it_is_scikit_learns_where_no_bound_holds(table):
    used = table[table.grade != 1]
    values, labels = used[["prototypes", "heights"]].to_numpy(), used.grade.to_numpy() >= 2
    base, weights = nonnegative_logistic(values, labels)
    other = LogisticRegression(C=1 / (RIDGE * len(used)), tol=1e-8).fit(values, labels)
    assert base == pytest.approx(other.intercept_[0], abs=2e-3)
    np.testing.assert_allclose(weights, other.coef_[0], atol=2e-3)


def test_a_witness_is_never_turned_round(table):
    values = -table[["prototypes"]].to_numpy()
    assert nonnegative_logistic(values, table.grade.to_numpy() >= 2)[1].tolist() == [0.0]


def test_every_set_of_witnesses_is_fitted(table):
    sets = fit_sets(table)
    assert set(sets) == {"prototypes", "heights", "prototypes+heights"}


def test_the_lines_keep_what_they_promise(table):
    table["normal"] = table.groupby("subject")["grade"].transform("max") == 0
    table.loc[table.index[:210], "grade"] = 0
    table["normal"] = table.groupby("subject")["grade"].transform("max") == 0
    fitted = fit_weighing(table, ["prototypes", "heights"])
    odds = fitted.base + sum(fitted.weights[n] * table[n] for n in ("prototypes", "heights"))
    normal = table[table.normal].assign(odds=odds)
    alarms = normal.groupby("subject").odds.max() >= fitted.suspected
    assert alarms.mean() <= 0.05
    middle = (odds >= fitted.borderline) & (odds < fitted.suspected)
    assert middle[table.grade == 0].mean() <= 0.03 + 1e-9


def test_lines_are_chosen_by_the_rules_that_use_them(table):
    """One spread lower is what a suspicion needs, and one higher makes a vertebra borderline."""
    table["prototypes_spread"] = np.random.default_rng(1).uniform(0, 2, len(table))
    sharp = fit_weighing(table.drop(columns="prototypes_spread"), ["prototypes"])
    fitted = fit_weighing(table, ["prototypes"])
    assert fitted.weights == sharp.weights
    assert fitted.suspected < sharp.suspected
    odds = fitted.base + fitted.weights["prototypes"] * table["prototypes"]
    spread = fitted.weights["prototypes"] * table["prototypes_spread"]
    suspected = odds - spread >= fitted.suspected
    spines = suspected[table.normal].groupby(table.subject[table.normal]).any()
    assert spines.mean() <= 0.05
    middle = ~suspected & ((odds + spread >= fitted.suspected) | (odds >= fitted.borderline))
    crossing = ~suspected & (odds + spread >= fitted.suspected)
    healthy = table.grade == 0
    assert middle[healthy].mean() <= max(0.03, crossing[healthy].mean()) + 1e-9


def test_without_fractures_there_is_nothing_to_fit(table):
    with pytest.raises(ConfigError, match="Draw more scans"):
        fit_weighing(table[table.grade == 0], ["prototypes"])
