"""Names for a chain of centers some of which may be no vertebrae."""

from __future__ import annotations

import numpy as np

from spinexplain.localizer.naming import (
    NONE,
    STATES,
    Hypothesis,
    NamingPrior,
    log_total,
    scored_namings,
)

_MOST = 3  # centers that may be left out
_UNLIKELY = 7.0  # a way of leaving out that is exp(-7) as probable as the best is not followed


def name_centers(
    evidence: np.ndarray,
    gaps_mm: np.ndarray,
    prior: NamingPrior,
    best: int = 5,
) -> tuple[Hypothesis, ...]:
    """Name a chain of centers, up to three of which may be no vertebrae.

    Parameters
    ----------
    evidence : ndarray, shape (k, 27)
        See :func:`~spinexplain.localizer.naming.level_evidence`.
    gaps_mm : ndarray, shape (k - 1,)
    prior : NamingPrior
    best : int
        How many hypotheses are returned.

    Returns
    -------
    tuple of Hypothesis
        The most probable first.

    Notes
    -----
    For every set of centers that is left out, :func:`~spinexplain.localizer.naming.name_chain`
    weighs the namings of the others; the gaps on either side of one left out are added. A
    center that is left out costs the log-odds of ``prior.spurious``. Sets grow by one center as
    long as that is worth following. The probabilities are shares among all namings; how far
    they are to be trusted says :func:`~spinexplain.localizer.trust.trusted_namings`.
    """
    sets = _sets(evidence, gaps_mm, prior)
    total = float(np.logaddexp.reduce(list(sets.values())))
    most = max(sets.values())
    scored = []
    for left, value in sets.items():
        if value < most - _UNLIKELY:
            continue
        cost = _cost(left, len(evidence), prior)
        for score, states in scored_namings(*_without(evidence, gaps_mm, left), prior, best):
            names = iter(STATES[k] for k in states)
            all_names = tuple(NONE if k in left else next(names) for k in range(len(evidence)))
            scored.append((score + cost - total, all_names))
    scored.sort(key=lambda pair: (-pair[0], pair[1]))
    return tuple(Hypothesis(names, float(np.exp(min(s, 0.0)))) for s, names in scored[:best])


def _sets(
    evidence: np.ndarray, gaps_mm: np.ndarray, prior: NamingPrior
) -> dict[tuple[int, ...], float]:
    """Return sets of centers to leave out, with the log of the sum over their namings."""
    none: tuple[int, ...] = ()
    found = {none: log_total(evidence, gaps_mm, prior) + _cost(none, len(evidence), prior)}
    open_sets = [none]
    for _ in range(min(_MOST, len(evidence) - 1)):
        grown = {
            tuple(sorted((*left, k)))
            for left in open_sets
            for k in range(len(evidence))
            if k not in left
        }
        for left in grown:
            cost = _cost(left, len(evidence), prior)
            found[left] = log_total(*_without(evidence, gaps_mm, left), prior) + cost
        most = max(found.values())
        open_sets = [left for left in grown if found[left] > most - 2.0]
        if not open_sets:
            break
    return found


def _cost(left: tuple[int, ...], count: int, prior: NamingPrior) -> float:
    kept = count - len(left)
    return float(len(left) * np.log(prior.spurious) + kept * np.log1p(-prior.spurious))


def _without(
    evidence: np.ndarray, gaps_mm: np.ndarray, left: tuple[int, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the chain without some centers, gaps added across them."""
    kept = [k for k in range(len(evidence)) if k not in left]
    at = np.r_[0.0, np.cumsum(gaps_mm)]
    return evidence[kept], np.diff(at[kept])
