"""The whole spine as a map: one picture, and a mark beside every vertebra."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from spinexplain.findings.rules import verdict_of
from spinexplain.findings.scan import VertebraFindings
from spinexplain.types import Patch
from spinexplain.ui.pictures import Album, Picture
from spinexplain.ui.tokens import GradeStyle
from spinexplain.ui.verdict_view import verdict_style

# From the center of a body to behind its spinous process; a mark there hides no bone that
# is graded.
_MARK_POSTERIOR_MM = 52.0
_MARK_ROOM_MM = 17.0  # kept free at the picture's posterior border for the mark itself
_BODY_HALF_MM = (24.0, 17.0)  # what the selection frames: antero-posterior, cranio-caudal


@dataclass(frozen=True)
class Mark:
    """A vertebra on the map; all places in percent of the picture.

    Parameters
    ----------
    level, anchor : str
    style : GradeStyle
    x, y : float
        Where the name and the chip stand.
    box : tuple of 4 floats
        Left, top, width and height of the frame that shows the selection.
    """

    level: str
    anchor: str
    style: GradeStyle
    x: float
    y: float
    box: tuple[float, float, float, float]


@dataclass(frozen=True)
class SpineMap:
    """The picture of the whole spine and its marks, cranial to caudal."""

    picture: Picture
    pixel_mm: float
    marks: tuple[Mark, ...]


def view_map(overview: Patch, vertebrae: Sequence[VertebraFindings], album: Album) -> SpineMap:
    """Prepare the whole-spine sheet, with a mark for every vertebra on it."""
    picture = album.add_ct(overview.array)
    marks = tuple(_mark(overview, findings) for findings in vertebrae)
    return SpineMap(picture, overview.frame.spacing_mm, marks)


def _mark(overview: Patch, findings: VertebraFindings) -> Mark:
    frame = overview.frame
    rows, columns = frame.shape
    center = np.array(findings.vertebra.centroid_mm)
    row, column = np.asarray(frame.to_patch(center))[:2] + 0.5
    furthest = columns - _MARK_ROOM_MM / frame.spacing_mm
    mark = min(column + _MARK_POSTERIOR_MM / frame.spacing_mm, furthest)
    deep, high = (half / frame.spacing_mm for half in _BODY_HALF_MM)
    box = (column - deep, row - high, 2 * deep, 2 * high)
    extent = (columns, rows, columns, rows)
    return Mark(
        level=findings.vertebra.level.value,
        anchor=f"level-{findings.vertebra.level.value}",
        style=verdict_style(verdict_of(findings)),
        x=_percent(mark, columns),
        y=_percent(row, rows),
        box=tuple(_percent(v, n) for v, n in zip(box, extent, strict=True)),  # type: ignore[arg-type]
    )


def _percent(value: float, whole: float) -> float:
    return round(100 * float(value) / whole, 3)
