"""Which side is graver, prepared for drawing: sheets right, middle and left, and a line."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spinexplain.findings.scan import ScanFindings, VertebraFindings
from spinexplain.spine.sheet_stack import sheets_beside
from spinexplain.types import SideEvidence, SideReliability
from spinexplain.ui.pictures import Album, Picture

_SHOWN_MM = 8.0


@dataclass(frozen=True)
class SidePane:
    """One sheet: where it lies, its picture, the wash of its evidence and its expected grade.

    Parameters
    ----------
    side : str
        ``"right"``, ``"middle"`` or ``"left"``.
    offset_mm : float
        Distance from the middle sheet.
    picture, wash : Picture
    grade : float
        0 to 3.
    """

    side: str
    offset_mm: float
    picture: Picture
    wash: Picture
    grade: float


@dataclass(frozen=True)
class SidesView:
    """Everything the card says of the sides.

    Parameters
    ----------
    key : str
        ``"left"``, ``"right"`` or ``"none"``.
    left, right : float
        Mean expected grade of the sheets on either side.
    offsets : tuple of str
        Their distances from the middle, mm.
    panes : tuple of SidePane
        The patient's right first, as seen from the front.
    reliability : SideReliability or None
    """

    key: str
    left: float
    right: float
    offsets: tuple[str, ...]
    panes: tuple[SidePane, ...]
    reliability: SideReliability | None


def view_sides(
    findings: VertebraFindings, scan: ScanFindings, album: Album, detail: int = 3
) -> SidesView | None:
    """Prepare what the first model says of the sides; None where it was not asked.

    Parameters
    ----------
    findings : VertebraFindings
    scan : ScanFindings
        The scan it belongs to.
    album : Album
        Takes the pictures.
    detail : int
        Encoded pixels per sample.
    """
    found = findings.assessments[0].sides if findings.assessments else None
    if found is None:
        return None
    at, grades = np.array(found.offsets_mm), np.array(found.grades)
    return SidesView(
        key=found.side or "none",
        left=float(grades[at > 0].mean()),
        right=float(grades[at < 0].mean()),
        offsets=tuple(f"{mm:.0f}" for mm in at if mm > 0),
        panes=_panes(found, findings, scan, album, detail),
        reliability=scan.models[0].sides if scan.models else None,
    )


def _panes(
    found: SideEvidence,
    findings: VertebraFindings,
    scan: ScanFindings,
    album: Album,
    detail: int,
) -> tuple[SidePane, ...]:
    """Draw the middle sheet and, on either side, the one nearest to 8 mm."""
    asked = [mm for mm in found.offsets_mm if mm > 0]
    beside = min(asked, key=lambda mm: abs(mm - _SHOWN_MM))
    offsets = (-beside, 0.0, beside)
    sheets = sheets_beside(scan.volume, findings.patch, offsets)
    rows = [found.offsets_mm.index(offset) for offset in offsets]
    top = max(float(found.maps[row].max()) for row in rows)
    return tuple(
        SidePane(
            side,
            abs(offset),
            album.add_ct(sheet.array, min(detail, 2)),
            album.add_wash(found.maps[row], top, min(detail, 2)),
            found.grades[row],
        )
        for side, offset, sheet, row in zip(
            ("right", "middle", "left"), offsets, sheets, rows, strict=True
        )
    )
