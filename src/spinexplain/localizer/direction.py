"""Whether a scan's spine runs from head to foot and faces forward, as its header says."""

from __future__ import annotations

import numpy as np

from spinexplain.localizer.centers import AlongSpine, along_spine
from spinexplain.localizer.reading import LevelAnswers, SpineReading

UPSIDE_DOWN = (
    "read from foot to head, the levels are clearer than from head to foot. Is the scan upside "
    "down? Check its header and the levels."
)
BACK_TO_FRONT = (
    "hardly a body's center is clear along the spine. Are front and back exchanged? Check the "
    "scan's header and the levels."
)

_CLEARER = 0.05
_CLEAR = 0.8  # no scan was read as clearly from foot to head
_LEAST_CENTER = 0.7  # of the clearest tenth of the positions; .93 where a spine lies upright


def direction_doubt(reading: SpineReading, network: LevelAnswers) -> str | None:
    """Say why the directions in a scan's header look wrong, or None.

    Parameters
    ----------
    reading : SpineReading
    network : callable
        From densities (1, 1, S, 56, 60) to answers (1, 33, S).

    Notes
    -----
    The section is read once more with head and foot exchanged, unless the levels are clear as it
    is. Levels have an order that the network knows: how sure it is of one at each position falls
    by some 0.2 in the wrong direction. Centers are hardly seen where bodies lie behind the arches.
    """
    if reading.inside.any() and _clearness(reading.seen, reading.inside) >= _CLEAR:
        return _back_to_front(reading.seen, reading.inside)
    upward = np.ascontiguousarray(reading.densities[::-1])
    turned = along_spine(network(upward[None, None])[0])
    return doubt_of(reading.seen, turned, reading.inside)


def doubt_of(seen: AlongSpine, turned: AlongSpine, inside: np.ndarray) -> str | None:
    """Compare what is read in both directions.

    Parameters
    ----------
    seen, turned : AlongSpine
        Of n positions from head to foot, and of the same from foot to head.
    inside : ndarray of bool, shape (n,)
        Positions of ``seen`` that lie in the scan.
    """
    if not inside.any():
        return None
    if _clearness(turned, inside[::-1]) > _clearness(seen, inside) + _CLEARER:
        return UPSIDE_DOWN
    return _back_to_front(seen, inside)


def _back_to_front(seen: AlongSpine, inside: np.ndarray) -> str | None:
    centers = np.sort(seen.center[inside])[-max(inside.sum() // 10, 1) :]
    return BACK_TO_FRONT if centers.mean() < _LEAST_CENTER else None


def _clearness(seen: AlongSpine, inside: np.ndarray) -> float:
    return float(seen.levels[inside].max(axis=1).mean())
