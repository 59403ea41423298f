"""Other ways to hear the same witnesses: what each makes of a vertebra.

Every way is additive and rises with each witness, so that it could ship; the trees are a bound.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from spinexplain.analysis.verdict.fit import SPREAD, nonnegative_logistic
from spinexplain.findings.witness import (
    BORDER_LOSS,
    BROAD,
    BROAD_UNIT,
    HEIGHTS,
    PROTOTYPES,
    SEVERE,
    SMALLEST_SD,
)

Voices = Callable[[pd.DataFrame, pd.DataFrame, float], np.ndarray]
"""(rows, rows of the fit, spreads that the network is lowered by) -> columns, shape (N, W)."""
QUANTILES = (0.0, 0.5, 0.7, 0.8, 0.9, 1.0)
"""Ends of the five pieces of a rising curve, among the rows of the fit."""
POSTERIOR = HEIGHTS + "_posterior"
"""Column with the units of the loss against the own posterior wall."""
EVEN = 2.0
"""A unit of the heights weighs about as much as two of the network."""
REGIONS = ("T1", "T2", "T3", "T4", "T5", "T6"), ("L1", "L2", "L3", "L4", "L5", "L6")


@dataclass(frozen=True)
class Candidate:
    """One way to hear the witnesses.

    Parameters
    ----------
    voices : callable
        Columns that are weighed.
    spreads : float
        How many spreads over the poses the network is lowered by at the upper line.
    severe : bool
        Whether severe fractures are fitted to as well.
    trees : bool
        Whether boosted trees stand for the logistic model.
    """

    voices: Voices
    spreads: float = 1.0
    severe: bool = True
    trees: bool = False


def candidate_odds(one: Candidate, chosen: pd.DataFrame, rows: pd.DataFrame) -> np.ndarray:
    """Fit a candidate to some rows and return the lowered log odds of others, shape (N,).

    Parameters
    ----------
    one : Candidate
    chosen : DataFrame
        Rows of the fit, of :func:`~spinexplain.analysis.verdict.table.witness_table`; those of
        grade 1 are left out.
    rows : DataFrame
    """
    used = chosen[(chosen["grade"] != 1) & (one.severe | (chosen["grade"] != 3))]
    values, labels = one.voices(used, used, 0.0), (used["grade"] >= 2).to_numpy()
    asked = one.voices(rows, used, one.spreads)
    if one.trees:
        return _by_trees(values, labels, asked)
    base, weights = nonnegative_logistic(values, labels)
    return base + asked @ weights


def _by_trees(values: np.ndarray, labels: np.ndarray, asked: np.ndarray) -> np.ndarray:
    from sklearn.ensemble import HistGradientBoostingClassifier

    model = HistGradientBoostingClassifier(
        max_iter=60,
        learning_rate=0.08,
        max_leaf_nodes=8,
        monotonic_cst=[1] * values.shape[1],
        random_state=0,
    )
    return model.fit(values, labels).decision_function(asked)


def _network(rows: pd.DataFrame, spreads: float, name: str = PROTOTYPES) -> np.ndarray:
    return (rows[name] - spreads * rows[PROTOTYPES + SPREAD]).to_numpy(float)


def _broad(rows: pd.DataFrame) -> np.ndarray:
    return rows[HEIGHTS + BROAD].to_numpy(float)


def _now(rows: pd.DataFrame, chosen: pd.DataFrame, spreads: float) -> np.ndarray:
    return np.stack([_network(rows, spreads), _broad(rows)], axis=1)


def _network_alone(rows: pd.DataFrame, chosen: pd.DataFrame, spreads: float) -> np.ndarray:
    return _network(rows, spreads)[:, None]


def _heights_alone(rows: pd.DataFrame, chosen: pd.DataFrame, spreads: float) -> np.ndarray:
    return _broad(rows)[:, None]


def _with_severe(rows: pd.DataFrame, chosen: pd.DataFrame, spreads: float) -> np.ndarray:
    severe = _network(rows, spreads, PROTOTYPES + SEVERE)
    return np.column_stack([_now(rows, chosen, spreads), severe])


def _with_middle_third(rows: pd.DataFrame, chosen: pd.DataFrame, spreads: float) -> np.ndarray:
    return np.column_stack([_now(rows, chosen, spreads), rows[HEIGHTS]])


def _by_width(rows: pd.DataFrame, chosen: pd.DataFrame, spreads: float) -> np.ndarray:
    broad = np.clip(_broad(rows) * BROAD_UNIT / loss_sds(rows), -4.0, 4.0)
    return np.stack([_network(rows, spreads), broad], axis=1)


def loss_sds(rows: pd.DataFrame) -> np.ndarray:
    """Return each loss's standard deviation, from the heights' units, shape (N,).

    Where the units are cut off or near 0 that of the spine's other levels stands for it.
    """
    units = rows[HEIGHTS]
    clear = (units.abs() > 0.05) & (units.abs() < 4.0)
    found = ((rows["measured_loss"] - BORDER_LOSS) / units.where(clear)).clip(lower=SMALLEST_SD)
    by_spine = found.groupby(rows["subject"]).transform("median")
    return found.fillna(by_spine).fillna(found.median()).fillna(SMALLEST_SD).to_numpy(float)


def _by_region(rows: pd.DataFrame, chosen: pd.DataFrame, spreads: float) -> np.ndarray:
    # Both signs of each step, since weights are not below 0.
    steps = np.stack([rows["level"].isin(levels) for levels in REGIONS], axis=1).astype(float)
    return np.column_stack([_now(rows, chosen, spreads), steps, -steps])


def _with_lesser(rows: pd.DataFrame, chosen: pd.DataFrame, spreads: float) -> np.ndarray:
    now = _now(rows, chosen, spreads)
    return np.column_stack([now, np.minimum(now[:, 0], EVEN * now[:, 1])])


def _with_greater(rows: pd.DataFrame, chosen: pd.DataFrame, spreads: float) -> np.ndarray:
    now = _now(rows, chosen, spreads)
    return np.column_stack([now, np.maximum(now[:, 0], EVEN * now[:, 1])])


def _curves(rows: pd.DataFrame, chosen: pd.DataFrame, spreads: float) -> np.ndarray:
    ends = np.quantile(_now(chosen, chosen, 0.0), QUANTILES, axis=0)
    now = _now(rows, chosen, spreads)[:, None, :]
    pieces = np.clip((now - ends[:-1]) / np.maximum(np.diff(ends, axis=0), 1e-9), 0.0, 1.0)
    return pieces.reshape(len(rows), -1)


def _everything(rows: pd.DataFrame, chosen: pd.DataFrame, spreads: float) -> np.ndarray:
    return np.column_stack([_with_severe(rows, chosen, spreads), rows[HEIGHTS]])


NOW = "as it is"
CANDIDATES: Mapping[str, Candidate] = {
    NOW: Candidate(_now),
    "heights alone": Candidate(_heights_alone),
    "network alone": Candidate(_network_alone),
    "log odds of a severe fracture as well": Candidate(_with_severe),
    "loss of the middle third as well": Candidate(_with_middle_third),
    "broad loss in units of its uncertainty": Candidate(_by_width),
    "no spread at the upper line": Candidate(_now, spreads=0.0),
    "half a spread": Candidate(_now, spreads=0.5),
    "two spreads": Candidate(_now, spreads=2.0),
    "a base for each third of the spine": Candidate(_by_region),
    "the lesser of both as well": Candidate(_with_lesser),
    "the greater of both as well": Candidate(_with_greater),
    "rising curves": Candidate(_curves),
    "fitted to moderate fractures alone": Candidate(_now, severe=False),
    "boosted trees (a bound)": Candidate(_everything, trees=True),
}
"""Name on the page -> way. The first three are what ships and its cheap opponents."""


def network_candidates(names: Sequence[str]) -> dict[str, Candidate]:
    """Return the ways to hear further networks beside the default.

    Parameters
    ----------
    names : sequence of str
        Of networks, the default first; the table has their log odds in columns of these names,
        with ``_spread``.

    Returns
    -------
    dict of str to Candidate
        The default with each other one and with all, by the mean and with weights of their own.
    """
    default, *others = names
    groups = [[default, one] for one in others]
    if len(others) > 1:
        groups.append(list(names))
    found = {}
    for group in groups:
        joined = " and ".join(group)
        found[f"mean of {joined}"] = Candidate(_of_networks(group, mean=True))
        found[f"own weights for {joined}"] = Candidate(_of_networks(group, mean=False))
    return found


def posterior_candidate() -> dict[str, Candidate]:
    """Return the way that hears the loss against the own posterior wall as well."""
    return {"loss against the own posterior wall as well": Candidate(_with_posterior)}


def _with_posterior(rows: pd.DataFrame, chosen: pd.DataFrame, spreads: float) -> np.ndarray:
    return np.column_stack([_now(rows, chosen, spreads), rows[POSTERIOR]])


def _of_networks(group: Sequence[str], mean: bool) -> Voices:
    def voices(rows: pd.DataFrame, chosen: pd.DataFrame, spreads: float) -> np.ndarray:
        # The spread of a mean over networks is not stored: that of each stands for it.
        said = [(rows[n] - spreads * rows[n + SPREAD]).to_numpy(float) for n in group]
        heard = [np.mean(said, axis=0)] if mean else said
        return np.column_stack([*heard, _broad(rows)])

    return voices
