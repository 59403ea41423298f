"""A scoliosis that keeps the length of the spine: bodies turn into the curve."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from spinexplain.data.phantom.draw import Subject
from spinexplain.data.phantom.spine import Placement, stack

_STEEPEST = 0.8  # sideways over the distance of two bodies: 53 degrees
_LEAST_MM = 6.0  # of that distance, where a body is crushed or fused


def bent(subject: Subject) -> Subject:
    """Turn bodies into the curve that the posture's sideways shifts make, and mark it as such.

    Bows steeper than 53 degrees are made flatter as a whole.

    Parameters
    ----------
    subject : Subject
        Its posture shifts bodies sideways on a spine of unchanged height.
    """
    posture = subject.posture
    upright = stack(subject.bodies, replace(posture, side_mm=0.0 * posture.side_mm), True)
    steps = _steps(upright)
    shifts = -np.diff(posture.side_mm)
    factor = min(1.0, _STEEPEST / max(float(np.abs(shifts / steps).max()), 1e-9))
    side = posture.side_mm[-1] + factor * (posture.side_mm - posture.side_mm[-1])
    roll = np.arcsin(_tilts(side, steps))
    return replace(subject, posture=replace(posture, side_mm=side, roll=roll, keeps_length=True))


def _steps(places: tuple[Placement, ...]) -> np.ndarray:
    """Return the distances of neighboring bodies, mm, cranial to caudal."""
    centers = np.array([place.center for place in places])
    return np.maximum(np.linalg.norm(np.diff(centers, axis=0), axis=1), _LEAST_MM)


def _tilts(side_mm: np.ndarray, steps_mm: np.ndarray) -> np.ndarray:
    """Return how far each body leans sideways, as a share of the way up."""
    slopes = -np.diff(side_mm) / steps_mm
    return np.asarray((np.r_[slopes[:1], slopes] + np.r_[slopes, slopes[-1:]]) / 2)
