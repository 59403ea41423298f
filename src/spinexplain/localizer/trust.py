"""How far a naming is to be trusted: its share among all namings, moved along a fitted line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from spinexplain.anatomy import VertebraLevel
from spinexplain.localizer.located import FIRST_RIB, SACRUM
from spinexplain.localizer.naming import Hypothesis, NamingPrior

_CERTAIN = 1.0 - 1e-6
_NEXT_TO = {
    SACRUM: {VertebraLevel.L5, VertebraLevel.L6},
    FIRST_RIB: {VertebraLevel.T1},
}


def landmarks(in_view: Sequence[str], naming: Hypothesis) -> tuple[str, ...]:
    """Return what levels can be counted from: the sacrum below L5, the first rib below C7.

    Parameters
    ----------
    in_view : sequence of str
        Landmarks that the scan shows.
    naming : Hypothesis

    Examples
    --------
    >>> landmarks(("sacrum", "first rib"), Hypothesis(("L4", "L5"), 0.9))
    ('sacrum',)
    """
    return tuple(name for name in in_view if _NEXT_TO[name] & set(naming.levels))


def log_odds(naming: Hypothesis) -> float:
    """Return the log-odds of a naming, held below 14."""
    share = float(np.clip(naming.probability, 1.0 - _CERTAIN, _CERTAIN))
    return float(np.log(share / (1.0 - share)))


def trusted_namings(
    hypotheses: tuple[Hypothesis, ...], in_view: Sequence[str], prior: NamingPrior
) -> tuple[Hypothesis, ...]:
    """Move the probability of the first naming along the fitted line; the others keep their ratio.

    Parameters
    ----------
    hypotheses : tuple of Hypothesis
        The most probable first, shares among all namings.
    in_view : sequence of str
        Landmarks that the scan shows.
    prior : NamingPrior
        ``slope``, ``offset`` and ``landmark`` are the line's, in log-odds.

    Examples
    --------
    >>> two = Hypothesis(("L5",), 0.9), Hypothesis(("L4",), 0.1)
    >>> prior = NamingPrior(gap_mm=(), slope=0.5, landmark=1.0)
    >>> [round(one.probability, 2) for one in trusted_namings(two, (), prior)]
    [0.75, 0.25]
    >>> [round(one.probability, 2) for one in trusted_namings(two, ("sacrum",), prior)]
    [0.89, 0.11]
    """
    first = hypotheses[0]
    odds = prior.slope * log_odds(first) + prior.offset
    odds += prior.landmark * bool(landmarks(in_view, first))
    new = float(1.0 / (1.0 + np.exp(-odds)))
    share = (1.0 - new) / (1.0 - min(first.probability, _CERTAIN))
    others = (replace(one, probability=one.probability * share) for one in hypotheses[1:])
    held = (replace(one, probability=min(one.probability, new)) for one in others)
    return (replace(first, probability=new), *held)
