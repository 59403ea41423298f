"""How much labels or centers stand out from what is around them: bone does, muscle does not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from spinexplain.anatomy import VertebraLevel
from spinexplain.extents import Box
from spinexplain.geometry import apply_affine
from spinexplain.types import LabelMap, Vertebra, Volume

_STEP_MM = 2.0  # voxels finer than this are subsampled
_SMOOTHED = 3  # of these samples, so that noise hides no bone
_RING_MM = (2.0, 6.0)  # from the label's surface
_FEWEST = 40  # samples inside and around, before anything is said
_MOST = 1500
_BLANK_SHARE = 0.1
_LEAST_SPREAD_HU = 60.0  # a region of one value says nothing

# The neighborhood of a center: x left-right, y antero-posterior, z cranio-caudal, mm.
_REACH_MM = 56.0
_GRID_MM = 4.0
_BODY_RADII_MM = (20.0, 14.0, 11.0)
_BESIDE = (1.5, 2.2)  # of the radii, in the axial plane, beside and before the body
_BESIDE_FROM_MM = -8.0
_ENDPLATES_MM, _PROFILE_MM = (4.0, 20.0), 2.0  # above and below a center; step between planes
_COLUMN = 0.75  # of the radii, in the axial plane: a profile's columns
_DIRECTIONS, _RADIAL_MM, _MIDDLE_MM, _WALL_MM = 24, 1.5, 8.0, (9.0, 30.0)
_WALL_PLANES_MM = (-5.0, -2.5, 0.0, 2.5, 5.0)
_ARCH_MM = ((-25.0, 25.0), (-55.0, -20.0), (-15.0, 15.0))
_QUARTER_TURNS = tuple(  # of points, so that what lies behind, before, right, left comes behind
    np.array([[x, -y, 0], [y, x, 0], [0, 0, 1]]) for x, y in ((1, 0), (-1, 0), (0, 1), (0, -1))
)
DENSE_HU = 180.0


@dataclass(frozen=True)
class Contrast:
    """Values inside against values around.

    Parameters
    ----------
    inside_hu, around_hu : float
        Medians.
    share : float
        How often a voxel inside is denser than one around: 0.5 in homogeneous tissue, 0.8
        to 1 for vertebrae. Of a label the greater of that of all and of its outermost layer,
        because the marrow of old people is fat, and their cortex still bone.
    """

    inside_hu: float
    around_hu: float
    share: float


@dataclass(frozen=True)
class CenterContrast:
    """What surrounds a center: its body against the soft tissue beside it, bone behind it.

    Parameters
    ----------
    body : Contrast
    behind, before, beside : float
        Shares of voxels over 180 HU where the arch lies, as far in front of the center, and as
        far to that side of it where there are more.
    endplates_hu : float
        By how much the lower of the densest planes within 20 mm above and below is denser than
        the plane through the center; NaN where they are not in the scan.
    walls_hu : float
        By how much what lies 9 to 30 mm from the center across the spine is denser than what lies
        nearer, in three of four directions; NaN where that is not in the scan.
    """

    body: Contrast
    behind: float
    before: float
    endplates_hu: float = float("nan")
    beside: float = float("nan")
    walls_hu: float = float("nan")


def label_contrasts(
    volume: Volume, labels: LabelMap, boxes: Mapping[VertebraLevel, Box]
) -> dict[VertebraLevel, Contrast]:
    """Compare every label with a ring of 2 to 6 mm around it.

    Parameters
    ----------
    volume : Volume
        HU.
    labels : LabelMap
        VerSe labels on the scan's grid.
    boxes : mapping of VertebraLevel to box
        Bounding box of each label.

    Returns
    -------
    dict of VertebraLevel to Contrast
        Without levels too small to say, or in a region of one value.
    """
    found = {level: _around_label(volume, labels, level, box) for level, box in boxes.items()}
    return {level: contrast for level, contrast in found.items() if contrast is not None}


def _around_label(
    volume: Volume, labels: LabelMap, level: VertebraLevel, box: Box
) -> Contrast | None:
    spacing = np.array(volume.spacing_mm)
    steps = np.maximum(1, np.round(_STEP_MM / spacing)).astype(int)
    reach = np.ceil(_RING_MM[1] / spacing).astype(int) + steps
    crop = tuple(
        slice(max(side.start - int(r), 0), side.stop + int(r), int(step))
        for side, r, step in zip(box, reach, steps, strict=True)
    )
    mask, hu = labels.array[crop], volume.array[crop]
    inside = mask == level.verse_label
    if np.count_nonzero(inside) < _FEWEST:
        return None
    depth = ndimage.distance_transform_edt(mask == 0, sampling=spacing * steps)
    voxel = float((spacing * steps).max())  # the layer beside the label is half bone
    ring = (depth > max(_RING_MM[0], 1.01 * voxel)) & (depth <= max(_RING_MM[1], 2.1 * voxel))
    smooth = ndimage.uniform_filter(hu.astype(np.float32), _SMOOTHED)
    found = compared(smooth[inside], smooth[ring])
    if found is None:
        return None
    surface = compared(smooth[inside & ~ndimage.binary_erosion(inside)], smooth[ring])
    share = max(found.share, 0.0 if surface is None else surface.share)
    inside_hu, around_hu = float(np.median(hu[inside])), float(np.median(hu[ring]))
    return Contrast(inside_hu, around_hu, share)


def compared(inside_hu: np.ndarray, around_hu: np.ndarray) -> Contrast | None:
    """Compare two samples of values; None where they are too few or all alike.

    Examples
    --------
    >>> compared(np.linspace(100, 300, 50), np.linspace(0, 100, 50)).share
    0.9998
    """
    inside, around = _thinned(inside_hu), np.sort(_thinned(around_hu))
    inside, around = _without_blank(inside, around)
    if min(len(inside), len(around)) < _FEWEST:
        return None
    both = np.concatenate([inside, around])
    if np.subtract(*np.quantile(both, (0.98, 0.02))) < _LEAST_SPREAD_HU:
        return None
    below = np.searchsorted(around, inside, "left") + np.searchsorted(around, inside, "right")
    share = float(below.mean() / (2 * len(around)))
    return Contrast(float(np.median(inside)), float(np.median(around)), share)


def _without_blank(inside: np.ndarray, around: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Leave out one exact value that fills a large part of both: blanked, not measured."""
    if not len(around) or not len(inside):
        return inside, around
    values, counts = np.unique(around, return_counts=True)
    blank = values[counts.argmax()]
    filled = [np.mean(one == blank) for one in (inside, around)]
    if min(filled) < _BLANK_SHARE or max(filled) < 2 * _BLANK_SHARE:
        return inside, around
    return inside[inside != blank], around[around != blank]


