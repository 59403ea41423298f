"""The honest grid behind a smooth map: its cells, the strongest one, and what that one sees."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spinexplain.types import Evidence, Patch

Square = tuple[float, float, float, float]
_STEP = 8.0  # samples over which the direction of rows and columns is taken


@dataclass(frozen=True)
class GridLines:
    """A feature map's grid over a picture, in samples of the patch.

    Parameters
    ----------
    lines : str
        Value of an SVG path's ``d``: the borders between cells.
    cell : tuple of 4 floats
        Left, top, width and height of what lies nearest to the strongest cell.
    field : tuple of 4 floats
        The same of its theoretical receptive field; it may reach beyond the picture.
    """

    lines: str
    cell: Square
    field: Square


def grid_lines(
    item: Evidence,
    shape: tuple[int, int],
    spacing_mm: float,
    cell: tuple[int, ...] | None = None,
) -> GridLines | None:
    """Lay a piece of evidence's grid over the first two axes of a patch.

    Parameters
    ----------
    item : Evidence
    shape : tuple of 2 ints
        Rows and columns of the picture.
    spacing_mm : float
        Distance of its samples.
    cell : tuple of int, optional
        The cell to mark; by default the one nearest to the peak of the heat map.

    Returns
    -------
    GridLines or None
        None where the evidence does not know its grid.
    """
    if not item.grid or item.field_mm is None or item.stride_mm is None or item.start_mm is None:
        return None
    start, step = item.start_mm / spacing_mm, item.stride_mm / spacing_mm
    if cell is None:
        cell = _strongest(item, start, step)
    center = [start + index * step for index in cell[:2]]
    side = item.field_mm / spacing_mm
    return GridLines(
        lines=_borders(shape, item.grid, start, step),
        cell=_square(center, step),
        field=_square(center, side),
    )


def sheet_transform(patch: Patch, shown: Patch) -> str:
    """Say how a patch's rows and columns lie on the sheet that is shown.

    Parameters
    ----------
    patch : Patch
        2-D or 3-D; of a box its mid-sagittal plane.
    shown : Patch
        A 2-D sheet.

    Returns
    -------
    str
        Value of an SVG ``transform`` from (x, y) of the patch to (x, y) of the sheet, exact at
        the patch's middle: a curved sheet bends a little away from it. Empty where both are one.
    """
    if patch.frame is shown.frame:
        return ""
    middle = (np.array(patch.frame.shape) - 1) / 2
    steps = np.zeros((3, len(middle)))
    steps[1, 1] = steps[2, 0] = _STEP
    at = np.asarray(shown.frame.to_patch(patch.frame.to_mm(middle + steps)))[:, :2][:, ::-1]
    across, down = (at[1] - at[0]) / _STEP, (at[2] - at[0]) / _STEP
    # The center of sample i is drawn at i + 0.5, in both.
    start = at[0] + 0.5 - across * (middle[1] + 0.5) - down * (middle[0] + 0.5)
    return f"matrix({' '.join(f'{value:.4f}' for value in (*across, *down, *start))})"


def _strongest(item: Evidence, start: float, step: float) -> tuple[int, ...]:
    peak = np.unravel_index(int(np.argmax(item.heatmap)), item.heatmap.shape)
    cells = [round((int(at) + 0.5 - start) / step) for at in peak]
    return tuple(min(max(c, 0), n - 1) for c, n in zip(cells, item.grid, strict=False))


def _square(center: list[float], side: float) -> Square:
    return (center[1] - side / 2, center[0] - side / 2, side, side)


def _borders(shape: tuple[int, int], grid: tuple[int, ...], start: float, step: float) -> str:
    """Draw the lines half-way between the cells' centers, inside the picture only."""
    rows, columns = shape
    down = [start + (i + 0.5) * step for i in range(grid[0] - 1)]
    across = [start + (i + 0.5) * step for i in range(grid[1] - 1)]
    parts = [f"M0 {y:.1f}H{columns}" for y in down if 0 < y < rows]
    parts += [f"M{x:.1f} 0V{rows}" for x in across if 0 < x < columns]
    return "".join(parts)
