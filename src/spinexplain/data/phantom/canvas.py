"""The fields being painted, and the random textures they are painted with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage as ndi

from spinexplain.data.phantom.grids import Grid


@dataclass(eq=False)
class Canvas:
    """Fields on one grid, filled in place by the painters.

    Parameters
    ----------
    grid : Grid
    hu : ndarray of float32
        Tissue before the scanner.
    label, body, evidence : ndarray of uint8
        VerSe label of the vertebra; the same for its body alone; the same where the
        evidence of its fracture lies.
    shortcut : ndarray of uint8
        VerSe label of the vertebra that a planted mark betrays.
    fine, coarse, mid : ndarray of float32
        Standard normal textures with a grain of about 1 mm, 8 mm and 3 mm.
    """

    grid: Grid
    hu: np.ndarray
    label: np.ndarray
    body: np.ndarray
    evidence: np.ndarray
    shortcut: np.ndarray
    fine: np.ndarray
    coarse: np.ndarray
    mid: np.ndarray


def blank_canvas(rng: np.random.Generator, grid: Grid, background_hu: float) -> Canvas:
    """Return an empty canvas with its textures drawn."""
    shape = grid.shape
    return Canvas(
        grid=grid,
        hu=np.full(shape, background_hu, np.float32),
        label=np.zeros(shape, np.uint8),
        body=np.zeros(shape, np.uint8),
        evidence=np.zeros(shape, np.uint8),
        shortcut=np.zeros(shape, np.uint8),
        fine=grain(rng, shape, 0.7),
        coarse=coarse_grain(rng, shape, 8.0 / grid.pixel_mm),
        mid=coarse_grain(rng, shape, 3.0 / grid.pixel_mm),
    )


def grain(rng: np.random.Generator, shape: tuple[int, ...], sigma: float) -> np.ndarray:
    """Return smoothed white noise with unit standard deviation, grain ``sigma`` in samples."""
    noise = rng.standard_normal(shape, np.float32)
    noise = ndi.gaussian_filter(noise, sigma, mode="wrap", truncate=3.0)
    return noise / np.float32(noise.std() + 1e-6)


def coarse_grain(rng: np.random.Generator, shape: tuple[int, ...], sigma: float) -> np.ndarray:
    """Return the same for coarse grains: drawn on a coarse lattice and interpolated."""
    step = max(int(sigma / 2), 1)
    small = grain(rng, tuple(n // step + 3 for n in shape), sigma / step)
    for axis, n in enumerate(shape):
        at = (np.arange(n) + 0.5) / step
        low = at.astype(int)
        weight = (at - low).astype(np.float32)
        weight = weight.reshape([-1 if a == axis else 1 for a in range(small.ndim)])
        left, right = np.take(small, low, axis), np.take(small, low + 1, axis)
        small = left + (right - left) * weight
    return small


def cover(distance_mm: np.ndarray, pixel_mm: float) -> np.ndarray:
    """Return the share of a pixel inside a surface from its signed distance (inside < 0).

    Examples
    --------
    >>> cover(np.array([-1.0, 0.0, 0.25]), 1.0)
    array([1.  , 0.5 , 0.25])
    """
    return np.clip(0.5 - distance_mm / pixel_mm, 0.0, 1.0)


def blend(hu: np.ndarray, share: np.ndarray, value: np.ndarray | float) -> None:
    """Mix ``value`` into ``hu`` in place, ``share`` from 0 to 1."""
    hu += share * (value - hu)
