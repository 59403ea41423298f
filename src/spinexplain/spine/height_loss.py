"""How much height a vertebral body has lost: reference, class, shape and interval.

Pure numbers in, pure numbers out. A body is compared, site by site, with the nearest
unfractured levels above and below, after both are divided by the published norms of their
levels. A crush, which lowers all three heights, shows only this way.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass

import numpy as np

from spinexplain.anatomy import VertebraLevel
from spinexplain.spine.norms import norm_heights_mm

FRACTURED_LOSS = 0.20
CLASS_BOUNDS = (0.20, 0.25, 0.40)

START_QUANTILE = 0.7
"""Of a site's ratios: above the median, as fractures only lower them."""
TALLEST_QUANTILE = 0.9
"""The same where most bodies of a spine may be fractured: its tallest are taken for sound."""

_SUSPECT_LOSS = 0.15  # against the whole spine: not used as anybody's reference
_ROUNDS = 3
_NATURAL_SD = 0.04  # of one level's height against a neighbor's, after the norms
_PERSON_SD = 0.08  # of a person's size and shape, where nobody can be compared with
INTERVAL_SDS = 1.96
OWN_SD = 0.05
"""Of a loss among unfractured vertebrae of one person, however exact the mask."""


@dataclass(frozen=True, eq=False)
class HeightLoss:
    """What the heights of one body say about height loss.

    Parameters
    ----------
    expected_mm : ndarray, shape (3,)
        Expected anterior, middle and posterior height.
    losses : ndarray, shape (3,)
        Relative loss at each site, negative when taller than expected.
    loss : float
        The largest of ``losses``.
    interval : tuple of 2 floats
        95 % interval of ``loss``.
    own_posterior_loss : float
        Largest loss of anterior and middle height against the own posterior height.
    references : tuple of VertebraLevel
        The unfractured levels compared with; empty where there were none.
    """

    expected_mm: np.ndarray
    losses: np.ndarray
    loss: float
    interval: tuple[float, float]
    own_posterior_loss: float
    references: tuple[VertebraLevel, ...]

    @property
    def height_loss_class(self) -> int:
        """The class of ``loss``, 0-3."""
        return height_loss_class(self.loss)

    @property
    def class_range(self) -> tuple[int, int]:
        """The classes at the ends of ``interval``."""
        return height_loss_class(self.interval[0]), height_loss_class(self.interval[1])

    @property
    def shape(self) -> str:
        """``"none"``, ``"wedge"``, ``"biconcave"`` or ``"crush"``."""
        return deformity_shape(self.losses)


def loss_sd(interval: tuple[float, float]) -> float:
    """Return the standard deviation behind the 95 % interval of a loss.

    Examples
    --------
    >>> round(loss_sd((0.2, 0.4)), 3)
    0.051
    """
    low, high = interval
    return (high - low) / (2 * INTERVAL_SDS)


def height_loss_class(loss: float) -> int:
    """Return 0 under 20 %, 1 from 20 to under 25 %, 2 from 25 to 40 %, 3 over 40 %.

    Examples
    --------
    >>> [height_loss_class(loss) for loss in (0.199, 0.2, 0.25, 0.4, 0.401)]
    [0, 1, 2, 2, 3]
    """
    mild, moderate, severe = CLASS_BOUNDS
    return int(loss >= mild) + int(loss >= moderate) + int(loss > severe)


def deformity_shape(losses: np.ndarray) -> str:
    """Name the deformity of (anterior, middle, posterior) losses.

    Under 20 % everywhere there is none; with the posterior height lost too it is a crush,
    else a wedge or biconcave, whichever of anterior and middle lost more.

    Examples
    --------
    >>> deformity_shape(np.array([0.30, 0.22, 0.05]))
    'wedge'
    """
    anterior, middle, posterior = losses
    if max(losses) < FRACTURED_LOSS:
        return "none"
    if posterior >= FRACTURED_LOSS:
        return "crush"
    return "wedge" if anterior >= middle else "biconcave"


