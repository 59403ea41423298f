"""Vertebral bodies found without a network: the densest line, and its period along the spine."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter, gaussian_filter1d

from spinexplain.localizer.center_chain import expected_gaps
from spinexplain.localizer.centers import AlongSpine, center_positions
from spinexplain.localizer.coarse import WHOLE_MM, coarsened, whole_field
from spinexplain.localizer.naming import NamingPrior
from spinexplain.localizer.reading import in_scan
from spinexplain.localizer.ridge import find_ridge
from spinexplain.localizer.section import arc_lengths, sampled_section, whole_section
from spinexplain.models.localizing import LEVEL_CLASSES
from spinexplain.types import Volume

_BONE_HU = (100.0, 300.0)
_BROAD = 2.5  # voxels of 4 mm: about the width of a body
_INSIDE_HU = -300.0
_SIDE_MM = 25.0  # how far from the middle of the patient the spine may lie
_DEEP_MM, _DEPTH_MM = 70.0, 14.0  # how far from the back, and how far off that; set on 10 scans
_LEAST_TOP = 0.1  # of the brightest plane: a plane without bone is not made bright
_ALONG = 3.0  # planes
_SHIFTS_MM = (-8.0, -4.0, 0.0, 4.0, 8.0)
_HALF_MM = 8.0
_HELD_HU = (-100.0, 500.0)
_FINE, _PERIOD, _CYCLE = 1.5, 6.0, 12.0  # positions of 2 mm
_LEAST_HU = 3.0


def classical_centers(volume: Volume, prior: NamingPrior) -> np.ndarray:
    """Find body centers by density alone.

    Parameters
    ----------
    volume : Volume
        HU.
    prior : NamingPrior
        Says which distances to expect.

    Returns
    -------
    ndarray, shape (k, 3)
        Head to foot, RAS+ mm; empty where there is no line of bone.

    Notes
    -----
    Bone (100 to 300 HU) is blurred to the width of a body and weighed by where a spine lies: near
    the middle of the patient, some 70 mm from the back. Each plane is divided by its brightest
    place, so that skull and pelvis do not outshine the spine; the best ridge from head to foot is
    taken. The mean density beside it, at the distance from it where it varies most, less its mean
    over some 25 mm and over the size of its own variation nearby, says where bodies are;
    they are chosen by the distances between them.
    """
    coarse = coarsened(volume)
    whole = whole_field(coarse)
    likely = _likely(whole.array, WHOLE_MM)
    if likely.max() <= 0:
        return np.zeros((0, 3))
    ridge = find_ridge(np.minimum(likely, 1.0), whole.affine)
    if ridge is None:
        return np.zeros((0, 3))
    frame = whole_section(ridge.curve)
    inside = in_scan(coarse, frame.curve.at(arc_lengths(frame)))
    if not inside.any():
        return np.zeros((0, 3))
    waves = _waves(sampled_section(coarse, frame), frame.spacing_mm)
    shift = max(waves, key=lambda mm: float(np.std(waves[mm][inside])))
    seen = _seen(waves[shift])
    positions = center_positions(seen, inside, expected_gaps(seen, prior), frame.spacing_mm)
    middle = (np.array(frame.shape[1:]) - 1) / 2 - [shift / frame.spacing_mm, 0.0]
    across = np.tile(middle, (len(positions), 1))
    return np.asarray(frame.to_mm(np.column_stack([positions, across])))


def _likely(hu: np.ndarray, step_mm: float) -> np.ndarray:
    """Return how much bone there is where a spine may lie, about 1 at the best place of a plane."""
    low, high = _BONE_HU
    bone = gaussian_filter(np.clip((hu - low) / (high - low), 0.0, 1.0), _BROAD)
    inside = hu > _INSIDE_HU
    middle = _smooth(_quantile(inside.sum(axis=1), 0.5))
    back = _smooth(_quantile(inside.sum(axis=0), 0.02))
    x, y = (np.arange(n)[:, None] for n in hu.shape[:2])
    beside = np.exp(-0.5 * ((x - middle) * step_mm / _SIDE_MM) ** 2)
    deep = np.exp(-0.5 * (((y - back) * step_mm - _DEEP_MM) / _DEPTH_MM) ** 2)
    likely = bone * beside[:, None] * deep[None]
    top = _smooth(likely.max(axis=(0, 1)))
    return np.asarray(likely / np.maximum(top, max(_LEAST_TOP * float(top.max()), 1e-6)))


def _smooth(line: np.ndarray) -> np.ndarray:
    return np.asarray(gaussian_filter1d(np.asarray(line, float), _ALONG, mode="nearest"))


def _quantile(counts: np.ndarray, share: float) -> np.ndarray:
    """Return in every column (n, k) the row up to which a share of its counts lies, (k,)."""
    total = np.cumsum(counts, axis=0)
    reached = total >= np.maximum(share * total[-1], 1)
    return np.where(total[-1] > 0, reached.argmax(axis=0), len(counts) / 2)


def _waves(section_hu: np.ndarray, step_mm: float) -> dict[float, np.ndarray]:
    """Return the density along the spine less its slow change, by the distance forward (mm)."""
    half = round(_HALF_MM / step_mm)
    p, q = (n // 2 for n in section_hu.shape[1:])
    held = np.clip(section_hu, *_HELD_HU)
    waves = {}
    for shift in _SHIFTS_MM:
        at = p - round(shift / step_mm)
        near = held[:, at - half : at + half, q - half : q + half].mean(axis=(1, 2))
        waves[shift] = gaussian_filter1d(near, _FINE) - gaussian_filter1d(near, _PERIOD)
    return waves


def _seen(wave: np.ndarray) -> AlongSpine:
    """Write density along the spine as probabilities; every level is as likely as another."""
    n, classes = len(wave), len(LEVEL_CLASSES)
    size = np.sqrt(gaussian_filter1d(wave**2, _CYCLE)) + _LEAST_HU
    center = 1.0 / (1.0 + np.exp(-2.0 * wave / size))
    levels = np.full((n, classes), 1.0 / classes)
    return AlongSpine(center, 1.0 - center, np.zeros((n, 3)), levels)
