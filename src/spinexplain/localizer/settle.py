"""Given centers settled on the bodies that the body network paints around them.

A center from a person or another tool says which body is meant. Where in it the center lies
differs by 2 mm and more from tool to tool, and what a network sees hangs on that. The middle of
the painted body does not, and where it is painted is taken from a lattice, so that it mostly is
the same to the last bit.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from spinexplain.anatomy import VertebraLevel
from spinexplain.geometry import apply_affine
from spinexplain.io.scan_flags import ScanWarning
from spinexplain.localizer.crop_lattice import painted_at_rest
from spinexplain.localizer.networks import Network
from spinexplain.localizer.refine import mask_place, tangents
from spinexplain.localizer.segment import (
    PaintedBodies,
    PaintedCrop,
    is_sure,
    is_whole,
    laid_together,
    painted_points,
)
from spinexplain.spine.checks.placement import NOT_ON_BONE, levels_off_bone
from spinexplain.spine.quality import CENTER_OFF_BODY, OUTSIDE_SCAN
from spinexplain.types import Vertebra, Volume

MOST_MOVED_MM = 8.0
"""A body whose middle is farther from the given center is not taken for the one that is meant."""

LEAST_MOVED_MM = 0.05
"""A center that moves by less stays: lists of moves, in tenths, would show a 0."""

_NEARER = 0.45  # of the distance of given neighbors: farther, the neighbor's body may be meant
_LAYER_MM, _SHARE_CUT = 1.5, 0.02  # of a body's samples in a layer that thick at the scan's side
_OF_THE_PLACE = {OUTSIDE_SCAN, NOT_ON_BONE}  # flags that another place may not earn
_LEAST_GAP = 0.6  # of the distance of given neighbors that is left between settled ones


@dataclass(frozen=True, eq=False)
class Settled:
    """Centers on the middles of their bodies, and the bodies.

    Parameters
    ----------
    vertebrae : list of Vertebra
        In the given order.
    moved_mm : mapping of VertebraLevel to float
        How far centers were moved; without those that stay as given.
    bodies : PaintedBodies or None
        None where no vertebra is thoracic or lumbar.
    unsettled : tuple of VertebraLevel
        Whose center is as given for want of a body that is surely there and near enough.
    """

    vertebrae: list[Vertebra]
    moved_mm: Mapping[VertebraLevel, float]
    bodies: PaintedBodies | None
    unsettled: tuple[VertebraLevel, ...] = ()


def settle(volume: Volume, vertebrae: Sequence[Vertebra], network: Network) -> Settled:
    """Move given centers to the middles of their bodies, and keep the bodies for the heights.

    Parameters
    ----------
    volume : Volume
        HU, on any grid.
    vertebrae : sequence of Vertebra
        Given centers of the whole scan, head to foot.
    network : callable
        See :class:`~spinexplain.models.body_network.BodyNetwork`.

    Returns
    -------
    Settled
        A center stays where the network is not sure of a body, the body's middle is over 8 mm
        away or nearer to a neighbor, or two centers would come to lie in one body; in the latter
        cases it is flagged ``center_off_body`` and its body is not measured. Of a body that the
        border of the scan cuts the center moves only along the axes on which it is whole: what
        is left has another middle. A center that was ``outside_scan`` or ``not_on_bone`` and
        moved is flagged as its new place earns it.

    Warns
    -----
    ScanWarning
        If a flag is taken back.
    """
    crops = painted_at_rest(
        volume, vertebrae, network, lambda painted: _judged(volume, vertebrae, painted).at_mm
    )
    if not crops:
        return Settled(list(vertebrae), {}, None, tuple(one.level for one in vertebrae))
    places = _judged(volume, vertebrae, crops)
    rows = zip(vertebrae, places.at_mm, places.is_off, strict=True)
    settled = [_placed(*one) for one in rows]
    given = np.array([one.centroid_mm for one in vertebrae])
    away = np.linalg.norm(places.at_mm - given, axis=1)
    levels = [one.level for one in vertebrae]
    moved_mm = {levels[k]: float(away[k]) for k in np.flatnonzero(away >= LEAST_MOVED_MM)}
    bodies = laid_together(volume, crops)
    settled = _judged_again(volume, settled, moved_mm)
    off = {one.level: CENTER_OFF_BODY for one in settled if CENTER_OFF_BODY in one.flags}
    bodies = replace(bodies, doubts={**bodies.doubts, **off})
    return Settled(
        settled, moved_mm, bodies, tuple(levels[k] for k in np.flatnonzero(~places.kept))
    )


@dataclass(frozen=True, eq=False)
class _Places:
    """Where centers come to lie, shape (k, 3) mm, and which are their body's (k,).

    Of those that are not, some have a body that is too far away or a neighbor's: ``is_off``.
    """

    at_mm: np.ndarray
    kept: np.ndarray
    is_off: np.ndarray


def _judged(volume: Volume, vertebrae: Sequence[Vertebra], crops: Sequence[PaintedCrop]) -> _Places:
    given = np.array([one.centroid_mm for one in vertebrae])
    moved = _moved(volume, vertebrae, crops)
    asked = np.isfinite(moved).all(axis=1)
    near = asked & (np.linalg.norm(moved - given, axis=1) <= _reach_mm(given))
    kept = near & ~_shared(given, np.where(near[:, None], moved, given))
    return _Places(np.where(kept[:, None], moved, given), kept, asked & ~kept)


def _placed(vertebra: Vertebra, at_mm: np.ndarray, is_off: bool) -> Vertebra:
    flags = (*vertebra.flags, CENTER_OFF_BODY) if is_off else vertebra.flags
    x, y, z = (float(value) for value in at_mm)
    return replace(vertebra, centroid_mm=(x, y, z), flags=flags)


def _judged_again(
    volume: Volume, settled: list[Vertebra], moved_mm: Mapping[VertebraLevel, float]
) -> list[Vertebra]:
    """Flag doubted centers that moved as their new places earn it, and say what no longer holds."""
    doubted = [one for one in settled if one.level in moved_mm and _OF_THE_PLACE & set(one.flags)]
    if not doubted:
        return settled
    off_bone = levels_off_bone(volume, settled)
    earned = {
        one.level: _outside(volume, one) | ({NOT_ON_BONE} if one.level in off_bone else set())
        for one in doubted
    }
    _warn_of_changes(doubted, earned)
    return [_flagged(one, earned[one.level]) if one.level in earned else one for one in settled]


def _outside(volume: Volume, vertebra: Vertebra) -> set[str]:
    at = apply_affine(np.linalg.inv(volume.affine), np.array(vertebra.centroid_mm))
    is_outside = np.any((at < -0.5) | (at > np.array(volume.array.shape) - 0.5))
    return {OUTSIDE_SCAN} if is_outside else set()


def _flagged(vertebra: Vertebra, earned: set[str]) -> Vertebra:
    gone, new = _OF_THE_PLACE - earned, earned - set(vertebra.flags)
    kept = [flag for flag in vertebra.flags if flag not in gone]
    return replace(vertebra, flags=(*kept, *sorted(new)))


def _warn_of_changes(doubted: Sequence[Vertebra], earned: Mapping[VertebraLevel, set[str]]) -> None:
    """Say of every center which flags of its given place are taken back, and which are new."""
    changes = []
    for one in doubted:
        now, before = earned[one.level], _OF_THE_PLACE & set(one.flags)
        gone, new = sorted(before - now), sorted(now - before)
        if gone:
            but = f", but {' and '.join(new)}" if new else ""
            now_is = f"no longer {' or '.join(gone)}{but}"
            changes.append(f"{one.level.value} moved into its body: {now_is}.")
    if changes:
        warnings.warn(" ".join(changes), ScanWarning, stacklevel=4)


def _moved(
    volume: Volume, vertebrae: Sequence[Vertebra], crops: Sequence[PaintedCrop]
) -> np.ndarray:
    """Return where the bodies' middles lie, shape (k, 3) mm; NaN where no body is surely there."""
    given = np.array([one.centroid_mm for one in vertebrae])
    along = dict(zip([one.level for one in vertebrae], tangents(given), strict=True))
    middles = {
        crop.vertebra.level: _middle(crop, along[crop.vertebra.level], volume) for crop in crops
    }
    unknown = np.full(3, np.nan)
    return np.array([middles.get(one.level, unknown) for one in vertebrae])


