"""Given centers settled on the bodies that the body network paints around them.

A center from a person or another tool says which body is meant. Where in it the center lies
differs by 2 mm and more from tool to tool, and what a network sees hangs on that. The middle of
the painted body does not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from spinexplain.anatomy import VertebraLevel
from spinexplain.localizer.networks import Network
from spinexplain.localizer.refine import mask_place, tangents
from spinexplain.localizer.segment import (
    PaintedBodies,
    PaintedCrop,
    is_sure,
    is_whole,
    laid_together,
    painted_crops,
)
from spinexplain.types import Vertebra, Volume

MOST_MOVED_MM = 8.0
"""A body whose middle is farther from the given center is not taken for the one that is meant."""

_LEAST_GAP = 0.6  # of the distance of given neighbors that is left between settled ones


@dataclass(frozen=True, eq=False)
class Settled:
    """Centers on the middles of their bodies, and the bodies.

    Parameters
    ----------
    vertebrae : list of Vertebra
        In the given order.
    moved_mm : mapping of VertebraLevel to float
        How far each thoracic and lumbar center was moved; 0 where it stayed.
    bodies : PaintedBodies or None
        None where no vertebra is thoracic or lumbar.
    """

    vertebrae: list[Vertebra]
    moved_mm: Mapping[VertebraLevel, float]
    bodies: PaintedBodies | None


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
        away, or two centers would come to lie in one body. Of a body that the border of the scan
        cuts the center moves across the spine only.
    """
    crops = painted_crops(volume, vertebrae, network)
    if not crops:
        return Settled(list(vertebrae), {}, None)
    given = np.array([one.centroid_mm for one in vertebrae])
    along = dict(zip([one.level for one in vertebrae], tangents(given), strict=True))
    middles = {
        crop.vertebra.level: _middle(crop, along[crop.vertebra.level], volume) for crop in crops
    }
    moved = np.array([middles.get(one.level, one.centroid_mm) for one in vertebrae])
    places = _without_shared(given, moved)
    settled = [
        replace(one, centroid_mm=(float(x), float(y), float(z)))
        for one, (x, y, z) in zip(vertebrae, places, strict=True)
    ]
    away = np.linalg.norm(places - given, axis=1).tolist()
    moved_mm = {
        one.level: mm for one, mm in zip(vertebrae, away, strict=True) if one.level.is_graded
    }
    return Settled(settled, moved_mm, laid_together(volume, crops))


def _middle(crop: PaintedCrop, along: np.ndarray, volume: Volume) -> np.ndarray:
    """Return the middle of a crop's body, or the given center where it is not known."""
    given = np.array(crop.vertebra.centroid_mm)
    place = mask_place(crop.share, crop.frame) if is_sure(crop) else None
    if place is None:
        return given
    move = place[1] - given
    if not is_whole(crop, volume):
        move = move - (move @ along) * along
    return given + move if np.linalg.norm(move) <= MOST_MOVED_MM else given


def _without_shared(given_mm: np.ndarray, moved_mm: np.ndarray) -> np.ndarray:
    """Take moves back that bring neighbors together, (k, 3) mm each.

    Examples
    --------
    >>> given = np.array([[0.0, 0, 30], [0, 0, 20], [0, 0, -10]])
    >>> moved = np.array([[0.0, 0, 26], [0, 0, 25], [0, 0, -12]])
    >>> _without_shared(given, moved)[:, 2].tolist()
    [30.0, 20.0, -12.0]
    """
    gaps = np.linalg.norm(np.diff(given_mm, axis=0), axis=1)
    near = np.linalg.norm(np.diff(moved_mm, axis=0), axis=1) < _LEAST_GAP * gaps
    back = np.r_[near, False] | np.r_[False, near]
    return np.where(back[:, None], given_mm, moved_mm)
