"""Skill: what an explainer gains over the best map that never saw the image."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from spinexplain.errors import ShapeError
from spinexplain.evaluate.bootstrap import DRAWS, Interval, weighted_bootstrap
from spinexplain.evaluate.explanations.placement import placement


@dataclass(frozen=True)
class Skill:
    """A figure of an explainer beside the best prior's.

    Parameters
    ----------
    value : Interval
        The explainer's own figure.
    prior : str
        Name of the best prior on these vertebrae.
    prior_value : float
    gain : Interval
        Explainer minus best prior; the prior is chosen anew in every draw of subjects, so
        that the opponent is always at its best.
    """

    value: Interval
    prior: str
    prior_value: float
    gain: Interval


def skill(
    values: np.ndarray,
    priors: Mapping[str, np.ndarray],
    subjects: np.ndarray,
    seed: int,
    draws: int = DRAWS,
) -> Skill:
    """Compare the mean of an explainer's figures with that of the best prior.

    Parameters
    ----------
    values : ndarray, shape (n,)
        One figure a vertebra; NaN is left out, of the priors too.
    priors : mapping of str to ndarray, shape (n,)
        The same figure of every prior on the same vertebrae.
    subjects : ndarray of str, shape (n,)
    seed : int
    draws : int

    Returns
    -------
    Skill

    Raises
    ------
    ShapeError
        If there is no prior, or no vertebra with a figure.

    Notes
    -----
    skill = mean(v) - max over priors q of mean(q).

    Examples
    --------
    >>> names = np.arange(20).astype(str)
    >>> found = skill(np.ones(20), {"a": np.zeros(20), "b": np.full(20, 0.5)}, names, 0, 50)
    >>> found.prior, found.gain.value, found.gain.low
    ('b', 0.5, 0.5)
    """
    values = np.asarray(values, float)
    used = np.isfinite(values)
    if not priors or not used.any():
        raise ShapeError(
            f"skill needs at least one prior and one figure; got {len(priors)} priors and "
            f"{int(used.sum())} figures. Check that the cohort has evidence masks."
        )
    table = np.stack([np.asarray(priors[name], float)[used] for name in priors])
    own, whose = values[used], np.asarray(subjects)[used]
    means = table.mean(axis=1)
    best = int(means.argmax())

    def averages(weights: np.ndarray) -> np.ndarray:
        return weights @ own / weights.sum(axis=1)

    def gains(weights: np.ndarray) -> np.ndarray:
        of_priors = weights @ table.T / weights.sum(axis=1, keepdims=True)
        return averages(weights) - of_priors.max(axis=1)

    return Skill(
        weighted_bootstrap(averages, whose, seed, draws),
        list(priors)[best],
        float(means[best]),
        weighted_bootstrap(gains, whose, seed, draws),
    )


def placement_skill(
    choices: np.ndarray,
    exchanged: np.ndarray,
    truth: np.ndarray,
    subjects: np.ndarray,
    seed: int,
    draws: int = DRAWS,
) -> Skill:
    """Compare the placement of maps with that of the same maps exchanged among vertebrae.

    Parameters
    ----------
    choices : ndarray, shape (n, K)
    exchanged : ndarray, shape (n, K)
        :func:`~spinexplain.evaluate.explanations.placement.exchanged_choices`.
    truth : ndarray of int, shape (n,)
    subjects : ndarray of str, shape (n,)
    seed : int
    draws : int

    Returns
    -------
    Skill
        Its prior is ``"exchanged"``. The gain is exactly 0 for image-blind maps.

    Examples
    --------
    >>> same = np.tile([0.5, 0.5], (30, 1))
    >>> found = placement_skill(same, same, np.arange(30) % 2, np.arange(30).astype(str), 0, 50)
    >>> found.value.value, found.gain.value
    (0.5, 0.0)
    """
    truth, whose = np.asarray(truth), np.asarray(subjects)
    is_true = truth[:, None] == np.arange(choices.shape[1])

    def balanced(weights: np.ndarray, chosen: np.ndarray) -> np.ndarray:
        """Return the placement of every draw; NaN where it misses a part."""
        right, asked = weights @ (chosen * is_true), weights @ is_true
        recalls = np.divide(right, asked, out=np.full(right.shape, np.nan), where=asked > 0)
        return recalls.mean(axis=1)

    return Skill(
        weighted_bootstrap(lambda w: balanced(w, choices), whose, seed, draws),
        "exchanged",
        placement(exchanged, truth),
        weighted_bootstrap(
            lambda w: balanced(w, choices) - balanced(w, exchanged), whose, seed, draws
        ),
    )
