"""Levels that are not among the vertebrae found: not in view, without a label, or absent.

Three things that must not be mixed up: a level beyond the ends of the scan; one that is in
the scan but that nobody labeled; and one that this person does not have, because the
levels beside it are next to each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from spinexplain.anatomy import VertebraLevel
from spinexplain.geometry import apply_affine
from spinexplain.io.level_sizes import usual_step_mm
from spinexplain.types import Vertebra, Volume

_EXTRA = (VertebraLevel.T13, VertebraLevel.L6)  # most people have neither
_SCALES = (0.7, 1.4)  # of a person's steps against the usual ones
_WHOLE_BONE_MM = 30.0  # from a body's center to the end of its bone


@dataclass(frozen=True)
class MissingLevels:
    """Thoracic and lumbar levels that are not among the vertebrae, by reason.

    Parameters
    ----------
    not_in_view : tuple of VertebraLevel
        They lie beyond the ends of the scan, or would be cut by them.
    unlabeled : tuple of VertebraLevel
        There is room for them inside the scan, but no label.
    absent : tuple of VertebraLevel
        There is no room for them: their neighbors are next to each other.
    """

    not_in_view: tuple[VertebraLevel, ...]
    unlabeled: tuple[VertebraLevel, ...]
    absent: tuple[VertebraLevel, ...]


def missing_levels(volume: Volume, vertebrae: Sequence[Vertebra]) -> MissingLevels:
    """Sort the levels that were not found by why.

    Parameters
    ----------
    volume : Volume
        The scan; only its grid counts.
    vertebrae : sequence of Vertebra
        All that were found.

    Returns
    -------
    MissingLevels
        T13 and L6 are never missing: most people do not have them.

    Notes
    -----
    Beyond the first and the last vertebra found, centers are expected at the usual
    distances, scaled to this person, in the direction the spine has there.
    """
    ordered = sorted(vertebrae, key=lambda vertebra: vertebra.level.order)
    unlabeled, absent = levels_between(ordered)
    scale = person_scale(ordered)
    unlabeled |= _seen_past_end(volume, ordered[::-1], True, scale)
    unlabeled |= _seen_past_end(volume, ordered, False, scale)
    found = {vertebra.level for vertebra in ordered}
    wanted = [level for level in VertebraLevel if level.is_graded and level not in _EXTRA]
    rest = [level for level in wanted if level not in found | unlabeled | absent]
    return MissingLevels(
        not_in_view=tuple(rest),
        unlabeled=tuple(level for level in wanted if level in unlabeled),
        absent=tuple(level for level in wanted if level in absent),
    )


def person_scale(ordered: Sequence[Vertebra]) -> float:
    """Return the median ratio of a person's steps between levels to the usual ones."""
    steps = [
        _distance_mm(upper, lower) / usual_step_mm(upper.level, lower.level)
        for upper, lower in pairwise(ordered)
        if not regular_levels_between(upper.level, lower.level)
    ]
    return float(np.clip(np.median(steps), *_SCALES)) if steps else 1.0


def levels_between(
    ordered: Sequence[Vertebra],
) -> tuple[set[VertebraLevel], set[VertebraLevel]]:
    """Return which levels between those found have room (unlabeled), and which have none.

    Parameters
    ----------
    ordered : sequence of Vertebra
        In cranio-caudal order.

    Examples
    --------
    >>> t11, l1 = VertebraLevel.T11, VertebraLevel.L1
    >>> spine = [Vertebra(t11, (0.0, 0.0, 27.0)), Vertebra(l1, (0.0, 0.0, 0.0))]
    >>> levels_between(spine)
    (set(), {<VertebraLevel.T12: 'T12'>})
    """
    unlabeled: set[VertebraLevel] = set()
    absent: set[VertebraLevel] = set()
    scale = person_scale(ordered)
    for upper, lower in pairwise(ordered):
        missing = regular_levels_between(upper.level, lower.level)
        if not missing:
            continue
        usual = scale * usual_step_mm(upper.level, lower.level) / (len(missing) + 1)
        room = max(round(_distance_mm(upper, lower) / usual) - 1, 0)
        unlabeled |= set(missing[:room])
        absent |= set(missing[room:])
    return unlabeled, absent


def regular_levels_between(upper: VertebraLevel, lower: VertebraLevel) -> list[VertebraLevel]:
    """Return the levels between two that most people have.

    Examples
    --------
    >>> regular_levels_between(VertebraLevel.T12, VertebraLevel.L1)
    []
    """
    inside = [level for level in VertebraLevel if upper.order < level.order < lower.order]
    missing = [level for level in inside if level not in _EXTRA]
    # a 13th thoracic vertebra without a 12th is the 12th by another name
    renamed = VertebraLevel.T13 in (upper, lower)
    return [level for level in missing if not (renamed and level is VertebraLevel.T12)]


def _distance_mm(one: Vertebra, other: Vertebra) -> float:
    return float(np.linalg.norm(np.subtract(one.centroid_mm, other.centroid_mm)))


def _seen_past_end(
    volume: Volume, outward: Sequence[Vertebra], upwards: bool, scale: float
) -> set[VertebraLevel]:
    """Return the levels past the last of ``outward`` that lie whole inside the scan."""
    if not outward:
        return set()
    direction = _direction(outward, upwards)
    point, level, seen = np.array(outward[-1].centroid_mm), outward[-1].level, set()
    for following in _past(level, upwards):
        pair = (following, level) if upwards else (level, following)
        point = point + direction * scale * usual_step_mm(*pair)
        if not _whole_in_view(volume, point, direction):
            break
        level = following
        seen |= {level} if level.is_graded else set()
    return seen


def _past(level: VertebraLevel, upwards: bool) -> list[VertebraLevel]:
    """List the regular levels above (from near to far) or below one."""
    regular = [one for one in VertebraLevel if one not in _EXTRA]
    if upwards:
        return [one for one in regular if one.order < level.order][::-1]
    return [one for one in regular if one.order > level.order]


def _direction(outward: Sequence[Vertebra], upwards: bool) -> np.ndarray:
    """Return the unit vector past the end, halfway between the spine's own and the body's."""
    axis = np.array([0.0, 0.0, 1.0 if upwards else -1.0])
    if len(outward) < 2:
        return axis
    own = np.subtract(outward[-1].centroid_mm, outward[-2].centroid_mm)
    mixed = own / max(float(np.linalg.norm(own)), 1e-6) + axis
    return mixed / max(float(np.linalg.norm(mixed)), 1e-6)


def _whole_in_view(volume: Volume, center_mm: np.ndarray, direction: np.ndarray) -> bool:
    """Whether a bone would lie inside the scan along the axis that runs cranio-caudally."""
    axes = volume.affine[:3, :3] / np.array(volume.spacing_mm)
    axis = int(np.argmax(np.abs(axes[2])))
    far = center_mm + _WHOLE_BONE_MM * direction
    index = apply_affine(np.linalg.inv(volume.affine), np.stack([center_mm, far]))[:, axis]
    return bool(np.all((index >= -0.5) & (index <= volume.array.shape[axis] - 0.5)))
