"""Pictures of a unit's activation over the CT: collages and slice after slice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from spinexplain.explainers.dissection.grid import CellGrid
from spinexplain.explainers.dissection.record import BestSample, Dissection
from spinexplain.ui.pictures import upsample, wash_rgba, window_hu

TILE_PIXELS = 224
_GAP, _COLUMNS, _SLICE_DETAIL = 5, 5, 2
_SAGITTAL = {"left": "A", "right": "P"}
_GROUND = 16


def collage(dissection: Dissection, unit: int, count: int = 25) -> np.ndarray:
    """Lay a unit's best samples out, one slice each, with its activation over the CT.

    Parameters
    ----------
    dissection : Dissection
    unit : int
    count : int
        Samples shown, at most.

    Returns
    -------
    ndarray of uint8, shape (rows, columns, 3)
        Five tiles a row, strongest first, each with its level and grade; the same scale of
        colors in all.
    """
    best = dissection.best_of(unit)[:count]
    maps = [sample_map(dissection, item) for item in best]
    top = max((float(one.max()) for one in maps), default=0.0)
    tiles = [
        blended(dissection.pictures[item.picture], heat, top, _detail(dissection.grid.side))
        for item, heat in zip(best, maps, strict=True)
    ]
    sources = [dissection.sources[item.picture].provenance for item in best]
    tiles = [
        lettered(tile, {"foot": f"{source.level}  {source.grade}"} | (_SAGITTAL if first else {}))
        for first, tile, source in zip([True, *[False] * len(tiles)], tiles, sources, strict=False)
    ]
    return mosaic(tiles, _COLUMNS)


def sample_map(dissection: Dissection, item: BestSample) -> np.ndarray:
    """Spread a best sample's activation above threshold over its slice, float32."""
    grid = dissection.grid
    return CellGrid(item.cells.shape, grid.side, grid.start, grid.step).spread(item.cells)


def slices(crop_hu: np.ndarray, heatmap: np.ndarray) -> np.ndarray:
    """Lay out every sagittal slice of a box with a heat map over it, right to left.

    Parameters
    ----------
    crop_hu, heatmap : ndarray, shape (*S)
        3-D, or one 2-D slice.

    Returns
    -------
    ndarray of uint8, shape (rows, columns, 3)
    """
    if crop_hu.ndim == 2:
        crop_hu, heatmap = crop_hu[..., None], heatmap[..., None]
    top, count = float(heatmap.max()), crop_hu.shape[2]
    detail = _SLICE_DETAIL if count > 1 else _detail(crop_hu.shape[0])
    tiles = [blended(crop_hu[..., i], heatmap[..., i], top, detail) for i in range(count)]
    if count > 1:
        tiles[0] = lettered(tiles[0], {"head": "R", **_SAGITTAL})
        tiles[-1] = lettered(tiles[-1], {"head": "L"})
    return mosaic(tiles, int(np.ceil(np.sqrt(len(tiles)))), gap=1)


def lettered(tile: np.ndarray, words: Mapping[str, str]) -> np.ndarray:
    """Write words at the sides of a picture: ``left``, ``right``, ``head`` and ``foot``.

    Parameters
    ----------
    tile : ndarray of uint8, shape (rows, columns, 3)
    words : mapping of str to str
    """
    picture = Image.fromarray(tile)
    high, wide, _ = tile.shape
    size = float(np.clip(high / 16, 10, 16))
    places = {
        "left": ((4, high / 2), "lm"),
        "right": ((wide - 4, high / 2), "rm"),
        "head": ((wide / 2, 3), "ma"),
        "foot": ((5, high - 4), "ld"),
    }
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(size)
    for side, text in words.items():
        at, anchor = places[side]
        draw.text(at, text, (235, 240, 243), font, anchor, stroke_width=1, stroke_fill=(0, 0, 0))
    return np.asarray(picture)


def blended(array_hu: np.ndarray, heatmap: np.ndarray, top: float, detail: int) -> np.ndarray:
    """Draw a heat map over a CT slice in the bone window, uint8 (rows, columns, 3)."""
    gray = window_hu(upsample(array_hu, detail)).astype(np.float32)[..., None]
    wash = wash_rgba(upsample(heatmap, detail), top).astype(np.float32)
    alpha = 0.75 * wash[..., 3:] / 255
    return np.round(gray * (1 - alpha) + wash[..., :3] * alpha).astype(np.uint8)


def mosaic(tiles: Sequence[np.ndarray], columns: int, gap: int = _GAP) -> np.ndarray:
    """Lay equal tiles out in rows with a gap between them.

    Examples
    --------
    >>> mosaic([np.zeros((2, 2, 3), np.uint8)] * 3, columns=2, gap=1).shape
    (5, 5, 3)
    """
    if not tiles:
        return np.full((1, 1, 3), _GROUND, np.uint8)
    high, wide, _ = tiles[0].shape
    columns = min(columns, len(tiles))
    rows = -(-len(tiles) // columns)
    shape = (rows * (high + gap) - gap, columns * (wide + gap) - gap, 3)
    collage = np.full(shape, _GROUND, np.uint8)
    for number, tile in enumerate(tiles):
        row, column = divmod(number, columns)
        top, left = row * (high + gap), column * (wide + gap)
        collage[top : top + high, left : left + wide] = tile
    return collage


def write_png(path: Path, pixels: np.ndarray) -> None:
    """Write a picture."""
    Image.fromarray(pixels).save(path, format="PNG")


def _detail(side: int) -> int:
    return max(round(TILE_PIXELS / side), 1)
