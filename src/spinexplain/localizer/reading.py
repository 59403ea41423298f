"""The straightened spine read by the levels network, with the curve corrected on the way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from spinexplain.geometry import Curve, apply_affine
from spinexplain.localizer.centers import AlongSpine, along_spine
from spinexplain.localizer.section import (
    arc_lengths,
    moved_curve,
    sampled_section,
    whole_section,
)
from spinexplain.models.localizing import as_densities
from spinexplain.spine.straighten import StraightenedFrame
from spinexplain.types import Volume

LevelAnswers = Callable[[np.ndarray], np.ndarray]
"""From densities (1, 1, S, 56, 60) to answers (1, 33, S)."""

_PASSES = 2
_LEAST = 1e-12


@dataclass(frozen=True, eq=False)
class SpineReading:
    """What was read along a section.

    Parameters
    ----------
    frame : StraightenedFrame
    seen : AlongSpine
    inside : ndarray of bool, shape (n,)
        Positions of the curve that lie in the scan.
    densities : ndarray of float32, shape (n, 56, 60)
        The section, as the network saw it.
    """

    frame: StraightenedFrame
    seen: AlongSpine
    inside: np.ndarray
    densities: np.ndarray

    def centers_mm(self, positions: np.ndarray) -> np.ndarray:
        """Return the body centers that belong to positions, RAS+ mm, shape (k, 3)."""
        middle = (np.array(self.frame.shape[1:]) - 1) / 2
        moved = self.seen.offsets_mm[positions] / self.frame.spacing_mm
        index = np.column_stack([positions + moved[:, 0], middle + moved[:, 1:]])
        return self.frame.to_mm(index)


def read_spine(
    volume: Volume, curve: Curve, network: LevelAnswers, passes: int = _PASSES
) -> SpineReading:
    """Read a scan along a curve; after each pass but the last the curve is moved onto the spine.

    Parameters
    ----------
    volume : Volume
        At about 2 mm.
    curve : Curve
    network : callable
    passes : int
        At least 1.
    """
    for left in reversed(range(passes)):
        frame = whole_section(curve)
        densities = as_densities(sampled_section(volume, frame))
        seen = along_spine(network(densities[None, None])[0])
        if left:
            curve = moved_curve(frame, seen.offsets_mm[:, 1:], seen.center)
    points = frame.curve.at(arc_lengths(frame))
    return SpineReading(frame, seen, in_scan(volume, points), densities)


def levels_both_ways(reading: SpineReading, network: LevelAnswers) -> np.ndarray:
    """Read the levels of the section and of its mirror image, and return both together.

    Parameters
    ----------
    reading : SpineReading
    network : callable

    Returns
    -------
    ndarray, shape (n, 28)
        See :func:`with_mirrored`.
    """
    return with_mirrored(reading.seen.levels, reading.densities, network)


def with_mirrored(levels: np.ndarray, densities: np.ndarray, network: LevelAnswers) -> np.ndarray:
    """Put the levels of a section and those of its mirror image together.

    Which level it is does not depend on the side, so that the two readings err in part
    independently.

    Parameters
    ----------
    levels : ndarray, shape (n, 28)
        Read in the section.
    densities : ndarray of float32, shape (n, 56, 60)
        The section.
    network : callable

    Returns
    -------
    ndarray, shape (n, 28)
        Geometric means of the two probabilities, scaled to a sum of 1.
    """
    mirrored = np.ascontiguousarray(densities[:, :, ::-1])
    other = along_spine(network(mirrored[None, None])[0]).levels
    both = np.sqrt(np.maximum(levels, _LEAST) * np.maximum(other, _LEAST))
    return np.asarray(both / both.sum(axis=1, keepdims=True))


def in_scan(volume: Volume, points_mm: np.ndarray) -> np.ndarray:
    """Say which points (..., 3) lie within the outermost voxels of a scan, (...)."""
    at = apply_affine(np.linalg.inv(volume.affine), points_mm)
    return np.asarray(((at >= -0.5) & (at <= np.array(volume.array.shape) - 0.5)).all(axis=-1))
