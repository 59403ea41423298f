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


def draw_seen(
    rng: np.random.Generator,
    centers_mm: np.ndarray,
    low_mm: np.ndarray,
    high_mm: np.ndarray,
    whole_share: float = 0.25,
) -> SeenBox:
    """Draw the field of view of a scan.

    Parameters
    ----------
    rng : numpy.random.Generator
    centers_mm : ndarray, shape (n, 3)
        Body centers, head to foot.
    low_mm, high_mm : ndarray, shape (3,)
        Ends of what is drawn of the person.
    whole_share : float
        Share of the scans that show all of it from head to foot.

    Returns
    -------
    SeenBox
        Scans that do not show all of it are cut above and below so that at least three
        bodies are in view. A third are cut at the sides too, as a field laid on the spine is,
        at least 40 mm from the centers that are in view.
    """
    low, high = np.array(low_mm, float), np.array(high_mm, float)
    if rng.random() >= whole_share:
        count = len(centers_mm)
        wanted = int(rng.integers(3, count + 1))
        first = int(rng.integers(0, count - wanted + 1))
        gap = np.abs(np.diff(centers_mm[:, 2])).mean()
        high[2] = min(centers_mm[first, 2] + rng.uniform(0.1, 1.6) * gap, high[2])
        low[2] = max(centers_mm[first + wanted - 1, 2] - rng.uniform(0.1, 1.6) * gap, low[2])
    seen = centers_mm[(centers_mm[:, 2] > low[2]) & (centers_mm[:, 2] < high[2])]
    if rng.random() < 0.35 and len(seen):
        for axis in (0, 1):
            low[axis] = max(low[axis], seen[:, axis].min() - rng.uniform(40.0, 140.0))
            high[axis] = min(high[axis], seen[:, axis].max() + rng.uniform(40.0, 140.0))
    return SeenBox(low, high)