def _middle(crop: PaintedCrop, along: np.ndarray, volume: Volume) -> np.ndarray:
    """Return the middle of a crop's body, or NaN where none is surely there."""
    place = mask_place(crop.share, crop.frame) if is_sure(crop) else None
    if place is None:
        return np.full(3, np.nan)
    given = np.array(crop.vertebra.centroid_mm)
    return given + _across(place[1] - given, _cut_axes(crop, along, volume))


def _across(move_mm: np.ndarray, axes: Sequence[np.ndarray]) -> np.ndarray:
    """Return the part of a move, shape (3,), that has none along any axis, at right angles or not.

    Examples
    --------
    >>> tilted, forward = np.array([0, 0.6, -0.8]), np.array([0.0, 1, 0])
    >>> _across(np.array([1.0, 2, 3]), [tilted, forward]).round(9).tolist()
    [1.0, 0.0, 0.0]
    """
    if not axes:
        return move_mm
    q, _ = np.linalg.qr(np.array(axes).T)
    return move_mm - q @ (q.T @ move_mm)


def _cut_axes(crop: PaintedCrop, along: np.ndarray, volume: Volume) -> list[np.ndarray]:
    """Return the directions, unit vectors, on which the border of the scan cuts a body.

    Endplates are flat, and one may lie at the border of its own accord; sides are round.
    """
    spacing = np.array(volume.spacing_mm)
    axes = (volume.affine[:3, :3] / spacing).T
    spinal = int(np.argmax(np.abs(axes @ along)))
    at = painted_points(crop, volume)
    layer = np.maximum(1.0, _LAYER_MM / spacing)
    outer = np.minimum(at + 0.5, np.array(volume.array.shape) - 0.5 - at) < layer
    beside = [k for k in range(3) if k != spinal and outer[:, k].mean() >= _SHARE_CUT]
    is_cut_along = outer[:, spinal].any() and not is_whole(crop, volume)
    return [*([along] if is_cut_along else []), *(axes[k] for k in beside)]


