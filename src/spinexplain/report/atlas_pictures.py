"""Training crops of an atlas prepared for drawing: map, outlines, field of view."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spinexplain.analysis.atlas.record import AtlasPatch, ModelAtlas
from spinexplain.types import Provenance
from spinexplain.ui.cell_maps import without_ringing
from spinexplain.ui.contours import level_contour, mass_contour, region_level
from spinexplain.ui.pictures import Album, Picture
from spinexplain.ui.tokens import MASS_SHARES, GradeStyle, grade_style


@dataclass(frozen=True)
class PlaneView:
    """One plane of a crop with everything that can be laid over it.

    Parameters
    ----------
    view : str
        ``"sagittal"``, ``"coronal"`` or ``"axial"``.
    width, height : int
        Samples.
    picture : Picture or None
        None where the pixels are withheld.
    wash : Picture
        The similarity map as color.
    contours : tuple of str
        Paths around half and four fifths of what rises above the map's floor.
    region : str
        Path around the highest 2 % of the map in this plane.
    field : tuple of 4 floats
        Left, top, width, height of the receptive field of the strongest cell, in samples.
    cell : tuple of 4 floats
        The same of what lies nearer to that cell than to any other: the honest grid.
    """

    view: str
    width: int
    height: int
    picture: Picture | None
    wash: Picture
    contours: tuple[str, ...]
    region: str
    field: tuple[float, float, float, float]
    cell: tuple[float, float, float, float]


@dataclass(frozen=True)
class PatchView:
    """A training crop: one plane of a sheet, three of a box."""

    planes: tuple[PlaneView, ...]
    provenance: Provenance
    grade: GradeStyle
    similarity: float | None
    distance: float | None


def view_patch(
    patch: AtlasPatch, atlas: ModelAtlas, album: Album, top: float, detail: int, whole: bool
) -> PatchView:
    """Prepare a training crop for drawing.

    Parameters
    ----------
    patch : AtlasPatch
    atlas : ModelAtlas
    album : Album
        Takes the pictures.
    top : float
        Brightest value of the washes, shared by maps that are compared.
    detail : int
        Encoded pixels per sample.
    whole : bool
        Of a box all three planes through the strongest sample, not the sagittal one alone.
    """
    names = ("sagittal", "coronal", "axial") if patch.heatmap.ndim == 3 and whole else ("sagittal",)
    return PatchView(
        planes=tuple(_plane(patch, atlas, album, name, top, detail) for name in names),
        provenance=patch.provenance,
        grade=grade_style(patch.provenance.grade),
        similarity=patch.similarity,
        distance=patch.distance,
    )


def _plane(
    patch: AtlasPatch, atlas: ModelAtlas, album: Album, view: str, top: float, detail: int
) -> PlaneView:
    heatmap, axes = _cut(patch.heatmap, patch.heatmap, view)
    picture = None
    if patch.array is not None:
        picture = album.add_ct(_cut(patch.array, patch.heatmap, view)[0], detail)
    rows, columns = heatmap.shape
    cell = tuple(patch.cell[axis] for axis in axes)
    mm = atlas.extent_mm / patch.heatmap.shape[0]
    grid = [atlas.grid[axis] for axis in axes]
    steady = without_ringing(heatmap, grid, atlas.start_mm / mm, atlas.stride_mm / mm)
    return PlaneView(
        view=view,
        width=columns,
        height=rows,
        picture=picture,
        wash=album.add_wash(heatmap, top, detail=1),
        contours=tuple(mass_contour(heatmap, share) for share in MASS_SHARES),
        region=level_contour(steady, region_level(steady, "percentile98")),
        field=_square(cell, atlas, atlas.field_mm, mm),
        cell=_square(cell, atlas, atlas.stride_mm, mm),
    )


def _cut(array: np.ndarray, heatmap: np.ndarray, view: str) -> tuple[np.ndarray, tuple[int, int]]:
    """Cut a plane through the strongest sample; rows and columns keep the axes returned."""
    if array.ndim == 2:
        return array, (0, 1)
    caudal, posterior, left = np.unravel_index(int(np.argmax(heatmap)), heatmap.shape)
    if view == "coronal":
        return array[:, posterior, :], (0, 2)
    if view == "axial":
        return array[caudal], (1, 2)
    return array[:, :, left], (0, 1)


def _square(
    cell: tuple[int, ...], atlas: ModelAtlas, side_mm: float, mm_per_sample: float
) -> tuple[float, float, float, float]:
    """Return left, top, width and height, in samples, of a square around a cell's center."""
    center = [(atlas.start_mm + index * atlas.stride_mm) / mm_per_sample for index in cell]
    side = side_mm / mm_per_sample
    return (center[1] - side / 2, center[0] - side / 2, side, side)
