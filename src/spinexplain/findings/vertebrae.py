"""The vertebrae of a scan, given or found: centers, the mask of their heights, their flags."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from spinexplain.anatomy import VertebraLevel
from spinexplain.errors import LabelError
from spinexplain.extents import background, labeled_slabs
from spinexplain.localizer.networks import shipped_body
from spinexplain.localizer.own import Found, find_vertebrae, localize
from spinexplain.localizer.segment import EXTRA_SD_MM, PaintedBodies
from spinexplain.localizer.settle import LEAST_MOVED_MM, Settled, settle
from spinexplain.spine.grids import match_grid
from spinexplain.spine.localize import with_graded_levels
from spinexplain.spine.morphometry import measure
from spinexplain.spine.quality import quality_flags
from spinexplain.types import Heights, LabelMap, Vertebra, Volume


@dataclass(frozen=True, eq=False)
class ScanVertebrae:
    """The vertebrae of a scan, and where they come from.

    Parameters
    ----------
    vertebrae : list of Vertebra
        In cranio-caudal order; at least one is thoracic or lumbar.
    mask : LabelMap or None
        What heights are measured on: the given mask, its bodies, or those that the localizer
        painted well enough.
    labels : LabelMap or None
        The given mask.
    found : Found or None
        What the own localizer said, where it was asked.
    settled : Settled or None
        Given centers moved to the middles of the bodies painted around them, where no mask was
        given.
    moved_mm : mapping of VertebraLevel to float
        How far given centers were moved, to painted bodies or to those of the given mask;
        without those that stay.
    """

    vertebrae: list[Vertebra]
    mask: LabelMap | None
    labels: LabelMap | None = None
    found: Found | None = None
    settled: Settled | None = None
    moved_mm: Mapping[VertebraLevel, float] = field(default_factory=dict)

    @property
    def painted(self) -> PaintedBodies | None:
        """The bodies that were painted, where no mask was given."""
        own = self.found or self.settled
        return None if own is None else own.bodies

    def heights(self) -> Mapping[VertebraLevel, Heights]:
        """Measure on the mask's own grid: resampled to the CT's it would cost precision."""
        if self.mask is None or not self.mask.extents:
            return {}
        return measure(self.mask, self.vertebrae, 0.0 if self.painted is None else EXTRA_SD_MM)

    def flags(self, volume: Volume) -> dict[VertebraLevel, tuple[str, ...]]:
        """Collect quality flags, and why a painted body is not measured."""
        on_ct = None if self.labels is None else match_grid(self.labels, volume)
        flags = quality_flags(volume, self.vertebrae, on_ct)
        doubts = {} if self.painted is None else self.painted.doubts
        return {
            level: (*known, doubts[level]) if level in doubts else known
            for level, known in flags.items()
        }


def scan_vertebrae(
    volume: Volume,
    labels: LabelMap | None = None,
    centroids: Sequence[Vertebra] | None = None,
    body: LabelMap | None = None,
    first_level: VertebraLevel | str | None = None,
    found: Found | None = None,
) -> ScanVertebrae:
    """Take the vertebrae as given and settle their centers; with nothing, find them.

    Parameters
    ----------
    volume : Volume
    labels : LabelMap, optional
    centroids : sequence of Vertebra, optional
    body : LabelMap, optional
    first_level : VertebraLevel or str, optional
        For the own localizer alone.
    found : Found, optional
        What the own localizer said of this scan before; it is not asked again.

    Returns
    -------
    ScanVertebrae
        Centers lie in the middle of their bodies by any way: halfway between the walls of the
        given mask, or of the bodies that the localizer paints around given centers, see
        :func:`~spinexplain.localizer.settle.settle`.

    Raises
    ------
    LabelError
        If there is no thoracic or lumbar vertebra, or a body mask without labels.
    ConfigError
        If a first level is given beside a mask or centroids.
    """
    bodies = bodies_of(labels, body)
    if labels is None and centroids is None:
        found = found or find_vertebrae(volume, first_level)
        placed = with_graded_levels(localize(volume, centroids=found.vertebrae))
        return ScanVertebrae(placed, _measurable(found.bodies), None, found)
    vertebrae = with_graded_levels(localize(volume, labels, centroids, bodies, first_level))
    if labels is not None:
        mask, moved_mm = labels if bodies is None else bodies, _moved_mm(centroids, vertebrae)
        return ScanVertebrae(vertebrae, mask, labels, moved_mm=moved_mm)
    settled = settle(volume, vertebrae, shipped_body())
    return ScanVertebrae(
        settled.vertebrae,
        _measurable(settled.bodies),
        settled=settled,
        moved_mm=settled.moved_mm,
    )


def _moved_mm(
    given: Sequence[Vertebra] | None, placed: Sequence[Vertebra]
) -> dict[VertebraLevel, float]:
    """Return how far the mask moved given centers; levels that stay are left out."""
    before = {one.level: np.array(one.centroid_mm) for one in given or ()}
    after = {one.level: np.array(one.centroid_mm) for one in placed if one.level in before}
    away = {level: float(np.linalg.norm(at - before[level])) for level, at in after.items()}
    return {level: mm for level, mm in away.items() if mm >= LEAST_MOVED_MM}


def _measurable(bodies: PaintedBodies | None) -> LabelMap | None:
    return None if bodies is None else bodies.measurable()


def bodies_of(labels: LabelMap | None, body: LabelMap | None) -> LabelMap | None:
    """Keep only the bodies of a vertebra mask, by a body mask on any grid.

    Returns
    -------
    LabelMap or None
        VerSe labels inside the bodies; None without a body mask.

    Raises
    ------
    LabelError
        If there is a body mask without labels, or the two have no voxel in common.
    """
    if body is None:
        return None
    if labels is None:
        raise LabelError(
            "a body mask was given without vertebra labels, which name its levels. "
            "Give --labels too."
        )
    inside = match_grid(body, labels).array
    bodies = LabelMap(background(labels.array.shape, labels.array.dtype), labels.affine)
    for box in labeled_slabs(labels.extents):
        bodies.array[box] = np.where(inside[box] > 0, labels.array[box], 0)
    if not bodies.extents:
        raise LabelError(
            "the body mask and the vertebra labels have no voxel in common; expected masks of "
            "the same scan. Check both files."
        )
    return bodies
