"""Frames of a graded vertebra as JSON, and pictures sampled on them at any offset."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image

from spinexplain.config.palette import BONE_WINDOW_HU
from spinexplain.geometry import BoxFrame, SheetFrame, fit_curve
from spinexplain.spine.sampling import sample_volume
from spinexplain.types import Volume
from spinexplain.ui.pictures import window_hu
from spinexplain.ui.tokens import SOFT_WINDOW_HU

PLANES = ("sagittal", "coronal", "axial")
WINDOWS = {"bone": BONE_WINDOW_HU, "soft": SOFT_WINDOW_HU}
FURTHEST_MM = 60.0
_DETAIL = 4
_ARM_MM = 10.0  # over which the sheet is taken to be flat


def sheet_to_json(frame: SheetFrame) -> dict[str, Any]:
    """Write down what a sheet is made from."""
    return {
        "knots_mm": frame.coronal.knots_mm.tolist(),
        "direction": frame.coronal.direction.tolist(),
        "s_center_mm": frame.s_center_mm,
        "y_center_mm": frame.y_center_mm,
        "shape": list(frame.shape),
        "spacing_mm": frame.spacing_mm,
    }


def sheet_from_json(stored: Mapping[str, Any]) -> SheetFrame:
    """Make the sheet again, exactly."""
    curve = fit_curve(np.array(stored["knots_mm"]), np.array(stored["direction"]))
    rows, columns = stored["shape"]
    return SheetFrame(
        curve, stored["s_center_mm"], stored["y_center_mm"], (rows, columns), stored["spacing_mm"]
    )


def box_to_json(frame: BoxFrame) -> dict[str, Any]:
    """Write down center and axes of a box."""
    return {"center_mm": frame.center_mm.tolist(), "axes": frame.axes.tolist()}


def plane_frame(level: Mapping[str, Any], plane: str, offset_mm: float) -> SheetFrame | BoxFrame:
    """Lay a plane through a vertebra, moved along its normal.

    Parameters
    ----------
    level : mapping
        With ``sheet`` and ``box``.
    plane : str
        One of ``PLANES``.
    offset_mm : float
        Sagittal: to the patient's left; coronal: to posterior; axial: to caudal.
    """
    sheet = sheet_from_json(level["sheet"])
    if plane == "sagittal":
        return replace(sheet, offset_mm=offset_mm)
    axes, center = np.array(level["box"]["axes"]), np.array(level["box"]["center_mm"])
    side = sheet.shape[1]
    # Axes of a box run caudal, posterior, left.
    along = 1 if plane == "coronal" else 0
    shape = (sheet.shape[0], 1, side) if plane == "coronal" else (1, side, side)
    return BoxFrame(center + offset_mm * axes[along], axes, shape, sheet.spacing_mm)


def crosshair_of(level: Mapping[str, Any]) -> dict[str, dict[str, list[float]]]:
    """Say where the body's center lies on each plane, and where a millimeter along an axis leads.

    Parameters
    ----------
    level : mapping
        With ``sheet`` and ``box``.

    Returns
    -------
    dict of str to dict
        Plane -> ``"origin"`` and the two of ``"caudal"``, ``"posterior"`` and ``"left"`` that lie
        in it -> (x, y), in samples from the picture's upper left corner. On the sagittal sheet,
        which is bent, the axes are those at the center.
    """
    axes, center = np.array(level["box"]["axes"]), np.array(level["box"]["center_mm"])
    rows, columns = level["sheet"]["shape"]
    step = 1 / level["sheet"]["spacing_mm"]
    high, deep = columns / 2, rows / 2
    sheet = sheet_from_json(level["sheet"])
    ends = sheet.to_patch(center + _ARM_MM * np.stack([axes[:2], -axes[:2]]))[..., 1::-1]
    (origin,) = sheet.to_patch(center[None])[..., 1::-1] + 0.5
    caudal, posterior = (ends[0] - ends[1]) / (2 * _ARM_MM)
    return {
        "sagittal": {
            "origin": origin.tolist(),
            "caudal": caudal.tolist(),
            "posterior": posterior.tolist(),
        },
        "coronal": {"origin": [high, deep], "caudal": [0.0, step], "left": [step, 0.0]},
        "axial": {"origin": [high, high], "posterior": [0.0, step], "left": [step, 0.0]},
    }


def plane_png(
    volume: Volume, level: Mapping[str, Any], plane: str, offset_mm: float, window: str
) -> bytes:
    """Sample a plane and encode it; the patient's left is on the viewer's right.

    Returns
    -------
    bytes
        A gray PNG of four pixels a sample.
    """
    array, _ = sample_volume(volume, plane_frame(level, plane, offset_mm))
    picture = np.squeeze(array, axis=tuple(i for i in range(array.ndim) if array.shape[i] == 1))
    stream = BytesIO()
    # Pillow's cubic leaves other readers' threads alone meanwhile, and takes a tenth of a spline's.
    large = (_DETAIL * picture.shape[1], _DETAIL * picture.shape[0])
    fine = Image.fromarray(picture.astype(np.float32)).resize(large, Image.Resampling.BICUBIC)
    pixels = window_hu(np.asarray(fine), WINDOWS[window])
    Image.fromarray(pixels).save(stream, format="PNG", compress_level=1)
    return stream.getvalue()
