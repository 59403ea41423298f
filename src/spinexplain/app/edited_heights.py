"""Heights that a reader drew: what follows for loss, class and shape."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from spinexplain.anatomy import VertebraLevel
from spinexplain.app.frames import sheet_from_json
from spinexplain.app.reading import Reading, shifted
from spinexplain.spine.height_loss import HeightLoss, compare_heights
from spinexplain.spine.norms import norm_heights_mm

Ends = tuple[tuple[tuple[float, float], ...], ...]
_POINT_SD_MM = 0.5  # of a point that a hand sets on an endplate
_STILL = 0.01  # samples; closer, a point counts as not moved
_DEPTH_MM = 28.0  # of a body whose walls nobody has marked


@dataclass(frozen=True)
class ShownHeights:
    """Heights of a level as the panel shows them.

    Parameters
    ----------
    points : tuple
        (anterior, middle, posterior) x (cranial, caudal) x (x, y), samples of the sheet.
    heights_mm, expected_mm : tuple of 3 floats
    loss : float
    loss_interval : tuple of 2 floats
    height_loss_class : int
    shape : str
    by : str
        ``"reader"``, ``"measurement"`` or ``"nobody"``: a first guess from published norms.
    broad_loss : float or None
        What most of the body shows. Points say nothing of it: as measured, it moves as ``loss``
        does. None where nothing was measured.
    """

    points: Ends
    heights_mm: tuple[float, ...]
    expected_mm: tuple[float, ...]
    loss: float
    loss_interval: tuple[float, float]
    height_loss_class: int
    shape: str
    by: str
    broad_loss: float | None = None


def points_to_mm(level: Mapping[str, Any], points: Sequence[Any]) -> np.ndarray:
    """Map points on the picture to RAS+ mm, shape (3, 2, 3)."""
    xy = np.asarray(points, dtype=float)
    # The center of sample 0 lies half a sample from the picture's corner.
    return sheet_from_json(level["sheet"]).to_mm(xy[..., ::-1] - 0.5)


def heights_of(level: Mapping[str, Any], points: Sequence[Any]) -> np.ndarray:
    """Return the three heights between the points, mm, shape (3,)."""
    ends = points_to_mm(level, points)
    return np.asarray(np.linalg.norm(ends[:, 0] - ends[:, 1], axis=-1))


def shown_heights(levels: Sequence[Mapping[str, Any]], name: str, reading: Reading) -> ShownHeights:
    """Compare a level with its neighbors, all as measured or as the reader drew them.

    Parameters
    ----------
    levels : sequence of mapping
        Of a view.
    name : str
        The level, as the model calls it.
    reading : Reading
        Its drawn points, and its shift: norms follow the shifted names.
    """
    level = next(one for one in levels if one["level"] == name)
    points, by = _points(level, reading)
    if by == "measurement" and _is_untouched(reading):
        return _as_measured(level["heights"], points)
    known = {one["level"]: _known(one, reading) for one in levels}
    return _shown(level, reading, known, _compare(known, reading.shift))


def all_shown_heights(
    levels: Sequence[Mapping[str, Any]], reading: Reading
) -> dict[str, ShownHeights]:
    """Do what :func:`shown_heights` does for every level, comparing once."""
    if _is_untouched(reading):
        return {str(one["level"]): shown_heights(levels, one["level"], reading) for one in levels}
    known = {one["level"]: _known(one, reading) for one in levels}
    compared = _compare(known, reading.shift)
    return {str(one["level"]): _shown(one, reading, known, compared) for one in levels}


def _is_untouched(reading: Reading) -> bool:
    return not reading.heights and reading.shift == 0


def _shown(
    level: Mapping[str, Any],
    reading: Reading,
    known: Mapping[str, np.ndarray | None],
    compared: Mapping[VertebraLevel, HeightLoss],
) -> ShownHeights:
    points, by = _points(level, reading)
    heights = known[level["level"]]
    if heights is None:
        return _nothing_said(heights_of(level, points), points)
    found = compared.get(VertebraLevel(shifted(level["level"], reading.shift)))
    if found is None:
        return _nothing_said(heights, points)
    return ShownHeights(
        points=points,
        heights_mm=_rounded(heights),
        expected_mm=_rounded(found.expected_mm),
        loss=round(found.loss, 4),
        loss_interval=(round(found.interval[0], 4), round(found.interval[1], 4)),
        height_loss_class=found.height_loss_class,
        shape=found.shape,
        by=by,
        broad_loss=_moved_along(level["heights"], found.loss),
    )


def _moved_along(stored: Mapping[str, Any] | None, loss: float) -> float | None:
    broad = None if stored is None else stored.get("broad_loss")
    return None if stored is None or broad is None else float(broad + loss - stored["loss"])


def _as_measured(stored: Mapping[str, Any], points: Ends) -> ShownHeights:
    low, high = stored["loss_interval"]
    return ShownHeights(
        points=points,
        heights_mm=_rounded(stored["measured_mm"]),
        expected_mm=_rounded(stored["expected_mm"]),
        loss=round(stored["loss"], 4),
        loss_interval=(round(low, 4), round(high, 4)),
        height_loss_class=stored["class"],
        shape=stored["shape"],
        by="measurement",
        broad_loss=stored.get("broad_loss"),
    )


def _nothing_said(heights: np.ndarray, points: Ends) -> ShownHeights:
    """Give a first guess's points, and no loss: nobody has measured anything."""
    return ShownHeights(points, _rounded(heights), (), 0.0, (0.0, 0.0), 0, "none", "nobody")


