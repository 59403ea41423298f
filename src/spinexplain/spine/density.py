"""Density of the trabecular bone of each body, as radiologists read it: a median in HU.

The region is a short elliptic cylinder in the front half of the body: away from the endplates,
from the cortex, and from the basivertebral vein that enters behind. No threshold here is a
diagnosis: HU depend on tube voltage, contrast medium and scanner.

Sources: Pickhardt PJ et al., Ann Intern Med 2013;158:588-595: at L1, trabecular attenuation of
160 HU or less is 90 % sensitive and of 110 HU or less more than 90 % specific for osteoporosis
by DXA, at 120 kV.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from spinexplain.anatomy import VertebraLevel
from spinexplain.geometry import BoxFrame, box_axes
from spinexplain.spine.body_size import expected_body_heights_mm
from spinexplain.spine.curve import spine_curve
from spinexplain.spine.norms import norm_depth_mm, norm_heights_mm
from spinexplain.spine.sampling import sample_volume
from spinexplain.types import Heights, Vertebra, Volume

L1_SENSITIVE_HU, L1_SPECIFIC_HU = 160.0, 110.0
"""Pickhardt 2013, at 120 kV without contrast medium."""

_HALF_HEIGHT, _HALF_DEPTH, _HALF_WIDTH = 0.22, 0.22, 0.30  # of height, depth and depth
_FORWARD = 0.08  # of the depth, from the middle of the body to the front
_LANDMARK_DEPTH = 0.75  # of the depth, between anterior and posterior landmarks
_DENSE_HU, _LARGEST_DENSE_SHARE = 700.0, 0.05
_LARGEST_OUTSIDE = 0.02
_FEWEST_SAMPLES = 60


@dataclass(frozen=True)
class Density:
    """Trabecular density of one body.

    Parameters
    ----------
    hu : float
        Median of the region.
    samples : int
        How many 1 mm samples it holds.
    placed_by : str
        ``"heights"`` (measured endplates) or ``"geometry"`` (center and published size).
    """

    hu: float
    samples: int
    placed_by: str


def densities(
    volume: Volume,
    vertebrae: Sequence[Vertebra],
    heights: Mapping[VertebraLevel, Heights] | None = None,
) -> dict[VertebraLevel, Density]:
    """Read the trabecular density of every thoracic and lumbar body.

    Parameters
    ----------
    volume : Volume
        HU.
    vertebrae : sequence of Vertebra
        All of the scan; together they give the spine's curve.
    heights : mapping of VertebraLevel to Heights, optional
        Where a body was measured its endplates place the region.

    Returns
    -------
    dict of VertebraLevel to Density
        Without levels whose region leaves the scan, is too small, or holds metal or cement
        (more than 5 % above 700 HU).
    """
    graded = [one for one in vertebrae if one.level.is_graded]
    if not graded:
        return {}
    curve = spine_curve(vertebrae)
    ordered = sorted(vertebrae, key=lambda one: one.level.order)
    places = dict(zip((one.level for one in ordered), curve.knots_s_mm, strict=True))
    sizes = expected_body_heights_mm(vertebrae)
    found = {}
    for one in graded:
        measured = (heights or {}).get(one.level)
        axes = box_axes(curve.tangent(places[one.level]))
        region = (
            _by_heights(measured, axes)
            if measured is not None
            else _by_geometry(one, axes, sizes[one.level])
        )
        reading = _read(volume, region) if region is not None else None
        if reading is not None:
            found[one.level] = reading
    return found


@dataclass(frozen=True, eq=False)
class _Region:
    center_mm: np.ndarray
    axes: np.ndarray  # rows caudal, posterior, left
    half_mm: np.ndarray
    placed_by: str


def _by_heights(heights: Heights, axes: np.ndarray) -> _Region:
    landmarks = heights.landmarks_mm
    caudal = (landmarks[:, 1] - landmarks[:, 0]).mean(axis=0)
    height = float(np.linalg.norm(landmarks[1, 1] - landmarks[1, 0]))
    back = landmarks[2].mean(axis=0) - landmarks[0].mean(axis=0)
    depth = float(np.linalg.norm(back)) / _LANDMARK_DEPTH
    own = box_axes(caudal / np.linalg.norm(caudal)) if np.linalg.norm(caudal) else axes
    center = landmarks.reshape(-1, 3).mean(axis=0) - _FORWARD * depth * own[1]
    return _Region(center, own, _half(height, depth), "heights")


def _by_geometry(vertebra: Vertebra, axes: np.ndarray, height: float) -> _Region | None:
    norm, depth = norm_heights_mm(vertebra.level), norm_depth_mm(vertebra.level)
    if norm is None or depth is None:
        return None
    scaled = depth * height / float(np.mean(norm))
    center = np.asarray(vertebra.centroid_mm) - _FORWARD * scaled * axes[1]
    return _Region(center, axes, 0.85 * _half(height, scaled), "geometry")


def _half(height: float, depth: float) -> np.ndarray:
    return np.array([_HALF_HEIGHT * height, _HALF_DEPTH * depth, _HALF_WIDTH * depth])


def _read(volume: Volume, region: _Region) -> Density | None:
    shape = tuple(int(n) for n in 2 * np.floor(region.half_mm) + 1)
    frame = BoxFrame(region.center_mm, region.axes, (shape[0], shape[1], shape[2]), 1.0)
    hu, outside = sample_volume(volume, frame, smooth=False)
    v, u = (np.arange(n) - (n - 1) / 2 for n in shape[1:])
    ellipse = (v[:, None] / region.half_mm[1]) ** 2 + (u / region.half_mm[2]) ** 2 <= 1
    inside = hu[:, ellipse]
    if outside > _LARGEST_OUTSIDE or inside.size < _FEWEST_SAMPLES:
        return None
    if np.mean(inside > _DENSE_HU) > _LARGEST_DENSE_SHARE:
        return None
    return Density(float(np.median(inside)), int(inside.size), region.placed_by)
