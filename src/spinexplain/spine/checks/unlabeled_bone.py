"""Bodies that go on where their label ends: half a body under a whole body's name.

Between two labels lies a disc. Where the gap is wider than the scan's other gaps, and an endplate
lies in it instead of at the end of a label, the rest of a body lies there. A crushed or hollow body
leaves a wide gap, too, but its label ends at its endplate.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from spinexplain.anatomy import VertebraLevel
from spinexplain.spine.checks.body_extents import body_extents, height_shares
from spinexplain.spine.checks.discs import SpineProfile, spine_profile
from spinexplain.spine.checks.presence import regular_levels_between
from spinexplain.types import LabelMap, Vertebra, Volume

_FEWEST_GAPS = 2
_WIDER_MM = 6.0  # than the scan's usual gap
_FILLED = 0.5  # of what a gap is wider: how far its endplate lies from a label's end
_NEAREST_MM = 5
_DISC_HU, _ENDPLATE_HU = 15.0, 60.0  # above the disc's lowest value


@dataclass(frozen=True)
class _Gap:
    """Planes without a label between two levels: the first, and one past the last."""

    upper: VertebraLevel
    lower: VertebraLevel
    start: int
    stop: int

    @property
    def length_mm(self) -> int:
        """Planes are 1 mm apart."""
        return self.stop - self.start


def labels_that_end_in_bone(
    volume: Volume, labels: LabelMap, vertebrae: Sequence[Vertebra]
) -> set[VertebraLevel]:
    """Find the levels of which a part was not labeled, by the bone beside the label.

    Parameters
    ----------
    volume : Volume
        HU.
    labels : LabelMap
        On the scan's grid.
    vertebrae : sequence of Vertebra
        With the centers found in ``labels``.

    Returns
    -------
    set of VertebraLevel
        Of two levels beside such a gap the one that is lower for its level. Empty where fewer than
        four levels follow each other.

    Notes
    -----
    Looked at is the mean over planes of 14 by 16 mm along the spine's curve; the disc is its
    lowest value in the gap, an endplate the highest one between the disc and a label.
    """
    ordered = sorted(vertebrae, key=lambda vertebra: vertebra.level.order)
    if len(ordered) < _FEWEST_GAPS + 2:
        return set()
    profile = spine_profile(volume, labels, ordered)
    gaps = _gaps(profile, ordered)
    shares = height_shares(body_extents(labels, ordered))
    found = set()
    for gap in gaps:
        others = [one.length_mm for one in gaps if one is not gap]
        if len(others) < _FEWEST_GAPS:
            continue
        wider = gap.length_mm - float(np.median(others))
        if wider >= _WIDER_MM and _holds_endplate(profile, gap, _FILLED * wider):
            found.add(min((gap.upper, gap.lower), key=lambda level: shares[level]))
    return found


def _gaps(profile: SpineProfile, ordered: Sequence[Vertebra]) -> list[_Gap]:
    """List the gaps between neighboring levels of which neither is missing."""
    gaps = []
    for upper, lower in pairwise(ordered):
        own, next_ = (_planes(profile, one.level) for one in (upper, lower))
        if regular_levels_between(upper.level, lower.level) or not len(own) or not len(next_):
            continue
        if next_[0] > own[-1]:
            gaps.append(_Gap(upper.level, lower.level, int(own[-1]) + 1, int(next_[0])))
    return gaps


def _planes(profile: SpineProfile, level: VertebraLevel) -> np.ndarray:
    return np.flatnonzero(profile.label == level.verse_label)


def _holds_endplate(profile: SpineProfile, gap: _Gap, least_mm: float) -> bool:
    """Whether an endplate lies so far from the end of its label, before the disc."""
    hu = profile.hu[gap.start : gap.stop]
    if not np.isfinite(hu).all():
        return False
    disc = round(float(np.median(np.flatnonzero(hu <= hu.min() + _DISC_HU))))
    for to_disc in (hu[: disc + 1], hu[disc:][::-1]):
        endplate = int(np.argmax(to_disc))
        stands_out = to_disc[endplate] - hu[disc] >= _ENDPLATE_HU
        if stands_out and endplate >= max(least_mm, _NEAREST_MM):
            return True
    return False
