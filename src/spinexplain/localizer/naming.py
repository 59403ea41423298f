"""Names for a chain of centers: dynamic programming over levels, with T13 and L6 on the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np

from spinexplain.anatomy import VertebraLevel
from spinexplain.models.localizing import LEVEL_CLASSES, OUTSIDE, SACRUM

STATES = LEVEL_CLASSES[: LEVEL_CLASSES.index(OUTSIDE)]
"""What a center can be: C1 to L6 with T13, and the sacrum."""

SIZES = np.linspace(-0.36, 0.36, 13)
"""Logarithms of a person's size over the mean, as they are tried."""

NONE = "none"
"""What a center is called that belongs to no vertebra."""

_FLOOR = 1e-3  # a level is never less probable than this at a center
_REGULAR = [name for name in STATES if name not in ("T13", "L6")]
_IMPOSSIBLE = -1e9


@dataclass(frozen=True)
class NamingPrior:
    """What is known of spines before a scan is seen, and how evidence is weighed.

    Parameters
    ----------
    gap_mm : tuple of float
        Mean distance from each state's center to that of the one below, over ``STATES``;
        the last one is that of two sacral bodies.
    gap_spread : float
        Standard deviation of the logarithm of a gap in one person, about the person's size.
    size_spread : float
        Standard deviation of the logarithm of the size over persons.
    level_weight, gap_weight : float
        Weight of the network's log-probabilities and of the gaps: neighboring centers are
        seen by one network and err together, so that their evidence counts less than it
        seems. Fitted on validation phantoms, so that probabilities hold.
    t13, l6, no_t12, skipped, spurious : float
        Probability of a thirteenth thoracic level below T12, a sixth lumbar level below L5
        (either also where a chain begins with it), eleven thoracic levels, of a body that was
        not found between two that were, and of a center that belongs to no body.
    learned_t13, learned_l6 : float
        Shares of the persons that the network learned from who had such a level. Its
        probabilities hold these chances already, so that they are divided by them.
    slope, offset, landmark : float
        Of the straight line from the log-odds of the best naming, as evidence and gaps give
        them, to the log-odds that it is right; ``landmark`` is added where levels are counted
        from one in view. Fitted on validation phantoms.
    """

    gap_mm: tuple[float, ...]
    gap_spread: float = 0.11
    size_spread: float = 0.12
    level_weight: float = 0.5
    gap_weight: float = 0.5
    t13: float = 0.01
    l6: float = 0.04
    no_t12: float = 0.005
    skipped: float = 0.003
    spurious: float = 0.005
    learned_t13: float = 1.0
    learned_l6: float = 1.0
    slope: float = 1.0
    offset: float = 0.0
    landmark: float = 0.0


@dataclass(frozen=True)
class Hypothesis:
    """One naming of all centers.

    Parameters
    ----------
    states : tuple of str
        One of ``STATES`` a center, head to foot; ``"none"`` for one that is no vertebra.
    probability : float
    """

    states: tuple[str, ...]
    probability: float

    @property
    def levels(self) -> tuple[VertebraLevel | None, ...]:
        """The names as levels; None in the sacrum and for what is no vertebra."""
        return tuple(
            None if name in (SACRUM, NONE) else VertebraLevel(name) for name in self.states
        )


def level_evidence(levels: np.ndarray, positions: np.ndarray, half: int = 2) -> np.ndarray:
    """Return log-probabilities of the states at centers, shape (k, 27).

    Parameters
    ----------
    levels : ndarray, shape (n, 28)
        Of every position along the spine.
    positions : ndarray of int, shape (k,)
    half : int
        So many positions on either side are averaged.
    """
    rows = [levels[max(at - half, 0) : at + half + 1].mean(axis=0) for at in positions]
    states = np.array(rows).reshape(len(positions), -1)[:, : len(STATES)]
    return np.log(np.maximum(states, _FLOOR))


def transitions(prior: NamingPrior) -> tuple[np.ndarray, np.ndarray]:
    """Return what may follow what: log-probability and mean gap (mm), shape (27, 27) each.

    Rows are the upper, columns the lower center.

    Examples
    --------
    >>> odds, gap = transitions(NamingPrior(gap_mm=(20.0,) * 26 + (25.0,)))
    >>> t12, t13, l1 = (STATES.index(name) for name in ("T12", "T13", "L1"))
    >>> odds[[t12, t13, l1], [t13, l1, t12]].round(1).tolist(), float(gap[t12, t13])
    ([-4.6, -0.0, -1000000000.0], 20.0)
    """
    n = len(STATES)
    chance, gap = np.zeros((n, n)), np.ones((n, n))

    def follow(above: str, below: str, probability: float) -> None:
        i, j = STATES.index(above), STATES.index(below)
        chance[i, j] = probability
        gap[i, j] = prior.gap_mm[i]

    for above, below in pairwise(_REGULAR):
        follow(above, below, 1.0)
    follow(SACRUM, SACRUM, 1.0)
    follow("T12", "T13", prior.t13)
    follow("T12", "L1", 1 - prior.t13)
    follow("T13", "L1", 1.0)
    follow("T11", "L1", prior.no_t12)
    follow("T11", "T12", 1 - prior.no_t12)
    follow("L5", "L6", prior.l6)
    follow("L5", SACRUM, 1 - prior.l6)
    follow("L6", SACRUM, 1.0)
    _skip(chance, gap, prior)
    with np.errstate(divide="ignore"):
        return np.maximum(np.log(chance), _IMPOSSIBLE), gap


