"""Evidence prepared for drawing: *this looks like that*, with contours and bars."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
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
from spinexplain.ui.close_up import Window, evidence_box, needed_mm, window
from spinexplain.ui.contours import outlines
from spinexplain.ui.grid_lines import GridLines, grid_lines, sheet_transform
from spinexplain.ui.pictures import Album, Picture
from spinexplain.ui.tokens import GradeStyle, grade_style
from spinexplain.ui.waterfall import Bar, side_by_side, waterfall

FOR_SHOWN, AGAINST_SHOWN = 3, 2
LEAST_SHOWN = 0.05
"""Contribution below which a piece of evidence is not worth a row of its own."""
# Units do not add up: none may stand for "all others", so all that were found are shown.
UNITS_SHOWN = 5


@dataclass(frozen=True)
class Region:
    """A picture with the contours of a heat map on it, and what may be asked about it.

    Parameters
    ----------
    picture : Picture
    contours : tuple of str
        Paths, innermost first.
    grid : GridLines or None
        The map's own cells.
    transform : str
        From the grid's samples to those of the picture, as SVG writes it; empty for none.
    window : tuple of 4 floats or None
        Left, top, width and height of the close-up, in samples; None is the whole picture.
    pixel_mm : float or None
        Distance of the picture's samples; None where it is not known.
    """

    picture: Picture
    contours: tuple[str, ...]
    grid: GridLines | None = None
    transform: str = ""
    window: Window | None = None
    pixel_mm: float | None = None


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
    detail: int = 3,
) -> ExplanationView:
    """Prepare the telling evidence of an explanation for drawing on a patch.

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
    detail : int
        Encoded pixels per sample of the patch's own pictures.
    """
    additive = explanation.additive
    listed, rest = telling(explanation.evidence, additive)
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
                album.add_wash(drawn, top, min(detail, 2)),
                _sheet_outlines(item, drawn, explanation.patch.frame.spacing_mm, drawn_on),
                grid_lines(item, explanation.patch.array.shape[:2], _spacing_mm(explanation)),
                sheet_transform(explanation.patch, shown),
            ),
            bar,
            album,
            detail,
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


def telling(
    evidence: Sequence[Evidence], additive: bool
) -> tuple[tuple[Evidence, ...], tuple[Evidence, ...]]:
    """Choose the pieces that get a row: what speaks most for the class, and most against it.

    Parameters
    ----------
    evidence : sequence of Evidence
        Strongest first.
    additive : bool
        Whether the scores add up. Where they do not, none can stand for the others, and the
        first ones are shown.

    Returns
    -------
    listed, rest : tuple of Evidence
        ``listed``: up to three for the class, then up to two against it, each of a contribution
        that shows; where none does, the strongest one.
    """
    if not additive:
        return tuple(evidence[:UNITS_SHOWN]), tuple(evidence[UNITS_SHOWN:])
    ranked = sorted(evidence, key=lambda item: -item.score)
    speaks_for = [item for item in ranked if item.score >= LEAST_SHOWN][:FOR_SHOWN]
    against = [item for item in reversed(ranked) if item.score <= -LEAST_SHOWN][:AGAINST_SHOWN]
    listed = [*speaks_for, *against] or list(evidence[:1])
    return tuple(listed), tuple(item for item in evidence if all(item is not x for x in listed))


def _spacing_mm(explanation: Explanation) -> float:
    return float(explanation.patch.frame.spacing_mm)


def _sheet_outlines(
    item: Evidence,
    drawn: np.ndarray,
    spacing_mm: float,
    drawn_on: Callable[[np.ndarray], np.ndarray],
) -> tuple[str, ...]:
    if item.region != "contours":
        drawn = drawn_on(steady_map(item.heatmap, item, spacing_mm))
    return outlines(drawn, item.region)


def _row(
    item: Evidence, patch: Patch, overlay: Region, bar: Bar, album: Album, detail: int
) -> EvidenceRow:
    unit = item.detail if isinstance(item.detail, UnitDetail) else None
    # Units are shown where they are strongest, as in the paper; they may be active off the middle.
    strongest = unit is not None
    extent_mm = len(patch.array) * patch.frame.spacing_mm
    tested = _region(patch.array, item.heatmap, item, extent_mm, album, strongest, detail=detail)
    exemplars = [_exemplar(one, item, extent_mm, album) for one in item.exemplars]
    tested, exemplars = _closed_up(tested, item, exemplars, strongest)
    return EvidenceRow(
        name=item.name,
        class_name=item.class_name,
        grade=grade_style(item.class_name if unit is None else _tied_to(unit)),
        region=tested,
        overlay=overlay,
        exemplar=exemplars[0] if exemplars else None,
        further=tuple(exemplars[1:]) if strongest else (),
        prototype=item.detail if isinstance(item.detail, PrototypeDetail) else None,
        unit=unit,
        terms=item.terms,
        bar=bar,
    )


def _closed_up(
    tested: Region, item: Evidence, exemplars: Sequence[ExemplarView], strongest: bool
) -> tuple[Region, list[ExemplarView]]:
    """Show test and training patch around their regions, both at the same scale."""
    regions = [tested, *(one.region for one in exemplars)]
    maps = [item.heatmap[_plane(item.heatmap, strongest)]]
    maps += [one.heatmap[_plane(one.heatmap, False)] for one in item.exemplars]
    boxes = [evidence_box(heatmap, item.region) for heatmap in maps]
    shown = [(region, box) for region, box in zip(regions, boxes, strict=True) if region]
    side_mm = max(needed_mm(box, _step_mm(region)) for region, box in shown)
    framed = [
        None if region is None else _framed(region, box, side_mm)
        for region, box in zip(regions, boxes, strict=True)
    ]
    assert framed[0] is not None
    # A training patch scaled to the size of the body has millimeters of its own.
    scaled = tested.pixel_mm != 1.0
    others = [
        replace(one, region=region and replace(region, pixel_mm=None) if scaled else region)
        for one, region in zip(exemplars, framed[1:], strict=True)
    ]
    return framed[0], others


def _framed(region: Region, box: tuple[slice, slice] | None, side_mm: float) -> Region:
    shape = (region.picture.height, region.picture.width)
    return replace(region, window=window(box, shape, _step_mm(region), side_mm))


def _step_mm(region: Region) -> float:
    return 1.0 if region.pixel_mm is None else region.pixel_mm


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
    detail: int = 3,
) -> Region:
    """Draw a patch of the model's own extent, ``extent_mm`` of the test patch's."""
    plane = _plane(heatmap, strongest)
    picture = album.add_ct(array_hu[plane], detail)
    spacing_mm = extent_mm / len(array_hu)
    grid = grid_lines(item, (picture.height, picture.width), spacing_mm, cell)
    drawn = heatmap[plane]
    if item.region != "contours":
        drawn = steady_map(drawn, item, spacing_mm)
    return Region(picture, outlines(drawn, item.region), grid, pixel_mm=spacing_mm)


def _plane(heatmap: np.ndarray, strongest: bool) -> tuple[Any, ...]:
    """Index the sagittal plane of a box that is shown; of a sheet all of it."""
    if heatmap.ndim < 3:
        return (...,)
    middle = heatmap.shape[2] // 2
    held = heatmap.sum(axis=(0, 1))
    return (..., int(held.argmax()) if strongest and held.max() > 0 else middle)