def _compare(known: Mapping[str, np.ndarray | None], shift: int) -> dict[VertebraLevel, HeightLoss]:
    """Compare under the shifted names; every height is as sure as two points set by hand.

    How sure a measurement from a mask was is not stored; this is its usual size at slices of
    three millimeters.
    """
    heights = {
        VertebraLevel(shifted(name, shift)): found
        for name, found in known.items()
        if found is not None
    }
    sd_mm = np.full(3, _POINT_SD_MM * np.sqrt(2))
    return compare_heights(heights, dict.fromkeys(heights, sd_mm))


def _known(level: Mapping[str, Any], reading: Reading) -> np.ndarray | None:
    drawn, measured = reading.heights.get(level["level"]), level["heights"]
    if drawn is None:
        return None if measured is None else np.array(measured["measured_mm"])
    heights = heights_of(level, drawn.points)
    if measured is None:
        return heights
    # A line that the reader left alone keeps what was measured in the whole third.
    moved = np.abs(np.array(drawn.points) - np.array(_measured_points(level))) > _STILL
    return np.where(moved.any(axis=(1, 2)), heights, measured["measured_mm"])


def _points(level: Mapping[str, Any], reading: Reading) -> tuple[Ends, str]:
    drawn = reading.heights.get(level["level"])
    if drawn is not None:
        return drawn.points, "reader"
    if level["heights"] is not None:
        return _measured_points(level), "measurement"
    return _guess(level), "nobody"


def _measured_points(
    level: Mapping[str, Any],
) -> Ends:
    landmarks = np.array(level["heights"]["landmarks_mm"])
    on_sheet = sheet_from_json(level["sheet"]).to_patch(landmarks)[..., 1::-1] + 0.5
    return _tuples(on_sheet)


def _guess(level: Mapping[str, Any]) -> Ends:
    """Place six points about the center, as high as the published norm."""
    sheet = level["sheet"]
    rows, columns = sheet["shape"]
    norm = norm_heights_mm(VertebraLevel(level["level"]))
    heights = np.full(3, 25.0) if norm is None else norm
    x = columns / 2 + np.array([-0.375, 0.0, 0.375]) * _DEPTH_MM / sheet["spacing_mm"]
    half = heights / 2 / sheet["spacing_mm"]
    points = np.stack(
        [np.stack([x, rows / 2 - half], axis=-1), np.stack([x, rows / 2 + half], axis=-1)], axis=1
    )
    return _tuples(points)


def _tuples(points: np.ndarray) -> Ends:
    return tuple(
        tuple((round(float(x), 3), round(float(y), 3)) for x, y in line) for line in points
    )


def _rounded(values: Iterable[float]) -> tuple[float, ...]:
    return tuple(round(float(value), 2) for value in values)
