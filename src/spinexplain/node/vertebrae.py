"""Vertebrae for a series that came without any: from a DICOM segmentation, or a localizer."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from spinexplain.anatomy import VertebraLevel
from spinexplain.dicom_out.codes import code, names
from spinexplain.errors import LabelError, SpinexplainError
from spinexplain.io.quiet import quiet_dicom
from spinexplain.io.read import read_mask
from spinexplain.localizer.own import OWN
from spinexplain.node.settings import VertebraeSettings
from spinexplain.spine.grids import match_grid
from spinexplain.spine.localizers import run_localizer
from spinexplain.types import LabelMap, Volume

if TYPE_CHECKING:
    from highdicom.seg import SegmentDescription

_NAMED = re.compile(r"(?:^|[^A-Za-z0-9])([CTL]\d{1,2})(?:$|[^A-Za-z0-9])", re.IGNORECASE)
_LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


def find_vertebrae(
    ct: Path,
    volume: Volume,
    segmentations: Sequence[Path],
    settings: VertebraeSettings,
    cache: Path,
) -> LabelMap | None:
    """Name the vertebrae of a CT by whatever the settings allow, in their order.

    Parameters
    ----------
    ct : Path
        What ``volume`` was read from.
    volume : Volume
    segmentations : sequence of Path
        DICOM segmentations of the study.
    settings : VertebraeSettings
    cache : Path
        Where a localizer's masks are kept.

    Returns
    -------
    LabelMap or None
        VerSe labels; None where the package's own localizer is to find them.

    Raises
    ------
    LabelError
        If nothing names a vertebra.
    LocalizerError
        If the localizer fails.
    """
    for way in settings.order:
        if way == "localizer" and settings.localizer == OWN:
            return None
        if way == "localizer":
            found = run_localizer(
                settings.localizer,
                ct,
                cache,
                timeout_s=60 * settings.localizer_minutes,
                config=settings.localizer_config,
                volume=volume,
            )
            return read_mask(found.labels, scheme=found.scheme)
        for path in segmentations:
            labels = read_segmentation(path, volume)
            if labels is not None:
                return labels
    raise LabelError(
        f"none of {len(segmentations)} segmentations of the study names a vertebra, and no "
        'localizer is allowed; expected one of them. Add "localizer" to vertebrae.order.'
    )


def read_segmentation(path: Path, volume: Volume) -> LabelMap | None:
    """Read the vertebrae of a DICOM segmentation onto the grid of a CT.

    Parameters
    ----------
    path : Path
    volume : Volume

    Returns
    -------
    LabelMap or None
        VerSe labels, by the nearest voxel; None where no segment is a vertebra, the object can
        not be read as a volume, or nothing of it lies in the CT.
    """
    from highdicom.seg import segread

    try:
        with quiet_dicom():
            found = segread(path)
            levels = {
                number: level
                for number in found.segment_numbers
                if (level := level_of(found.get_segment_description(number))) is not None
            }
            if not levels:
                return None
            stored = found.get_volume(
                segment_numbers=sorted(levels), combine_segments=True, skip_overlap_checks=True
            )
    except Exception:  # what somebody else stored can be broken in any way
        return None
    table = np.zeros(max(levels) + 1, np.uint8)
    for number, level in levels.items():
        table[number] = level.verse_label
    try:
        mask = LabelMap(table[np.asarray(stored.array)], _LPS_TO_RAS @ stored.affine)
        on_ct = match_grid(mask, volume)
    except SpinexplainError:
        return None
    return on_ct if on_ct.array.any() else None


def level_of(segment: SegmentDescription) -> VertebraLevel | None:
    """Name a segment's vertebra by its code, or by a level in its label."""
    kind = segment.segmented_property_type
    for name in names("level"):
        known = code("level", name)
        if (kind.value, kind.scheme_designator) == (known.value, known.scheme):
            return VertebraLevel(name)
    named = _NAMED.search(segment.segment_label.replace("_", " "))
    try:
        return VertebraLevel(named[1].upper()) if named else None
    except ValueError:
        return None
