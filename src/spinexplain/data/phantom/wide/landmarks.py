"""Where things lie: heights and depths along the spine by the number of the level."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spinexplain.data.phantom.anatomy import norm_of
from spinexplain.data.phantom.shape import Body
from spinexplain.data.phantom.spine import Placement

NUMBERS = (
    {f"C{i}": i - 8 for i in range(2, 8)}
    | {f"T{i}": i - 1 for i in range(1, 13)}
    | {f"L{i}": i + 11 for i in range(1, 6)}
    | {"S1": 17, "S2": 18, "S3": 19}
)
"""T1 is 0, L1 12, S1 17, C7 -1. Extra levels lie between their neighbors."""

_NECK_MM, _BELOW_MM = 15.0, 24.0
_BEYOND = 12  # levels beyond either end, for the skull and the hips


@dataclass(frozen=True, eq=False)
class Landmarks:
    """Level numbers with the place of the spine's front there; mm.

    Parameters
    ----------
    number : ndarray, shape (N,)
        Ascending: cranial to caudal.
    x, front_y, z : ndarray, shape (N,)
        The spine, smoothed as the trunk follows it.
    size : float
        Of the person; 1 is the mean.
    """

    number: np.ndarray
    x: np.ndarray
    front_y: np.ndarray
    z: np.ndarray
    size: float

    def point(self, number: float, side: float, front: float, up: float = 0.0) -> np.ndarray:
        """Return the point beside and before the front of a level, RAS+ mm.

        ``side`` and ``front`` are sizes of the mean person and grow with this one's.
        """
        x, y, z = (np.interp(number, self.number, v) for v in (self.x, self.front_y, self.z))
        return np.array([x + side * self.size, y + front * self.size, z + up * self.size])

    def height(self, number: float) -> float:
        """Return the height (z) of a level, mm."""
        return float(np.interp(number, self.number, self.z))


def landmarks_of(bodies: tuple[Body, ...], places: tuple[Placement, ...]) -> Landmarks:
    """Return the landmarks of one spine that stands."""
    known = [
        (NUMBERS[b.name], b, p) for b, p in zip(bodies, places, strict=True) if b.name in NUMBERS
    ]
    number = np.array([n for n, _, _ in known], float)
    front = np.array([p.center + p.axes[1] * b.depth / 2 for _, b, p in known])
    size = float(np.median([b.depth / norm_of(b.name)["depth"] for _, b, _ in known]))
    z = np.array([p.center[2] for _, _, p in known])
    z = np.minimum.accumulate(z - 1e-3 * np.arange(len(z)))
    x = _eased(front[:, 0], 4)
    y = _eased(front[:, 1], 1)
    up, down = np.arange(_BEYOND, 0, -1.0), np.arange(1.0, _BEYOND + 1)
    return Landmarks(
        number=np.r_[number[0] - up, number, number[-1] + down],
        x=np.r_[np.full(_BEYOND, x[0]), x, np.full(_BEYOND, x[-1])],
        front_y=np.r_[np.full(_BEYOND, y[0]), y, np.full(_BEYOND, y[-4:].mean())],
        z=np.r_[z[0] + up * _NECK_MM * size, z, z[-1] - down * _BELOW_MM * size],
        size=size,
    )


def _eased(values: np.ndarray, reach: int) -> np.ndarray:
    """Return a moving mean over ``reach`` levels to either side, ends kept."""
    padded = np.pad(values, reach, mode="edge")
    kernel = np.full(2 * reach + 1, 1 / (2 * reach + 1))
    return np.convolve(padded, kernel, mode="valid")
