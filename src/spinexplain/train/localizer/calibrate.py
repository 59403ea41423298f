"""How much evidence counts in naming, and what a probability is worth, from validation scans."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from scipy.optimize import minimize

from spinexplain.localizer.naming import SACRUM, NamingPrior, name_chain
from spinexplain.localizer.spurious import name_centers

LEVEL_WEIGHTS = (0.1, 0.2, 0.35, 0.5, 0.8)
GAP_WEIGHTS = (0.1, 0.3, 0.6)

_WORST = 1e-4


@dataclass(frozen=True, eq=False)
class KnownChain:
    """A chain of centers with its true names.

    Parameters
    ----------
    evidence : ndarray, shape (k, 27)
    gaps_mm : ndarray, shape (k - 1,)
    found : ndarray, shape (k,)
        Probability that a body is at each center, as it was read.
    names : tuple of str or None
        None for a center that belongs to no body.
    """

    evidence: np.ndarray
    gaps_mm: np.ndarray
    found: np.ndarray
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
    weights, centers that belong to no body left out; a naming that is not among the best five
    counts as 0.0001. The line from the log-odds of the best naming, of all centers now, to
    those of its being right is fitted last.
    """
    tried = [
        replace(prior, level_weight=level, gap_weight=gap)
        for level, gap in product(LEVEL_WEIGHTS, GAP_WEIGHTS)
    ]
    clean = [_of_bodies(chain) for chain in chains if any(chain.names)]
    return trusted(chains, max(tried, key=lambda one: log_score(clean, one)))


def _of_bodies(chain: KnownChain) -> KnownChain:
    """Leave out the centers that belong to no body; gaps are added across them."""
    kept = np.flatnonzero([name is not None for name in chain.names])
    at = np.r_[0.0, np.cumsum(chain.gaps_mm)]
    names = tuple(chain.names[k] for k in kept)
    return KnownChain(chain.evidence[kept], np.diff(at[kept]), chain.found[kept], names)


def trusted(chains: Sequence[KnownChain], prior: NamingPrior) -> NamingPrior:
    """Fit ``slope`` and ``offset``, so that the best naming's probability holds.

    Parameters
    ----------
    chains : sequence of KnownChain
        Of validation scans.
    prior : NamingPrior

    Notes
    -----
    Logistic regression of being right on the log-odds that naming gives; the line is held
    towards the identity as by one scan (a normal prior of spread 1 on both numbers), and the
    slope is not let below 0.
    """
    plain = replace(prior, slope=1.0, offset=0.0)
    first = [(name_centers(c.evidence, c.gaps_mm, c.found, plain)[0], c.names) for c in chains]
    share = np.clip([one.probability for one, _ in first], 1e-6, 1 - 1e-6)
    odds = np.log(share / (1 - share))
    sign = np.where([agrees(one.states, names) for one, names in first], 1.0, -1.0)

    def loss(line: np.ndarray) -> float:
        missed = np.logaddexp(0.0, -sign * (line[0] * odds + line[1])).sum()
        return float(missed + 0.5 * ((line[0] - 1.0) ** 2 + line[1] ** 2))

    slope, offset = minimize(loss, [1.0, 0.0], bounds=[(0.0, None), (None, None)]).x
    return replace(prior, slope=round(float(slope), 3), offset=round(float(offset), 3))


def log_score(chains: Sequence[KnownChain], prior: NamingPrior) -> float:
    """Return the mean log-probability of the true namings."""
    return float(np.mean([np.log(max(true_probability(c, prior), _WORST)) for c in chains]))


def true_probability(chain: KnownChain, prior: NamingPrior) -> float:
    """Return the probability that a prior gives to the true naming of a chain."""
    found = name_chain(chain.evidence, chain.gaps_mm, prior)
    return sum(one.probability for one in found if agrees(one.states, chain.names))


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