def _skip(chance: np.ndarray, gap: np.ndarray, prior: NamingPrior) -> None:
    """Let one body between two of the chain be missing."""
    once = chance.copy()
    chance *= 1 - prior.skipped
    for i, k, j in zip(*_paths_of_two(once), strict=True):
        odds = once[i, k] * once[k, j] * prior.skipped
        if chance[i, j] == 0:
            chance[i, j] = odds
            gap[i, j] = gap[i, k] + gap[k, j]


def _paths_of_two(once: np.ndarray) -> tuple[list[int], list[int], list[int]]:
    found = [
        (i, k, j)
        for i, k in zip(*np.nonzero(once), strict=True)
        for j in np.flatnonzero(once[k])
        if i != k and k != j
    ]
    found.sort(key=lambda path: -once[path[0], path[1]] * once[path[1], path[2]])
    return tuple([int(path[axis]) for path in found] for axis in range(3))  # type: ignore[return-value]


_known_transitions = lru_cache(maxsize=128)(transitions)


@lru_cache(maxsize=128)
def _known_predecessors(prior: NamingPrior) -> np.ndarray:
    """Return for every state (columns) those it may follow; impossible ones fill up the rows."""
    odds, _ = _known_transitions(prior)
    possible = odds > _IMPOSSIBLE
    most = int(possible.sum(axis=0).max())
    return np.sort(np.argsort(~possible, axis=0, kind="stable")[:most], axis=0)


def name_chain(
    evidence: np.ndarray, gaps_mm: np.ndarray, prior: NamingPrior, best: int = 5
) -> tuple[Hypothesis, ...]:
    """Name a chain of centers.

    Parameters
    ----------
    evidence : ndarray, shape (k, 27)
        Log-probability of every state at each center; see :func:`level_evidence`.
    gaps_mm : ndarray, shape (k - 1,)
        Distances of neighboring centers.
    prior : NamingPrior
    best : int
        How many hypotheses are returned.

    Returns
    -------
    tuple of Hypothesis
        The most probable first. Probabilities are shares among all namings.

    Notes
    -----
    The score of a naming is the weighted sum of the level evidence at its centers, of the
    log-probability of each step from level to level, and of the normal log-density of the
    logarithm of each gap about the mean of its pair of levels times the person's size; the
    size is averaged over a normal prior. No level is more often the uppermost one than another,
    but for T13 and L6: they are there only in the persons who have them. A list-Viterbi pass
    for each size finds the candidates, a forward pass sums over all namings.
    """
    total = log_total(evidence, gaps_mm, prior)
    return tuple(
        Hypothesis(tuple(STATES[k] for k in states), float(np.exp(min(score - total, 0.0))))
        for score, states in scored_namings(evidence, gaps_mm, prior, best)
    )


def log_total(evidence: np.ndarray, gaps_mm: np.ndarray, prior: NamingPrior) -> float:
    """Return the logarithm of the sum over all namings of a chain; see :func:`name_chain`."""
    odds, gap = _known_transitions(prior)
    above = _known_predecessors(prior)
    below = np.arange(len(odds))
    steps, size_odds = _weighed(gaps_mm, odds[above, below], gap[above, below], prior)
    forward = _forward(_unary(evidence, prior), steps, above)
    return float(np.logaddexp.reduce(size_odds + forward))


def log_share(
    evidence: np.ndarray, gaps_mm: np.ndarray, prior: NamingPrior, states: Sequence[int]
) -> float:
    """Return the logarithm of one naming's share among all; see :func:`name_chain`.

    Parameters
    ----------
    evidence, gaps_mm, prior
        As in :func:`name_chain`.
    states : sequence of int
        Of ``STATES``, one a center.
    """
    steps, size_odds = _weighed(gaps_mm, *_known_transitions(prior), prior)
    own = size_odds + _scores(_unary(evidence, prior), steps, states)
    return float(np.logaddexp.reduce(own)) - log_total(evidence, gaps_mm, prior)