def _reach_mm(given_mm: np.ndarray) -> np.ndarray:
    """Return how far each center may move: 8 mm, or less where a neighbor is near.

    Examples
    --------
    >>> _reach_mm(np.array([[0.0, 0, 40], [0, 0, 20], [0, 0, 10]])).tolist()
    [8.0, 4.5, 4.5]
    """
    gaps = np.linalg.norm(np.diff(given_mm, axis=0), axis=1)
    nearest = np.minimum(np.r_[np.inf, gaps], np.r_[gaps, np.inf])
    return np.minimum(MOST_MOVED_MM, _NEARER * nearest)


def _shared(given_mm: np.ndarray, moved_mm: np.ndarray) -> np.ndarray:
    """Say which moves, (k, 3) mm each, bring neighbors together, until none of those left does.

    Examples
    --------
    >>> given = np.array([[0.0, 0, 30], [0, 0, 20], [0, 0, -10]])
    >>> moved = np.array([[0.0, 0, 26], [0, 0, 25], [0, 0, -12]])
    >>> _shared(given, moved).tolist()
    [True, True, False]
    """
    gaps = np.linalg.norm(np.diff(given_mm, axis=0), axis=1)
    back = np.zeros(len(given_mm), bool)
    for _ in given_mm:
        places = np.where(back[:, None], given_mm, moved_mm)
        near = np.linalg.norm(np.diff(places, axis=0), axis=1) < _LEAST_GAP * gaps
        back |= np.r_[near, False] | np.r_[False, near]
    return back
