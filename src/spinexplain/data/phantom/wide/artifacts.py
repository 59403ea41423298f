"""The scanner for large volumes, and what metal and thick slices do to them."""

from __future__ import annotations

import numpy as np
from scipy import ndimage as ndi

from spinexplain.data.phantom.canvas import grain
from spinexplain.data.phantom.presets import Wide
from spinexplain.data.phantom.scanner import AIR_HU, Acquisition, coarsen, streaks

_TILE = 96  # voxels
_UNSEEN = 0.2  # a blur of less than this share of a voxel changes nothing
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


def scan_large(
    rng: np.random.Generator, tissue: np.ndarray, how: Acquisition, spacing_mm: np.ndarray
) -> np.ndarray:
    """Image a volume as :func:`spinexplain.data.phantom.scanner.scan_volume` does, but faster.

    Noise is drawn for a block and repeated, turned at random; a blur that is small against a
    voxel is left out.

    Parameters
    ----------
    rng : numpy.random.Generator
    tissue : ndarray of float32, shape (X, Y, Z)
        HU before the scanner; used up.
    how : Acquisition
    spacing_mm : ndarray, shape (3,)

    Returns
    -------
    ndarray of int16, shape (X, Y, Z)
        HU, -1024 to 3071.
    """
    hu = tissue
    widths = np.array([how.psf_mm, how.psf_mm, how.slice_mm]) / spacing_mm
    for axis, width in enumerate(widths):
        if width > _UNSEEN:
            hu = ndi.gaussian_filter1d(hu, width, axis, truncate=3.0)
    if how.sharpen:
        soft = ndi.gaussian_filter(hu, (*(1.2 / spacing_mm[:2]), 0.0), truncate=3.0)
        hu += np.float32(how.sharpen) * (hu - soft)
    hu += _noise(rng, hu.shape, how)
    if how.streak_hu:
        for k in range(hu.shape[2]):
            hu[:, :, k] += streaks(rng, hu.shape[:2], how.streak_hu * rng.random())
    hu *= np.float32(how.gain)
    hu += np.float32(1000 * (how.gain - 1) + how.offset_hu)
    np.clip(hu, AIR_HU, 3071, out=hu)
    return np.rint(hu, out=hu).astype(np.int16)


def _noise(rng: np.random.Generator, shape: tuple[int, ...], how: Acquisition) -> np.ndarray:
    small = min(max(shape), _TILE)
    block = np.float32(0.92 * how.noise_hu) * grain(rng, (small,) * 3, how.noise_color * 0.7)
    white = np.float32(0.4 * how.noise_hu * (1 + how.sharpen))
    block += white * rng.standard_normal(block.shape, np.float32)
    noise = np.empty(shape, np.float32)
    for start in np.ndindex(*(-(-n // small) for n in shape)):
        index = tuple(
            slice(at * small, min((at + 1) * small, n)) for at, n in zip(start, shape, strict=True)
        )
        turned = block.transpose(rng.permutation(3))[
            tuple(_WAYS[k] for k in rng.integers(2, size=3))
        ]
        noise[index] = turned[tuple(slice(part.stop - part.start) for part in index)]
    return noise


_WAYS = (slice(None), slice(None, None, -1))


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
