"""Masks as tools and people make them: noisy, smooth and too small, merged, cut at the wrong disc.

A phantom's own mask is exact to the voxel, which flatters everything that is measured on it.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from spinexplain.anatomy import VertebraLevel
from spinexplain.types import LabelMap

NOISE_MM, NOISE_LENGTH_MM = 0.8, 3.0
"""Standard deviation of the surface, and the length over which it wanders."""
SMOOTH_MM, SMOOTH_KEEP = 1.5, 0.65
"""Standard deviation of the smoothing, and the share above which a voxel stays bone. A flat
surface then lies 0.6 mm too deep, an edge deeper, and thin processes are gone."""
CUT_SHARE = 0.3
"""How much of a body's height a cut mask gives to the level below."""
_MARGIN_MM = 6.0


@dataclass(frozen=True)
class WrongMask:
    """A mask with its errors.

    Parameters
    ----------
    labels : LabelMap
    levels : frozenset of VertebraLevel
        The vertebrae whose labels are wrong.
    """

    labels: LabelMap
    levels: frozenset[VertebraLevel]


def noisy(labels: LabelMap, rng: np.random.Generator) -> WrongMask:
    """Let every surface wander, as where a mask was painted slice by slice.

    Parameters
    ----------
    labels : LabelMap
        VerSe labels.
    rng : numpy.random.Generator

    Notes
    -----
    Voxels whose signed distance from the surface is above a smooth random field of
    :data:`NOISE_MM` stay or become bone; no label takes voxels of another.
    """
    out = np.zeros_like(labels.array)
    sigma = NOISE_LENGTH_MM / np.array(labels.spacing_mm)
    for label, box in _boxes(labels):
        inside = labels.array[box] == label
        depth = _signed_depth_mm(inside, labels.spacing_mm)
        field = ndimage.gaussian_filter(rng.standard_normal(inside.shape), sigma)
        grown = depth > NOISE_MM * field / max(float(field.std()), 1e-9)
        free = (labels.array[box] == 0) | inside
        out[box][grown & free] = label
    return WrongMask(LabelMap(out, labels.affine), levels_of(labels))


def smooth_and_small(labels: LabelMap, rng: np.random.Generator) -> WrongMask:
    """Round every vertebra off and take its outermost layer, as networks on coarse grids do.

    Arguments as for :func:`noisy`; nothing is drawn.
    """
    out = np.zeros_like(labels.array)
    sigma = SMOOTH_MM / np.array(labels.spacing_mm)
    for label, box in _boxes(labels):
        inside = (labels.array[box] == label).astype(np.float32)
        kept = ndimage.gaussian_filter(inside, sigma) > SMOOTH_KEEP
        out[box][kept & (inside > 0)] = label
    return WrongMask(LabelMap(out, labels.affine), levels_of(labels))


def merged(labels: LabelMap, upper: VertebraLevel, lower: VertebraLevel) -> WrongMask:
    """Give two neighbors one label, the upper one's.

    Parameters
    ----------
    labels : LabelMap
    upper, lower : VertebraLevel

    Examples
    --------
    >>> two = LabelMap(np.array([[[20, 21]]], np.uint8), np.eye(4))
    >>> merged(two, VertebraLevel("L1"), VertebraLevel("L2")).labels.array.tolist()
    [[[20, 20]]]
    """
    array = labels.array.copy()
    array[array == lower.verse_label] = upper.verse_label
    return WrongMask(LabelMap(array, labels.affine), frozenset((upper, lower)))


def cut(labels: LabelMap, body: LabelMap, upper: VertebraLevel, lower: VertebraLevel) -> WrongMask:
    """Give what lies caudal of a plane through the upper body to the lower level.

    Parameters
    ----------
    labels : LabelMap
    body : LabelMap
        Bodies alone, on the same grid.
    upper, lower : VertebraLevel
        The plane leaves :data:`CUT_SHARE` of the upper body's height to the lower level.
    """
    array = labels.array.copy()
    rows = np.argwhere(body.array == upper.verse_label)
    heights_mm = _cranial_mm(rows, labels)
    low, high = np.percentile(heights_mm, [1, 99])
    own = np.argwhere(labels.array == upper.verse_label)
    below = own[_cranial_mm(own, labels) < low + CUT_SHARE * (high - low)]
    array[tuple(below.T)] = lower.verse_label
    return WrongMask(LabelMap(array, labels.affine), frozenset((upper, lower)))


def pair_to_confuse(
    levels: Sequence[VertebraLevel], fractured: frozenset[VertebraLevel], rng: np.random.Generator
) -> tuple[VertebraLevel, VertebraLevel] | None:
    """Draw two neighbors, with a fracture among them where there is one, as tools confuse them.

    Parameters
    ----------
    levels : sequence of VertebraLevel
        Cranial to caudal.
    fractured : frozenset of VertebraLevel
    rng : numpy.random.Generator

    Returns
    -------
    tuple of VertebraLevel, or None
        Upper and lower; None where there is but one level.
    """
    pairs = list(itertools.pairwise(levels))
    telling = [pair for pair in pairs if fractured & set(pair)]
    chosen = telling or pairs
    return chosen[int(rng.integers(len(chosen)))] if chosen else None


SURFACE_ERRORS: dict[str, Callable[[LabelMap, np.random.Generator], WrongMask]] = {
    "boundary noise": noisy,
    "smooth and too small": smooth_and_small,
}
"""Errors of every surface, by name."""


def levels_of(labels: LabelMap) -> frozenset[VertebraLevel]:
    """Return the levels that a mask labels."""
    known = {level.verse_label: level for level in VertebraLevel}
    return frozenset(known[label] for label in labels.extents if label in known)


def _boxes(labels: LabelMap) -> Iterator[tuple[int, tuple[slice, ...]]]:
    """Yield every label with its box and a margin."""
    margin = np.ceil(_MARGIN_MM / np.array(labels.spacing_mm)).astype(int)
    for label, extent in labels.extents.items():
        starts = np.maximum(np.array([part.start for part in extent.box]) - margin, 0)
        stops = np.array([part.stop for part in extent.box]) + margin
        yield label, tuple(slice(int(a), int(b)) for a, b in zip(starts, stops, strict=True))


def _signed_depth_mm(inside: np.ndarray, spacing_mm: tuple[float, float, float]) -> np.ndarray:
    """Return the distance from the surface, positive inside; half a voxel at the first one."""
    within = ndimage.distance_transform_edt(inside, sampling=spacing_mm)
    beyond = ndimage.distance_transform_edt(~inside, sampling=spacing_mm)
    return np.asarray(within - beyond - np.sign(within - beyond) * min(spacing_mm) / 2)


def _cranial_mm(rows: np.ndarray, labels: LabelMap) -> np.ndarray:
    return np.asarray(rows @ labels.affine[2, :3] + labels.affine[2, 3])