def _thinned(values: np.ndarray) -> np.ndarray:
    return values[:: max(1, len(values) // _MOST)].astype(float)


def middle_contrast(contrasts: Mapping[VertebraLevel, Contrast]) -> Contrast | None:
    """Return the medians over the levels, or None without any."""
    if not contrasts:
        return None
    rows = [(c.inside_hu, c.around_hu, c.share) for c in contrasts.values()]
    inside, around, share = np.median(rows, axis=0).tolist()
    return Contrast(inside, around, share)


def center_contrast(volume: Volume, vertebra: Vertebra) -> CenterContrast | None:
    """Look at the scan around one center; None where too little of it is in the scan.

    Parameters
    ----------
    volume : Volume
    vertebra : Vertebra

    Notes
    -----
    The body is an ellipsoid of 20 x 14 x 11 mm radii around the center; beside it lies
    soft tissue, lung or fat, and 20 to 55 mm behind it the arch.
    """
    line = np.arange(-_REACH_MM, _REACH_MM + 1, _GRID_MM)
    around = np.stack(np.meshgrid(line, line, line[np.abs(line) <= 16], indexing="ij"), axis=-1)
    points = around.reshape(-1, 3)
    hu = _sampled(volume, points + np.array(vertebra.centroid_mm))
    x, y, z = points.T
    rx, ry, rz = _BODY_RADII_MM
    in_plane = np.hypot(x / rx, y / ry)
    inside = np.hypot(in_plane, z / rz) <= 1
    low, high = _BESIDE
    beside = (in_plane > low) & (in_plane < high) & (np.abs(z) <= rz) & (y > _BESIDE_FROM_MM)
    known = np.isfinite(hu)
    body = compared(hu[inside & known], hu[beside & known])
    if body is None:
        return None
    behind, before, right, left = (
        _dense_share(hu[_in_box(points @ turn) & known]) for turn in _QUARTER_TURNS
    )
    to_side = float(np.fmax(right, left))
    ends_hu, walls_hu = _endplates_hu(volume, vertebra), _walls_hu(volume, vertebra)
    return CenterContrast(body, behind, before, ends_hu, to_side, walls_hu)


def _endplates_hu(volume: Volume, vertebra: Vertebra) -> float:
    """Return how far both endplates stand out from the middle of a body, plane by plane."""
    rx, ry, _ = _BODY_RADII_MM
    near, far = _ENDPLATES_MM
    x = np.arange(-rx, rx + 1, _GRID_MM)
    z = np.arange(-far, far + 1, _PROFILE_MM)
    points = np.stack(np.meshgrid(x, x, z, indexing="ij"), axis=-1)
    column = np.hypot(points[:, :, 0, 0] / rx, points[:, :, 0, 1] / ry) <= _COLUMN
    at = points[column]
    hu = _sampled(volume, at.reshape(-1, 3) + np.array(vertebra.centroid_mm))
    planes = hu.reshape(at.shape[:2]).mean(axis=0)
    ends = min(planes[z >= near].max(), planes[z <= -near].max())
    return float(ends - planes[np.abs(z) <= near].mean())


def _walls_hu(volume: Volume, vertebra: Vertebra) -> float:
    """Return how far the cortex stands out from the middle of a body, direction by direction."""
    turns = np.linspace(0, 2 * np.pi, _DIRECTIONS, endpoint=False)
    radii = np.arange(0.0, _WALL_MM[1] + 1, _RADIAL_MM)
    angle, radius, z = np.meshgrid(turns, radii, _WALL_PLANES_MM, indexing="ij")
    points = np.stack([radius * np.cos(angle), radius * np.sin(angle), z], axis=-1).reshape(-1, 3)
    hu = _sampled(volume, points + np.array(vertebra.centroid_mm)).reshape(angle.shape).mean(axis=2)
    hu = (hu + np.roll(hu, 1, axis=0) + np.roll(hu, -1, axis=0)) / 3  # of noise
    middle = np.median(hu[:, radii <= _MIDDLE_MM])
    farther = (radii >= _WALL_MM[0]) & (radii <= _WALL_MM[1])
    return float(np.quantile(hu[:, farther].max(axis=1) - middle, 0.25))


def _in_box(points: np.ndarray) -> np.ndarray:
    low, high = np.array(_ARCH_MM).T
    return np.all((points >= low) & (points <= high), axis=1)


def _dense_share(hu: np.ndarray) -> float:
    return float(np.mean(hu > DENSE_HU)) if len(hu) >= _FEWEST else float("nan")


def _sampled(volume: Volume, points_mm: np.ndarray) -> np.ndarray:
    """Return the value of the nearest voxel at each point, NaN outside the scan."""
    ijk = np.rint(apply_affine(np.linalg.inv(volume.affine), points_mm)).astype(int)
    inside = np.all((ijk >= 0) & (ijk < volume.array.shape), axis=1)
    values = np.full(len(points_mm), np.nan)
    values[inside] = volume.array[tuple(ijk[inside].T)]
    return values
