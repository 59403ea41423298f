"""The scanner: turns tissue into a CT image - blur, noise, kernel, streaks, coarse slices."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage as ndi

from spinexplain.data.phantom.canvas import grain
from spinexplain.data.phantom.presets import Scanner

AIR_HU = -1024.0


@dataclass(frozen=True)
class Acquisition:
    """One drawn way of scanning; sigmas in mm, noise in HU."""

    psf_mm: float
    slice_mm: float
    noise_hu: float
    noise_color: float
    sharpen: float
    streak_hu: float
    coarse_mm: float
    coarse_both: bool
    gain: float
    offset_hu: float
    seed: int
    arm_streak_hu: float = 0.0


def draw_acquisition(rng: np.random.Generator, ranges: Scanner) -> Acquisition:
    """Draw how one scan is acquired."""
    low, high = np.log(ranges.noise_hu)
    return Acquisition(
        psf_mm=float(rng.uniform(*ranges.psf_mm)),
        slice_mm=float(rng.uniform(*ranges.slice_mm)),
        noise_hu=float(np.exp(rng.uniform(low, high))),
        noise_color=float(rng.uniform(*ranges.noise_color)),
        sharpen=float(rng.uniform(*ranges.sharpen_gain)) if rng.random() < ranges.sharpen else 0.0,
        streak_hu=float(rng.uniform(20, 120)) if rng.random() < ranges.streaks else 0.0,
        coarse_mm=float(rng.uniform(*ranges.coarse_mm)) if rng.random() < ranges.coarse else 0.0,
        coarse_both=bool(rng.random() < ranges.coarse_both),
        gain=float(rng.uniform(1 - ranges.gain, 1 + ranges.gain)),
        offset_hu=float(rng.uniform(-ranges.offset_hu, ranges.offset_hu)),
        seed=int(rng.integers(2**31)),
    )


def scan_sheet(tissue: np.ndarray, how: Acquisition) -> np.ndarray:
    """Image a sheet (rows cranio-caudal, columns antero-posterior, 1 mm) as a CT would.

    Parameters
    ----------
    tissue : ndarray of float32, shape (R, C)
        HU before the scanner.
    how : Acquisition

    Returns
    -------
    ndarray of float32, shape (R, C)
        HU, -1024 to 3071.
    """
    rng = np.random.default_rng(how.seed)
    sigma = (float(np.hypot(how.slice_mm, 0.0)), how.psf_mm)
    hu = ndi.gaussian_filter(tissue, sigma, truncate=3.0)
    if how.sharpen:
        hu += how.sharpen * (hu - ndi.gaussian_filter(hu, 1.2, truncate=3.0))
    noise = grain(rng, hu.shape, how.noise_color)
    hu += how.noise_hu * (0.92 * noise + 0.4 * rng.standard_normal(hu.shape, np.float32))
    if how.streak_hu:
        hu += streaks(rng, hu.shape, how.streak_hu)
    if how.coarse_mm:
        hu = coarsen(hu, how.coarse_mm, float(rng.random()), 0)
        if how.coarse_both:
            hu = coarsen(hu, how.coarse_mm, float(rng.random()), 1)
    hu = (hu + 1000) * how.gain - 1000 + how.offset_hu
    return np.clip(hu, AIR_HU, 3071).astype(np.float32)


def streaks(rng: np.random.Generator, shape: tuple[int, int], hu: float) -> np.ndarray:
    """Return streaks running mostly antero-posterior (shoulders, metal), HU."""
    rows, columns = shape
    lines = grain(rng, (rows + columns,), rng.uniform(0.6, 2.0))
    slope = rng.uniform(-0.4, 0.4)
    at = np.arange(rows)[:, None] + slope * np.arange(columns)[None, :]
    at = np.clip(at - at.min(), 0, rows + columns - 1)
    window = np.exp(-(((at - rng.uniform(0, rows)) / rng.uniform(8, 50)) ** 2))
    return (hu * window * np.interp(at, np.arange(rows + columns), lines)).astype(np.float32)


def coarsen(hu: np.ndarray, spacing_mm: float, phase: float, axis: int) -> np.ndarray:
    """Sample along one axis at a coarser spacing and interpolate back linearly."""
    n = hu.shape[axis]
    count = int(np.ceil(n / spacing_mm)) + 1
    at = np.clip((np.arange(count) - phase) * spacing_mm, 0, n - 1)
    coarse = _linear(hu, at, axis)
    back = np.clip(np.arange(n) / spacing_mm + phase, 0, count - 1)
    return _linear(coarse, back, axis)


def _linear(values: np.ndarray, at: np.ndarray, axis: int) -> np.ndarray:
    low = np.clip(at.astype(int), 0, values.shape[axis] - 1)
    high = np.minimum(low + 1, values.shape[axis] - 1)
    shape = [1] * values.ndim
    shape[axis] = -1
    weight = (at - low).astype(np.float32).reshape(shape)
    left = np.take(values, low, axis)
    return left + (np.take(values, high, axis) - left) * weight


def scan_volume(
    tissue: np.ndarray, how: Acquisition, spacing_mm: tuple[float, float, float]
) -> np.ndarray:
    """Image a volume (x, y, z) as a CT would.

    Parameters
    ----------
    tissue : ndarray of float32, shape (X, Y, Z)
        HU before the scanner.
    how : Acquisition
    spacing_mm : tuple of 3 floats

    Returns
    -------
    ndarray of int16, shape (X, Y, Z)
        HU, -1024 to 3071.
    """
    rng = np.random.default_rng(how.seed)
    widths = np.array([how.psf_mm, how.psf_mm, how.slice_mm]) / np.array(spacing_mm)
    hu = ndi.gaussian_filter(tissue, widths, truncate=3.0)
    if how.sharpen:
        soft = ndi.gaussian_filter(hu, (*(1.2 / np.array(spacing_mm[:2])), 0.0), truncate=3.0)
        soft -= hu
        soft *= -how.sharpen
        hu += soft
    hu += np.float32(0.92 * how.noise_hu) * grain(rng, hu.shape, how.noise_color * 0.7)
    # A white part, as in sheets; a sharp kernel raises it with everything else that is fine.
    white = np.float32(0.4 * how.noise_hu * (1 + how.sharpen))
    hu += white * rng.standard_normal(hu.shape, np.float32)
    if how.streak_hu:
        for k in range(hu.shape[2]):
            hu[:, :, k] += streaks(rng, hu.shape[:2], how.streak_hu * rng.random())
    if how.arm_streak_hu:
        for k in range(hu.shape[2]):
            # Arms beside the trunk starve the rays that cross both: streaks from side to side.
            hu[:, :, k] += streaks(rng, hu.shape[1::-1], how.arm_streak_hu * rng.uniform(0.4, 1)).T
    hu *= how.gain
    hu += 1000 * (how.gain - 1) + how.offset_hu
    np.clip(hu, AIR_HU, 3071, out=hu)
    return np.rint(hu, out=hu).astype(np.int16)