def scored_namings(
    evidence: np.ndarray, gaps_mm: np.ndarray, prior: NamingPrior, best: int
) -> list[tuple[float, tuple[int, ...]]]:
    """Return the namings of the highest score with their scores, logarithms on any one scale."""
    unary = _unary(evidence, prior)
    odds, gap = _known_transitions(prior)
    steps, size_odds = _weighed(gaps_mm, odds, gap, prior)
    above = _known_predecessors(prior)
    found = _best_paths(unary, steps[:, :, above, np.arange(len(odds))], above, best)
    scored = [
        (float(np.logaddexp.reduce(size_odds + _scores(unary, steps, states))), states)
        for states in found
    ]
    scored.sort(key=lambda pair: (-pair[0], pair[1]))
    return scored[:best]


def _unary(evidence: np.ndarray, prior: NamingPrior) -> np.ndarray:
    """Return what each center says for each state, weighed, shape (k, 27).

    What the first one may be holds how many persons have such a level at all; further down the
    steps hold it.
    """
    held = np.zeros(len(STATES))
    held[STATES.index("T13")] = np.log(prior.learned_t13)
    held[STATES.index("L6")] = np.log(prior.learned_l6)
    said = np.array(prior.level_weight * (evidence - held))
    said[0, STATES.index("T13")] += np.log(prior.t13)
    said[0, STATES.index("L6")] += np.log(prior.l6)
    return said


def _weighed(
    gaps_mm: np.ndarray, odds: np.ndarray, gap: np.ndarray, prior: NamingPrior
) -> tuple[np.ndarray, np.ndarray]:
    """Return the scores of all steps for each size, (13, k - 1, *odds.shape), and of the sizes."""
    steps = np.stack([_steps(gaps_mm, odds, gap, size, prior) for size in SIZES])
    size_odds = -0.5 * (SIZES / prior.size_spread) ** 2
    return steps, size_odds - np.logaddexp.reduce(size_odds)


def _steps(
    gaps_mm: np.ndarray, odds: np.ndarray, gap: np.ndarray, size: float, prior: NamingPrior
) -> np.ndarray:
    """Return the score of every step of the chain, shape (k - 1, *odds.shape)."""
    off = np.log(np.maximum(gaps_mm, 1.0))[:, None, None] - np.log(gap)[None] - size
    density = -0.5 * (off / prior.gap_spread) ** 2
    return np.maximum(odds[None] + prior.gap_weight * density, _IMPOSSIBLE)


def _forward(unary: np.ndarray, steps: np.ndarray, above: np.ndarray) -> np.ndarray:
    """Return the log of the sum over all namings, for each size; only possible steps are added."""
    total = np.broadcast_to(unary[0], (len(steps), unary.shape[1]))
    for k in range(1, len(unary)):
        total = np.logaddexp.reduce(total[:, above] + steps[:, k - 1], axis=1) + unary[k]
    return np.asarray(np.logaddexp.reduce(total, axis=1))


def _scores(unary: np.ndarray, steps: np.ndarray, states: Sequence[int]) -> np.ndarray:
    """Return the score of one naming for each size."""
    index = np.array(states)
    own = unary[np.arange(len(index)), index].sum()
    return np.asarray(own + steps[:, np.arange(len(index) - 1), index[:-1], index[1:]].sum(axis=1))


def _best_paths(
    unary: np.ndarray, steps: np.ndarray, above: np.ndarray, best: int
) -> set[tuple[int, ...]]:
    """Return the namings of the highest score for each size, by list-Viterbi passes side by side.

    A slot is a state times ``best`` plus a rank; for each slot its predecessor's is kept.
    """
    n, sizes = unary.shape[1], len(steps)
    scores = np.full((sizes, n, best), _IMPOSSIBLE)
    scores[:, :, 0] = unary[0]
    history: list[np.ndarray] = []
    for k in range(1, len(unary)):
        reached = scores[:, above] + steps[:, k - 1, :, :, None]
        reached = reached.transpose(0, 2, 1, 3).reshape(sizes, n, -1)
        chosen = np.argsort(-reached, axis=2, kind="stable")[:, :, :best]
        states = above[chosen // best, np.arange(n)[:, None]]
        history.append((states * best + chosen % best).reshape(sizes, -1))
        scores = np.take_along_axis(reached, chosen, axis=2) + unary[k][:, None]
    flat = scores.reshape(sizes, -1)
    ends = np.argsort(-flat, axis=1, kind="stable")[:, :best]
    possible = np.take_along_axis(flat, ends, axis=1) > _IMPOSSIBLE / 2
    return {tuple(states) for states in _traced(ends, history, best)[possible].tolist()}


def _traced(ends: np.ndarray, history: list[np.ndarray], best: int) -> np.ndarray:
    """Follow slots back to the first center: states of shape (sizes, best, k)."""
    slots = [ends]
    for before in reversed(history):
        slots.append(np.take_along_axis(before, slots[-1], axis=1))
    return np.stack(slots[::-1], axis=-1) // best
