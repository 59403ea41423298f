"""How much evidence counts in naming, chosen so that probabilities hold on validation scans."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from spinexplain.localizer.naming import SACRUM, NamingPrior, name_chain

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
    names : tuple of str or None
        None for a center that belongs to no body.
    """

    evidence: np.ndarray
    gaps_mm: np.ndarray
    names: tuple[str | None, ...]


def calibrated(chains: Sequence[KnownChain], prior: NamingPrior) -> NamingPrior:
    """Choose the weights of levels and gaps that make the true namings most probable.

    Parameters
    ----------
    chains : sequence of KnownChain
        Of validation scans.
    prior : NamingPrior
        With gaps fitted to the training persons.

    Notes
    -----
    The mean of the logarithm of the true naming's probability is largest over a grid of
    weights; a naming that is not among the best five counts as 0.0001. Centers that belong
    to no body may have any name.
    """
    tried = [
        replace(prior, level_weight=level, gap_weight=gap)
        for level, gap in product(LEVEL_WEIGHTS, GAP_WEIGHTS)
    ]
    return max(tried, key=lambda one: log_score(chains, one))


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
