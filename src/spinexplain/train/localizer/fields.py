"""Random fields of view: which part of a drawn person a scan shows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

AIR_HU = -1000.0


@dataclass(frozen=True, eq=False)
class SeenBox:
    """What a scan shows of a person, a box along the patient's axes.

    Parameters
    ----------
    low_mm, high_mm : ndarray, shape (3,)
        RAS+ mm.
    """

    low_mm: np.ndarray
    high_mm: np.ndarray

    def holds(self, points_mm: np.ndarray) -> np.ndarray:
        """Say which points (..., 3) lie in the box, (...)."""
        inside = (points_mm >= self.low_mm) & (points_mm <= self.high_mm)
        return np.asarray(inside.all(axis=-1))


@dataclass(frozen=True)
class FieldShares:
    """How often a field of view is of which kind.

    Parameters
    ----------
    whole : float
        Share of the scans that show all of a person from head to foot.
    short : float
        Share of the others that show three to six bodies, and no more.
    narrow : float
        Share of all that are cut at the sides too, as a field laid on the spine is.
    beside_mm : (float, float)
        What is left then beside the outermost centers in view, at least and at most.
    """

    whole: float = 0.25
    short: float = 0.0
    narrow: float = 0.35
    beside_mm: tuple[float, float] = (40.0, 140.0)


USUAL = FieldShares()
CUT = FieldShares(whole=0.0)
SMALL = FieldShares(whole=0.1, short=0.5, narrow=0.6, beside_mm=(35.0, 120.0))
"""For a training that is to know short and narrow scans."""

_SHORT_BODIES = 6


def draw_seen(
    rng: np.random.Generator,
    centers_mm: np.ndarray,
    low_mm: np.ndarray,
    high_mm: np.ndarray,
    shares: FieldShares = USUAL,
) -> SeenBox:
    """Draw the field of view of a scan.

    Parameters
    ----------
    rng : numpy.random.Generator
    centers_mm : ndarray, shape (n, 3)
        Body centers, head to foot.
    low_mm, high_mm : ndarray, shape (3,)
        Ends of what is drawn of the person.
    shares : FieldShares

    Returns
    -------
    SeenBox
        Scans that do not show all of it are cut above and below so that at least three
        bodies are in view.
    """
    low, high = np.array(low_mm, float), np.array(high_mm, float)
    if rng.random() >= shares.whole:
        count = len(centers_mm)
        most = count if shares.short == 0 or rng.random() >= shares.short else _SHORT_BODIES
        wanted = int(rng.integers(3, min(most, count) + 1))
        first = int(rng.integers(0, count - wanted + 1))
        gap = np.abs(np.diff(centers_mm[:, 2])).mean()
        high[2] = min(centers_mm[first, 2] + rng.uniform(0.1, 1.6) * gap, high[2])
        low[2] = max(centers_mm[first + wanted - 1, 2] - rng.uniform(0.1, 1.6) * gap, low[2])
    seen = centers_mm[(centers_mm[:, 2] > low[2]) & (centers_mm[:, 2] < high[2])]
    if rng.random() < shares.narrow and len(seen):
        for axis in (0, 1):
            low[axis] = max(low[axis], seen[:, axis].min() - rng.uniform(*shares.beside_mm))
            high[axis] = min(high[axis], seen[:, axis].max() + rng.uniform(*shares.beside_mm))
    return SeenBox(low, high)
