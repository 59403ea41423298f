"""How much evidence counts in naming, and what a probability is worth, from validation scans."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from scipy.optimize import minimize

from spinexplain.localizer.naming import SACRUM, STATES, NamingPrior, log_share
from spinexplain.localizer.spurious import name_centers
from spinexplain.localizer.trust import landmarks, log_odds

LEVEL_WEIGHTS = (0.2, 0.35, 0.5, 0.7, 1.0)
GAP_WEIGHTS = (0.1, 0.2, 0.3, 0.6)

_WORST = 1e-4
_IDENTITY = np.array([1.0, 0.0, 0.0])


@dataclass(frozen=True, eq=False)
class KnownChain:
    """A chain of centers with its true names.

    Parameters
    ----------
    evidence : ndarray, shape (k, 27)
    gaps_mm : ndarray, shape (k - 1,)
    in_view : tuple of str
        Landmarks that the scan shows.
    names : tuple of str or None
        None for a center that belongs to no body.
    """

    evidence: np.ndarray
    gaps_mm: np.ndarray
    in_view: tuple[str, ...]
    names: tuple[str | None, ...]


def calibrated(chains: Sequence[KnownChain], prior: NamingPrior) -> NamingPrior:
    """Fit a prior to chains whose names are known.

    Parameters
    ----------
    chains : sequence of KnownChain
        Of validation scans.
    prior : NamingPrior
        With gaps fitted to the training persons.

    Notes
    -----
    The mean of the logarithm of the true naming's probability is largest over a grid of
    weights, centers that belong to no body left out; a naming below 0.0001 counts as that. The
    line from the log-odds of the best naming, of all centers now, to
    those of its being right is fitted last.
    """
    return trusted(chains, max(tried_priors(prior), key=lambda one: log_scores(chains, one).mean()))


def tried_priors(prior: NamingPrior) -> list[NamingPrior]:
    """Return a prior with every pair of weights that is tried."""
    return [
        replace(prior, level_weight=level, gap_weight=gap)
        for level, gap in product(LEVEL_WEIGHTS, GAP_WEIGHTS)
    ]


def _of_bodies(chain: KnownChain) -> KnownChain:
    """Leave out the centers that belong to no body; gaps are added across them."""
    kept = np.flatnonzero([name is not None for name in chain.names])
    at = np.r_[0.0, np.cumsum(chain.gaps_mm)]
    return replace(
        chain,
        evidence=chain.evidence[kept],
        gaps_mm=np.diff(at[kept]),
        names=tuple(chain.names[k] for k in kept),
    )


def trusted(
    chains: Sequence[KnownChain], prior: NamingPrior, with_landmark: bool = True
) -> NamingPrior:
    """Fit ``slope``, ``offset`` and ``landmark``, so that the best naming's probability holds.

    Parameters
    ----------
    chains : sequence of KnownChain
        Of validation scans.
    prior : NamingPrior
    with_landmark : bool
        Without it ``landmark`` is 0.

    Notes
    -----
    Logistic regression of being right; see :func:`fitted_line`.
    """
    terms, right = line_terms(chains, prior)
    terms[:, 2] *= with_landmark
    slope, offset, landmark = fitted_line(terms, right).tolist()
    return replace(
        prior, slope=round(slope, 3), offset=round(offset, 3), landmark=round(landmark, 3)
    )


def line_terms(chains: Sequence[KnownChain], prior: NamingPrior) -> tuple[np.ndarray, np.ndarray]:
    """Return what the line weighs, and whether the best naming is right.

    Returns
    -------
    terms : ndarray, shape (n, 3)
        Log-odds of the best naming as its share gives them, 1, and whether levels are counted
        from a landmark.
    right : ndarray of bool, shape (n,)
    """
    first = [name_centers(one.evidence, one.gaps_mm, prior)[0] for one in chains]
    pairs = list(zip(first, chains, strict=True))
    terms = [(log_odds(one), 1.0, bool(landmarks(c.in_view, one))) for one, c in pairs]
    right = [agrees(one.states, c.names) for one, c in pairs]
    return np.array(terms, float).reshape(-1, 3), np.array(right, bool)


def fitted_line(terms: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Fit the line from terms (n, 3) to the log-odds of being right, shape (3,).

    It is held towards the identity as by one scan (a normal prior of spread 1 on every number),
    and the slope is not let below 0.
    """

    def loss(line: np.ndarray) -> float:
        return float(missed(terms, right, line).sum() + 0.5 * ((line - _IDENTITY) ** 2).sum())

    bounds = [(0.0, None), (None, None), (None, None)]
    return np.asarray(minimize(loss, _IDENTITY, bounds=bounds).x)


def missed(terms: np.ndarray, right: np.ndarray, line: np.ndarray) -> np.ndarray:
    """Return the cross-entropy of each scan under a line, shape (n,), in nats."""
    return np.asarray(np.logaddexp(0.0, -np.where(right, 1.0, -1.0) * (terms @ line)))


def log_scores(chains: Sequence[KnownChain], prior: NamingPrior) -> np.ndarray:
    """Return the log-probability of each true naming, shape (n,), of the bodies alone.

    It is 0 where no center belongs to a body.
    """
    clean = [_of_bodies(chain) if any(chain.names) else None for chain in chains]
    odds = [1.0 if one is None else true_probability(one, prior) for one in clean]
    return np.log(np.maximum(odds, _WORST))


def true_probability(chain: KnownChain, prior: NamingPrior) -> float:
    """Return the share that a prior gives to the true naming of a chain without other centers."""
    names = [SACRUM if name and name[0] == "S" else name for name in chain.names]
    states = [STATES.index(str(name)) for name in names]
    return float(np.exp(log_share(chain.evidence, chain.gaps_mm, prior, states)))


def agrees(states: Sequence[str], names: Sequence[str | None]) -> bool:
    """Say whether a naming gives every center its true name.

    Examples
    --------
    >>> agrees(("L4", "L5", "S"), ("L4", None, "S1"))
    True
    """
    return all(
        true is None or state == (SACRUM if true[0] == "S" else true)
        for state, true in zip(states, names, strict=True)
    )
