"""Whether labels fit better a little away from where they lie.

Osteoporotic bone is hardly denser than muscle, and masks of such people stand out little. They do
so least of all where they do not belong: what counts is that no place beside them fits better.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from spinexplain.anatomy import VertebraLevel
from spinexplain.spine.checks.layers import Layers, layer_shares
from spinexplain.types import Volume

_ACROSS_MM, _ALONG_MM = (12.0,), (8.0, 14.0)
_CLEARLY = 0.05  # of the share of surface voxels that are denser than others
_SOME = 0.58  # where less stands out, no place is the best; moved labels have 0.5 to 0.6


def lies_best_here(volume: Volume, layers: Mapping[VertebraLevel, Layers]) -> bool:
    """Say whether the surface of labels is clearly denser here than 8 to 14 mm further on.

    Parameters
    ----------
    volume : Volume
    layers : mapping of VertebraLevel to Layers
        Of the labels.

    Returns
    -------
    bool
        Compared are medians over the levels: 12 mm aside, and 8 and 14 mm along the spine, where
        there is bone again.
    """
    own = _fit(volume, layers, (0, 0, 0))
    if not own >= _SOME:
        return False
    return not any(_fit(volume, layers, moved) > own - _CLEARLY for moved in _beside(volume))


def _fit(
    volume: Volume, layers: Mapping[VertebraLevel, Layers], moved: tuple[int, int, int]
) -> float:
    """Return the median share over the levels, NaN where nothing can be said."""
    shares = list(layer_shares(volume, layers, moved).values())
    return float(np.median(shares)) if shares else float("nan")


def _beside(volume: Volume) -> Iterator[tuple[int, int, int]]:
    """Yield the moves, in voxels."""
    spacing = np.array(volume.spacing_mm)
    spine = int(np.argmax(np.abs(volume.affine[2, :3]) / spacing))
    for axis in range(3):
        for mm in _ALONG_MM if axis == spine else _ACROSS_MM:
            for way in (-1, 1):
                voxels = [0, 0, 0]
                voxels[axis] = way * max(round(mm / spacing[axis]), 1)
                yield voxels[0], voxels[1], voxels[2]
