"""The loss of a whole naming: how improbable the true names of all centers are together.

The levels network answers every position by itself, and there has to count as well as to look.
Naming counts by dynamic programming. With this loss the network learns what naming needs of it:
to be right where a level can be seen, and open where it can only be counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from spinexplain.localizer.naming import SIZES, STATES, NamingPrior, transitions
from spinexplain.localizer.section import arc_lengths
from spinexplain.models.localizing import LEVELS, SACRUM
from spinexplain.spine.straighten import StraightenedFrame
from spinexplain.train.localizer.level_targets import LOST_MM, UNCOUNTED

_HALF = 2  # positions on either side whose probabilities are averaged, as naming does
_FLOOR = 1e-3  # a level is never less probable than this at a center, as in naming
_FEWEST = 2
_IMPOSSIBLE = -1e6
_AT_MOST = 20.0  # nats of a section: a person who cannot be named does not outweigh all others


@dataclass(frozen=True, eq=False)
class TrueChain:
    """The centers of a section and their true names.

    Parameters
    ----------
    positions : ndarray of int, shape (k,)
        Along the section, head to foot.
    states : ndarray of int, shape (k,)
        Of ``STATES``.
    gaps_mm : ndarray, shape (k - 1,)
    """

    positions: np.ndarray
    states: np.ndarray
    gaps_mm: np.ndarray


def true_chain(
    frame: StraightenedFrame, levels: Sequence[str], centers_mm: np.ndarray, seen: np.ndarray
) -> TrueChain | None:
    """Return the bodies of a person that a section shows, or None for less than two in a row.

    Parameters
    ----------
    frame : StraightenedFrame
        Of n positions.
    levels : sequence of str
        Head to foot.
    centers_mm : ndarray, shape (k, 3)
    seen : ndarray of bool, shape (n,)
        Whether the scan shows the position.
    """
    local = frame.to_patch(centers_mm)
    at = np.rint(local[:, 0]).astype(int)
    aside = (local[:, 1:] - (np.array(frame.shape[1:]) - 1) / 2) * frame.spacing_mm
    shown = (at >= 0) & (at < len(arc_lengths(frame))) & ~np.isin(levels, UNCOUNTED)
    shown &= np.linalg.norm(aside, axis=1) < LOST_MM
    shown[shown] = seen[at[shown]]
    kept = np.flatnonzero(shown).tolist()
    if len(kept) < _FEWEST or (np.diff(kept) > 1).any() or (np.diff(at[kept]) <= 0).any():
        return None
    names = [SACRUM if levels[k][0] == "S" else levels[k] for k in kept]
    return TrueChain(
        at[kept],
        np.array([STATES.index(name) for name in names]),
        np.linalg.norm(np.diff(centers_mm[kept], axis=0), axis=1),
    )


def learned_shares(prior: NamingPrior, levels: Sequence[Sequence[str]]) -> NamingPrior:
    """Return a prior that expects T13 and L6 as often as some persons have them.

    Parameters
    ----------
    prior : NamingPrior
    levels : sequence of sequence of str
        Of every person that is learned from.

    Examples
    --------
    >>> prior = learned_shares(NamingPrior(gap_mm=()), [("T12", "T13"), ("T12", "L1")])
    >>> prior.t13, prior.learned_t13, prior.l6
    (0.5, 0.5, 0.001)
    """
    t13, l6 = (
        float(np.clip(np.mean([name in one for one in levels]), 1e-3, 0.999))
        for name in ("T13", "L6")
    )
    return replace(prior, t13=t13, l6=l6, learned_t13=t13, learned_l6=l6)


class ChainLoss:
    """Minus the log-probability of the true naming, over the chains of a batch.

    Parameters
    ----------
    prior : NamingPrior
        How evidence and distances are weighed, and how often each level is there.

    Notes
    -----
    The share of the true naming among all of :func:`~spinexplain.localizer.naming.log_share`, as a
    function of the network's answer that can be differentiated.
    """

    def __init__(self, prior: NamingPrior) -> None:
        odds, gap = transitions(prior)
        self._prior = prior
        self._odds = torch.from_numpy(np.maximum(odds, _IMPOSSIBLE)).float()
        self._log_gap = torch.from_numpy(np.log(gap)).float()
        self._sizes = torch.from_numpy(SIZES).float()
        self._size_odds = (-0.5 * (self._sizes / prior.size_spread) ** 2).log_softmax(0)
        held, first = torch.zeros(len(STATES)), torch.zeros(len(STATES))
        for name, learned, chance in (
            ("T13", prior.learned_t13, prior.t13),
            ("L6", prior.learned_l6, prior.l6),
        ):
            held[STATES.index(name)] = float(np.log(learned))
            first[STATES.index(name)] = float(np.log(chance))
        self._held, self._first = held, first

    def __call__(self, answer: Tensor, chains: Sequence[TrueChain | None]) -> Tensor:
        """Return the mean over the chains that can be named, 0 where there is none.

        Parameters
        ----------
        answer : Tensor, shape (N, 33, S)
        chains : sequence of TrueChain or None
            One a section.
        """
        each = [
            self.missed(answer[row, LEVELS], chain)
            for row, chain in enumerate(chains)
            if chain is not None and self._possible(chain)
        ]
        return torch.stack(each).mean() if each else answer.sum() * 0.0

    def missed(self, logits: Tensor, chain: TrueChain) -> Tensor:
        """Return minus the log-probability of one chain's true naming.

        Parameters
        ----------
        logits : Tensor, shape (28, S)
        chain : TrueChain
        """
        unary = self._unary(logits.float(), chain.positions)
        steps = self._steps(chain.gaps_mm)
        total = self._size_odds + _forward(unary, steps)
        states = torch.from_numpy(chain.states)
        own = unary.gather(1, states[:, None]).sum()
        taken = steps[:, torch.arange(len(states) - 1), states[:-1], states[1:]].sum(1)
        missed = torch.logsumexp(total, 0) - torch.logsumexp(self._size_odds + own + taken, 0)
        return missed.clamp(max=_AT_MOST)

    def _possible(self, chain: TrueChain) -> bool:
        odds = self._odds[chain.states[:-1], chain.states[1:]]
        return bool((odds > _IMPOSSIBLE / 2).all())

    def _unary(self, logits: Tensor, positions: np.ndarray) -> Tensor:
        """Return what each center says for each state, weighed, shape (k, 27)."""
        odds = logits.softmax(0)
        rows = [
            odds[: len(STATES), max(at - _HALF, 0) : at + _HALF + 1].mean(1) for at in positions
        ]
        evidence = torch.log(torch.stack(rows) + _FLOOR) - self._held
        said = self._prior.level_weight * evidence
        return torch.cat([said[:1] + self._first, said[1:]])

    def _steps(self, gaps_mm: np.ndarray) -> Tensor:
        """Return the score of every step for each size, shape (13, k - 1, 27, 27)."""
        seen = torch.from_numpy(np.log(np.maximum(gaps_mm, 1.0))).float()
        off = seen[:, None, None] - self._log_gap - self._sizes[:, None, None, None]
        density = -0.5 * (off / self._prior.gap_spread) ** 2
        return self._odds + self._prior.gap_weight * density


def _forward(unary: Tensor, steps: Tensor) -> Tensor:
    """Return the log of the sum over all namings for each size, shape (13,)."""
    total = unary[0].expand(len(steps), -1)
    for k in range(1, len(unary)):
        total = torch.logsumexp(total[:, :, None] + steps[:, k - 1], 1) + unary[k]
    return torch.logsumexp(total, 1)
