"""Pictures of a study: CT planes, heat maps and outlines as files that a page puts together."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from spinexplain.study.record import Slice, View
from spinexplain.types import Evidence
from spinexplain.ui.cell_maps import steady_map
from spinexplain.ui.contours import level_contour, outlines
from spinexplain.ui.pictures import upsample, wash_rgba, window_hu

MOST_SLICES = 25
_SHOWN_PIXELS = 448


@dataclass(frozen=True)
class PictureFolder:
    """Writes pictures under names made from their pixels, each once.

    Parameters
    ----------
    folder : Path
        An existing folder.
    """

    folder: Path

    def add(self, pixels: np.ndarray) -> str:
        """Write a picture, uint8 of shape (rows, columns[, 4]), and return its name."""
        made_from = f"{pixels.shape}".encode() + np.ascontiguousarray(pixels).tobytes()
        name = f"p{hashlib.sha256(made_from).hexdigest()[:16]}.png"
        path = self.folder / name
        if not path.exists():
            Image.fromarray(pixels).save(path, format="PNG", compress_level=6)
        return name


def draw_view(
    pictures: PictureFolder,
    array_hu: np.ndarray,
    spacing_mm: float,
    heatmap: np.ndarray | None = None,
    target: np.ndarray | None = None,
    evidence: Evidence | None = None,
) -> View:
    """Draw a sheet, or a box as planes to scroll through, with a heat map and the target.

    Parameters
    ----------
    pictures : PictureFolder
    array_hu : ndarray, shape (*S)
        2-D or 3-D; the last axis of a box runs from the patient's right to the left.
    spacing_mm : float
        Of the samples.
    heatmap : ndarray, shape (*S), optional
        Not below 0; one scale of colors for all planes.
    target : ndarray of bool, shape (*S), optional
        The vertebra that is asked about.
    evidence : Evidence, optional
        Whose heat map it is: how its region is outlined.

    Returns
    -------
    View
        A box has at most 25 planes, evenly spaced, the strongest among them and first shown.
    """
    planes, start = _planes(array_hu, heatmap)
    top = 0.0 if heatmap is None else float(heatmap.max())
    slices = []
    for plane in planes:
        index = (..., plane) if array_hu.ndim == 3 else (...,)
        drawn = None if heatmap is None else heatmap[index]
        mask = None if target is None else target[index]
        slices.append(_slice(pictures, array_hu[index], spacing_mm, drawn, mask, evidence, top))
    rows, columns = array_hu.shape[:2]
    return View(
        slices=tuple(slices), start=start, width=columns, height=rows, mm=round(spacing_mm, 4)
    )


def _planes(array_hu: np.ndarray, heatmap: np.ndarray | None) -> tuple[list[int], int]:
    """Return the planes that are drawn and the place among them of the one shown first."""
    if array_hu.ndim == 2:
        return [0], 0
    count = array_hu.shape[2]
    first = count // 2
    if heatmap is not None and heatmap.max() > 0:
        first = int(heatmap.sum(axis=(0, 1)).argmax())
    step = -(-count // MOST_SLICES)
    planes = list(range(first % step, count, step))
    return planes, planes.index(first)


def _slice(
    pictures: PictureFolder,
    array_hu: np.ndarray,
    spacing_mm: float,
    heatmap: np.ndarray | None,
    target: np.ndarray | None,
    evidence: Evidence | None,
    top: float,
) -> Slice:
    detail = max(round(_SHOWN_PIXELS / len(array_hu)), 1)
    picture = pictures.add(window_hu(upsample(array_hu, detail)))
    outline = "" if target is None else level_contour(np.asarray(target, float), 0.5)
    if heatmap is None or heatmap.max() <= 0:
        return Slice(picture=picture, target=outline)
    wash = pictures.add(wash_rgba(upsample(heatmap, 2), top))
    region = "contours" if evidence is None else evidence.region
    steady = heatmap
    if evidence is not None and region != "contours":
        steady = steady_map(heatmap, evidence, spacing_mm)
    contours = tuple(path for path in outlines(steady, region) if path)
    return Slice(picture=picture, wash=wash, contours=contours, target=outline)