def compare_heights(
    heights_mm: Mapping[VertebraLevel, np.ndarray],
    sd_mm: Mapping[VertebraLevel, np.ndarray] | None = None,
    start_quantile: float = START_QUANTILE,
) -> dict[VertebraLevel, HeightLoss]:
    """Compare every body with its nearest unfractured neighbors.

    Parameters
    ----------
    heights_mm : mapping of VertebraLevel to ndarray, shape (3,)
        Anterior, middle and posterior heights; cervical levels are left out.
    sd_mm : mapping of VertebraLevel to ndarray, shape (3,), optional
        Standard deviations of the heights; 0 where not given.
    start_quantile : float
        Where the spine's own usual ratio starts, see the notes.

    Returns
    -------
    mapping of VertebraLevel to HeightLoss
        In cranio-caudal order.

    Notes
    -----
    Ratios of measured to published height are compared on a log scale. Levels that fall
    15 % below the spine's own usual ratio at any site are nobody's reference. That ratio
    starts at the 70th percentile, so that adjacent fractures do not become each other's
    norm, or where ``start_quantile`` says, and ends at the median of the trusted levels. The
    interval holds the heights' own standard deviations, the disagreement of the references
    (4 % where there is only one) and the natural variation of the level itself (5 points of
    loss).

    Examples
    --------
    >>> levels = [VertebraLevel(name) for name in ("T7", "T8", "T9")]
    >>> heights = [np.array([20.0, 20, 20]), np.array([20.0, 14, 20]), np.array([20.0, 20, 20])]
    >>> found = compare_heights(dict(zip(levels, heights)))[VertebraLevel("T8")]
    >>> round(found.loss, 2), found.height_loss_class, found.shape
    (0.3, 2, 'biconcave')
    """
    norms = {level: norm_heights_mm(_standing_for(level, heights_mm)) for level in heights_mm}
    levels = sorted((lv for lv, norm in norms.items() if norm is not None), key=lambda lv: lv.order)
    if not levels:
        return {}
    norm = np.array([norms[level] for level in levels])
    heights = np.array([heights_mm[level] for level in levels], dtype=float)
    spread = np.array([(sd_mm or {}).get(level, np.zeros(3)) for level in levels]) / heights
    ratios = np.log(heights / norm)
    places = np.array([_place(_standing_for(level, heights_mm)) for level in levels])
    usable = _unfractured(ratios, start_quantile)
    return {
        level: _compare_one(i, levels, ratios, norm, spread, places, usable)
        for i, level in enumerate(levels)
    }


def _standing_for(level: VertebraLevel, among: Container[VertebraLevel]) -> VertebraLevel:
    """Return T12 for a T13 without T12: it is the last thoracic vertebra, whatever its name."""
    last = level is VertebraLevel.T13 and VertebraLevel.T12 not in among
    return VertebraLevel.T12 if last else level


def _place(level: VertebraLevel) -> float:
    """Return the position along the spine, T12 and L1 one apart, T13 halfway."""
    after = level.order - VertebraLevel.T13.order
    return level.order - 1.0 if after > 0 else level.order - 0.5 * (after == 0)


def _unfractured(ratios: np.ndarray, start_quantile: float = START_QUANTILE) -> np.ndarray:
    """Say which levels may be anybody's reference, shape (n,) bool.

    Trust is only ever lost from round to round; were it regained, a median lowered by
    mild losses would let the next lower level in, and so on down a slow descent.
    """
    trusted = np.ones(len(ratios), bool)
    usual = np.quantile(ratios, start_quantile, axis=0)
    for _ in range(_ROUNDS):
        trusted &= np.all(ratios > usual + np.log(1 - _SUSPECT_LOSS), axis=1)
        if not trusted.any():
            break
        usual = np.median(ratios[trusted], axis=0)
    return trusted


def _references(index: int, places: np.ndarray, usable: np.ndarray) -> tuple[list[int], np.ndarray]:
    """Return the nearest usable level above and below (or two on one side), and weights."""
    others: list[int] = np.flatnonzero(usable).tolist()
    above = [i for i in others if i < index][::-1]
    below = [i for i in others if i > index]
    found = [above[0], below[0]] if above and below else (above or below)[:2]
    nearness = 1.0 / np.abs(places[found] - places[index])
    return found, nearness / nearness.sum()


def _compare_one(
    index: int,
    levels: list[VertebraLevel],
    ratios: np.ndarray,
    norm: np.ndarray,
    spread: np.ndarray,
    places: np.ndarray,
    usable: np.ndarray,
) -> HeightLoss:
    found, weights = _references(index, places, usable)
    if found:
        usual = weights @ ratios[found]
        reference_sd = np.hypot(
            np.sqrt(weights**2 @ spread[found] ** 2), _disagreement(ratios[found], weights)
        )
    else:  # nobody to compare with: the own posterior height says how large the person is
        usual = np.full(3, ratios[index, 2])
        reference_sd = np.full(3, _PERSON_SD)
    kept = np.exp(ratios[index] - usual)
    worst = int(np.argmin(kept))
    measured_sd = kept[worst] * np.hypot(spread[index, worst], reference_sd[worst])
    reach = INTERVAL_SDS * np.hypot(measured_sd, OWN_SD)
    loss = float(1 - kept[worst])
    own = 1 - np.exp(ratios[index, :2].min() - ratios[index, 2])
    return HeightLoss(
        expected_mm=norm[index] * np.exp(usual),
        losses=1 - kept,
        loss=loss,
        interval=(loss - float(reach), loss + float(reach)),
        own_posterior_loss=float(own),
        references=tuple(levels[i] for i in found),
    )


def _disagreement(ratios: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the standard error of the weighted mean of one or two references, per site."""
    if len(ratios) == 1:
        return np.full(3, _NATURAL_SD)
    return np.abs(ratios[0] - ratios[1]) * np.sqrt(weights.prod())
