"""Evidence prepared for drawing: *this looks like that*, with contours and bars."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from spinexplain.spine.heatmap import onto_sheet
from spinexplain.types import (
    Evidence,
    EvidenceReliability,
    Exemplar,
    Explanation,
    Patch,
    PrototypeDetail,
    Provenance,
    UnitDetail,
)
from spinexplain.ui.cell_maps import steady_map
from spinexplain.ui.contours import outlines
from spinexplain.ui.grid_lines import GridLines, grid_lines
from spinexplain.ui.pictures import Album, Picture
from spinexplain.ui.tokens import GradeStyle, grade_style
from spinexplain.ui.waterfall import Bar, side_by_side, waterfall

ROWS_SHOWN = 3
# Units do not add up: none may stand for "all others", so all that were found are shown.
UNITS_SHOWN = 5


@dataclass(frozen=True)
class Region:
    """A picture with the contours of a heat map on it, innermost first, and its grid."""

    picture: Picture
    contours: tuple[str, ...]
    grid: GridLines | None = None


@dataclass(frozen=True)
class ExemplarView:
    """The training patch of a row; no region where its pixels are withheld."""

    region: Region | None
    provenance: Provenance
    grade: GradeStyle


@dataclass(frozen=True)
class EvidenceRow:
    """One prototype, unit or CAM: the test region, what it looks like, what it counts.

    Parameters
    ----------
    name, class_name : str
    grade : GradeStyle
    region : Region
        On the patch as the model saw it, so that the training patch beside it has the same
        field of view; of a 3-D patch the mid-sagittal plane.
    overlay : Region
        The same map as a wash with its contours, on the sheet that the card shows.
    exemplar : ExemplarView or None
    further : tuple of ExemplarView
        More training patches: a unit has several, a prototype is one.
    prototype : PrototypeDetail or None
    unit : UnitDetail or None
        What kind of evidence it is; a map is neither.
    terms : mapping of str to float
        What is listed of a map.
    bar : Bar
    """

    name: str
    class_name: str
    grade: GradeStyle
    region: Region
    overlay: Region
    exemplar: ExemplarView | None
    further: tuple[ExemplarView, ...]
    prototype: PrototypeDetail | None
    unit: UnitDetail | None
    terms: Mapping[str, float]
    bar: Bar


@dataclass(frozen=True)
class ExplanationView:
    """Everything the page draws of one explanation.

    Parameters
    ----------
    target, method, score_name : str
    rows : tuple of EvidenceRow
        The strongest pieces of evidence.
    others : Bar or None
        All other pieces in one bar, where the scores add up.
    others_count : int
    total : Bar or None
        The logit, where the scores add up to it.
    zero : float
        Percent of the axis where it is zero.
    top : float
        Brightest value of the washes.
    region : str
        What the outlines enclose, see ``HeadSettings.region``.
    of_units : bool
        Whether the evidence is the network's own units; also where none was active.
    """

    target: str
    method: str
    score_name: str
    rows: tuple[EvidenceRow, ...]
    others: Bar | None
    others_count: int
    total: Bar | None
    zero: float
    top: float
    region: str = "contours"
    of_units: bool = False
    reliability: EvidenceReliability | None = None


def view_explanation(
    explanation: Explanation,
    shown: Patch,
    album: Album,
    reliability: Sequence[EvidenceReliability] = (),
) -> ExplanationView:
    """Prepare the strongest evidence of an explanation for drawing on a patch.

    Parameters
    ----------
    explanation : Explanation
        Of a 2-D or 3-D patch.
    shown : Patch
        The 2-D sheet it is drawn on.
    album : Album
        Takes the pictures.
    reliability : sequence of EvidenceReliability
        What is known of the model's explainers; the line of this one's is shown.
    """
    additive = explanation.additive
    count = ROWS_SHOWN if additive else UNITS_SHOWN
    listed, rest = explanation.evidence[:count], explanation.evidence[count:]
    drawn_on = onto_sheet(explanation.patch, shown)
    maps = [drawn_on(item.heatmap) for item in listed]
    top = max((float(heatmap.max()) for heatmap in maps), default=0.0)
    values = [item.score for item in listed]
    if additive:
        values.append(sum(item.score for item in rest))
    bars, total, zero = waterfall(values) if additive else side_by_side(values)
    rows = tuple(
        _row(
            item,
            explanation.patch,
            Region(
                album.add_wash(drawn, top),
                _sheet_outlines(item, drawn, explanation.patch.frame.spacing_mm, drawn_on),
            ),
            bar,
            album,
        )
        for item, drawn, bar in zip(listed, maps, bars, strict=False)
    )
    return ExplanationView(
        target=explanation.target,
        method=explanation.method,
        score_name=explanation.score_name,
        rows=rows,
        others=bars[-1] if additive and rest else None,
        others_count=len(rest),
        total=total,
        zero=zero,
        top=top,
        region=listed[0].region if listed else "contours",
        of_units=explanation.method == "dissection",
        reliability=next((one for one in reliability if one.method == explanation.method), None),
    )


def _sheet_outlines(
    item: Evidence,
    drawn: np.ndarray,
    spacing_mm: float,
    drawn_on: Callable[[np.ndarray], np.ndarray],
) -> tuple[str, ...]:
    if item.region != "contours":
        drawn = drawn_on(steady_map(item.heatmap, item, spacing_mm))
    return outlines(drawn, item.region)


def _row(item: Evidence, patch: Patch, overlay: Region, bar: Bar, album: Album) -> EvidenceRow:
    unit = item.detail if isinstance(item.detail, UnitDetail) else None
    # Units are shown where they are strongest, as in the paper; they may be active off the middle.
    strongest = unit is not None
    extent_mm = len(patch.array) * patch.frame.spacing_mm
    exemplars = [_exemplar(one, item, extent_mm, album) for one in item.exemplars]
    return EvidenceRow(
        name=item.name,
        class_name=item.class_name,
        grade=grade_style(item.class_name if unit is None else _tied_to(unit)),
        region=_region(patch.array, item.heatmap, item, extent_mm, album, strongest),
        overlay=overlay,
        exemplar=exemplars[0] if exemplars else None,
        further=tuple(exemplars[1:]) if strongest else (),
        prototype=item.detail if isinstance(item.detail, PrototypeDetail) else None,
        unit=unit,
        terms=item.terms,
        bar=bar,
    )


def _tied_to(unit: UnitDetail) -> str:
    """Return what a unit is tied to: fracture or none, never one grade."""
    return "fracture" if unit.contrast > 0 else "no fracture"


def _exemplar(exemplar: Exemplar, item: Evidence, extent_mm: float, album: Album) -> ExemplarView:
    array = exemplar.array
    return ExemplarView(
        region=None
        if array is None
        else _region(array, exemplar.heatmap, item, extent_mm, album, cell=exemplar.cell),
        provenance=exemplar.provenance,
        grade=grade_style(exemplar.provenance.grade),
    )


def _region(
    array_hu: np.ndarray,
    heatmap: np.ndarray,
    item: Evidence,
    extent_mm: float,
    album: Album,
    strongest: bool = False,
    cell: tuple[int, ...] | None = None,
) -> Region:
    """Draw a patch of the model's own extent, ``extent_mm`` of the test patch's."""
    plane = _plane(heatmap, strongest)
    picture = album.add_ct(array_hu[plane])
    spacing_mm = extent_mm / len(array_hu)
    grid = grid_lines(item, (picture.height, picture.width), spacing_mm, cell)
    drawn = heatmap[plane]
    if item.region != "contours":
        drawn = steady_map(drawn, item, spacing_mm)
    return Region(picture, outlines(drawn, item.region), grid)


def _plane(heatmap: np.ndarray, strongest: bool) -> tuple[Any, ...]:
    """Index the sagittal plane of a box that is shown; of a sheet all of it."""
    if heatmap.ndim < 3:
        return (...,)
    middle = heatmap.shape[2] // 2
    held = heatmap.sum(axis=(0, 1))
    return (..., int(held.argmax()) if strongest and held.max() > 0 else middle)
