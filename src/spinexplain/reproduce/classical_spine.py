"""Vertebral bodies found without a network: the densest line, and its period along the spine."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter, gaussian_filter1d

from spinexplain.localizer.center_chain import expected_gaps
from spinexplain.localizer.centers import AlongSpine, center_positions
from spinexplain.localizer.coarse import coarsened, whole_field
from spinexplain.localizer.naming import NamingPrior
from spinexplain.localizer.reading import in_scan
from spinexplain.localizer.ridge import find_ridge
from spinexplain.localizer.section import arc_lengths, sampled_section, whole_section
from spinexplain.models.localizing import LEVEL_CLASSES
from spinexplain.types import Volume

_BONE_HU = (100.0, 300.0)
_BROAD = 2.5  # voxels of 4 mm: about the width of a body
_HALF_MM = 10.0
_PERIOD = 12.0  # positions of 2 mm


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
    Bone (100 to 300 HU) is blurred to the width of a body, and the best ridge from head to foot
    is taken. Bodies are the maxima of the mean density within 10 mm of it, less its mean
    over some 25 mm, chosen by the distances between them.
    """
    coarse = coarsened(volume)
    whole = whole_field(coarse)
    low, high = _BONE_HU
    bone = gaussian_filter(np.clip((whole.array - low) / (high - low), 0.0, 1.0), _BROAD)
    if bone.max() <= 0:
        return np.zeros((0, 3))
    ridge = find_ridge(bone / bone.max(), whole.affine)
    if ridge is None:
        return np.zeros((0, 3))
    frame = whole_section(ridge.curve)
    inside = in_scan(coarse, frame.curve.at(arc_lengths(frame)))
    seen = _seen(_profile(sampled_section(coarse, frame), frame.spacing_mm))
    positions = center_positions(seen, inside, expected_gaps(seen, prior), frame.spacing_mm)
    middle = np.tile((np.array(frame.shape[1:]) - 1) / 2, (len(positions), 1))
    return np.asarray(frame.to_mm(np.column_stack([positions, middle])))


def _profile(section_hu: np.ndarray, step_mm: float) -> np.ndarray:
    """Return the mean density near the line at every position, less its slow change."""
    half = round(_HALF_MM / step_mm)
    p, q = (n // 2 for n in section_hu.shape[1:])
    near = section_hu[:, p - half : p + half, q - half : q + half].mean(axis=(1, 2))
    return gaussian_filter1d(near, 1.5) - gaussian_filter1d(near, _PERIOD)


def _seen(profile: np.ndarray) -> AlongSpine:
    """Write a profile as probabilities; every level is as likely as another."""
    n, classes = len(profile), len(LEVEL_CLASSES)
    center = 1.0 / (1.0 + np.exp(-2.0 * profile / max(float(profile.std()), 1e-6)))
    levels = np.full((n, classes), 1.0 / classes)
    return AlongSpine(center, 1.0 - center, np.zeros((n, 3)), levels)
