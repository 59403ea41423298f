"""Crops on a lattice: where a center lies a little elsewhere, the same crop is painted.

What the body network paints differs a little with the crop, and with it a center by tenths of
a millimeter and a loss by points. A lattice of places and directions makes most of these
differences none at all: two centers in one body mostly come to the same crop.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from spinexplain.geometry import BoxFrame, box_axes
from spinexplain.localizer.body_frame import body_frame
from spinexplain.localizer.networks import Network
from spinexplain.localizer.segment import PaintedCrop, body_shares, painted_crops
from spinexplain.types import Vertebra, Volume

STEP_MM = 4.0
STEP = 0.1
"""Of the components of a direction: 6 degrees."""

ROUNDS = 4
"""On the lattice, at most; two are the usual number."""

Places = Callable[[Sequence[PaintedCrop]], np.ndarray]
"""From what is painted to where the centers of all vertebrae come to lie, shape (k, 3), mm."""


def on_lattice(frame: BoxFrame) -> BoxFrame:
    """Move a crop to the nearest place of the lattice, and turn it to the nearest direction.

    Parameters
    ----------
    frame : BoxFrame

    Examples
    --------
    >>> tilted = np.array([0.02, 0.27, -0.96])
    >>> near = on_lattice(BoxFrame(np.array([1.0, -5.0, 7.9]), box_axes(tilted), (8, 8, 8), 1.0))
    >>> near.center_mm.tolist(), near.axes[0].round(3).tolist()
    ([0.0, -4.0, 8.0], [0.0, 0.287, -0.958])
    """
    center = np.rint(frame.center_mm / STEP_MM) * STEP_MM
    caudal = np.rint(frame.axes[0] / STEP) * STEP
    caudal = caudal / np.linalg.norm(caudal)
    return replace(frame, center_mm=center + 0.0, axes=box_axes(caudal + 0.0))


def painted_at_rest(
    volume: Volume, vertebrae: Sequence[Vertebra], network: Network, places: Places
) -> list[PaintedCrop]:
    """Paint the bodies about given centers, and again about where these come to lie.

    Parameters
    ----------
    volume : Volume
        HU, on any grid.
    vertebrae : sequence of Vertebra
        Given centers of the whole scan.
    network : callable
        See :class:`~spinexplain.models.body_network.BodyNetwork`.
    places : callable
        Says where centers come to lie.

    Returns
    -------
    list of PaintedCrop
        One for each thoracic and lumbar vertebra, on the lattice, painted about the place that
        the center comes to by what is painted; or as it was after four rounds.
    """
    crops = painted_crops(volume, vertebrae, network)
    for _ in range(ROUNDS if crops else 0):
        frames = _frames(vertebrae, places(crops), crops)
        new = [k for k, frame in enumerate(frames) if not _same(frame, crops[k].frame)]
        if not new:
            break
        shares = body_shares(volume, [frames[k] for k in new], network)
        for k, share in zip(new, shares, strict=True):
            crops[k] = PaintedCrop(crops[k].vertebra, frames[k], share)
    return crops


def _frames(
    vertebrae: Sequence[Vertebra], places_mm: np.ndarray, crops: Sequence[PaintedCrop]
) -> list[BoxFrame]:
    """Return the lattice's crop about the place of every painted vertebra."""
    moved = {
        one.level: replace(one, centroid_mm=(float(x), float(y), float(z)))
        for one, (x, y, z) in zip(vertebrae, places_mm, strict=True)
    }
    along = list(moved.values())
    return [on_lattice(body_frame(along, moved[crop.vertebra.level])) for crop in crops]


def _same(one: BoxFrame, other: BoxFrame) -> bool:
    same_place = np.array_equal(one.center_mm, other.center_mm)
    return same_place and np.array_equal(one.axes, other.axes)
