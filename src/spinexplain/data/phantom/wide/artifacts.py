"""What metal and thick slices do to a volume."""

from __future__ import annotations

import numpy as np
from scipy import ndimage as ndi

from spinexplain.data.phantom.canvas import grain
from spinexplain.data.phantom.presets import Wide
from spinexplain.data.phantom.scanner import coarsen

_METAL_HU = 2300.0
_LEAST_VOXELS = 3
_ANGLES = 256
_SLICE_SIGMA = 0.35  # of a slice profile, times its thickness


def metal_artifacts(rng: np.random.Generator, hu: np.ndarray) -> None:
    """Add stars of bright and dark streaks around metal, slice by slice, in place.

    Parameters
    ----------
    rng : numpy.random.Generator
    hu : ndarray of float32, shape (X, Y, Z)
        Slices lie along the last axis.
    """
    strength = rng.uniform(30, 260)
    lines = strength * grain(rng, (_ANGLES, max(hu.shape[2], 4)), 1.0)
    x, y = (np.arange(n, dtype=np.float32) for n in hu.shape[:2])
    for k in range(hu.shape[2]):
        metal = np.argwhere(hu[:, :, k] > _METAL_HU)
        if len(metal) < _LEAST_VOXELS:
            continue
        middle = metal.mean(axis=0)
        du, dv = x[:, None] - middle[0], y[None, :] - middle[1]
        angle = (np.arctan2(dv, du) / (2 * np.pi) + 0.5) * _ANGLES
        low = angle.astype(int) % _ANGLES
        share = angle - np.floor(angle)
        line = lines[:, k]
        star = line[low] * (1 - share) + line[(low + 1) % _ANGLES] * share
        reach = np.sqrt(len(metal)) * 4.0
        away = np.sqrt(du * du + dv * dv)
        hu[:, :, k] += star * reach / (reach + away)


def thick_slices(
    rng: np.random.Generator, hu: np.ndarray, spacing_mm: np.ndarray, wide: Wide
) -> np.ndarray:
    """Average slices of a share of scans and interpolate them back to the grid.

    Returns
    -------
    ndarray of int16, the shape of ``hu``
    """
    chance, axis = rng.random(), int(rng.choice([2, 2, 2, 0]))
    steps = rng.uniform(*wide.thick_mm) / float(spacing_mm[axis])
    phase = float(rng.random())
    if chance >= wide.thick or steps <= 1.2:
        return hu
    thick = ndi.gaussian_filter1d(hu.astype(np.float32), _SLICE_SIGMA * steps, axis, truncate=2.0)
    return np.rint(coarsen(thick, steps, phase, axis)).astype(np.int16)
