"""The three heights of a body as lines on its picture, the expected ones as a ghost."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spinexplain.types import HEIGHT_NAMES, Frame, Heights

Point = tuple[float, float]
_BONE_HU = 200.0
_LABEL = (0.22, 0.27)  # rows and columns that three lines of heights cover of a picture


@dataclass(frozen=True)
class HeightLine:
    """One height on a picture.

    Parameters
    ----------
    name : str
        ``"anterior"``, ``"middle"`` or ``"posterior"``.
    measured_mm, expected_mm : float
    cranial, caudal : tuple of 2 floats
        Ends of the measured height, (x, y) in samples from the picture's upper left corner.
    expected_cranial, expected_caudal : tuple of 2 floats
        Ends of the expected height, about the same middle.
    """

    name: str
    measured_mm: float
    expected_mm: float
    cranial: Point
    caudal: Point
    expected_cranial: Point
    expected_caudal: Point


def height_lines(heights: Heights, frame: Frame) -> tuple[HeightLine, HeightLine, HeightLine]:
    """Project the landmarks of a measured body on a sagittal sheet.

    Parameters
    ----------
    heights : Heights
    frame : Frame
        Of the sheet that is shown; landmarks off the sheet are projected on it.

    Returns
    -------
    tuple of 3 HeightLine
        Anterior, middle, posterior.
    """
    on_sheet = np.asarray(frame.to_patch(heights.landmarks_mm))[..., :2]  # (3, 2, row-column)
    points = on_sheet[..., ::-1] + 0.5  # (x, y); the center of sample 0 is at 0.5
    measured = (heights.anterior_mm, heights.middle_mm, heights.posterior_mm)
    anterior, middle, posterior = (
        _line(name, ends, measured[i], heights.expected_mm[i])
        for i, (name, ends) in enumerate(zip(HEIGHT_NAMES, points, strict=True))
    )
    return anterior, middle, posterior


def bare_corner(array_hu: np.ndarray) -> str:
    """Return the corner of a picture that shows the least bone, for words that hide none.

    Parameters
    ----------
    array_hu : ndarray, shape (rows, columns)

    Returns
    -------
    str
        ``"bottom left"``, ``"top left"``, ``"bottom right"`` or ``"top right"``; the first of
        equals.

    Examples
    --------
    >>> array = np.full((10, 10), 40.0)
    >>> array[8:, :3] = 900.0
    >>> bare_corner(array)
    'top left'
    """
    rows, columns = (
        max(round(n * share), 1) for n, share in zip(array_hu.shape, _LABEL, strict=True)
    )
    bone = np.asarray(array_hu) > _BONE_HU
    corners = {
        "bottom left": bone[-rows:, :columns],
        "top left": bone[:rows, :columns],
        "bottom right": bone[-rows:, -columns:],
        "top right": bone[:rows, -columns:],
    }
    return min(corners, key=lambda name: int(corners[name].sum()))


def _line(name: str, ends: np.ndarray, measured_mm: float, expected_mm: float) -> HeightLine:
    center = ends.mean(axis=0)
    stretch = expected_mm / measured_mm if measured_mm > 0 else 1.0
    ghost = center + (ends - center) * stretch
    cranial, caudal, ghost_cranial, ghost_caudal = (_point(p) for p in (*ends, *ghost))
    return HeightLine(name, measured_mm, expected_mm, cranial, caudal, ghost_cranial, ghost_caudal)


def ghost_outline(lines: tuple[HeightLine, ...]) -> str:
    """Outline the expected body: along its cranial ends and back along the caudal ones."""
    around = [line.expected_cranial for line in lines]
    around += [line.expected_caudal for line in reversed(lines)]
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in around) + "Z"


def _point(xy: np.ndarray) -> Point:
    return float(xy[0]), float(xy[1])
